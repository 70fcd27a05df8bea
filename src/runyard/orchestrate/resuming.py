"""Taking a sweep up again: which jobs, by what command; and, in the process so started, running them.

``python -m runyard.orchestrate SWEEP_DIR SELECTION [key=value ...]`` is that command; ``runyard resume`` and
``runyard retry`` start it with the interpreter and in the directory of the original.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import configure_log
from hydra.types import HydraContext
from omegaconf import DictConfig

from runyard.base import FAILURES, TERMINAL, RunyardError, State, UsageError, unknown_name
from runyard.compose import CapturedApplication, Composer, run_captured
from runyard.execute import end_processes
from runyard.orchestrate.ending import finish
from runyard.orchestrate.execution import Execution
from runyard.orchestrate.jobs import brief
from runyard.orchestrate.opening import (
    LAUNCHER_KEYS,
    Application,
    LauncherSettings,
    OpenSweep,
    Submission,
    adopt,
    launcher_settings,
    provenance_now,
    recorder_settings,
    task_overrides,
    thaw,
)
from runyard.orchestrate.planning import JobResources, check_plan_file, sweeper_settings
from runyard.orchestrate.submitting import Jobs
from runyard.record import (
    ControllerLock,
    Entry,
    Journal,
    Ledger,
    RunRecord,
    SweepPaths,
    read_runs,
    read_sweep,
    replay,
    write_run,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which jobs: ``left`` (all that are not COMPLETED), ``failed``, or ``jobs`` (those numbers, if not COMPLETED)."""

    kind: str = "left"
    jobs: frozenset[int] | None = None

    def to_text(self) -> str:
        """One word for a command line; ``selection_of`` reads it."""
        return self.kind if self.jobs is None else ",".join(map(str, sorted(self.jobs)))

    def takes(self, run: RunRecord) -> bool:
        """Whether a job is to run."""
        if run.state is State.COMPLETED:
            return False
        if self.jobs is not None:
            return run.job in self.jobs
        return self.kind == "left" or run.state in FAILURES


def selection_of(text: str) -> Selection:
    """The selection that ``to_text`` wrote."""
    return Selection(kind=text) if text in ("left", "failed") else Selection(kind="jobs", jobs=parse_jobs(text))


