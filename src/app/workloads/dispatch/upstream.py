"""What the jobs of a sweep have in common: bounds and duals of a jobs file, computed once per (content, d)."""

from __future__ import annotations

import glob
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import runyard
from app.workloads.dispatch.bounds import Hindsight, hindsight, offline_optimum
from app.workloads.dispatch.config import DispatchConfig, jobs_path, template_path
from app.workloads.dispatch.jobs import Jobs, read_jobs
from app.workloads.dispatch.pairs import Pairs, feasible_pairs
from runyard import UsageError

_RULE = "smallest norm, 1"  # part of the key: change it when the meaning of the results changes


def microseconds(seconds: float) -> int:
    """A window in seconds as whole microseconds."""
    return round(seconds * 1e6)


def shared_hindsight(cfg: DispatchConfig, day: int, jobs: Jobs, pairs: Pairs | None = None) -> Hindsight:
    """The linear bound and the canonical dual of a day; whoever computes it emits a row to the table ``lp``.

    Args:
        cfg: gives d and the timestamp column.
        day: the day's number, for the row.
        jobs: the day's jobs.
        pairs: their feasible pairs, where they are at hand.
    """

    def compute(folder: Path) -> None:
        started = time.perf_counter()
        found = hindsight(feasible_pairs(jobs, microseconds(cfg.d)) if pairs is None else pairs)
        np.save(folder / "dual.npy", found.dual)
        (folder / "lp.json").write_text(json.dumps({"lp": found.lp, "edges": found.edges}), encoding="utf-8")
        seconds = time.perf_counter() - started
        runyard.table("lp").append(
            day=day, d=cfg.d, lp=found.lp, n_jobs=len(jobs), n_edges=found.edges, seconds=seconds
        )

    folder = runyard.shared("dispatch-lp", _key(cfg, jobs), compute)
    saved = json.loads((folder / "lp.json").read_text(encoding="utf-8"))
    return Hindsight(lp=saved["lp"], dual=np.load(folder / "dual.npy"), edges=saved["edges"])


def shared_optimum(cfg: DispatchConfig, jobs: Jobs, pairs: Pairs) -> float:
    """The integral offline optimum of a day."""

    def compute(folder: Path) -> None:
        (folder / "opt.json").write_text(json.dumps(offline_optimum(pairs)), encoding="utf-8")

    folder = runyard.shared("dispatch-opt", _key(cfg, jobs), compute)
    return float(json.loads((folder / "opt.json").read_text(encoding="utf-8")))


def history(cfg: DispatchConfig) -> list[tuple[Jobs, NDArray[np.float64]]]:
    """The other days' jobs with their duals, in the order of the days.

    Raises:
        UsageError: the template gives no file but this job's own.
    """
    days = [(day, path) for day, path in _days(cfg.jobs_template) if not _own(cfg, day, path)]
    if not days:
        raise UsageError(
            "the shadow 'ad' needs the files of other days, and there is none",
            where=f"jobs_template={cfg.jobs_template}, from the directory {Path.cwd()}",
            todo="generate several days with 'python -m app.workloads.dispatch.generate --days 8 --out data', "
            "or take another shadow: naive, pb or hd",
        )
    past = [(day, read_jobs(path, cfg.timestamp_column)) for day, path in days]
    return [(jobs, shared_hindsight(cfg, day, jobs).dual) for day, jobs in past]


def _key(cfg: DispatchConfig, jobs: Jobs) -> dict[str, Any]:
    return {"rule": _RULE, "sha256": jobs.sha256, "d": float(cfg.d), "timestamp_column": cfg.timestamp_column}


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
