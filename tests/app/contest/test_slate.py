from __future__ import annotations

import re

import pytest

from app.workloads.contest.slate import Slate, read_slate
from app.workloads.contest.synthetic import synthetic_slate
from runyard import UsageError

TEXTS = synthetic_slate(0)


def read(projections: str = TEXTS.projections, player_ids: str = TEXTS.player_ids) -> Slate:
    return read_slate("night", projections, player_ids, where=("p.csv", "i.csv"))


def with_cell(text: str, line: int, column: str, value: str) -> str:
    lines = text.splitlines()
    cells = lines[line - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines) + "\n"


def test_players_are_joined_by_name_and_team_whatever_the_order_of_the_rows() -> None:
    head, *rows = TEXTS.player_ids.splitlines()
    assert read(player_ids="\n".join([head, *reversed(rows)])).ids == read().ids


def test_dollar_and_per_cent_signs_a_byte_order_mark_and_further_columns_are_taken() -> None:
    text = with_cell(with_cell(TEXTS.projections, 3, "Own%", "12.5%"), 3, "Salary", '"$7,000"')
    lines = [f"{line},{'Note' if n == 0 else 'x'}" for n, line in enumerate(text.splitlines())]
    slate = read("\ufeff" + "\n".join(lines))
    assert (slate.salaries[1], slate.ownerships[1]) == (7000, 0.125)


def test_ids_without_a_projection_are_counted() -> None:
    lines = TEXTS.projections.splitlines()
    assert read("\n".join(lines[:-3])).ids_without_projection == 3


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("FPTS", "many", "'many' is no usable number"),
        ("FPTS", "nan", "'nan' is no usable number"),
        ("StdDev", "-1", "'-1' is no usable number"),
        ("Own%", "101", "'101' is above 100"),
        ("Salary", "6000.5", "'6000.5' is no whole number of dollars"),
        ("Salary", "0", "'0' is no whole number of dollars"),
        ("Name", "Nobody", "'Nobody' of 'CHI' is not in the player ids file i.csv"),
    ],
)
def test_a_bad_cell_of_the_projections_is_named_by_file_line_and_column(column: str, value: str, says: str) -> None:
    team = TEXTS.projections.splitlines()[2].split(",")[2]
    with pytest.raises(UsageError, match=re.escape(says.replace("CHI", team))) as caught:
        read(with_cell(TEXTS.projections, 3, column, value))
    assert f"p.csv, line 3, column '{column}'" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("Position", "QB", "'QB' is no position"),
        ("Game Info", "Postponed", "'Postponed' is no game of"),
        ("Game Info", "AAA@BBB 7PM", "'AAA@BBB 7PM' is no game of"),
        ("ID", "", "it is empty"),
        ("ID", "30000000", "is there twice"),
    ],
)
def test_a_bad_cell_of_the_ids_is_named_by_file_line_and_column(column: str, value: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        read(player_ids=with_cell(TEXTS.player_ids, 3, column, value))
    assert f"i.csv, line 3, column '{column}'" in str(caught.value)


def test_a_missing_column_a_short_row_a_double_row_and_a_short_slate_are_errors() -> None:
    with pytest.raises(UsageError, match="missing column: FPTS"):
        read(TEXTS.projections.replace("FPTS,StdDev", "Points,StdDev"))
    with pytest.raises(UsageError, match="missing column: Game Info"):
        read(player_ids=TEXTS.player_ids.replace("Game Info", "Game"))
    lines = TEXTS.projections.splitlines()
    with pytest.raises(UsageError, match=r"(?s)not as many cells as the header.*line 2"):
        read("\n".join([lines[0], lines[1].rpartition(",")[0], *lines[2:]]))
    with pytest.raises(UsageError, match="is there twice"):
        read("\n".join([*lines, lines[1]]))
    with pytest.raises(UsageError, match="3 players"):
        read("\n".join(lines[:4]))


def test_a_player_is_found_by_id_or_name_and_not_by_a_name_that_two_have() -> None:
    slate = read()
    assert slate.find(slate.ids[4], "lock") == slate.find(slate.names[4], "lock") == 4
    projections = TEXTS.projections.replace(f"{slate.names[20]},", f"{slate.names[4]},")
    ids = TEXTS.player_ids.replace(f"{slate.names[20]},", f"{slate.names[4]},")
    with pytest.raises(UsageError, match="2 players of the slate night"):
        read(projections, ids).find(slate.names[4], "lock")


@pytest.mark.parametrize("seed", range(6))
def test_synthetic_slates_are_as_the_page_says(seed: int) -> None:
    texts = synthetic_slate(seed)
    slate = read(texts.projections, texts.player_ids)
    assert texts == synthetic_slate(seed) != synthetic_slate(seed + 1)
    assert len(set(slate.games)) in (4, 5) and 60 <= len(slate) <= 80
    assert slate.salaries.min() >= 3000 and slate.salaries.max() <= 11500 and not (slate.salaries % 100).any()
    value = slate.projections / slate.salaries * 1000
    assert abs(value.mean() - 5) < 0.3 and abs(value.std() - 0.6) < 0.2
    assert ((slate.sds / slate.projections > 0.249) & (slate.sds / slate.projections < 0.351)).all()
    assert 6 < slate.ownerships.sum() < 8.01 and slate.ownerships.max() <= 0.7
    assert sum(len(positions) == 2 for positions in slate.positions) > len(slate) / 4
