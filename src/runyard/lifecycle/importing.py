"""Import: gives records to sweeps that plain Hydra made, so that they are listed, shown and asked like all others.

Writes ``sweep.json``, ``plan.csv`` and the jobs' ``run.json`` beside what is there, and touches no file of the user's.
What Hydra's files do not tell stays unknown: there are no attempts, times, hosts or commits in these records. A job
is COMPLETED or FAILED only where something shows it; of the others nobody is left who could tell: LOST.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, SweepState, UsageError, iso, utc_now
from runyard.record import (
    PlanRow,
    RunRecord,
    SweepPaths,
    SweepRecord,
    count_states,
    metrics_of,
    read_run,
    read_sweep,
    write_plan,
    write_run,
    write_sweep,
)
from runyard.registry import (
    PlainJob,
    PlainSweep,
    Registry,
    add_to_index,
    find_plain_sweeps,
    foreign_records,
    list_sweeps,
    read_plain_sweep,
)

#: the mark in an imported record's provenance, and the tag of its sweep.
IMPORTED = "imported"
#: what Hydra's LogJobReturnCallback writes into a job's log.
_TOLD = re.compile(
    r"hydra\.experimental\.callbacks?\.LogJobReturnCallback\]\[(INFO|ERROR)\] - (?:Succeeded with return value: (.*))?"
)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSweep:
    """What became of one directory.

    ``action`` is ``new``, ``changed``, ``unchanged`` or ``refused``; then ``reason`` says why. ``problems`` tell of
    files that were named for metrics and could not be read.
    """

    dir: Path
    action: str
    sweep_id: str = ""
    experiment: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    problems: tuple[str, ...] = ()


def import_trees(
    folder: Path,
    root: Path,
    *,
    experiment: str | None = None,
    metrics: Sequence[str] = (),
    dry_run: bool = False,
) -> list[ImportedSweep]:
    """Imports every sweep of plain Hydra at or below a folder. To be called again as often as one likes.

    Args:
        folder: where to look.
        root: whose registry and index are to know the sweeps.
        experiment: what they are sweeps of; None: the application's name, or what an earlier import said.
        metrics: files in a job's directory, relative to it, that hold its metrics: ``.json``, ``.jsonl``, ``.csv``,
            ``.yaml``. A job that has one of them with a number in it counts as COMPLETED. Empty: those of an earlier
            import.
        dry_run: only tells what would be done.

    Raises:
        UsageError: there is no sweep of plain Hydra, or the path of a metrics file leads out of the job.
        RecordError: the registry cannot be written; the records are, and ``runyard reindex`` brings them in.
    """
    for name in metrics:
        if Path(name).is_absolute() or ".." in Path(name).parts or Path(name).suffix not in _READERS:
            known = ", ".join(_READERS)
            raise UsageError(
                f"{name!r} cannot be a job's metrics file",
                where="--metrics",
                todo=f"name a file relative to the job's directory that ends with {known}",
            )
    dirs = list(find_plain_sweeps(folder))
    if not dirs:
        raise UsageError(
            "there is no sweep of Hydra's", where=str(folder), todo="name a folder with a multirun.yaml in or below it"
        )
    taken = {row["sweep_id"] for row in list_sweeps(root)}
    done = []
    for sweep_dir in dirs:
        done.append(_import(sweep_dir, taken, experiment, metrics, dry_run))
        if not dry_run and done[-1].action in ("new", "changed"):
            Registry(root).put(sweep_dir)
            add_to_index(root, read_sweep(sweep_dir), sweep_dir)
    return done


def _import(
    sweep_dir: Path, taken: set[str], experiment: str | None, metrics: Sequence[str], dry_run: bool
) -> ImportedSweep:
    try:
        before = _record_of(sweep_dir)
        if before is not None and IMPORTED not in before.provenance:
            return ImportedSweep(dir=sweep_dir, action="refused", reason="Runyard made it, and has its records")
        plain = read_plain_sweep(sweep_dir)
    except RecordError as error:
        return ImportedSweep(dir=sweep_dir, action="refused", reason=str(error))
    in_the_way = foreign_records(sweep_dir, plain.jobs) if before is None else []
    if in_the_way:
        reason = f"{os.path.relpath(in_the_way[0], sweep_dir)} is there already, and not a record of Runyard"
        return ImportedSweep(dir=sweep_dir, action="refused", reason=reason)
    names = tuple(metrics) or _metrics_before(before)
    sweep_id = before.sweep_id if before is not None else _free_id(plain, taken)
    taken.add(sweep_id)
    problems: list[str] = []
    runs = [_run(job, sweep_id, plain, names, problems) for job in plain.jobs]
    record = _sweep(plain, sweep_id, experiment, names, runs, before)
    is_same = before is not None and record == before and all(_is_written(run) for run in runs)
    if not is_same and not dry_run:
        try:
            _write(sweep_dir, record, runs, plain)
        except OSError as error:
            return ImportedSweep(dir=sweep_dir, action="refused", reason=f"cannot be written ({error})")
    action = "unchanged" if is_same else "new" if before is None else "changed"
    return ImportedSweep(
        dir=sweep_dir,
        action=action,
        sweep_id=sweep_id,
        experiment=record.experiment,
        counts=record.counts,
        problems=tuple(problems),
    )


def _record_of(sweep_dir: Path) -> SweepRecord | None:
    return read_sweep(sweep_dir) if SweepPaths(sweep_dir).sweep_json.exists() else None


def _metrics_before(record: SweepRecord | None) -> tuple[str, ...]:
    return tuple(record.provenance[IMPORTED].get("metrics", ())) if record is not None else ()


def _free_id(plain: PlainSweep, taken: set[str]) -> str:
    name = f"{plain.began.strftime(_STAMP)}-{IMPORTED}"
    return next(one for one in _counted(name) if one not in taken)


def _counted(name: str) -> Iterator[str]:
    yield name
    n = 2
    while True:
        yield f"{name}-{n}"
        n += 1


def _sweep(
    plain: PlainSweep,
    sweep_id: str,
    experiment: str | None,
    metrics: Sequence[str],
    runs: Sequence[RunRecord],
    before: SweepRecord | None,
) -> SweepRecord:
    made = {"hydra": plain.hydra_version, "metrics": list(metrics)}
    earlier = before.provenance[IMPORTED] if before is not None else {}
    mark = {**made, "at": earlier.get("at") or iso(utc_now())}
    counts = count_states(runs)
    if before is not None:  # a person's tags, note and experiment stay
        return replace(
            before,
            experiment=experiment or before.experiment,
            state=_state(counts),
            counts=counts,
            provenance={**before.provenance, IMPORTED: mark},
        )
    return SweepRecord(
        sweep_id=sweep_id,
        experiment=experiment or plain.job_name,
        state=_state(counts),
        command=(),
        cwd=plain.cwd,
        overrides=plain.overrides,
        launcher=plain.launcher,
        created_at=iso(plain.began),
        counts=counts,
        provenance={IMPORTED: mark},
        tags=(IMPORTED,),
    )


def _state(counts: Mapping[str, int]) -> SweepState:
    """COMPLETED when all jobs are; LOST when of none it is known what became of it; else FAILED: some are missing."""
    if set(counts) == {State.COMPLETED.value}:
        return SweepState.COMPLETED
    return SweepState.LOST if set(counts) == {State.LOST.value} else SweepState.FAILED


def _run(job: PlainJob, sweep_id: str, plain: PlainSweep, metrics: Sequence[str], problems: list[str]) -> RunRecord:
    outcome = _outcome(job, plain.job_name, metrics, problems)
    return RunRecord(
        sweep_id=sweep_id,
        job=job.number,
        run_key="",  # the keys that do not count are not known, so nor is which other jobs are the same
        state=outcome.state,
        overrides=job.overrides,
        params=_params(job.swept),
        run_dir=str(job.dir),
        metrics=outcome.metrics,
        provenance={IMPORTED: {"shown_by": outcome.shown_by}},
    )


def _params(overrides: Sequence[str]) -> dict[str, Any]:
    """Values in Python's types, as Hydra's grammar reads them; as text where it does not."""
    from hydra.errors import HydraException

    from runyard.compose import OverrideReader

    reader, found = OverrideReader(), {}
    for text in overrides:
        try:
            parsed = reader.read(text)
            found[str(parsed.get_key_element())] = parsed.value()
        except HydraException:
            key, _, value = text.partition("=")
            found[key] = value
    return {key: value if _is_plain(value) else str(value) for key, value in found.items()}


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_written(run: RunRecord) -> bool:
    try:
        return read_run(Path(run.run_dir)) == run
    except RecordError:
        return False


def _write(sweep_dir: Path, record: SweepRecord, runs: Sequence[RunRecord], plain: PlainSweep) -> None:
    """Runs first: a sweep with ``sweep.json`` has all that it names."""
    for run in runs:
        if not _is_written(run):
            write_run(run)
    rows = [
        PlanRow(
            job=job.number,
            run_key="",
            run_dir=os.path.relpath(job.dir, sweep_dir),
            values={key: text for key, _, text in (one.partition("=") for one in job.swept)},
        )
        for job in plain.jobs
    ]
    write_plan(SweepPaths(sweep_dir).plan_csv, rows, list(dict.fromkeys(name for row in rows for name in row.values)))
    write_sweep(sweep_dir, record)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is known of a job's end, and by which file."""

    state: State
    metrics: Mapping[str, Any] = field(default_factory=dict)
    shown_by: str | None = None


