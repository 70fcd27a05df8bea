"""The end of a sweep: its record, its files, and its places in the registry, the index and ``latest``."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from runyard.base import RunyardError, State, SweepState, iso, utc_now
from runyard.orchestrate.opening import OpenSweep, finisher, gate_rules
from runyard.record import RunRecord, SweepPaths, count_states, read_runs

Say = Callable[[str], None]


def sweep_state(runs: Sequence[RunRecord], *, interrupted: bool = False) -> SweepState:
    """The state of a sweep that no controller works on, from its jobs."""
    if interrupted:
        return SweepState.CANCELLED
    if runs and all(run.state is State.COMPLETED for run in runs):
        return SweepState.COMPLETED
    if all(run.state is State.PENDING for run in runs):
        return SweepState.PENDING
    if any(run.state is State.CANCELLED for run in runs) and not any(_failed(run) for run in runs):
        return SweepState.CANCELLED
    return SweepState.FAILED


def _failed(run: RunRecord) -> bool:
    return run.state not in (State.COMPLETED, State.CANCELLED, State.PENDING, State.RUNNING)


def finish(
    opened: OpenSweep,
    *,
    interrupted: bool = False,
    finished_at: str | None = None,
    say: Say | None = None,
    files: bool = True,
) -> list[RunRecord]:
    """Writes everything that a sweep ends with; returns its runs. Whatever cannot be made is said, not raised.

    Writes ``sweep.json``, results, tables, summary, figure and notes; updates the registry, ``index.csv`` and
    ``latest`` where the recorder keeps them. A single run has its record only: there is nothing to compare, and
    the libraries for figures take longer to load than many a run takes; ``runyard collect`` makes its tables.
    ``files`` False leaves tables, figure and notes out.
    """
    runs = read_runs(opened.dir)
    opened.save(
        state=sweep_state(runs, interrupted=interrupted),
        counts=count_states(runs),
        finished_at=finished_at or iso(utc_now()),
        controller=None,
        paths=_paths(opened),
    )
    for message in make_files(opened) if files and not opened.record.single else []:
        (say or _to_stderr)(message)
    index(opened, latest=True)
    return runs


def _paths(opened: OpenSweep) -> dict[str, str]:
    names = ("plan_csv", "journal", "results_csv", "results_parquet", "summary_csv", "summary_png", "notes", "tables")
    return {name: str(getattr(SweepPaths(Path()), name)) for name in names} | {"dir": str(opened.dir)}


def make_files(opened: OpenSweep) -> list[str]:
    """Verdicts, tables, figure and notes; returns what could not be made, in sentences."""
    try:
        from runyard.report import finish_files  # pandas and matplotlib are loaded only here

        return [*_judge(opened), *finish_files(opened.dir, metric=opened.settings.metric), *_call(opened)]
    except Exception as exc:  # a border: the results are on disk, and the record must still be finished
        name = opened.record.sweep_id
        return [f"tables and figures were not made ({type(exc).__name__}: {exc}); try 'runyard collect {name}'"]


def _judge(opened: OpenSweep) -> list[str]:
    """Judges the gates that the sweep has in its config, and keeps the verdicts; says what cannot be judged."""
    settings = opened.settings
    if not settings.gates:
        return []
    from runyard.analyze import load_sweep
    from runyard.gates import gate_sweep, write_gates

    rules = gate_rules(settings, Path(opened.record.cwd))
    loaded = load_sweep(opened.dir)
    try:
        before = None if opened.record.baseline is None else load_sweep(Path(opened.record.baseline))
    except RunyardError as error:
        return [f"the gates were not judged: their baseline is not to be had ({error})"]
    report = gate_sweep(loaded, rules, baseline=before, baseline_name=settings.baseline or "")
    write_gates(opened.dir, report)
    return []


def _call(opened: OpenSweep) -> list[str]:
    """Calls the application's own function for the end of a sweep; says what it raised.

    ``collect`` runs in a program of ours, which finds the application's modules where its program lies, or in its
    working directory.
    """
    entry = opened.record.entry
    folders = [opened.record.cwd, *([str(Path(entry["target"]).parent)] if entry and entry["kind"] == "script" else [])]
    added = [folder for folder in folders if folder not in sys.path]
    sys.path += added
    try:
        function = finisher(opened.record.finish)
        if function is not None:
            function(opened.dir)
    except Exception as exc:  # a border: the function is not ours, and the sweep's record and tables are made
        return [f"{opened.record.finish} was called for the end of the sweep, and raised {type(exc).__name__}: {exc}"]
    finally:
        for folder in added:
            sys.path.remove(folder)
    return []


def index(opened: OpenSweep, *, latest: bool, runs: Sequence[RunRecord] | None = None) -> None:
    """Brings registry, index and ``latest`` up to the files, where they are kept.

    Args:
        opened: the sweep.
        latest: also make it the newest of its experiment, and give it its row in the index.
        runs: the runs that have changed; None for all.
    """
    if opened.root is None:
        return
    from runyard.registry import Registry, add_to_index, point_latest

    try:
        Registry(opened.root, busy_s=1.0).put(opened.dir, runs=runs)
        if latest:
            add_to_index(opened.root, opened.record, opened.dir)
            point_latest(opened.root, opened.record.experiment, opened.dir)
    except (OSError, RunyardError, sqlite3.Error) as exc:  # derived from the files: no reason to stop a sweep
        _to_stderr(f"runyard: the registry was not updated ({exc}); 'runyard reindex' does it later")


def _to_stderr(message: str) -> None:
    sys.stderr.write(message + "\n")
