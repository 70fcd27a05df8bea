"""A side of a comparison: some completed runs, their values, and where they come from. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.analyze import Cell, LoadedSweep, level, load_sweep
from runyard.base import RecordError, State, UsageError
from runyard.record import RunRecord
from runyard.registry import list_sweeps

_SHORTEST_SHA = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The metrics of one completed run: of the cell ``setting``, in the repetition ``repeat``; names and values."""

    setting: tuple[tuple[str, Cell], ...]
    repeat: tuple[tuple[str, Cell], ...]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those that are compared.

    ``label`` is what the user calls it. ``job`` is given where it is one run of the only sweep, ``commit`` where it
    is the runs of a commit.
    """

    label: str
    sweeps: tuple[LoadedSweep, ...]
    job: int | None = None
    commit: str | None = None

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """The runs that are meant, whatever their state."""
        return tuple(run for loaded in self.sweeps for run in loaded.runs if self._is_meant(run))

    def _is_meant(self, run: RunRecord) -> bool:
        return self.job is None or run.job == self.job

    @property
    def completed(self) -> int:
        """How many of them completed."""
        return sum(run.state is State.COMPLETED for run in self.runs)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that they reported, in order."""
        return tuple(dict.fromkeys(name for loaded in self.sweeps for name in loaded.metrics))

    def observations(self) -> Iterator[Observation]:
        """What the completed runs measured; values that are not finite numbers are left out by whoever averages."""
        for loaded in self.sweeps:
            roles = {axis.name: axis.role for axis in loaded.axes}
            columns = loaded.table.columns
            for at, run in enumerate(loaded.runs):
                if run.state is not State.COMPLETED or not self._is_meant(run):
                    continue
                cells = [(name, level(columns[name][at])) for name in loaded.names]
                yield Observation(
                    setting=tuple(pair for pair in cells if roles[pair[0]] == "setting"),
                    repeat=tuple(pair for pair in cells if roles[pair[0]] != "setting"),
                    metrics={
                        name: float(value)
                        for name in loaded.metrics
                        if isinstance(value := columns[name][at], (int, float))
                    },
                )


def side_of(label: str, sweep_dir: Path, job: int | None = None, *, with_results: bool = True) -> Side:
    """The side that is a sweep, or one of its jobs.

    Raises:
        UsageError: the sweep has no such job; or nothing of it completed, and ``with_results`` is wanted.
        RecordError: the directory holds no sweep.
    """
    side = Side(label=label, sweeps=(load_sweep(sweep_dir),), job=job)
    return _with_results(side, str(sweep_dir)) if with_results else side


def side_of_commit(commit: str, roots: Sequence[Path]) -> Side | None:
    """The side that is every sweep of a commit below the roots; None where there is none.

    Raises:
        UsageError: more than one commit begins so, or nothing of its sweeps completed.
    """
    wanted = commit.lower()
    if len(wanted) < _SHORTEST_SHA or set(wanted) - set("0123456789abcdef"):
        return None
    rows = [row for root in roots for row in list_sweeps(root) if (row["git_sha"] or "").startswith(wanted)]
    if not rows:
        return None
    if len(known := sorted({row["git_sha"] for row in rows})) > 1:
        raise UsageError(
            f"{commit!r} is not clear: {len(known)} commits begin so",
            where="the commit",
            todo=f"give more digits: {', '.join(sha[:12] for sha in known)}",
        )
    sweeps = tuple(loaded for row in rows if (loaded := _load(Path(row["path"]))) is not None)
    return _with_results(Side(label=commit, sweeps=sweeps, commit=known[0]), "the sweeps of this commit")


def _load(sweep_dir: Path) -> LoadedSweep | None:
    """The sweep; None where it is gone although the index names it."""
    try:
        return load_sweep(sweep_dir)
    except RecordError:
        if sweep_dir.is_dir():
            raise
        return None


def _with_results(side: Side, where: str) -> Side:
    if not side.runs:
        raise UsageError(
            f"{side.label!r} has no job {side.job}" if side.job is not None else f"{side.label!r} has no jobs",
            where=where,
            todo="see runyard results",
        )
    if not side.completed:
        raise UsageError(
            f"nothing of {side.label!r} has completed: there is nothing to compare",
            where=where,
            todo="see runyard status, and take it up with runyard resume",
        )
    return side
