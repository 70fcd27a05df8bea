"""A mixture: what runs that are averaged together do not have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from runyard.analyze.origin import Kind, Origin
from runyard.base import State

MixtureKind: TypeAlias = Literal[
    "commit",
    "code",
    "dirty",
    "package",
    "python",
    "host",
    "gpu",
    "config",
    "progress",
    "repeated",
    "missing",
    "failed",
    "damaged",
]
MIXTURE_KINDS: tuple[str, ...] = get_args(MixtureKind)
Values: TypeAlias = "Mapping[str, tuple[int, ...]]"

#: states of jobs that have no result yet, or were told to have none.
MISSING_STATES = frozenset({State.PENDING, State.RUNNING, State.CANCELLED})
_NOT_GIVEN = "not given"
_LISTED = 4
_SAYING: Mapping[Kind, str] = {
    "commit": "Runs are from different commits",
    "code": "The application's code was changed between runs",
    "dirty": "The code had uncommitted changes",
    "package": "Runs had different versions of packages",
    "python": "Runs had different versions of Python",
    "host": "Runs were on different hosts",
    "gpu": "Runs were on different GPUs",
    "config": "Configs differ outside the swept names",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """One thing that runs averaged together differ in, or that some of them lack.

    ``sentence`` says it. ``values`` are the numbers of the jobs by what they have: ``2490cd8``, ``numpy 2.2.6``,
    ``curve.step 50``, ``FAILED``. Of results of several sweeps the numbers are those of the rows.
    """

    kind: MixtureKind
    sentence: str
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedRun:
    """What is looked at of a run. ``origin``, ``steps`` and ``identity`` are of COMPLETED runs only.

    ``cell`` is its group in the summary. Runs of one ``identity`` have the same config and the same swept values.
    """

    number: int
    state: State
    cell: int
    is_damaged: bool = False
    origin: Origin | None = None
    steps: Mapping[str, float]
    identity: str | None = None


def mixtures_among(
    runs: Sequence[MixedRun], unplanned: Mapping[str, int] | None = None, *, noun: str = "job"
) -> tuple[Mixture, ...]:
    """What the runs mix, in the order of ``MixtureKind``.

    Code, machines and configs are compared over all runs that are COMPLETED, steps within each cell.

    Args:
        runs: in any order.
        unplanned: the seeds that were never planned in some of the cells, with the number of those cells.
        noun: what the numbers of the runs are of.
    """
    by_origin: dict[Origin, list[int]] = {}
    for run in runs:
        if run.origin is not None:
            by_origin.setdefault(run.origin, []).append(run.number)
    said: list[tuple[MixtureKind, str, Values]] = []
    for kind, saying in _SAYING.items():
        said.append((kind, *_dirty(by_origin)) if kind == "dirty" else (kind, saying, _differing(kind, by_origin)))
    said.append(("progress", "Runs that are averaged came to different last steps", _steps(runs)))
    said.append(("repeated", "Runs of one config and seed count more than once", _repeated(runs)))
    said += _without_result(runs, unplanned or {})
    return tuple(
        Mixture(kind=kind, sentence=f"{saying}: {_split(values, noun)}.", values=values)
        for kind, saying, values in said
        if values
    )


def _differing(kind: Kind, by_origin: Mapping[Origin, Sequence[int]]) -> Values:
    """Origins are few however many the runs are: facets are compared between origins."""
    values: dict[str, tuple[int, ...]] = {}
    for subject in _subjects(kind, by_origin) if len(by_origin) > 1 else ():
        told: dict[str, list[int]] = {}
        for origin, numbers in by_origin.items():
            value = origin.facets.get((kind, subject), _NOT_GIVEN if kind == "config" else None)
            if value is not None:
                told.setdefault(value, []).extend(numbers)
        if len(told) > 1:
            values |= _sorted({_named(kind, subject, value): numbers for value, numbers in told.items()})
    return values


def _subjects(kind: Kind, origins: Iterable[Origin]) -> list[str]:
    return sorted({subject for origin in origins for found, subject in origin.facets if found == kind})


def _named(kind: Kind, subject: str, value: str) -> str:
    if kind == "config" and value != _NOT_GIVEN:
        return f"{subject}={value}"
    return f"{subject} {value}".strip()


def _dirty(by_origin: Mapping[Origin, Sequence[int]]) -> tuple[str, Values]:
    values: dict[str, list[int]] = {}
    for origin, numbers in by_origin.items():
        if origin.is_dirty:
            commit, patch = origin.facets.get(("commit", "")), origin.facets.get(("dirty", ""))
            label = f"{commit or 'no commit'} with changes{f' {patch}' if patch else ''}"
            values.setdefault(label, []).extend(numbers)
    if len(values) > 1:
        saying = "Runs are from code with different uncommitted changes"
    elif all(origin.is_dirty for origin in by_origin):
        saying = "The code had uncommitted changes, so that its commit alone does not give these results"
    else:
        saying = "Some runs are from code with uncommitted changes"
    return saying, _sorted(values)


def _steps(runs: Iterable[MixedRun]) -> Values:
    cells: dict[tuple[int, str], list[tuple[float, int]]] = {}
    for run in runs:
        for name, step in run.steps.items():
            cells.setdefault((run.cell, name), []).append((step, run.number))
    values: dict[str, list[int]] = {}
    for (_, name), reached in cells.items():
        if len({step for step, _ in reached}) > 1:
            for step, number in sorted(reached):
                values.setdefault(f"{name} {step:g}", []).append(number)
    return _sorted(values)


def _repeated(runs: Iterable[MixedRun]) -> Values:
    numbers: dict[str, list[int]] = {}
    for run in runs:
        if run.identity is not None:
            numbers.setdefault(run.identity, []).append(run.number)
    return _sorted({f"run {key}": found for key, found in numbers.items() if len(found) > 1})


def _without_result(
    runs: Sequence[MixedRun], unplanned: Mapping[str, int]
) -> Iterable[tuple[MixtureKind, str, Values]]:
    damaged = [run for run in runs if run.is_damaged]
    missing = [run for run in runs if run.state in MISSING_STATES and not run.is_damaged]
    failed = [run for run in runs if run.state is not State.COMPLETED and run.state not in MISSING_STATES]
    seeds = {f"{seed} not planned in {cells} cell{'s' if cells > 1 else ''}": () for seed, cells in unplanned.items()}
    yield "missing", "Means are over fewer runs than there could be", {**_by_state(missing), **seeds}
    yield "failed", "Means leave out runs that ended without a result", _by_state(failed)
    unread = {"run.json": tuple(run.number for run in damaged)} if damaged else {}
    yield "damaged", "Means leave out runs whose record cannot be read", unread


def _by_state(runs: Iterable[MixedRun]) -> Values:
    values: dict[str, list[int]] = {}
    for run in runs:
        values.setdefault(run.state.value, []).append(run.number)
    return _sorted(values)


def _sorted(values: Mapping[str, Iterable[int]]) -> Values:
    return {label: tuple(sorted(numbers)) for label, numbers in values.items()}


def _split(values: Values, noun: str) -> str:
    """``2490cd8 (8 jobs), 77aa0b1 (job 3)``: few jobs by their numbers."""
    parts = [f"{label}{_who(numbers, noun)}" for label, numbers in list(values.items())[:_LISTED]]
    more = len(values) - len(parts)
    return ", ".join(parts) + (f" and {more} more" if more else "")


def _who(numbers: Sequence[int], noun: str) -> str:
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f" ({noun} {numbers[0]})"
    if len(numbers) <= _LISTED:
        return f" ({noun}s {', '.join(map(str, numbers))})"
    return f" ({len(numbers):,} {noun}s)"
