"""Synthetic slates with the columns of the real files: the same seed gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .slate import ID_COLUMNS, PROJECTION_COLUMNS, Floats

GAMES = (4, 5)
PLAYERS_PER_TEAM = {4: 8, 5: 7}  # 64 or 70 players
SALARY_RANGE = (3000, 11500)
VALUE_MEAN, VALUE_SD = 5.0, 0.6  # fantasy points per 1,000 dollars
SD_RANGE = (0.25, 0.35)  # of the projection
OWNERSHIP_SHARPNESS = 1.6  # per point of value
MAX_OWNERSHIP = 0.7
FIELD_ERROR = 0.06  # of the projection

_TEAMS = ("ATL", "BOS", "CHI", "DAL", "DEN", "GSW", "HOU", "LAL", "MIA", "MIL", "MIN", "NYK", "OKC", "PHI", "PHX")
_LINE = ("PG", "SG", "SF", "PF", "C")
_SECOND = 0.55  # part of the players with a neighbouring second position


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateFiles:
    """The texts of the two files of a slate."""

    projections: str
    player_ids: str


def synthetic_slate(seed: int) -> SlateFiles:
    """A night of 4 or 5 games and 64 or 70 players.

    Salaries fall from the star of a team to its last man, 3,000 to 11,500 dollars. A projection is salary / 1,000 times
    a draw of N(5, 0.6), its standard deviation 0.25 to 0.35 of it, and ownership eight times the softmax of value.
    """
    rng = np.random.default_rng([seed])
    games = int(rng.choice(GAMES))
    teams = [_TEAMS[number] for number in rng.permutation(len(_TEAMS))[: 2 * games]]
    size = PLAYERS_PER_TEAM[games]
    count = len(teams) * size
    salaries = _salaries(rng, len(teams), size)
    projections = salaries / 1000 * rng.normal(VALUE_MEAN, VALUE_SD, count)
    sds = projections * rng.uniform(*SD_RANGE, count)
    owned = _ownerships(projections / (salaries / 1000))
    minutes = np.clip(14 + 22 * (salaries - 3000) / 8500 + rng.normal(0, 2, count), 8, 40)
    field = projections * rng.normal(1, FIELD_ERROR, count)
    positions = _positions(rng, len(teams), size)
    lines, ids = [",".join(PROJECTION_COLUMNS)], [",".join(ID_COLUMNS)]
    for number in range(count):
        team, place = teams[number // size], number % size
        name, position = f"{team} Player {place + 1}", positions[number]
        pair = number // size // 2 * 2
        numbers = (projections, sds, projections + 1.3 * sds, 100 * owned, minutes, field)
        cells = [name, position, team, str(int(salaries[number])), *(f"{column[number]:.2f}" for column in numbers)]
        lines.append(",".join(cells))
        game = f"{teams[pair]}@{teams[pair + 1]} 10/25/2025 07:00PM ET"
        ids.append(",".join([name, str(30_000_000 + 1000 * seed % 9_000_000 + number), position, team, game]))
    return SlateFiles(projections="\n".join(lines) + "\n", player_ids="\n".join(ids) + "\n")


def _salaries(rng: np.random.Generator, teams: int, size: int) -> Floats:
    """Dollars in hundreds, shape (teams * size,)."""
    ladder = 9600 * np.exp(-0.16 * np.arange(size))
    drawn = ladder * rng.normal(1.0, 0.12, (teams, size))
    rounded: Floats = np.clip(np.round(drawn / 100) * 100, *SALARY_RANGE).ravel()
    return rounded


def _ownerships(value: Floats) -> Floats:
    weights = np.exp(OWNERSHIP_SHARPNESS * (value - value.max()))
    owned: Floats = np.clip(8 * weights / weights.sum(), 0.0, MAX_OWNERSHIP)
    return owned


def _positions(rng: np.random.Generator, teams: int, size: int) -> list[str]:
    """Every team has all five positions; about half of the players have a neighbouring second one."""
    found = []
    for _ in range(teams):
        places = [int(place) for place in rng.permutation(5)] + [int(place) for place in rng.integers(0, 5, size - 5)]
        for place in places:
            neighbour = place + 1 if place < 4 else place - 1
            pair = sorted((place, neighbour)) if rng.random() < _SECOND else [place]
            found.append("/".join(_LINE[position] for position in pair))
    return found
