"""Contests by name: field, fee, entries and payouts, of those known here and of a file of the user's."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from runyard import UsageError

from .config import ContestConfig
from .payouts import Curve, Tier, check_tiers, curve_tiers

#: contests that are known without a file; fees in dollars. They are code: a change of theirs is a change of the code.
BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "DK_MME_20": {
        "field_size": 2000,
        "entry_fee": 10,
        "max_entries": 20,
        "payouts": {"rake": 0.15, "paid": 0.22, "min_cash": 1.6, "exponent": 0.9},
    },
    "DK_MME_150": {
        "field_size": 10_000,
        "entry_fee": 5,
        "max_entries": 150,
        "payouts": {"rake": 0.15, "paid": 0.22, "min_cash": 1.6, "exponent": 1.0},
    },
    "DK_SINGLE_ENTRY": {
        "field_size": 1000,
        "entry_fee": 20,
        "max_entries": 1,
        "payouts": {"rake": 0.13, "paid": 0.23, "min_cash": 1.7, "exponent": 0.8},
    },
    "DK_DOUBLE_UP": {
        "field_size": 1000,
        "entry_fee": 10,
        "max_entries": 20,
        "payouts": {"rake": 0.12, "paid": 0.44, "min_cash": 2.0, "exponent": 0.0},
    },
}

_KEYS = ("field_size", "entry_fee", "max_entries", "payouts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A contest: entries in all, the fee of one in cents, how many we may have, and what ranks get."""

    name: str
    field_size: int
    entry_fee: int
    max_entries: int
    tiers: tuple[Tier, ...]


def resolve_contest(cfg: ContestConfig) -> Contest:
    """The contest of a configuration, with the field size that it asks for.

    Raises:
        UsageError: no contest has this name, it is not defined as it should be, its payouts do not fit the field, or
            there are more lineups than it takes.
    """
    known = _known(cfg.contests)
    if cfg.contest not in known:
        close = difflib.get_close_matches(cfg.contest, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(
            f"unknown contest {cfg.contest!r}", where="workload.contest", todo=f"{hint}Known: {', '.join(known)}"
        )
    contest = _contest(cfg.contest, known[cfg.contest], cfg.sampler.field_size)
    most = min(contest.max_entries, contest.field_size)
    if cfg.optimizer.lineups > most:
        raise UsageError(
            f"{cfg.optimizer.lineups} lineups are more than the {most} entries that {contest.name} takes",
            where="workload.optimizer.lineups",
            todo=f"set at most {most}, or choose another contest",
        )
    return contest


def _known(path: str | None) -> dict[str, Any]:
    if path is None:
        return dict(BUILT_IN)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the contests: {error}", where=path, todo="give a YAML file") from error
    return {**BUILT_IN, **_mapping(text, path)}


def _mapping(text: str, where: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"this is no YAML: {error}", where=where, todo="correct the file") from error
    if not isinstance(value, Mapping):
        raise UsageError("contests are a mapping by name", where=where, todo="begin with NAME: and its keys")
    return {str(name): contest for name, contest in value.items()}


def _contest(name: str, value: Any, field_size: int | None) -> Contest:
    where = f"contest {name}"
    if not isinstance(value, Mapping) or set(value) != set(_KEYS):
        raise UsageError("a contest has other keys", where=where, todo=f"give it {', '.join(_KEYS)}, and no others")
    size = field_size or _whole(value["field_size"], f"{where}, field_size", 2)
    fee = round(100 * _number(value["entry_fee"], f"{where}, entry_fee", 0.01))
    tiers = _tiers(value["payouts"], size, fee, f"{where}, payouts")
    check_tiers(tiers, field_size=size, where=f"{where}, payouts")
    most = _whole(value["max_entries"], f"{where}, max_entries", 1)
    return Contest(name=name, field_size=size, entry_fee=fee, max_entries=most, tiers=tiers)


def _tiers(value: Any, size: int, fee: int, where: str) -> tuple[Tier, ...]:
    names = [item.name for item in fields(Curve)]
    if isinstance(value, Mapping) and set(value) == set(names):
        numbers = {key: _number(value[key], f"{where}.{key}", 0) for key in names}
        for key in ("rake", "paid"):
            if numbers[key] > 1:
                raise UsageError(f"{key} is {numbers[key]:g}", where=f"{where}.{key}", todo="give a part of 1")
        return curve_tiers(Curve(**numbers), field_size=size, fee=fee, where=where)
    if isinstance(value, list) and all(isinstance(t, Mapping) and set(t) == {"first", "last", "prize"} for t in value):
        return tuple(_tier(tier, f"{where}, tier {number}") for number, tier in enumerate(value, start=1))
    raise UsageError(
        "payouts are neither a curve nor tiers",
        where=where,
        todo=f"give {', '.join(names)}, or a list of mappings with first, last, prize",
    )


def _tier(value: Mapping[str, Any], where: str) -> Tier:
    first, last = (_whole(value[key], f"{where}, {key}", 1) for key in ("first", "last"))
    return Tier(first=first, last=last, prize=round(100 * _number(value["prize"], f"{where}, prize", 0)))


def _whole(value: Any, where: str, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise UsageError(f"{value!r} is no whole number of at least {low}", where=where, todo="correct it")
    return value


def _number(value: Any, where: str, low: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < 1e12:
        raise UsageError(f"{value!r} is no number of at least {low:g}", where=where, todo="correct it")
    return float(value)
