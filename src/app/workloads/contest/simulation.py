"""The simulation: players' scores in many worlds, and what they pay. Chunks of worlds keep memory bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .config import SimConfig
from .contests import Contest
from .field import Entrants
from .payouts import prizes_of
from .ranking import share_prizes
from .slate import Floats, Slate

Ints = npt.NDArray[np.int64]

_CELLS = 2_000_000  # scores of lineups in memory at a time: 16 MB, and some ten arrays of this size
_ROUNDING = 1e-9  # of the prizes, by which sums of shared ones may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came out, world by world, for our entries. Money in cents.

    Attributes:
        prizes: What our entries won, shape (worlds,).
        best_rank: The best rank of ours, from 1; entries that tie have the best rank of those that they span.
        p1: How many of ours are in the first 1 % of the ranks.
        p10: The same for 10 %.
        cash: How many of ours won something.
        field_prizes: What all entries won; the same in every world.
        top_score: The winner's fantasy points.
        lineup_prizes: Mean prize of each of our entries, shape (ours,).
        lineup_cash: Part of the worlds in which it won something, shape (ours,).
        groups: How many entries have the same players, itself included, shape (entries,).
    """

    prizes: Floats
    best_rank: Ints
    p1: Ints
    p10: Ints
    cash: Ints
    field_prizes: Floats
    top_score: Floats
    lineup_prizes: Floats
    lineup_cash: Floats
    groups: Ints


def correlations(slate: Slate, game: str, cfg: SimConfig) -> tuple[Ints, Floats]:
    """The players of a game and the correlations of their scores, not clipped yet.

    Returns:
        Numbers of the players, and a symmetric matrix with ones on its diagonal.
    """
    players = [number for number, other in enumerate(slate.games) if other == game]
    matrix = np.eye(len(players))
    for a, first in enumerate(players):
        for b, second in enumerate(players[:a]):
            if slate.teams[first] != slate.teams[second]:
                value = cfg.corr_opponent
            else:
                shared = not set(slate.positions[first]).isdisjoint(slate.positions[second])
                value = cfg.corr_rival if shared else cfg.corr_team
            matrix[a, b] = matrix[b, a] = value
    return np.array(players, dtype=np.int64), matrix


def clipped_root(matrix: Floats) -> Floats:
    """A root R of a correlation matrix: R @ R.T has no negative eigenvalue, and ones on its diagonal.

    Negative eigenvalues become 0, and rows are scaled back to length 1. The symmetric root is taken: unlike other
    roots it does not depend on signs that a library may choose.
    """
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    scaled: Floats = root / np.sqrt((root**2).sum(axis=1, keepdims=True))
    return scaled


def smallest_eigenvalue(slate: Slate, game: str, cfg: SimConfig) -> float:
    """Of a game's correlations before they are clipped; below 0 when no scores can be correlated so."""
    return float(np.linalg.eigvalsh(correlations(slate, game, cfg)[1])[0])


def player_scores(slate: Slate, cfg: SimConfig, *, seed: int) -> Iterator[Floats]:
    """Scores in hundredths of a point, whole numbers, chunk by chunk; shape (worlds of the chunk, players).

    Whole numbers add up exactly, so that lineups tie exactly when they should.
    """
    roots = [(players, clipped_root(matrix)) for players, matrix in _games(slate, cfg)]
    rng = np.random.default_rng(seed)
    for first in range(0, cfg.worlds, cfg.chunk):
        noise = rng.standard_normal((min(cfg.chunk, cfg.worlds - first), len(slate)))
        for players, root in roots:
            noise[:, players] = noise[:, players] @ root.T
        yield np.round(100 * (slate.projections + slate.sds * noise))


def play(
    slate: Slate,
    entrants: Entrants,
    contest: Contest,
    cfg: SimConfig,
    *,
    seed: int,
    on_chunk: Callable[[int], None] | None = None,
) -> Played:
    """Plays the contest in ``cfg.worlds`` worlds.

    As many worlds as ``cfg.chunk`` are in memory at a time, fewer in a large field.

    Args:
        slate: The players.
        entrants: All entries.
        contest: What ranks get.
        cfg: How often, and how scores are correlated.
        seed: Of the worlds.
        on_chunk: Called after each chunk with the worlds done.
    """
    board = _Board(entrants, contest)
    parts = []
    done = 0
    chunk = min(cfg.chunk, max(1, _CELLS // len(entrants)))
    for scores in player_scores(slate, replace(cfg, chunk=chunk), seed=seed):
        parts.append(board.pay(scores))
        done += len(scores)
        if on_chunk is not None:
            on_chunk(done)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Played(
        **joined,
        lineup_prizes=board.lineup_prizes / done,
        lineup_cash=board.lineup_cash / done,
        groups=board.groups,
    )


class _Board:
    """Ranks and pays entries; those with the same players are scored once, so that they tie to the last digit."""

    def __init__(self, entrants: Entrants, contest: Contest) -> None:
        teams, self._team_of = np.unique(np.sort(entrants.players, axis=1), axis=0, return_inverse=True)
        self._team_of = self._team_of.reshape(-1)
        self._teams = teams
        self._counts = np.bincount(self._team_of, minlength=len(teams))
        self._our_team = self._team_of[: entrants.ours]
        self._prizes = prizes_of(contest.tiers)
        self._tops = [-(-len(self._prizes) // part) for part in (100, 10)]
        self.groups = self._counts[self._team_of]
        self.lineup_prizes = np.zeros(entrants.ours)
        self.lineup_cash = np.zeros(entrants.ours)

    def pay(self, scores: Floats) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]:
        """The fields of `Played` that are by world, for a chunk of scores."""
        totals = np.zeros((len(scores), len(self._teams)))
        for place in range(self._teams.shape[1]):
            totals += scores[:, self._teams[:, place]]
        prizes, ranks = share_prizes(totals, self._counts, self._prizes)
        field_prizes = prizes @ self._counts
        if not np.allclose(field_prizes, self._prizes.sum(), rtol=_ROUNDING, atol=0):
            raise RuntimeError("prizes were lost: the field has not won what there was to win")
        ours, our_ranks = prizes[:, self._our_team], ranks[:, self._our_team]
        self.lineup_prizes += ours.sum(axis=0)
        self.lineup_cash += (ours > 0).sum(axis=0)
        return {
            "prizes": ours.sum(axis=1),
            "best_rank": our_ranks.min(axis=1),
            "p1": (our_ranks <= self._tops[0]).sum(axis=1),
            "p10": (our_ranks <= self._tops[1]).sum(axis=1),
            "cash": (ours > 0).sum(axis=1),
            "field_prizes": field_prizes,
            "top_score": totals.max(axis=1) / 100,
        }


def _games(slate: Slate, cfg: SimConfig) -> list[tuple[Ints, Floats]]:
    return [correlations(slate, game, cfg) for game in dict.fromkeys(slate.games)]
