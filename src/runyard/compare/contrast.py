"""A contrast: one metric of a candidate beside the baseline's, with an interval and a verdict. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from runyard.analyze import Cell
from runyard.compare.side import Observation, Side
from runyard.statistics import Difference, difference, holm


class Verdict(str, Enum):
    """What a difference says. ``BETTER`` and ``WORSE`` need to know which way is good; else it is higher or lower."""

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    EQUAL = "equal"
    NOT_SHOWN = "no difference shown"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A metric of a candidate less the baseline's.

    ``setting`` is the cell in which both were run, and empty for all of them together. ``p_holm`` is the p-value
    after Holm's correction over all contrasts of the metric. ``left_out`` counts values that are not finite.
    """

    metric: str
    candidate: str
    setting: tuple[tuple[str, Cell], ...]
    difference: Difference
    left_out: int
    p_holm: float | None = None
    verdict: Verdict = Verdict.UNKNOWN


def contrasts_of(
    metric: str, sides: Sequence[Side], *, level: float, lower: Collection[str] = (), higher: Collection[str] = ()
) -> list[Contrast]:
    """The contrasts of a metric: for each candidate of all cells together, then of each cell that both sides have.

    Means of all cells together are of what was run, with each run counting alike. Runs pair where both sides have the
    same cells and repetitions, each once; and where each side is one cell, by their repetitions alone.

    Args:
        metric: its name; a side without it has no contrast.
        sides: the baseline first.
        level: confidence level of the intervals, between 0 and 1; verdicts hold at 1 - level after Holm's correction.
        lower: metrics of which less is better.
        higher: metrics of which more is better.
    """
    baseline, *candidates = [(side, [o for o in side.observations() if metric in o.metrics]) for side in sides]
    found: list[Contrast] = []
    for side, seen in candidates:
        if not seen or not baseline[1]:
            continue
        found.append(_contrast(metric, side.label, (), baseline[1], seen, level))
        ours, theirs = _by_setting(baseline[1]), _by_setting(seen)
        cells = [cell for cell in ours if cell in theirs]
        if len(ours) > 1 or len(theirs) > 1:
            found += [_contrast(metric, side.label, cell, ours[cell], theirs[cell], level) for cell in cells]
    sense = -1 if metric in lower else 1 if metric in higher else 0
    return _judged(found, level, sense)


def _by_setting(seen: Iterable[Observation]) -> dict[tuple[tuple[str, Cell], ...], list[Observation]]:
    cells: dict[tuple[tuple[str, Cell], ...], list[Observation]] = {}
    for one in seen:
        cells.setdefault(one.setting, []).append(one)
    return cells


def _contrast(
    metric: str,
    candidate: str,
    setting: tuple[tuple[str, Cell], ...],
    ours: Sequence[Observation],
    theirs: Sequence[Observation],
    level: float,
) -> Contrast:
    left_out = sum(not math.isfinite(one.metrics[metric]) for one in (*ours, *theirs))
    by_cell = len({one.setting for one in ours}) > 1 or len({one.setting for one in theirs}) > 1
    return Contrast(
        metric=metric,
        candidate=candidate,
        setting=setting,
        difference=difference(_keyed(ours, metric, by_cell), _keyed(theirs, metric, by_cell), level=level),
        left_out=left_out,
    )


def _keyed(seen: Sequence[Observation], metric: str, by_cell: bool) -> Mapping[Hashable, float]:
    """Finite values by what pairs them; runs that are alike in it get numbers, which pair them with nothing."""
    keys = [(one.setting if by_cell else (), one.repeat) for one in seen]
    is_paired = len(set(keys)) == len(keys)
    values: dict[Hashable, float] = {}
    for at, (key, one) in enumerate(zip(keys, seen, strict=True)):
        if math.isfinite(one.metrics[metric]):
            values[key if is_paired else (id(seen), at)] = one.metrics[metric]
    return values


def _judged(contrasts: Sequence[Contrast], level: float, sense: int) -> list[Contrast]:
    tested = [n for n, c in enumerate(contrasts) if c.difference.p_value is not None]
    corrected = holm([p for n in tested if (p := contrasts[n].difference.p_value) is not None])
    by_number = dict(zip(tested, corrected, strict=True))
    return [
        dataclasses.replace(c, p_holm=by_number.get(n), verdict=_verdict(c.difference, by_number.get(n), level, sense))
        for n, c in enumerate(contrasts)
    ]


def _verdict(found: Difference, p_holm: float | None, level: float, sense: int) -> Verdict:
    """What is shown. Values that differ by the same amount whatever the seed need no test; one alone shows nothing."""
    if found.n_baseline == 0 or found.n_candidate == 0:
        return Verdict.UNKNOWN
    if p_holm is None:  # one value on a side, or values that do not spread
        if found.estimate == 0.0:
            return Verdict.EQUAL
        if found.interval is None:
            return Verdict.UNKNOWN
    elif p_holm >= 1 - level:
        return Verdict.NOT_SHOWN
    up = found.estimate > 0
    if sense == 0:
        return Verdict.HIGHER if up else Verdict.LOWER
    return Verdict.BETTER if up == (sense > 0) else Verdict.WORSE
