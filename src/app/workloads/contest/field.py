"""The field: random valid lineups of other entrants, weighted by ownership, beside our own entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runyard import UsageError

from .config import SamplerConfig
from .rules import MAX_PER_TEAM, MIN_GAMES, ROSTER_SIZE, SALARY_CAP, SLOT_NAMES, SLOTS
from .slate import Slate

OURS, FIELD = "ours", "field"

_BATCH = 4096  # lineups tried at a time
_MOST_TRIES = 2000  # of them for each that is needed, before it is given up

Players = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrants:
    """The entries of a contest, ours first.

    Attributes:
        players: Numbers of players by slot, shape (entries, 8).
        ours: How many are ours.
        tried: Random lineups that were drawn for the others.
        valid: How many of these kept to the rules.
    """

    players: Players
    ours: int
    tried: int
    valid: int

    def __len__(self) -> int:
        return len(self.players)


def sample_field(
    slate: Slate, ours: Sequence[Sequence[int]], cfg: SamplerConfig, *, field_size: int, seed: int
) -> Entrants:
    """Fills the contest up with others.

    Each of them draws ``skill`` valid lineups, and enters the one that the field expects most of. In a lineup the slots
    are filled in their order, each by an eligible player who is not in it yet, with odds by ownership. What breaks a
    rule or costs less than ``min_salary`` is drawn again.

    Raises:
        UsageError: hardly any random lineup is valid.
    """
    needed = (field_size - len(ours)) * cfg.skill
    rng = np.random.default_rng(seed)
    parts: list[Players] = []
    tried = valid = 0
    while valid < needed:
        if tried > _MOST_TRIES * max(needed, _BATCH):
            raise _hardly_any(slate, cfg, valid, tried)
        drawn = _draw(slate, rng)
        kept = drawn[_is_valid(slate, drawn, cfg.min_salary)]
        parts.append(kept)
        tried, valid = tried + len(drawn), valid + len(kept)
    if not parts:
        return Entrants(players=np.array(ours, dtype=np.int64), ours=len(ours), tried=0, valid=0)
    choices = np.concatenate(parts)[:needed].reshape(-1, cfg.skill, ROSTER_SIZE)
    best = slate.field_projections[choices].sum(axis=2).argmax(axis=1)
    others = choices[np.arange(len(choices)), best]
    own = np.array(ours, dtype=np.int64).reshape(-1, ROSTER_SIZE)
    return Entrants(players=np.concatenate([own, others]), ours=len(ours), tried=tried, valid=valid)


def keys_of(players: Players) -> list[str]:
    """A text per entry that entries with the same eight players have in common, whatever their slots."""
    return ["-".join(map(str, row)) for row in np.sort(players, axis=1).tolist()]


def describe(slate: Slate, entrants: Entrants) -> Mapping[str, Any]:
    """What the field is like.

    Returns:
        ``entries``, ``ours``, ``field``; ``unique_lineups``; ``duplication_risk`` (largest group of identical lineups /
        entries); ``ownership_error`` (mean distance between a player's part of the others' lineups and the projected
        one; None without others); ``coverage`` (by player ID, the part of all entries that hold the player).
    """
    groups = Counter(keys_of(entrants.players))
    others = entrants.players[entrants.ours :]
    error = None
    if len(others):
        held = np.bincount(others.ravel(), minlength=len(slate)) / len(others)
        error = float(np.abs(held - slate.ownerships).mean())
    coverage = np.bincount(entrants.players.ravel(), minlength=len(slate)) / len(entrants)
    return {
        "entries": len(entrants),
        "ours": entrants.ours,
        "field": len(others),
        "unique_lineups": len(groups),
        "duplication_risk": max(groups.values()) / len(entrants),
        "ownership_error": error,
        "coverage": dict(zip(slate.ids, coverage.tolist(), strict=True)),
    }


def _draw(slate: Slate, rng: np.random.Generator) -> Players:
    """A batch of random lineups, shape (batch, 8); -1 where nobody was left for a slot."""
    weights = np.tile(slate.ownerships, (_BATCH, 1))
    rows = np.arange(_BATCH)
    picks = rng.random((ROSTER_SIZE, _BATCH))
    lineups = np.empty((_BATCH, ROSTER_SIZE), dtype=np.int64)
    for place, slot in enumerate(SLOT_NAMES):
        able = np.flatnonzero([not SLOTS[slot].isdisjoint(own) for own in slate.positions])
        sums = np.cumsum(weights[:, able], axis=1)
        chosen = able[np.minimum((sums <= (picks[place] * sums[:, -1])[:, None]).sum(axis=1), len(able) - 1)]
        lineups[:, place] = np.where(sums[:, -1] > 0, chosen, -1)
        weights[rows, chosen] = 0
    return lineups


def _is_valid(slate: Slate, lineups: Players, min_salary: int) -> npt.NDArray[np.bool_]:
    """Which lineups keep to the salary, team and game rules; slots and distinct players hold by the way of drawing."""
    salary = slate.salaries[lineups].sum(axis=1)
    valid = (lineups >= 0).all(axis=1) & (salary >= min_salary) & (salary <= SALARY_CAP)
    teams, games = _codes(slate.teams)[lineups], _codes(slate.games)[lineups]
    most = np.zeros(len(lineups), dtype=np.int64)
    for team in range(int(teams.max()) + 1):
        most = np.maximum(most, (teams == team).sum(axis=1))
    ordered = np.sort(games, axis=1)
    different = 1 + (np.diff(ordered, axis=1) > 0).sum(axis=1)
    kept: npt.NDArray[np.bool_] = valid & (most <= MAX_PER_TEAM) & (different >= MIN_GAMES)
    return kept


def _codes(values: Sequence[str]) -> Players:
    """A number for each different value, per player."""
    known = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([known[value] for value in values], dtype=np.int64)


def _hardly_any(slate: Slate, cfg: SamplerConfig, valid: int, tried: int) -> UsageError:
    return UsageError(
        f"only {valid} of {tried} random lineups keep to the rules and cost at least {cfg.min_salary}",
        where=f"workload.sampler, slate {slate.name}",
        todo="lower sampler.min_salary, or look at the ownership in the projections: who has 0 is never drawn",
    )
