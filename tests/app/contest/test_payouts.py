from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.workloads.contest.config import ContestConfig
from app.workloads.contest.contests import resolve_contest
from app.workloads.contest.payouts import Curve, Tier, check_tiers, curve_tiers, prizes_of
from app.workloads.contest.ranking import share_prizes
from runyard import UsageError


def tiers(*triples: tuple[int, int, int]) -> list[Tier]:
    return [Tier(first=first, last=last, prize=prize) for first, last, prize in triples]


def test_the_golden_case_of_shared_prizes() -> None:
    # L1 once and L2 twice with the same players score 100, L3 scores 80; prizes 50, 30, 0, 0; fee 10
    prizes, ranks = share_prizes(np.array([[100.0, 80.0]]), np.array([3, 1]), np.array([50, 30, 0, 0]))
    won = [prizes[0, 0]] * 3 + [prizes[0, 1]]
    assert sum(won) == pytest.approx(80)
    assert sum(won) / 40 - 1 == pytest.approx(1.0)
    assert sum(prize > 0 for prize in won) / 4 == 0.75
    assert ranks.tolist() == [[1, 4]]


def naive(scores: list[float], prizes: list[int]) -> tuple[list[float], list[int]]:
    """Entry by entry, as a person would."""
    ranks = [1 + sum(other > score for other in scores) for score in scores]
    ties = [sum(other == score for other in scores) for score in scores]
    return [sum(prizes[r - 1 : r - 1 + n]) / n for r, n in zip(ranks, ties, strict=True)], ranks


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ties_share_as_they_do_one_by_one_and_nothing_is_lost(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=6))
    worlds = data.draw(st.integers(1, 3))
    rows = [[float(data.draw(st.integers(0, 3))) for _ in counts] for _ in range(worlds)]
    entries = sum(counts)
    paid = sorted(data.draw(st.lists(st.integers(0, 50), min_size=entries, max_size=entries)), reverse=True)
    prizes, ranks = share_prizes(np.array(rows), np.array(counts), np.array(paid))
    for world, row in enumerate(rows):
        expected = naive([score for score, n in zip(row, counts, strict=True) for _ in range(n)], paid)
        assert np.repeat(prizes[world], counts).tolist() == pytest.approx(expected[0])
        assert np.repeat(ranks[world], counts).tolist() == expected[1]
    assert (prizes @ np.array(counts)).tolist() == pytest.approx([float(sum(paid))] * worlds)


@pytest.mark.parametrize("size", [2, 3, 50, 2000, 9999])
def test_a_curve_fits_a_field_of_any_size_and_pays_the_pool_to_the_cent(size: int) -> None:
    curve = Curve(rake=0.15, paid=0.22, min_cash=1.6, exponent=0.9)
    found = curve_tiers(curve, field_size=size, fee=1000, where="here")
    check_tiers(found, field_size=size, where="here")
    prizes = prizes_of(found)
    assert len(prizes) == size
    assert prizes.sum() == round(size * 1000 * 0.85)
    assert (prizes > 0).sum() == max(1, int(0.22 * size))
    assert prizes[prizes > 0].min() >= 1600


def test_a_curve_whose_lowest_prizes_are_too_much_is_refused() -> None:
    curve = Curve(rake=0.15, paid=0.5, min_cash=2, exponent=1)
    with pytest.raises(UsageError, match=r"50 prizes of at least 20.00 are more than the 850.00"):
        curve_tiers(curve, field_size=100, fee=1000, where="here")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (tiers((1, 1, 50), (3, 4, 0)), "tier 2 covers the ranks 3 to 4, but must begin at 2"),
        (tiers((1, 2, 50), (2, 4, 0)), "tier 2 covers the ranks 2 to 4, but must begin at 3"),
        (tiers((2, 4, 50)), "tier 1 covers the ranks 2 to 4, but must begin at 1"),
        (tiers((1, 3, 50)), "the tiers end at rank 3"),
        (tiers((1, 5, 50)), "the tiers end at rank 5"),
        (tiers((1, 2, 50), (3, 1, 0)), "tier 2 covers the ranks 3 to 1"),
        (tiers((1, 1, 10), (2, 4, 20)), "tier 2 pays 0.20, which is negative or more than the tier before it"),
        ([], "the tiers end at rank 0"),
    ],
)
def test_payouts_that_do_not_cover_every_rank_once_are_refused(found: list[Tier], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        check_tiers(found, field_size=4, where="here")


@pytest.mark.parametrize("name", ["DK_MME_20", "DK_MME_150", "DK_SINGLE_ENTRY", "DK_DOUBLE_UP"])
def test_every_contest_that_ships_can_be_played(name: str) -> None:
    cfg = ContestConfig(contest=name)
    cfg.optimizer.lineups = 1
    contest = resolve_contest(cfg)
    prizes = prizes_of(contest.tiers)
    assert len(prizes) == contest.field_size and 0 < prizes.sum() < contest.field_size * contest.entry_fee
    cfg.sampler.field_size = 123
    assert resolve_contest(cfg).field_size == len(prizes_of(resolve_contest(cfg).tiers)) == 123


MINE = """
MINE:
  field_size: 4
  entry_fee: 10
  max_entries: 4
  payouts:
    - {first: 1, last: 1, prize: 50}
    - {first: 2, last: 2, prize: 30}
    - {first: 3, last: 4, prize: 0}
"""


def mine(folder: Path, text: str) -> ContestConfig:
    (folder / "mine.yaml").write_text(text)
    cfg = ContestConfig(contest="MINE", contests=str(folder / "mine.yaml"))
    cfg.optimizer.lineups = 4
    return cfg


def test_a_contest_of_ones_own_with_tiers(tmp_path: Path) -> None:
    contest = resolve_contest(mine(tmp_path, MINE))
    assert prizes_of(contest.tiers).tolist() == [5000, 3000, 0, 0]
    assert contest.entry_fee == 1000


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("last: 4", "last: 5", "the tiers end at rank 5"),
        ("entry_fee: 10", "entry_fee: free", "'free' is no number of at least 0.01"),
        ("max_entries: 4", "max_entries: 2", "4 lineups are more than the 2 entries"),
        ("field_size: 4", "size: 4", "a contest has other keys"),
        ("prize: 50", "prise: 50", "payouts are neither a curve nor tiers"),
        ("MINE:", "- MINE", "no YAML"),
    ],
)
def test_a_contest_that_is_not_defined_as_it_should_be_is_refused(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        resolve_contest(mine(tmp_path, MINE.replace(old, new)))


def test_tiers_do_not_stretch_to_another_field(tmp_path: Path) -> None:
    cfg = mine(tmp_path, MINE)
    cfg.sampler.field_size = 6
    with pytest.raises(UsageError, match=r"not contiguous over the ranks 1 to 6: the tiers end at rank 4"):
        resolve_contest(cfg)
