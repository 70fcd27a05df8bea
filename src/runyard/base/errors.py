"""The error tree, whole.

RunyardError                 anything this library raises on purpose
├── UsageError               the user can mend it: what, where, what to do          (exit code 2)
│   └── SweepBusy            another controller is at work on the sweep             (exit code 2)
├── RecordError              a file on disk is not what it should be
├── StorageError             the disk is full, or cannot be written to              (exit code 1)
├── JobFailed                a job did not complete; carries its state and folder   (exit code 1)
└── InterruptedSweep         the user stopped the sweep                             (exit code 130)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class RunyardError(Exception):
    """Base of every error that this library raises on purpose."""

    exit_code = 1


class UsageError(RunyardError):
    """Something the user asked for cannot be done; the message says what, where, and what to do now.

    Args:
        what: what is wrong, one sentence without the final stop.
        where: the file, key or option at fault; empty when ``what`` names it.
        todo: what to do now; empty only when ``what`` leaves no doubt.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = what, where, todo
        super().__init__("\n".join(_three_parts(what, where, todo)))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_usage_error, (type(self), self.what, self.where, self.todo))


def _rebuild_usage_error(kind: type[UsageError], what: str, where: str, todo: str) -> UsageError:
    """Pickle support: keyword-only arguments do not survive Exception's own reduce."""
    error = kind.__new__(kind)
    UsageError.__init__(error, what, where=where, todo=todo)
    return error


def _three_parts(what: str, where: str, todo: str) -> list[str]:
    lines = [what]
    if where:
        lines.append(f"  where: {where}")
    if todo:
        lines.append(f"  to do: {todo}")
    return lines


class SweepBusy(UsageError):
    """Another controller holds the sweep."""


class RecordError(RunyardError):
    """A file of a sweep or a run cannot be read as what it should be.

    Args:
        path: the file.
        problem: what is wrong with it.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}")

    def __reduce__(self) -> tuple[object, ...]:
        return (RecordError, (self.path, self.problem))


class StorageError(RunyardError):
    """Something could not be written; what was finished before is on disk.

    Args:
        where: the file or folder.
        problem: in the system's words.
        todo: what to do now.
    """

    def __init__(self, where: str, problem: str, todo: str) -> None:
        self.where, self.problem, self.todo = where, problem, todo
        super().__init__("\n".join(_three_parts(f"cannot write: {problem}", where, todo)))

    def __reduce__(self) -> tuple[object, ...]:
        return (StorageError, (self.where, self.problem, self.todo))


class JobFailed(RunyardError):
    """A job did not complete.

    Args:
        job: number of the job.
        state: its final state, such as ``TIMEOUT``.
        message: what is known of the cause.
        run_dir: the run's directory, where ``run.json`` and ``output.log`` lie.
    """

    def __init__(self, job: int, state: str, message: str, run_dir: Path) -> None:
        self.job, self.state, self.message, self.run_dir = job, state, message, run_dir
        super().__init__(f"job {job} {state}: {message} (see {run_dir / 'output.log'})")

    def __reduce__(self) -> tuple[object, ...]:
        return (JobFailed, (self.job, self.state, self.message, self.run_dir))


class InterruptedSweep(RunyardError):
    """The user stopped the sweep with Ctrl-C or ``runyard cancel``; it can be resumed."""

    exit_code = 130


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UsageError:
    """The error for a name that is not known: it lists the known ones and the closest.

    >>> print(unknown_name("policy", "gredy", ["greedy", "batch"]))
    unknown policy 'gredy'
      to do: did you mean 'greedy'? Known: batch, greedy
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return UsageError(f"unknown {kind} {name!r}", where=where, todo=f"{hint}Known: {', '.join(names)}")
