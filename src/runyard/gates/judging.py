"""A rule judged: whether the values of one cell meet it. Pure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from runyard.gates.rule import Rule
from runyard.statistics import Interval, describe, difference

_OPS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Values = Mapping[Hashable, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a rule.

    ``value`` is the mean over the runs and ``baseline`` the baseline's; None where there is none. ``interval`` is that
    of what the rule bounds: the mean, the improvement, or what is to spare below so many times the baseline. ``why``
    says in words how it came out. ``provisional`` marks a rule that passed for want of a baseline.
    """

    rule: Rule
    passed: bool
    why: str
    n: int = 0
    value: float | None = None
    baseline: float | None = None
    interval: Interval | None = None
    provisional: bool = False


def judge(rule: Rule, candidate: Values, baseline: Values | None, *, has_baseline: bool) -> Judged:
    """Judges one rule.

    Args:
        rule: the rule.
        candidate: the metric of every run of the cell by what pairs it, such as its seed; None where a run has none.
        baseline: the same of the baseline's cell; None where it has no such cell.
        has_baseline: whether a baseline was named at all. Without one a rule that needs it passes provisionally.
    """
    values = _finite(candidate)
    if isinstance(values, str):
        return Judged(rule=rule, passed=False, why=f"{rule.metric} {values}", n=len(candidate))
    n, mean = len(values), describe(list(values.values())).mean
    if not rule.needs_baseline:
        return _threshold(rule, values)
    if not has_baseline:
        why = "there is no baseline yet"
        return Judged(rule=rule, passed=True, why=why, n=n, value=mean, provisional=True)
    theirs = "has no run in this cell" if baseline is None else _finite(baseline)
    if isinstance(theirs, str):
        return Judged(rule=rule, passed=False, why=f"of the baseline {rule.metric} {theirs}", n=n, value=mean)
    return _beside(rule, values, theirs)


def _finite(values: Values) -> dict[Hashable, float] | str:
    """The values when every run has one, else what is wrong with them."""
    if not values:
        return "has no value: no run completed"
    missing = [key for key, value in values.items() if value is None]
    if missing:
        return f"is missing in {len(missing)} of {len(values)} runs"
    found = {key: value for key, value in values.items() if value is not None}
    broken = sum(not math.isfinite(value) for value in found.values())
    return f"is not a finite number in {broken} of {len(values)} runs" if broken else found


def _threshold(rule: Rule, values: Mapping[Hashable, float]) -> Judged:
    found = describe(list(values.values()), level=rule.certain or 0.95)
    interval = found.interval
    bound = found.mean
    if rule.certain is not None:
        if interval is None:
            return Judged(rule=rule, passed=False, why=_NO_INTERVAL, n=found.n, value=found.mean)
        bound = interval.high if rule.op.startswith("<") else interval.low
    passed = rule.threshold is not None and _OPS[rule.op](bound, rule.threshold)
    what = "the mean is" if rule.certain is None else "the interval reaches"
    return Judged(rule=rule, passed=passed, why=f"{what} {bound:.6g}", n=found.n, value=found.mean, interval=interval)


_NO_INTERVAL = "one run gives no interval: nothing is certain"


def _beside(rule: Rule, values: Mapping[Hashable, float], theirs: Mapping[Hashable, float]) -> Judged:
    """An improvement or a ratio: both are bounds on a difference of means."""
    factor = 1.0 if rule.ratio is None else rule.ratio
    scaled = {key: factor * value for key, value in theirs.items()}
    found = difference(scaled, values, level=rule.certain or 0.95)
    sign = -1.0 if rule.mode == "min" else 1.0
    gain, least = sign * found.estimate, rule.min_delta or 0.0
    interval = None if found.interval is None else _signed(found.interval, sign)
    bound = gain
    mean, before = describe(list(values.values())).mean, describe(list(theirs.values())).mean
    if rule.certain is not None:
        if interval is None:
            return Judged(rule=rule, passed=False, why=_NO_INTERVAL, n=len(values), value=mean, baseline=before)
        bound = interval.low
    what = "better by" if rule.ratio is None else "to spare:"
    certain = "" if rule.certain is None else "at least "
    return Judged(
        rule=rule,
        passed=bound >= least,
        why=f"{what} {certain}{bound:.6g}{', paired' if found.paired else ''}",
        n=len(values),
        value=mean,
        baseline=before,
        interval=interval,
    )


def _signed(interval: Interval, sign: float) -> Interval:
    if sign > 0:
        return interval
    return Interval(low=-interval.high, high=-interval.low, level=interval.level, method=interval.method)
