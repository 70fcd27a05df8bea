"""A slate: the players of one night, read from the projections file and the player ids file."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runyard import UsageError

PROJECTION_COLUMNS = (
    *("Name", "Position", "Team", "Salary", "FPTS", "StdDev", "Ceiling", "Own%", "Minutes", "FieldFpts"),
)
ID_COLUMNS = ("Name", "ID", "Position", "TeamAbbrev", "Game Info")
POSITIONS = ("PG", "SG", "SF", "PF", "C")
MIN_PLAYERS = 8

_NUMBERS = ("Salary", "FPTS", "StdDev", "Ceiling", "Own%", "Minutes", "FieldFpts")
_ANY_SIGN = ("FPTS", "Ceiling", "FieldFpts")  # a projection may be below 0, if barely
_GAME = re.compile(r"^\s*(\w+)@(\w+)\b")

Floats = npt.NDArray[np.float64]
Row = tuple[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slate:
    """The players of a night, in the order of the projections file. Arrays and tuples have an item per player.

    Attributes:
        name: The slate's name.
        ids: DraftKings' player IDs.
        names: Names.
        positions: Positions of each, at least one.
        teams: Abbreviations of the teams.
        games: Games, as ``AWAY@HOME``.
        salaries: Dollars, shape (players,).
        projections: Expected fantasy points.
        sds: Their standard deviation.
        ownerships: Expected part of the field's lineups that hold the player, 0 to 1.
        field_projections: What the field expects.
        number_of: Player's number by ID.
        ids_without_projection: Rows of the ids file that no projection belongs to.
    """

    name: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    positions: tuple[tuple[str, ...], ...]
    teams: tuple[str, ...]
    games: tuple[str, ...]
    salaries: npt.NDArray[np.int64]
    projections: Floats
    sds: Floats
    ownerships: Floats
    field_projections: Floats
    number_of: Mapping[str, int]
    ids_without_projection: int

    def __len__(self) -> int:
        return len(self.ids)

    def describe(self, player: int) -> str:
        """A player's name and ID."""
        return f"{self.names[player]} ({self.ids[player]})"

    def find(self, player: str, where: str) -> int:
        """The number of the player with this ID or name.

        Raises:
            UsageError: there is none, or there are several.
        """
        if player in self.number_of:
            return self.number_of[player]
        found = [number for number, name in enumerate(self.names) if name == player]
        if len(found) != 1:
            problem = "no player" if not found else f"{len(found)} players"
            raise UsageError(
                f"{problem} of the slate {self.name} has the ID or name {player!r}",
                where=where,
                todo="give an ID of the player ids file",
            )
        return found[0]


def read_slate(name: str, projections: str, player_ids: str, *, where: tuple[str, str]) -> Slate:
    """The slate in the texts of the two CSV files; players are joined by name and team.

    Args:
        name: The slate's name.
        projections: A file with `PROJECTION_COLUMNS`; Own% in per cent.
        player_ids: A file with `ID_COLUMNS`; Game Info begins with ``AWAY@HOME``.
        where: How the two files are called in errors.

    Raises:
        UsageError: a column is missing, or a row makes no sense; the file, the row (by its line) and the column
            are named.
    """
    known = _read_ids(player_ids, where[1])
    columns: dict[str, list[float]] = {name: [] for name in _NUMBERS}
    found: list[tuple[str, str, str, tuple[str, ...], str]] = []
    used: set[str] = set()
    for line, row in _rows(projections, PROJECTION_COLUMNS, where[0]):
        player, team = row["Name"].strip(), row["Team"].strip()
        if (player, team) not in known:
            problem = f"{player!r} of {team!r} is not in the player ids file {where[1]}"
            raise _bad(where[0], line, "Name", problem, "spell name and team alike in both files")
        player_id, positions, game = known[player, team]
        if player_id in used:
            raise _bad(where[0], line, "Name", f"{player!r} of {team!r} is there twice", "keep one of the rows")
        used.add(player_id)
        found.append((player_id, player, team, positions, game))
        for column in _NUMBERS:
            columns[column].append(_number(row[column], column, line, where[0]))
    if len(found) < MIN_PLAYERS:
        raise UsageError(f"{len(found)} players", where=where[0], todo=f"a slate needs at least {MIN_PLAYERS}")
    return _slate(name, found, columns, len(known) - len(used))


