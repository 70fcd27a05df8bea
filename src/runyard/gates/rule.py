"""A rule: what must hold of a metric. Parsed from a line or a mapping, and read from YAML; judges nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runyard.base import UsageError, unknown_name

Mode = Literal["min", "max"]
_LINE = re.compile(r"\s*(?P<metric>\S+?)\s*(?P<op><=|>=|==|!=|<|>)\s*(?P<threshold>\S+)\s*")
_CERTAIN = re.compile(r"ci(\d{2}(?:\.\d+)?)")
_OPS = ("<", "<=", ">", ">=", "==", "!=")
_KEYS = ("metric", "op", "threshold", "min_delta", "ratio", "mode", "certain", "name")
_HOW = "write 'METRIC < NUMBER', or a mapping with metric and one of threshold, min_delta, ratio: see docs/gates.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of three kinds, by what is given.

    ``threshold``: the metric stands in the relation ``op`` to it. ``min_delta``: the metric is better than the
    baseline's by at least so much; better is less where ``mode`` is ``min``, and more where it is ``max``. ``ratio``:
    the metric is at most (``min``) or at least (``max``) so many times the baseline's. ``certain`` is None where means
    decide, else the confidence level of the interval that must lie wholly on the right side.
    """

    metric: str
    op: str = ""
    threshold: float | None = None
    min_delta: float | None = None
    ratio: float | None = None
    mode: Mode | None = None
    certain: float | None = None
    name: str = ""

    @property
    def needs_baseline(self) -> bool:
        """Whether it speaks of a baseline."""
        return self.threshold is None

    @property
    def text(self) -> str:
        """The rule as a person reads it."""
        if self.name:
            return self.name
        if self.threshold is not None:
            said = f"{self.metric} {self.op} {self.threshold:g}"
        elif self.min_delta is not None:
            way = "below" if self.mode == "min" else "above"
            said = f"{self.metric} at least {self.min_delta:g} {way} the baseline"
        else:
            bound = "at most" if self.mode == "min" else "at least"
            said = f"{self.metric} {bound} {self.ratio:g} times the baseline"
        return f"{said}, {self.certain * 100:g} % certain" if self.certain is not None else said

    def to_json(self) -> dict[str, Any]:
        """The mapping that ``parse_rule`` reads."""
        values = {key: getattr(self, key) for key in _KEYS}
        values["certain"] = None if self.certain is None else f"ci{self.certain * 100:g}"
        return {key: value for key, value in values.items() if value not in (None, "")}


def parse_rule(value: Any, where: str = "gates") -> Rule:
    """The rule that a line or a mapping says.

    Raises:
        UsageError: it is not a rule.
    """
    if isinstance(value, str):
        found = _LINE.fullmatch(value)
        if found is None:
            raise UsageError(f"{value!r} is not a rule", where=where, todo=_HOW)
        value = found.groupdict()
    if not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is not a rule", where=where, todo=_HOW)
    for key in value:
        if key not in _KEYS:
            raise unknown_name("key of a rule", str(key), _KEYS, where=where)
    return _checked(value, where)


def _checked(value: Mapping[str, Any], where: str) -> Rule:
    metric = value.get("metric")
    if not isinstance(metric, str) or not metric:
        raise UsageError(f"the rule {dict(value)} names no metric", where=where, todo=_HOW)
    kinds = [key for key in ("threshold", "min_delta", "ratio") if value.get(key) is not None]
    if len(kinds) != 1:
        given = "none" if not kinds else " and ".join(kinds)
        raise UsageError(f"a rule has one of threshold, min_delta, ratio; {metric} has {given}", where=where, todo=_HOW)
    bound = _number(value[kinds[0]], f"{where}: {metric}, {kinds[0]}")
    certain = _certain(value.get("certain"), f"{where}: {metric}, certain")
    op, mode = str(value.get("op") or ""), value.get("mode")
    if kinds == ["threshold"]:
        if op not in _OPS:
            raise unknown_name("relation", op, _OPS, where=f"{where}: {metric}, op")
        if certain is not None and op in ("==", "!="):
            raise UsageError(
                f"{op} cannot be certain: an interval is not one number", where=f"{where}: {metric}", todo="use < or >"
            )
    elif mode not in ("min", "max"):
        raise UsageError(
            f"which way is {metric} better?",
            where=f"{where}: {metric}, mode",
            todo="mode: min (less) or mode: max (more)",
        )
    return Rule(
        metric=metric,
        op=op,
        mode=mode,
        certain=certain,
        name=str(value.get("name") or ""),
        **{kinds[0]: bound},
    )


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise UsageError(f"{value!r} is not a finite number", where=where, todo="give one")
    return number


def _certain(value: Any, where: str) -> float | None:
    if value is None or value is False:
        return None
    found = _CERTAIN.fullmatch(str(value))
    if found is None or not 0 < float(found[1]) < 100:
        raise UsageError(f"{value!r} is no confidence", where=where, todo="write ci95, ci90, or leave it out")
    return float(found[1]) / 100


def parse_rules(values: Any, where: str = "gates") -> tuple[Rule, ...]:
    """The rules of a list of lines and mappings.

    Raises:
        UsageError: it is not one.
    """
    if not isinstance(values, (list, tuple)):
        raise UsageError(f"the gates are {values!r}, not a list", where=where, todo=_HOW)
    return tuple(parse_rule(value, f"{where}[{n}]") for n, value in enumerate(values))


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a YAML file: a list, or a mapping with the list as ``gates``.

    Raises:
        UsageError: it cannot be read, or holds no rule.
    """
    import yaml

    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"the gates cannot be read: {error}", where=str(path), todo=_HOW) from error
    rules = parse_rules(value.get("gates") if isinstance(value, Mapping) else value, str(path))
    if not rules:
        raise UsageError("there is no rule in it", where=str(path), todo=_HOW)
    return rules
