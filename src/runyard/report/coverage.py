"""Coverage: which cells have a result for every repetition (seed, day, fold), and which lack some. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runyard.analyze import Axis, Cell, JobTable, LoadedSweep, level
from runyard.base import State
from runyard.report.wording import count, level_labels, listing, short_names, shorten

NOT_PLANNED = "not planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCoverage:
    """One cell: its settings as text, its jobs, how many completed, and what it lacks.

    ``lacks`` says each repetition without a result: ``seed=3 (job 7, FAILED)``, ``seed=4 (not planned)``.
    """

    setting: str
    jobs: tuple[int, ...]
    completed: int
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every cell of a sweep, in the order in which jobs first have them.

    ``repetitions`` are the different combinations of seeds and replicates that any cell has, called ``repeated``.
    """

    cells: tuple[CellCoverage, ...]
    repetitions: int
    repeated: str

    @property
    def incomplete(self) -> tuple[CellCoverage, ...]:
        """The cells that lack something."""
        return tuple(cell for cell in self.cells if cell.lacks)

    @property
    def sentence(self) -> str:
        """How many cells are whole."""
        lacking = len(self.incomplete)
        which = f" for each of {self.repetitions:,} {self.repeated}" if self.repetitions > 1 else ""
        if len(self.cells) == 1 and not self.repetitions > 1:
            return "The job has no result." if lacking else "Nothing is missing."
        cells = count(len(self.cells), "cell")
        if not lacking:
            return f"{'The one cell has' if len(self.cells) == 1 else f'All {cells} have'} a result{which}."
        return f"{lacking:,} of {cells} {'lacks' if lacking == 1 else 'lack'} a result{which}."


def coverage_of(loaded: LoadedSweep) -> Coverage:
    """The coverage of a sweep: a cell is whole when each repetition that any cell has completed in it."""
    table = loaded.table
    settings = [axis for axis in loaded.axes if axis.role == "setting"]
    seeds = [axis for axis in loaded.axes if axis.role != "setting"]
    wanted = list(dict.fromkeys(_key(table, seeds, at) for at in range(len(table))))
    cells: dict[tuple[Cell, ...], list[int]] = {}
    for at in range(len(table)):
        cells.setdefault(_key(table, settings, at), []).append(at)
    said = _Sayer(loaded)
    return Coverage(
        repetitions=len(wanted),
        repeated="seeds" if all(axis.role == "seed" for axis in seeds) else f"values of {listing(said.names(seeds))}",
        cells=tuple(
            CellCoverage(
                setting=said.place(settings, key),
                jobs=tuple(loaded.runs[at].job for at in rows),
                completed=sum(loaded.runs[at].state is State.COMPLETED for at in rows),
                lacks=_lacking(loaded, seeds, rows, wanted, said),
            )
            for key, rows in cells.items()
        ),
    )


def _key(table: JobTable, axes: Sequence[Axis], at: int) -> tuple[Cell, ...]:
    return tuple(level(table.columns[axis.name][at]) for axis in axes)


def _lacking(
    loaded: LoadedSweep,
    seeds: Sequence[Axis],
    rows: Sequence[int],
    wanted: Sequence[tuple[Cell, ...]],
    said: _Sayer,
) -> tuple[str, ...]:
    by_seed: dict[tuple[Cell, ...], list[int]] = {}
    for at in rows:
        by_seed.setdefault(_key(loaded.table, seeds, at), []).append(at)
    lacks = []
    for key in wanted:
        own = by_seed.get(key, [])
        if any(loaded.runs[at].state is State.COMPLETED for at in own):
            continue
        why = listing(f"job {loaded.runs[at].job}, {loaded.runs[at].state.value}" for at in own) or NOT_PLANNED
        lacks.append(f"{said.place(seeds, key)} ({why})" if seeds else why)
    return tuple(lacks)


class _Sayer:
    """Says where a cell is, with names and values as short as tells them apart."""

    def __init__(self, loaded: LoadedSweep) -> None:
        self._names = short_names(loaded.names, taken=loaded.metrics)
        self._labels = {axis.name: level_labels(axis.values) for axis in loaded.axes}

    def names(self, axes: Sequence[Axis]) -> list[str]:
        """The short names of axes."""
        return [self._names[axis.name] for axis in axes]

    def place(self, axes: Sequence[Axis], key: Sequence[Cell]) -> str:
        """``gamma=0.5, tau=0``; ``all jobs`` without axes."""
        pairs = zip(axes, key, strict=True)
        texts = [f"{self._names[axis.name]}={shorten(self._labels[axis.name][cell], 40)}" for axis, cell in pairs]
        return ", ".join(texts) or "all jobs"