def _outcome(job: PlainJob, job_name: str, names: Sequence[str], problems: list[str]) -> _Outcome:
    logged = _logged(job.dir, job_name)
    found: dict[str, Any] = dict(logged.metrics)
    shown_by = logged.shown_by
    for name in names:
        path = job.dir / name
        if not path.is_file():
            continue
        try:
            numbers = _READERS[path.suffix](path)
        except (OSError, ValueError, csv.Error) as error:
            problems.append(f"job {job.number}: {name} cannot be read ({' '.join(str(error).split())[:120]})")
            continue
        found |= numbers
        shown_by = shown_by or (name if numbers else None)
    if logged.state is State.FAILED:
        return _Outcome(State.FAILED, found, logged.shown_by)
    return _Outcome(State.COMPLETED if shown_by else State.LOST, found, shown_by)


def _logged(job_dir: Path, job_name: str) -> _Outcome:
    """What Hydra's own callback has written into the job's log, where it was asked to."""
    name = f"{job_name}.log"
    try:
        text = (job_dir / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _Outcome(State.LOST)
    told = list(_TOLD.finditer(text))
    if not told:
        return _Outcome(State.LOST)
    if told[-1][1] == "ERROR":
        return _Outcome(State.FAILED, {}, name)
    try:
        value = ast.literal_eval((told[-1][2] or "").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    return _Outcome(State.COMPLETED, _numbers(value), name)


def _numbers(value: Any) -> dict[str, int | float]:
    """The numbers in a value, by the names that metrics have; what is no number is passed over."""
    if isinstance(value, Mapping):
        value = {str(k): v for k, v in value.items() if isinstance(v, (int, float, Mapping))}
        nested = {k: _numbers(v) for k, v in value.items() if isinstance(v, Mapping)}
        flat = {k: v for k, v in value.items() if not isinstance(v, Mapping)}
        return metrics_of(flat) | {f"{k}/{name}": v for k, inner in nested.items() for name, v in inner.items()}
    return metrics_of(value) if isinstance(value, (int, float)) else {}


def _from_json(path: Path) -> dict[str, int | float]:
    value = json.loads(path.read_text(encoding="utf-8"))
    return _last_of(value) if isinstance(value, list) else _numbers(value)


def _from_json_lines(path: Path) -> dict[str, int | float]:
    return _last_of([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()])


def _from_yaml(path: Path) -> dict[str, int | float]:
    import yaml

    try:
        return _numbers(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as exc:
        raise ValueError(f"not YAML: {exc}") from exc


def _from_csv(path: Path) -> dict[str, int | float]:
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    return _last_of([{k: _number(v) for k, v in row.items() if k and isinstance(v, str)} for row in reader])


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _last_of(rows: Sequence[Any]) -> dict[str, int | float]:
    """Of each column the last number: rows are steps of a job, and many columns are filled in some of them only."""
    found: dict[str, int | float] = {}
    for row in rows:
        found |= _numbers(row)
    return found


_READERS = {".json": _from_json, ".jsonl": _from_json_lines, ".csv": _from_csv, ".yaml": _from_yaml, ".yml": _from_yaml}
