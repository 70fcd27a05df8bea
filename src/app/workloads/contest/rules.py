"""The rules of a DraftKings NBA classic roster, and the validator of an export. Knows a slate, builds no lineup."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard import UsageError

from .slate import Slate

SLOTS: Mapping[str, frozenset[str]] = {
    "PG": frozenset({"PG"}),
    "SG": frozenset({"SG"}),
    "SF": frozenset({"SF"}),
    "PF": frozenset({"PF"}),
    "C": frozenset({"C"}),
    "G": frozenset({"PG", "SG"}),
    "F": frozenset({"SF", "PF"}),
    "UTIL": frozenset({"PG", "SG", "SF", "PF", "C"}),
}
"""The slots in the order of the export, and the positions that each takes."""

SLOT_NAMES = tuple(SLOTS)
ROSTER_SIZE = len(SLOT_NAMES)
SALARY_CAP = 50_000
MIN_GAMES = 2
MAX_PER_TEAM = 4
EXPORT_HEADER = ",".join(SLOT_NAMES)

_SHOWN = 5  # violations in one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A row (from 1; 0 is the header) that breaks a rule, and how."""

    row: int
    rule: str
    problem: str

    def __str__(self) -> str:
        return f"row {self.row} breaks the rule {self.rule!r}: {self.problem}"


def eligible_slots(positions: Sequence[str]) -> tuple[str, ...]:
    """The slots that a player of these positions can fill, in the order of `SLOTS`."""
    return tuple(slot for slot, taken in SLOTS.items() if taken.intersection(positions))


def assign(positions: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    """Who fills which slot, as places in ``positions`` in the order of `SLOTS`; None when they cannot fill all eight.

    A player moves to another slot when somebody else can only fill the first one (an augmenting path; Kuhn, 1955).

    Args:
        positions: The positions of eight players.
    """
    holder: dict[str, int] = {}

    def place(player: int, seen: set[str]) -> bool:
        for slot in eligible_slots(positions[player]):
            if slot not in seen:
                seen.add(slot)
                if slot not in holder or place(holder[slot], seen):
                    holder[slot] = player
                    return True
        return False

    if len(positions) != ROSTER_SIZE or not all(place(player, set()) for player in range(ROSTER_SIZE)):
        return None
    return tuple(holder[slot] for slot in SLOT_NAMES)


def broken_rules(slate: Slate, players: Sequence[int], row: int = 1) -> list[Violation]:
    """What a roster breaks: numbers of players in the slate, in the order of `SLOTS`."""
    found = [
        ("slots", f"{slate.describe(player)} ({'/'.join(slate.positions[player])}) cannot fill {slot}")
        for slot, player in zip(SLOT_NAMES, players, strict=True)
        if not SLOTS[slot].intersection(slate.positions[player])
    ]
    twice = [slate.describe(player) for player, times in Counter(players).items() if times > 1]
    if twice:
        found.append(("distinct", f"{', '.join(twice)} is there more than once"))
    salary = sum(int(slate.salaries[player]) for player in players)
    if salary > SALARY_CAP:
        found.append(("salary", f"{salary} is above {SALARY_CAP}"))
    games = {slate.games[player] for player in players}
    if len(games) < MIN_GAMES:
        found.append(("games", f"all players are from {', '.join(games)}; at least {MIN_GAMES} games are needed"))
    teams = Counter(slate.teams[player] for player in set(players))
    found += [("team", f"{n} players of {t}; at most {MAX_PER_TEAM}") for t, n in teams.items() if n > MAX_PER_TEAM]
    return [Violation(row=row, rule=rule, problem=problem) for rule, problem in found]


def export_violations(text: str, slate: Slate) -> list[Violation]:
    """What breaks a rule in the text of a ``dk_export.csv``: a header, then a row of eight IDs per lineup."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or tuple(rows[0]) != SLOT_NAMES:
        found = ",".join(rows[0]) if rows else "nothing"
        return [Violation(row=0, rule="header", problem=f"it must be {EXPORT_HEADER}, not {found}")]
    if len(rows) == 1:
        return [Violation(row=0, rule="rows", problem="there is no lineup")]
    return [violation for row, cells in enumerate(rows[1:], start=1) for violation in _row(cells, slate, row)]


def check_export(path: Path, slate: Slate) -> int:
    """Checks a ``dk_export.csv``; returns how many lineups it has.

    Raises:
        UsageError: a row breaks a rule; it names both.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the export: {error.strerror}", where=str(path), todo="check the path") from error
    found = export_violations(text, slate)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UsageError(
            "; ".join(map(str, found[:_SHOWN])) + more,
            where=str(path),
            todo=f"correct the rows; the slate is {slate.name}",
        )
    return text.count("\n") - 1


def _row(cells: Sequence[str], slate: Slate, row: int) -> list[Violation]:
    if len(cells) != ROSTER_SIZE:
        problem = f"{len(cells)} cells in the place of {ROSTER_SIZE}"
        return [Violation(row=row, rule="slots", problem=problem)]
    number = slate.number_of
    unknown = [cell for cell in cells if cell not in number]
    if unknown:
        problem = f"no player of the slate has the ID {', '.join(map(repr, unknown))}"
        return [Violation(row=row, rule="ids", problem=problem)]
    return broken_rules(slate, [number[cell] for cell in cells], row)
