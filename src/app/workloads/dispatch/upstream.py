"""What the jobs of a sweep have in common, as stages: orders, bounds and duals, computed once per (content, d).

The stages are named after their day, and not after their part in a job: what is one job's own day is another's past.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.workloads.dispatch.bounds import Hindsight, hindsight, offline_optimum
from app.workloads.dispatch.config import DispatchConfig, jobs_path, template_path
from app.workloads.dispatch.jobs import Jobs, load_jobs, read_jobs, save_jobs
from app.workloads.dispatch.pairs import feasible_pairs
from runyard import Stage, StageContext, State, UsageError

Inputs = Mapping[str, Mapping[str, Path]]

OPT = "opt"
_LP_NAME = re.compile(r"lp_day(\d+)")
_NUMBER = {"type": "number", "minimum": 0}
_COUNT = {"type": "integer", "minimum": 0}
_LP_SCHEMA = {
    "type": "object",
    "properties": {"lp": _NUMBER, "edges": _COUNT, "jobs": _COUNT},
    "required": ["lp", "edges", "jobs"],
    "additionalProperties": False,
}
_OPT_SCHEMA = {
    "type": "object",
    "properties": {"opt": _NUMBER},
    "required": ["opt"],
    "additionalProperties": False,
}


def orders_of(day: int) -> str:
    """The name of the stage that reads a day's jobs file."""
    return f"orders_day{day}"


def lp_of(day: int) -> str:
    """The name of the stage that computes a day's linear bound and canonical dual."""
    return f"lp_day{day}"


def microseconds(seconds: float) -> int:
    """A window in seconds as whole microseconds."""
    return round(seconds * 1e6)


def upstream(cfg: DispatchConfig) -> list[Stage]:
    """The stages that a job's simulation needs: its own day's first, then those of the past days.

    Raises:
        UsageError: the shadow ``ad`` is wanted, and the template gives no file but this job's own.
    """
    stages = _day(cfg.day, jobs_path(cfg))
    if cfg.with_opt:
        outputs = {"opt": {"path": "opt.json", "schema": _OPT_SCHEMA}}
        needs = (orders_of(cfg.day),)
        stages.append(Stage(name=OPT, function=_optimum, needs=needs, cache={"keys": ["d"]}, outputs=outputs))
    for day, path in _past_days(cfg) if cfg.shadow == "ad" else ():
        stages += _day(day, path)
    return stages


def days_of(names: Iterable[str]) -> list[int]:
    """The days whose bounds are among stages, in their order."""
    return [int(found.group(1)) for found in map(_LP_NAME.fullmatch, names) if found]


def computed_here(names: Iterable[str], run_dir: Path, d: float) -> Iterator[dict[str, Any]]:
    """A row for each bound among stages that this job computed, in this attempt or an earlier one."""
    for day in days_of(names):
        folder = run_dir / lp_of(day)
        record = _read_json(folder / "stage.json") if folder.exists() else {}  # a stage before it may have failed
        if record.get("state") == State.COMPLETED.value and record["how"] == "run":
            found = _read_json(folder / "lp.json")
            counts = {"lp": found["lp"], "n_jobs": found["jobs"], "n_edges": found["edges"]}
            yield {"day": day, "d": d, **counts, "seconds": record["seconds"]}


def orders(day: int, inputs: Inputs) -> Jobs:
    """The jobs of a day, from its stage."""
    return load_jobs(inputs[orders_of(day)]["orders"])


def bound(day: int, inputs: Inputs) -> Hindsight:
    """The linear bound of a day and its canonical dual, from its stage."""
    saved = _read_json(inputs[lp_of(day)]["lp"])
    return Hindsight(lp=saved["lp"], dual=np.load(inputs[lp_of(day)]["dual"]), edges=saved["edges"])


def optimum(inputs: Inputs) -> float:
    """The integral offline optimum of the job's own day, from its stage."""
    return float(_read_json(inputs[OPT]["opt"])["opt"])


def _day(day: int, path: Path) -> list[Stage]:
    """The two stages of a day: the orders depend on the file, and the bound on what was read of it and on d."""

    def read(cfg: DispatchConfig, inputs: Inputs, context: StageContext) -> None:
        save_jobs(context.dir / "orders.npz", read_jobs(path, cfg.timestamp_column))

    def solve(cfg: DispatchConfig, inputs: Inputs, context: StageContext) -> None:
        jobs = orders(day, inputs)
        found = hindsight(feasible_pairs(jobs, microseconds(cfg.d)))
        np.save(context.dir / "dual.npy", found.dual)
        _write_json(context.dir / "lp.json", {"lp": found.lp, "edges": found.edges, "jobs": len(jobs)})

    return [
        Stage(
            name=orders_of(day),
            function=read,
            cache={"keys": ["timestamp_column"]},
            files=(_literally(path),) if path.is_file() else (),  # reading it tells best what is wrong
            outputs={"orders": "orders.npz"},
        ),
        Stage(
            name=lp_of(day),
            function=solve,
            needs=(orders_of(day),),
            cache={"keys": ["d"]},
            outputs={"lp": {"path": "lp.json", "schema": _LP_SCHEMA}, "dual": "dual.npy"},
        ),
    ]


def _optimum(cfg: DispatchConfig, inputs: Inputs, context: StageContext) -> None:
    pairs = feasible_pairs(orders(cfg.day, inputs), microseconds(cfg.d))
    _write_json(context.dir / "opt.json", {"opt": offline_optimum(pairs)})


def _read_json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")


def _literally(path: Path) -> str:
    """The path as a pattern of ``files`` that matches it alone."""
    return glob.escape(str(path)).replace("{", "{{").replace("}", "}}")


def _past_days(cfg: DispatchConfig) -> list[tuple[int, Path]]:
    """The other days that have a file, ascending."""
    days = [(day, path) for day, path in _days(cfg.jobs_template) if not _own(cfg, day, path)]
    if not days:
        raise UsageError(
            "the shadow 'ad' needs the files of other days, and there is none",
            where=f"jobs_template={cfg.jobs_template}, from the directory {Path.cwd()}",
            todo="generate several days with 'python -m app.workloads.dispatch.generate --days 8 --out data', "
            "or take another shadow: naive, pb or hd",
        )
    return days


def _days(template: str) -> Iterator[tuple[int, Path]]:
    """The days for which the template's file is there, ascending."""
    template_path(template, 0)  # says what is wrong with a template that has no {day}
    text, field = re.split(r"(\{day[^}]*\})", template, maxsplit=1)[0:2]
    pattern = "*".join(glob.escape(part) for part in template.split(field))
    numbers = {int(n) for path in glob.glob(pattern) for n in re.findall(r"\d+", path[len(text) :])}
    for day in sorted(numbers):
        path = template_path(template, day)
        if path.exists():
            yield day, path


def _own(cfg: DispatchConfig, day: int, path: Path) -> bool:
    own = jobs_path(cfg)
    return day == cfg.day or (own.exists() and own.samefile(path))
