"""Sweeps that plain Hydra left, without records of ours: where they lie, and what Hydra's own files tell of them.

Hydra 1.1 to 1.3 leave ``multirun.yaml`` in the sweep's directory and ``.hydra/{config,hydra,overrides}.yaml`` in each
job's. Reads only.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runyard.base import RecordError
from runyard.record import SWEEP_FILE, RunPaths, SweepPaths, redact_override

_MARK = "multirun.yaml"
_FOLDER = ".hydra"
_DEEPEST_SWEEP, _DEEPEST_JOB = 6, 5  # levels below where one looks
#: how Hydra names the directories of sweeps by default, in the machine's own time.
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})[/\\](\d{2}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainJob:
    """A job's directory. ``overrides`` are those of its task, secrets taken out; ``swept`` those not all jobs have."""

    number: int
    dir: Path
    overrides: tuple[str, ...]
    swept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSweep:
    """What Hydra's files tell of a sweep. What they do not tell is None or empty.

    ``overrides`` are those of the command line; ``began`` is the time in the directory's name, taken as the time zone
    of this machine, else the time of ``multirun.yaml``.
    """

    dir: Path
    job_name: str
    jobs: tuple[PlainJob, ...]
    overrides: tuple[str, ...]
    hydra_version: str | None
    launcher: str
    cwd: str
    began: datetime


def find_plain_sweeps(folder: Path) -> Iterator[Path]:
    """Directories at or below a folder that hold a ``multirun.yaml``, by name; does not look inside them."""
    yield from _find(folder, _DEEPEST_SWEEP)


def _find(folder: Path, levels: int) -> Iterator[Path]:
    if (folder / _MARK).is_file():
        yield folder
        return
    if levels == 0 or (folder / SWEEP_FILE).is_file() or (folder / _FOLDER).is_dir():
        return
    try:
        names = sorted(e.name for e in os.scandir(folder) if e.is_dir(follow_symlinks=False) and e.name[0] != ".")
    except OSError:
        return
    for name in names:
        yield from _find(folder / name, levels - 1)


def read_plain_sweep(sweep_dir: Path) -> PlainSweep:
    """What Hydra's files tell of a sweep; its jobs by number.

    Raises:
        RecordError: ``multirun.yaml`` or a job's file cannot be read as what Hydra writes, or there is no job.
    """
    common = _hydra(_read_yaml(sweep_dir / _MARK))
    dirs = list(_job_dirs(sweep_dir, _DEEPEST_JOB))
    if not dirs:
        raise RecordError(sweep_dir, f"no job in it has a {_FOLDER} folder")
    configs = [_hydra(_read_yaml(path / _FOLDER / "hydra.yaml", must_be=False)) for path in dirs]
    overrides = [_overrides(path) for path in dirs]
    asked = _texts(_at(common, "overrides", "task"))
    everywhere = frozenset(asked) if asked else _in_all(overrides)
    jobs = [
        PlainJob(number=n, dir=path, overrides=mine, swept=tuple(o for o in mine if o not in everywhere))
        for n, path, mine in zip(_numbers(dirs, configs), dirs, overrides, strict=True)
    ]
    known = configs[0] or common
    return PlainSweep(
        dir=sweep_dir,
        job_name=str(_at(known, "job", "name") or _at(common, "job", "name") or "imported"),
        jobs=tuple(sorted(jobs, key=lambda job: job.number)),
        overrides=tuple(asked),
        hydra_version=_text(_at(known, "runtime", "version")),
        launcher=_launcher(known),
        cwd=_text(_at(known, "runtime", "cwd")) or "",
        began=_began(sweep_dir),
    )


def _job_dirs(folder: Path, levels: int) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    if _FOLDER in names:
        yield folder
    elif levels > 0:
        for name in names:
            if not name.startswith("."):
                yield from _job_dirs(folder / name, levels - 1)


def _numbers(dirs: Sequence[Path], configs: Sequence[Mapping[str, Any]]) -> list[int]:
    """Each job's number as Hydra gave it; by the order of the names, where any is unknown or comes twice."""
    found = [_at(config, "job", "num") for config in configs]
    numbers = [n if type(n) is int else _number_of(path) for n, path in zip(found, dirs, strict=True)]
    if None not in numbers and len(set(numbers)) == len(numbers):
        return [n for n in numbers if n is not None]
    return list(range(len(dirs)))


def _number_of(path: Path) -> int | None:
    return int(path.name) if path.name.isdecimal() else None


def _overrides(job_dir: Path) -> tuple[str, ...]:
    return tuple(_texts(_read_yaml(job_dir / _FOLDER / "overrides.yaml", must_be=False)))


def _in_all(overrides: Sequence[Sequence[str]]) -> frozenset[str]:
    """Overrides that all jobs have, when there are several: what one job has alone may have been swept."""
    count = Counter(text for mine in overrides for text in set(mine))
    return frozenset(text for text, n in count.items() if n == len(overrides) > 1)


def _launcher(hydra: Mapping[str, Any]) -> str:
    """``basic``, ``joblib`` ...: as it was chosen, or the name of its class."""
    chosen = _text(_at(hydra, "runtime", "choices", "hydra/launcher"))
    return chosen or (_text(_at(hydra, "launcher", "_target_")) or "unknown").rpartition(".")[2]


def _began(sweep_dir: Path) -> datetime:
    named = _DATED.search(str(sweep_dir.absolute()))
    if named is not None:
        try:
            local = datetime.strptime(f"{named[1]} {named[2]}", "%Y-%m-%d %H-%M-%S")
            return local.astimezone(timezone.utc)
        except ValueError:
            pass  # digits that are no time
    return datetime.fromtimestamp((sweep_dir / _MARK).stat().st_mtime, timezone.utc)


def _hydra(document: Any) -> Mapping[str, Any]:
    found = document.get("hydra") if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value == "???" else value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: Any) -> list[str]:
    return [redact_override(str(one)) for one in value] if isinstance(value, list) else []


def _read_yaml(path: Path, *, must_be: bool = True) -> Any:
    """The value in a YAML file; None when there is none and none must be."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        if not must_be:
            return None
        raise RecordError(path, "no such file") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise RecordError(path, f"cannot be read ({exc})") from exc
    try:
        # the C parser is ten times faster, and not built everywhere
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as exc:
        raise RecordError(path, f"not YAML ({' '.join(str(exc).split())[:200]})") from exc


def foreign_records(sweep_dir: Path, jobs: Sequence[PlainJob]) -> list[Path]:
    """Files of the user's that have names of ours: a sweep with such files cannot be given records."""
    paths = SweepPaths(sweep_dir)
    own = [paths.sweep_json, paths.plan_csv, paths.journal, *(RunPaths(job.dir).run_json for job in jobs)]
    return [path for path in own if path.exists()]