def parse_jobs(text: str) -> frozenset[int]:
    """Job numbers from ``0-3,7``.

    Raises:
        UsageError: the text is not such a list.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()) or (dash and int(last) < int(first)):
            raise UsageError(f"{text!r} is not a list of jobs", where="--jobs", todo="write numbers and ranges: 0-3,7")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def resume_command(
    sweep_dir: Path, *, select: Selection, overrides: Sequence[str] = ()
) -> tuple[list[str], dict[str, str], str]:
    """The command that takes a sweep up again: arguments, environment, working directory.

    Args:
        sweep_dir: the sweep.
        select: which of its jobs.
        overrides: ``hydra.launcher.<key>=<value>`` to change how they run, not what.

    Raises:
        UsageError: the sweep cannot be resumed, a job is not in it, there is nothing to do, or another controller
            is at work on it.
    """
    submission = thaw(sweep_dir)
    entry = _entry(submission, sweep_dir)
    launcher_changes(overrides)
    lock = ControllerLock(SweepPaths(sweep_dir).lock)
    lock.acquire()  # only to be refused early, with the holder's name
    lock.release()
    check_plan_file(sweep_dir, replay(SweepPaths(sweep_dir).journal, ("planned",)))
    if select.jobs is not None:
        _check_jobs(sweep_dir, select.jobs)
    argv = [entry.python, *entry.flags, "-m", "runyard.orchestrate", str(sweep_dir), select.to_text(), *overrides]
    return argv, dict(os.environ), entry.cwd


def _check_jobs(sweep_dir: Path, jobs: frozenset[int]) -> None:
    known = {run.job for run in read_runs(sweep_dir)}
    unknown = sorted(jobs - known)
    if unknown:
        raise UsageError(
            f"the sweep has no job {unknown[0]}",
            where=str(sweep_dir),
            todo=f"its jobs are 0 to {max(known, default=0)}",
        )


def _entry(submission: Submission, sweep_dir: Path) -> Entry:
    if submission.entry is None:
        raise UsageError(
            "this sweep was not started as a program (python FILE or python -m MODULE), so it cannot be started again",
            where=str(sweep_dir),
            todo="run it from a command line to be able to resume it",
        )
    return submission.entry


def launcher_changes(overrides: Sequence[str], known: Collection[str] | None = LAUNCHER_KEYS) -> dict[str, Any]:
    """Settings of a launcher from ``hydra.launcher.<key>=<value>``.

    Raises:
        UsageError: it is none, or the key is not among those that are known; None knows all.
    """
    values: dict[str, Any] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        prefix, _, key = override.key_or_group.rpartition(".")
        if prefix != "hydra.launcher":
            raise UsageError(
                f"{override.input_line!r} cannot be changed in a sweep that has begun",
                where="resume",
                todo="only hydra.launcher.<key>=<value> can; what the jobs compute was frozen at submission",
            )
        if known is not None and key not in known:
            raise unknown_name("key", key, sorted(known), where="hydra.launcher")
        values[key] = override.value()
    return values


# -- in the new process -----------------------------------------------------------------------------------------


def take_up(
    sweep_dir: Path, select: Selection, overrides: Sequence[str], moved: Callable[[Entry, Path], Entry] | None = None
) -> int:
    """Runs what is selected of a sweep inside its application; returns the exit code.

    ``moved`` tells how the application is started where its code lies elsewhere; None where it lies as it did.

    Raises:
        RunyardError: it cannot be done; nothing was changed.
    """
    submission = thaw(sweep_dir)
    entry = _entry(submission, sweep_dir)
    if moved is not None:
        entry = moved(entry, sweep_dir)
        submission = dataclasses.replace(submission, entry=entry)
    codes: list[int] = []

    def inside(captured: CapturedApplication) -> None:
        codes.append(_run(sweep_dir, submission, captured, select, launcher_changes(overrides)))

    run_captured(entry.kind, entry.target, entry.args, inside, folder=entry.folder)
    return codes[0] if codes else 1


def _run(
    sweep_dir: Path,
    submission: Submission,
    captured: CapturedApplication,
    select: Selection,
    launcher: Mapping[str, Any],
) -> int:
    values = {**local_values(submission.launcher), **launcher}
    execution = thawed(sweep_dir, submission, captured, launcher_settings(values), values)
    execution.hold()  # before anything is ended: it might be another controller's
    if not execution.opened.paths.frozen_code.exists():
        execution.opened.taken_up = provenance_now(execution.opened)  # the checkout may have changed since
    if submission.jobs is None:
        _submit(execution)
    end_processes(
        f"RUNYARD_SWEEP_DIR={sweep_dir}\0", folder=sweep_dir
    )  # what a dead controller may have left on this machine
    ledger = replay(SweepPaths(sweep_dir).journal, ("submitted", "ended"))
    runs = [_settled(run) for run in read_runs(sweep_dir, ledger)]
    _settle_journal(sweep_dir, runs, ledger)
    taken = [run for run in runs if select.takes(run)]
    if not taken:
        sys.stderr.write("nothing is left to run\n")
        return exit_code(finish(execution.opened))
    sys.stderr.write(f"sweep {execution.opened.record.sweep_id}: {len(taken)} of {len(runs)} jobs to run\n")
    numbers = {run.job for run in taken}
    execution.before = Counter(run.state for run in runs if run.job not in numbers)
    execution.best_before = [run for run in runs if run.job not in numbers]
    earlier = {run.job: run.attempts for run in taken if run.attempts}
    outcomes = execution.run(0, execution.jobs.count, numbers.__contains__, earlier)
    execution.end(outcomes)
    return exit_code(read_runs(sweep_dir))


def exit_code(runs: Sequence[RunRecord]) -> int:
    """0 when every job is COMPLETED, else 1."""
    return 0 if all(run.state is State.COMPLETED for run in runs) else 1


def _submit(execution: Execution) -> None:
    """Submits the jobs of a sweep whose controller died before it had: with the config files as they are."""
    settings = sweeper_settings(execution.app.config)
    if settings is None:
        raise UsageError(
            "the sweep was stopped before its sweeper had asked for a job",
            where=str(execution.opened.dir),
            todo="run the command again",
        )
    execution.submit_points(settings, task_overrides(execution.app.config))


def _settled(run: RunRecord) -> RunRecord:
    """A job that was under way when its controller died is LOST, and its record says so."""
    if run.state is not State.RUNNING or not run.attempts:
        return run
    lost = run.with_attempt(dataclasses.replace(run.attempts[-1], state=State.LOST))
    if Path(run.run_dir).is_dir():
        write_run(lost)
    return lost


def _settle_journal(sweep_dir: Path, runs: Iterable[RunRecord], ledger: Ledger) -> None:
    """Journals the ends that a controller did not live to journal."""
    with Journal(SweepPaths(sweep_dir).journal) as journal:
        for record in runs:
            if record.state in TERMINAL and len(record.attempts) > _attempts(ledger, record.job):
                journal.append("ended", job=record.job, run=brief(record), recovered=True)


def _attempts(ledger: Ledger, job: int) -> int:
    """How many attempts at a job the journal knows the ends of; -1 when it knows of no end."""
    return len(ledger.runs[job].get("attempts") or ()) if job in ledger.runs else -1


def thawed(
    sweep_dir: Path,
    submission: Submission,
    captured: CapturedApplication,
    launcher: LauncherSettings,
    values: Mapping[str, Any],
) -> Execution:
    """A sweep as it was submitted, inside its application.

    Args:
        sweep_dir: the sweep.
        submission: from its snapshot.
        captured: the application.
        launcher: how its jobs are run.
        values: the same as keys and values.
    """
    config: DictConfig = pickle.loads(submission.master)
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    settings = recorder_settings(config)
    opened = adopt(
        OpenSweep(
            dir=sweep_dir,
            root=Path(str(config.hydra.runtime.cwd), settings.root) if settings.root else None,
            record=read_sweep(sweep_dir),
            settings=settings,
            entry=submission.entry,
        )
    )
    ledger = replay(SweepPaths(sweep_dir).journal, ("planned",))
    sweeper = sweeper_settings(config)
    return Execution(
        app=Application(
            task_function=captured.task_function,
            context=HydraContext(config_loader=captured.loader, callbacks=Callbacks(config)),
            config=config,
        ),
        opened=opened,
        composer=Composer(config, captured.loader, submission.frozen, exclude=settings.exclude_keys),
        settings=launcher,
        launcher_values=values,
        reuse=sweeper.reuse if sweeper is not None else "never",
        resources=JobResources(launcher.resources, launcher.rules, launcher.resources_from),
        jobs=Jobs(
            count=submission.jobs or 0,
            names=submission.names,
            replicate=submission.replicate,
            planned=ledger.planned,
            mark=ledger.mark,
        ),
    )


def local_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of a launcher's settings those that say how jobs are run on this machine; of Slurm's, what it has in common."""
    if "array_parallelism" not in values:
        return dict(values)
    kept = {
        key: value for key, value in values.items() if key in LAUNCHER_KEYS and key not in ("timeout_min", "n_jobs")
    }
    return {**kept, "timeout_min": values.get("job_timeout_min")}


def main(argv: Sequence[str], moved: Callable[[Entry, Path], Entry] | None = None) -> int:
    """The command; returns the exit code. ``moved`` as in ``take_up``."""
    sweep_dir, selection, *overrides = argv
    try:
        return take_up(Path(sweep_dir), selection_of(selection), overrides, moved)
    except RunyardError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
