"""Variants, optimizer and field: what lineups are made from, and whether they are right."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from app.workloads.contest.config import OptimizerConfig, SamplerConfig, VariantsConfig
from app.workloads.contest.field import describe as describe_field
from app.workloads.contest.field import keys_of, sample_field
from app.workloads.contest.optimizer import build_lineups, ownership_penalty
from app.workloads.contest.rules import SLOT_NAMES, broken_rules, eligible_slots
from app.workloads.contest.slate import Slate
from app.workloads.contest.variants import describe, make_variants
from runyard import UsageError

QUICK = OptimizerConfig(lineups=4)


def test_variants_move_projections_by_a_part_of_their_standard_deviation(slate: Slate) -> None:
    found = make_variants(slate, VariantsConfig(count=4000, pct=30), seed=1).projections
    moved = (found - slate.projections) / slate.sds
    assert abs(moved.std() - 0.3) < 0.002 and abs(moved.mean()) < 0.002


def test_without_randomness_all_variants_are_the_slate_and_the_entropy_is_that_of_eight(slate: Slate) -> None:
    found = make_variants(slate, VariantsConfig(count=3, pct=0), seed=1)
    assert (found.projections == slate.projections).all()
    told = describe(slate, found)
    assert told["mean_shift"] == 0 and told["entropy"] == pytest.approx(3) and told["count"] == 3
    wilder = describe(slate, make_variants(slate, VariantsConfig(count=50, pct=80), seed=1))
    assert wilder["entropy"] > told["entropy"] and wilder["chalk_index"] < told["chalk_index"]


def test_the_penalty_is_a_half_at_p0_nothing_for_nobody_and_rises() -> None:
    found = ownership_penalty(np.array([0.0, 0.1, 0.2, 0.4, 1.0]), p0=0.2, alpha=2)
    assert found.tolist() == pytest.approx([0, 0.2, 0.5, 0.8, 25 / 26])


def by_slots(slate: Slate, values: Any, earlier: Sequence[Sequence[int]], uniques: int) -> float:
    """The best objective, by a program with a truth value for each player and slot."""
    pairs = [(p, SLOT_NAMES.index(s)) for p in range(len(slate)) for s in eligible_slots(slate.positions[p])]
    player, slot = np.array(pairs).T
    salary = slate.salaries[player].astype(float)
    rows = [(slot == s, 1, 1) for s in range(8)]
    rows += [(player == p, 0, 1) for p in range(len(slate))]
    rows += [(np.array(slate.teams)[player] == team, 0, 4) for team in set(slate.teams)]
    rows += [(np.array(slate.games)[player] == game, 0, 7) for game in set(slate.games)]
    rows += [(np.isin(player, before), 0, 8 - uniques) for before in earlier]
    matrix = np.array([row for row, _, _ in rows] + [salary], dtype=float)
    low, high = [r[1] for r in rows] + [0], [r[2] for r in rows] + [50000]
    result = milp(
        -values[player],
        integrality=np.ones(len(pairs), dtype=int),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": 0.0},
    )
    return float(-result.fun)


def test_lineups_are_valid_as_good_as_by_player_and_slot_and_different(slate: Slate) -> None:
    projections = make_variants(slate, VariantsConfig(count=2), seed=3).projections
    lineups = build_lineups(slate, projections, QUICK)
    penalty = QUICK.lam * ownership_penalty(slate.ownerships, p0=QUICK.p0, alpha=QUICK.alpha)
    for number, lineup in enumerate(lineups):
        assert broken_rules(slate, lineup.players) == []
        assert lineup.variant == number % 2
        earlier = [before.players for before in lineups[:number]]
        assert all(len(set(lineup.players) & set(before)) <= 6 for before in earlier)
        if number < 2:  # the other way takes seconds for the later ones
            best = by_slots(slate, projections[lineup.variant] - penalty, earlier, QUICK.uniques)
            assert lineup.objective == pytest.approx(best)
    assert lineups == build_lineups(slate, projections, QUICK)


def test_the_weight_of_ownership_makes_lineups_less_owned(slate: Slate) -> None:
    def owned(lam: float) -> float:
        (lineup,) = build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=1, lam=lam))
        return float(slate.ownerships[list(lineup.players)].sum())

    assert owned(30) < owned(0)


def test_locked_players_are_in_every_lineup_and_banned_ones_in_none(slate: Slate) -> None:
    (best,) = build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=1))
    locked = next(player for player in range(len(slate)) if player not in best.players)
    banned = best.players[0]
    cfg = OptimizerConfig(lineups=3, lock=[slate.names[locked]], ban=[slate.ids[banned]])
    for lineup in build_lineups(slate, slate.projections[None], cfg):
        assert locked in lineup.players and banned not in lineup.players


def test_a_player_who_is_locked_by_name_and_banned_by_id_is_an_error(slate: Slate) -> None:
    cfg = OptimizerConfig(lock=[slate.names[3]], ban=[slate.ids[3]])
    with pytest.raises(UsageError, match="is locked and banned"):
        build_lineups(slate, slate.projections[None], cfg)


def night(positions: Sequence[str], second_game: int) -> list[tuple[str, str, str, str, int, float]]:
    """Players of two games; the last ones, of the second game, are the worst."""
    players = []
    for number, position in enumerate(positions):
        second = number >= len(positions) - second_game
        team = ("LAL" if number % 2 else "DEN") if second else ("BOS" if number % 2 else "NYK")
        game = "LAL@DEN" if second else "BOS@NYK"
        players.append((f"P{number}", position, team, game, 6000, 10.0 if second else 30.0))
    return players


def test_four_and_four_of_one_game_are_no_lineup_so_that_a_worse_player_of_another_is_taken(
    slate_of: Callable[..., Slate],
) -> None:
    slate = slate_of(night(["PG", "SG", "SF", "PF", "C", "PG/SG", "SF/PF", "C", "C"], second_game=1))
    (lineup,) = build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=1, lam=0))
    assert 8 in lineup.players and broken_rules(slate, lineup.players) == []


def test_a_slate_that_has_only_one_way_to_fill_the_slots_is_filled_so(slate_of: Callable[..., Slate]) -> None:
    slate = slate_of(night(["PG/SG", "PG", "PG", "SF", "PF", "SF/PF", "C", "PF/C"], second_game=4))
    (lineup,) = build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=1))
    assert dict(zip(SLOT_NAMES, lineup.players, strict=True))["SG"] == 0
    assert broken_rules(slate, lineup.players) == []


def test_what_is_impossible_is_a_clear_error(slate_of: Callable[..., Slate], slate: Slate) -> None:
    no_center = slate_of(night(["PG", "SG", "SF", "PF", "PG", "SG", "SF", "PF", "PG"], second_game=4))
    with pytest.raises(UsageError, match="no lineup 1 is possible under the rules with 0 locked and 0 banned players"):
        build_lineups(no_center, no_center.projections[None], QUICK)
    only = slate_of(night(["PG", "SG", "SF", "PF", "C", "PG", "SF", "C"], second_game=4))
    with pytest.raises(UsageError, match=r"no lineup 2 is possible .* different from the 1 before it in 2 players"):
        build_lineups(only, only.projections[None], QUICK)
    dear = np.argsort(-slate.salaries)[:8]
    with pytest.raises(UsageError, match="with 8 locked"):
        build_lineups(slate, slate.projections[None], OptimizerConfig(lock=[slate.ids[player] for player in dear]))


def test_the_field_keeps_to_the_rules_is_filled_up_and_follows_ownership(slate: Slate) -> None:
    ours = [lineup.players for lineup in build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=2))]
    cfg = SamplerConfig(skill=1)
    entrants = sample_field(slate, ours, cfg, field_size=500, seed=4)
    assert len(entrants) == 500 and entrants.ours == 2
    assert [tuple(row) for row in entrants.players[:2].tolist()] == ours
    assert all(broken_rules(slate, row) == [] for row in entrants.players.tolist())
    assert (slate.salaries[entrants.players[2:]].sum(axis=1) >= cfg.min_salary).all()
    held = np.bincount(entrants.players[2:].ravel(), minlength=len(slate)) / 498
    assert np.corrcoef(held, slate.ownerships)[0, 1] > 0.7
    told = describe_field(slate, entrants)
    assert told["entries"] == 500 and sum(told["coverage"].values()) == pytest.approx(8)
    again = sample_field(slate, ours, cfg, field_size=500, seed=4)
    other = sample_field(slate, ours, cfg, field_size=500, seed=5)
    assert (again.players == entrants.players).all() and (other.players != entrants.players).any()


def test_a_field_of_skill_enters_what_it_expects_more_of(slate: Slate) -> None:
    fields = [sample_field(slate, [], SamplerConfig(skill=skill), field_size=200, seed=4) for skill in (1, 8)]
    means = [slate.field_projections[field.players].sum(axis=1).mean() for field in fields]
    assert means[1] > means[0] + 5


def test_nobody_is_drawn_whom_nobody_owns_and_a_contest_can_be_all_ours(slate: Slate) -> None:
    owned = slate.ownerships.copy()
    owned[:10] = 0
    entrants = sample_field(dataclasses.replace(slate, ownerships=owned), [], SamplerConfig(), field_size=50, seed=1)
    assert entrants.players.min() >= 10
    (lineup,) = build_lineups(slate, slate.projections[None], OptimizerConfig(lineups=1))
    alone = sample_field(slate, [lineup.players] * 2, SamplerConfig(), field_size=2, seed=1)
    told = describe_field(slate, alone)
    assert (told["field"], told["unique_lineups"], told["duplication_risk"]) == (0, 1, 1.0)
    assert told["ownership_error"] is None


def test_a_field_that_cannot_be_drawn_is_a_clear_error(slate: Slate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.workloads.contest.field._MOST_TRIES", 2)
    with pytest.raises(UsageError, match=r"only \d+ of \d+ random lineups keep to the rules"):
        sample_field(slate, [], SamplerConfig(min_salary=50000, skill=100), field_size=1000, seed=1)


def test_lineups_of_the_same_players_have_one_key_whatever_their_slots() -> None:
    keys = keys_of(np.array([[1, 2, 3, 4, 5, 6, 7, 8], [8, 2, 3, 4, 5, 6, 7, 1], [1, 2, 3, 4, 5, 6, 7, 9]]))
    assert keys[0] == keys[1] != keys[2]
