from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.workloads.contest.rules import (
    EXPORT_HEADER,
    SLOT_NAMES,
    SLOTS,
    assign,
    check_export,
    eligible_slots,
    export_violations,
)
from app.workloads.contest.slate import POSITIONS, Slate
from runyard import UsageError

NIGHT = [
    ("A", "PG", "BOS", "BOS@NYK", 6000, 30.0),
    ("B", "SG", "BOS", "BOS@NYK", 6000, 30.0),
    ("C", "SF", "BOS", "BOS@NYK", 6000, 30.0),
    ("D", "PF", "NYK", "BOS@NYK", 6000, 30.0),
    ("E", "C", "NYK", "BOS@NYK", 6000, 30.0),
    ("F", "PG/SG", "NYK", "BOS@NYK", 6000, 30.0),
    ("G", "SF/PF", "LAL", "LAL@DEN", 6000, 30.0),
    ("H", "C", "LAL", "LAL@DEN", 6000, 30.0),
    ("I", "SG", "BOS", "BOS@NYK", 6000, 30.0),
    ("J", "C", "BOS", "BOS@NYK", 12000, 30.0),
    ("K", "C", "NYK", "BOS@NYK", 6000, 30.0),
    ("L", "SF", "NYK", "BOS@NYK", 6000, 30.0),
]
GOOD = "100,101,102,103,104,105,106,107"


@pytest.fixture
def night(slate_of: Callable[..., Slate]) -> Slate:
    return slate_of(NIGHT)


def found(night: Slate, *rows: str) -> list[tuple[int, str]]:
    text = "\n".join([EXPORT_HEADER, *rows]) + "\n"
    return [(violation.row, violation.rule) for violation in export_violations(text, night)]


def test_the_export_has_draftkings_header() -> None:
    assert EXPORT_HEADER == "PG,SG,SF,PF,C,G,F,UTIL"


@pytest.mark.parametrize(
    ("positions", "slots"),
    [("PG", "PG G UTIL"), ("PG/SG", "PG SG G UTIL"), ("SG/SF", "SG SF G F UTIL"), ("PF/C", "PF C F UTIL")],
)
def test_a_player_fills_the_slots_of_all_his_positions(positions: str, slots: str) -> None:
    assert eligible_slots(positions.split("/")) == tuple(slots.split())


def test_a_good_row_breaks_nothing(night: Slate) -> None:
    assert found(night, GOOD) == []


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("101,100,102,103,104,105,106,107", "slots"),
        ("100,101,102,103,104,107,106,105", "slots"),
        ("100,101,102,103,104,105,106,104", "distinct"),
        ("100,101,102,103,109,105,106,107", "salary"),
        ("100,101,102,103,104,108,106,109", "team"),
        ("100,101,102,103,104,105,111,110", "games"),
        ("100,101,102,103,104,105,106,999", "ids"),
        ("100,101,102,103,104,105,106,", "ids"),
        ("100,101,102", "slots"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_with_the_rule(night: Slate, row: str, rule: str) -> None:
    assert (2, rule) in found(night, GOOD, row)
    assert all(number == 2 for number, _ in found(night, GOOD, row))


def test_another_header_and_an_export_without_lineups_are_refused(night: Slate) -> None:
    assert [v.rule for v in export_violations("PG,SG\n", night)] == ["header"]
    assert [v.rule for v in export_violations("", night)] == ["header"]
    assert [v.rule for v in export_violations(EXPORT_HEADER + "\n", night)] == ["rows"]


def test_a_file_that_breaks_a_rule_is_an_error_that_names_row_and_rule(night: Slate, tmp_path: Path) -> None:
    path = tmp_path / "dk_export.csv"
    path.write_text(f"{EXPORT_HEADER}\n{GOOD}\n")
    assert check_export(path, night) == 1
    path.write_text(f"{EXPORT_HEADER}\n{GOOD}\n{GOOD.replace('107', '104')}\n")
    with pytest.raises(UsageError, match=r"row 2 breaks the rule 'distinct': E \(104\) is there more than once"):
        check_export(path, night)


def test_a_player_of_two_positions_gives_way_to_one_who_has_no_other_slot() -> None:
    # filled in this order by the first slot that is free, PG/SG would take PG, G and UTIL from those who have no other
    positions = [["PG", "SG"], ["PG"], ["PG"], ["SF"], ["PF"], ["SF", "PF"], ["C"], ["C"]]
    order = assign(positions)
    assert order is not None
    slots = dict(zip(SLOT_NAMES, order, strict=True))
    assert slots["SG"] == 0
    assert {slots["PG"], slots["G"]} == {1, 2}


def can_fill(positions: list[list[str]], slots: tuple[str, ...]) -> bool:
    """Whether some order of the players fills the slots; every order is tried."""
    return not slots or any(
        can_fill([*positions[:place], *positions[place + 1 :]], slots[1:])
        for place, own in enumerate(positions)
        if not SLOTS[slots[0]].isdisjoint(own)
    )


def test_players_are_assigned_exactly_when_some_order_fills_the_slots() -> None:
    rng = np.random.default_rng(5)
    possible = 0
    for _ in range(60):
        counts = rng.integers(1, 3, 8)
        positions = [[str(p) for p in rng.choice(POSITIONS, count, replace=False)] for count in counts]
        able = can_fill(positions, SLOT_NAMES)
        order = assign(positions)
        assert (order is not None) == able
        if order is not None:
            assert sorted(order) == list(range(8))
            assert all(not SLOTS[slot].isdisjoint(positions[p]) for slot, p in zip(SLOT_NAMES, order, strict=True))
        possible += able
    assert 5 < possible < 55
