"""Ranks groups of jobs by the mean of a metric, and says which are not shown to be behind the first. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

from runyard.analyze.cells import Cell, Columns, level
from runyard.analyze.jobtable import JobTable, numbers
from runyard.analyze.mixture import MixedRun
from runyard.analyze.statement import Wanted, groups, statement
from runyard.base import State
from runyard.statistics import Difference, difference, holm

Mode = Literal["max", "min"]
BEST, WORSE, NOT_SHOWN, EQUAL, UNKNOWN = "best", "worse", "no difference shown", "equal", "unknown"


def ranking(
    table: JobTable, runs: Sequence[MixedRun], *, metric: str, by: Sequence[str], mode: Mode, level: float, most: int
) -> Columns:
    """The first ``most`` groups in the order of their means; groups without a value are left out.

    Columns: ``rank``, ``by``, those of ``statement``; then how far each is ``behind`` the first, the p-value of that
    difference (Holm's correction over those that are listed), its test, and a verdict: ``worse``, ``no difference
    shown``, ``equal``, ``unknown`` where there are too few values, ``best`` for the first. Jobs pair where both groups
    have the same repetitions.
    """
    stated = statement(table, runs, Wanted(by=by, metrics=[metric], level=level))
    _, members = groups(table, by)
    means = {at: float(mean) for at, mean in enumerate(stated["mean"]) if isinstance(mean, (int, float))}
    order = sorted(means, key=lambda at: means[at], reverse=mode == "max")[:most]
    samples = [_sample(table, metric, by, members[at]) for at in order]
    differences = [difference(samples[0], sample, level=level) for sample in samples[1:]]
    verdicts = _verdicts(differences, level)
    columns: Columns = {"rank": list(range(1, len(order) + 1))}
    columns |= {name: [stated[name][at] for at in order] for name in stated}
    mixed = columns.pop("mixed")
    first: list[Cell] = [None] if order else []
    columns["behind"] = [*first, *(abs(found.estimate) for found in differences)]
    columns["p_value"] = [*first, *(p for p, _ in verdicts)]
    columns["test"] = [*first, *(found.test for found in differences)]
    columns["verdict"] = [*([BEST] if order else []), *(verdict for _, verdict in verdicts)]
    return columns | {"mixed": mixed}


def _sample(table: JobTable, metric: str, by: Sequence[str], positions: Sequence[int]) -> Mapping[Hashable, float]:
    """Finite values by what pairs them: the values of all names that the groups do not share."""
    others = [name for name in table.names if name not in by]
    done = [at for at in positions if table.columns["state"][at] == State.COMPLETED]
    keys = [tuple(level(table.columns[name][at]) for name in others) for at in done]
    is_paired = bool(others) and len(set(keys)) == len(keys)
    values = numbers([table.columns[metric][at] for at in done]).tolist()
    named: list[tuple[Hashable, float]] = list(
        zip(keys if is_paired else [("row", at) for at in done], values, strict=True)
    )
    return {key: value for key, value in named if value - value == 0.0}


def _verdicts(differences: Sequence[Difference], level: float) -> list[tuple[float | None, str]]:
    tested = [at for at, found in enumerate(differences) if found.p_value is not None]
    corrected = dict(
        zip(tested, holm([found.p_value for found in differences if found.p_value is not None]), strict=True)
    )
    return [(corrected.get(at), _verdict(found, corrected.get(at), level)) for at, found in enumerate(differences)]


def _verdict(found: Difference, p_value: float | None, level: float) -> str:
    if p_value is not None:
        return WORSE if p_value < 1 - level else NOT_SHOWN
    if found.interval is not None and found.interval.low == found.interval.high == 0.0:
        return EQUAL
    return UNKNOWN
