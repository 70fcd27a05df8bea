"""A comparison: the sides, the facts in which they differ, and the contrasts of their metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runyard.analyze import Cell, Columns, is_bookkeeping
from runyard.base import UsageError, unknown_name
from runyard.compare.contrast import Contrast, contrasts_of
from runyard.compare.facts import Fact, facts_of
from runyard.compare.side import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out. ``metrics`` are those that were compared, ``only_on_some`` those that not all sides have."""

    sides: tuple[Side, ...]
    level: float
    facts: tuple[Fact, ...]
    contrasts: tuple[Contrast, ...]
    metrics: tuple[str, ...]
    only_on_some: tuple[str, ...] = ()

    def columns(self) -> Columns:
        """A row for each contrast: what stands in ``compare.csv``."""
        settings = list(dict.fromkeys(name for c in self.contrasts for name, _ in c.setting))
        rows = [self._row(c, settings) for c in self.contrasts]
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else _HEAD)}

    def _row(self, contrast: Contrast, settings: Sequence[str]) -> dict[str, Cell]:
        found = contrast.difference
        cell = dict(contrast.setting)
        return {
            "metric": contrast.metric,
            "baseline": self.sides[0].label,
            "candidate": contrast.candidate,
            **{f"params.{name}": cell.get(name) for name in settings},
            "n_baseline": found.n_baseline,
            "n_candidate": found.n_candidate,
            "left_out": contrast.left_out,
            "baseline_mean": found.baseline,
            "candidate_mean": found.candidate,
            "difference": found.estimate,
            "low": found.interval.low if found.interval else None,
            "high": found.interval.high if found.interval else None,
            "level": self.level,
            "test": found.test,
            "paired": found.paired,
            "p": found.p_value,
            "p_holm": contrast.p_holm,
            "wilcoxon_p": found.wilcoxon_p,
            "effect": found.effect,
            "verdict": str(contrast.verdict),
        }


_HEAD = ("metric", "baseline", "candidate", "difference", "verdict")


def compare(
    sides: Sequence[Side],
    *,
    metrics: Sequence[str] = (),
    level: float = 0.95,
    lower: Collection[str] = (),
    higher: Collection[str] = (),
) -> Comparison:
    """Compares candidates with a baseline.

    Args:
        sides: the baseline first, then at least one candidate.
        metrics: which to compare; none given are all that every side has, without those of time and size.
        level: confidence level of the intervals, above 0 and below 1.
        lower: metrics of which less is better.
        higher: metrics of which more is better.

    Raises:
        UsageError: fewer than two sides, a level that is none, a metric that a side does not have.
    """
    if len(sides) < 2:
        raise UsageError("there is nothing to compare with", where="runyard compare", todo="name two sides or more")
    if not 0 < level < 1:
        raise UsageError(f"{level} is no confidence level", where="--ci", todo="give one such as 0.95")
    known = list(dict.fromkeys(name for side in sides for name in side.metrics))
    for name in (*metrics, *lower, *higher):
        if name not in known:
            raise unknown_name("metric", name, known, where="--metric")
    shared = [name for name in known if all(name in side.metrics for side in sides)]
    chosen = list(metrics) or _telling(shared)
    for name in chosen:
        if name not in shared:
            lacking = next(side for side in sides if name not in side.metrics)
            raise UsageError(f"no run of {lacking.label!r} has reported {name}", where="--metric", todo=_have(lacking))
    contrasts = [c for m in chosen for c in contrasts_of(m, sides, level=level, lower=lower, higher=higher)]
    return Comparison(
        sides=tuple(sides),
        level=level,
        facts=tuple(facts_of(sides)),
        contrasts=tuple(contrasts),
        metrics=tuple(chosen),
        only_on_some=tuple(name for name in known if name not in shared),
    )


def _telling(names: Sequence[str]) -> list[str]:
    """Without the metrics of time and size, unless there are no others."""
    return [name for name in names if not is_bookkeeping(name)] or list(names)


def _have(side: Side) -> str:
    return f"it has {', '.join(side.metrics)}" if side.metrics else "it has no metrics"