def _slate(
    name: str,
    found: Sequence[tuple[str, str, str, tuple[str, ...], str]],
    columns: Mapping[str, Sequence[float]],
    unused: int,
) -> Slate:
    arrays = {column: np.array(values, dtype=np.float64) for column, values in columns.items()}
    return Slate(
        name=name,
        ids=tuple(player[0] for player in found),
        names=tuple(player[1] for player in found),
        teams=tuple(player[2] for player in found),
        positions=tuple(player[3] for player in found),
        games=tuple(player[4] for player in found),
        salaries=arrays["Salary"].astype(np.int64),
        projections=arrays["FPTS"],
        sds=arrays["StdDev"],
        ownerships=arrays["Own%"] / 100,
        field_projections=arrays["FieldFpts"],
        number_of={player[0]: number for number, player in enumerate(found)},
        ids_without_projection=unused,
    )


def _read_ids(text: str, where: str) -> dict[tuple[str, str], tuple[str, tuple[str, ...], str]]:
    """By name and team: ID, positions, game."""
    known: dict[tuple[str, str], tuple[str, tuple[str, ...], str]] = {}
    ids: set[str] = set()
    for line, row in _rows(text, ID_COLUMNS, where):
        player, player_id, team = row["Name"].strip(), row["ID"].strip(), row["TeamAbbrev"].strip()
        if not player or not player_id:
            raise _bad(where, line, "Name" if not player else "ID", "it is empty", "fill it in, or drop the row")
        if player_id in ids or (player, team) in known:
            column = "ID" if player_id in ids else "Name"
            raise _bad(where, line, column, f"{player!r} ({player_id}) is there twice", "keep one of the rows")
        ids.add(player_id)
        positions = tuple(part.strip() for part in row["Position"].split("/"))
        if not set(positions) <= set(POSITIONS):
            problem = f"{row['Position']!r} is no position"
            raise _bad(where, line, "Position", problem, f"use {', '.join(POSITIONS)}, several with / between")
        known[player, team] = (player_id, positions, _game(row["Game Info"], team, line, where))
    return known


def _game(text: str, team: str, line: int, where: str) -> str:
    match = _GAME.match(text)
    if match is None or team not in match.groups():
        problem = f"{text!r} is no game of {team!r}"
        raise _bad(where, line, "Game Info", problem, "it begins with AWAY@HOME, one of which is the player's team")
    return f"{match[1]}@{match[2]}"


def _rows(text: str, columns: Sequence[str], where: str) -> list[Row]:
    """The rows of a CSV text by column, with their lines; columns that are not needed are left in."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        found = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in columns if name not in found]
        if missing:
            raise UsageError(
                f"missing column{'s' if len(missing) > 1 else ''}: {', '.join(missing)}",
                where=f"{where}; columns found: {', '.join(found)}",
                todo="rename or add the column",
            )
        reader.fieldnames = found
        return [(reader.line_num, _whole(row, reader.line_num, where)) for row in reader]
    except csv.Error as error:
        raise UsageError(f"not a CSV file: {error}", where=where, todo="check the file") from error


def _whole(row: Mapping[str | None, str | None], line: int, where: str) -> dict[str, str]:
    if None in row or None in row.values():
        raise _bad(where, line, "(all)", "it has not as many cells as the header", "correct the row")
    return {str(name): str(value) for name, value in row.items()}


def _number(text: str, column: str, line: int, where: str) -> float:
    """A cell as a number; a dollar sign, a per cent sign and commas between thousands are allowed."""
    try:
        value = float(text.strip().lstrip("$").rstrip("%").replace(",", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (value < 0 and column not in _ANY_SIGN):
        raise _bad(where, line, column, f"{text!r} is no usable number", "correct it, or drop the row")
    if column == "Own%" and value > 100:
        raise _bad(where, line, column, f"{text!r} is above 100", "give per cent")
    if column == "Salary" and (value < 1 or value != int(value)):
        raise _bad(where, line, column, f"{text!r} is no whole number of dollars", "correct it, or drop the row")
    return value


def _bad(where: str, line: int, column: str, problem: str, todo: str) -> UsageError:
    return UsageError(problem, where=f"{where}, line {line}, column {column!r}", todo=todo)
