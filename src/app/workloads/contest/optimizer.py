"""The optimizer: best lineups under the rules as integer programs, each different enough from those before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from runyard import UsageError

from .config import OptimizerConfig
from .rules import MAX_PER_TEAM, ROSTER_SIZE, SALARY_CAP, SLOTS, assign
from .slate import POSITIONS, Floats, Slate

_INFEASIBLE = 2  # status of scipy.optimize.milp


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """A lineup: players in the order of the slots, the variant it was built from, and its objective there."""

    players: tuple[int, ...]
    variant: int
    objective: float


def ownership_penalty(ownerships: Floats, *, p0: float, alpha: float) -> Floats:
    """g(p) = 1 / (1 + (p0 / p) ** alpha), 0 where p is 0; 1/2 at p0."""
    owned = np.asarray(ownerships, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        penalty: Floats = np.where(owned > 0, 1 / (1 + (p0 / owned) ** alpha), 0.0)
    return penalty


def build_lineups(
    slate: Slate,
    projections: Floats,
    cfg: OptimizerConfig,
    *,
    on_lineup: Callable[[int, Lineup], None] | None = None,
) -> list[Lineup]:
    """The lineups, in turn from the variants: for each, sum(projection - lam * g(ownership)) is the highest possible.

    Args:
        slate: The players.
        projections: Of the variants, shape (variants, players).
        cfg: How many, how different, which players are locked or banned.
        on_lineup: Called after each with its number, from 1.

    Raises:
        UsageError: no lineup is left under the rules and constraints, or a locked or banned player is unknown.
    """
    penalty = cfg.lam * ownership_penalty(slate.ownerships, p0=cfg.p0, alpha=cfg.alpha)
    program = _Program(slate, cfg)
    lineups: list[Lineup] = []
    for number in range(cfg.lineups):
        variant = number % len(projections)
        values = projections[variant] - penalty
        players = program.solve(values, [lineup.players for lineup in lineups])
        lineups.append(Lineup(players=players, variant=variant, objective=float(values[list(players)].sum())))
        if on_lineup is not None:
            on_lineup(number + 1, lineups[-1])
    return lineups


class _Program:
    """The integer program of a slate: a truth value for each player.

    It stands for the program with a truth value for each player and slot. By Hall's theorem eight players can fill the
    eight slots when no set of positions is the only home of more players than there are slots that take one of them.
    With a variable per slot, every lineup would be there in many equal forms, and a search took five times as long.
    """

    def __init__(self, slate: Slate, cfg: OptimizerConfig) -> None:
        self._slate, self._cfg = slate, cfg
        self._lock = [slate.find(name, "workload.optimizer.lock") for name in cfg.lock]
        self._ban = [slate.find(name, "workload.optimizer.ban") for name in cfg.ban]
        both = set(self._lock) & set(self._ban)
        if both:
            raise UsageError(
                f"{slate.describe(min(both))} is locked and banned",
                where="workload.optimizer.lock",
                todo="take the player out of one of the two lists",
            )
        self._rules = self._constraints()

    def solve(self, values: Floats, earlier: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Players by slot of the best lineup that shares few enough players with each earlier one."""
        low, high = np.zeros(len(values)), np.ones(len(values))
        low[self._lock] = 1
        high[self._ban] = 0
        overlap = [self._among(players) for players in earlier]
        constraints = [*self._rules, *_at_most(overlap, ROSTER_SIZE - self._cfg.uniques)]
        result = milp(
            -values,
            integrality=np.ones(len(values), dtype=np.int64),
            bounds=Bounds(low, high),
            constraints=constraints,
            options={"mip_rel_gap": 0.0},
        )
        if result.status == _INFEASIBLE:
            raise self._no_lineup(len(earlier) + 1)
        if result.x is None or result.status != 0:
            raise RuntimeError(f"the solver gave up on lineup {len(earlier) + 1}: {result.message}")
        chosen = np.flatnonzero(result.x > 0.5).tolist()
        order = assign([self._slate.positions[player] for player in chosen])
        if order is None:
            raise RuntimeError(f"the solver's lineup {len(earlier) + 1} does not fill the slots: {chosen}")
        return tuple(chosen[place] for place in order)

    def _constraints(self) -> list[LinearConstraint]:
        slate = self._slate
        everybody = np.ones(len(slate))
        rules = [LinearConstraint(everybody[None], ROSTER_SIZE, ROSTER_SIZE)]
        for count in range(1, len(POSITIONS)):
            for held in combinations(POSITIONS, count):
                slots = sum(not taken.isdisjoint(held) for taken in SLOTS.values())
                rules += _at_most([np.array([set(own) <= set(held) for own in slate.positions], dtype=float)], slots)
        teams = [self._among(_places(slate.teams, team)) for team in dict.fromkeys(slate.teams)]
        games = [self._among(_places(slate.games, game)) for game in dict.fromkeys(slate.games)]
        rules += _at_most(teams, MAX_PER_TEAM)
        rules += _at_most(games, ROSTER_SIZE - 1)  # so that there are at least two
        # in hundreds of dollars: the solver's tolerances are for numbers near 1
        return [*rules, *_at_most([slate.salaries / 100], SALARY_CAP / 100)]

    def _among(self, players: Sequence[int]) -> Floats:
        row = np.zeros(len(self._slate))
        row[list(players)] = 1
        return row

    def _no_lineup(self, number: int) -> UsageError:
        cfg = self._cfg
        held = f"{len(cfg.lock)} locked and {len(cfg.ban)} banned players"
        different = f", each different from the {number - 1} before it in {cfg.uniques} players" if number > 1 else ""
        return UsageError(
            f"no lineup {number} is possible under the rules with {held}{different}",
            where=f"workload.optimizer, slate {self._slate.name}",
            todo="build fewer lineups, lower uniques, or take players out of lock and ban",
        )


def _at_most(rows: Sequence[Floats], limit: float) -> list[LinearConstraint]:
    return [LinearConstraint(np.array(rows), -np.inf, limit)] if rows else []


def _places(values: Sequence[str], value: str) -> list[int]:
    return [place for place, other in enumerate(values) if other == value]
