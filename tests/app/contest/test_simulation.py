from __future__ import annotations

import math

import numpy as np
import pytest

from app.workloads.contest.config import SamplerConfig, SimConfig
from app.workloads.contest.contests import Contest
from app.workloads.contest.field import Entrants, sample_field
from app.workloads.contest.metrics import by_lineup, duplication, flat, roi_of, summarize
from app.workloads.contest.payouts import Tier
from app.workloads.contest.simulation import clipped_root, correlations, play, player_scores, smallest_eigenvalue
from app.workloads.contest.slate import Slate


def contest_of(size: int, *prizes: int, fee: int = 1000) -> Contest:
    tiers = [Tier(first=rank, last=rank, prize=prize) for rank, prize in enumerate(prizes, start=1)]
    if size > len(prizes):
        tiers.append(Tier(first=len(prizes) + 1, last=size, prize=0))
    return Contest(name="mine", field_size=size, entry_fee=fee, max_entries=size, tiers=tuple(tiers))


@pytest.fixture
def entrants(slate: Slate) -> Entrants:
    field = sample_field(slate, [], SamplerConfig(skill=1), field_size=80, seed=2)
    # ours are the first five; one of them is in the field twice more, so that there are ties in every world
    players = np.concatenate([field.players, field.players[:1, ::-1], field.players[:1]])
    return Entrants(players=players, ours=5, tried=0, valid=0)


def test_the_golden_contest_returns_its_fees_again(slate: Slate) -> None:
    strong, weak = np.argsort(-slate.projections)[:8], np.argsort(slate.projections)[:8]
    entrants = Entrants(players=np.array([strong, strong[::-1], strong, weak]), ours=4, tried=0, valid=0)
    contest = contest_of(4, 5000, 3000)
    played = play(slate, entrants, contest, SimConfig(worlds=3), seed=1)
    told = summarize(played, contest, ours=4)
    assert played.prizes.tolist() == pytest.approx([8000] * 3)
    assert (told["fees"], told["prize_pool"], told["roi"]["mean"]) == (40, 80, pytest.approx(1.0))
    assert told["finish"]["cash"] == 0.75
    assert told["duplication"] == {
        "unique_fraction": 0.5,
        "dup_bins": {"1": 0.25, "2": 0.0, "3-5": 0.75, "6-10": 0.0, "11+": 0.0},
    }
    assert played.best_rank.tolist() == [1, 1, 1]


def test_the_field_as_a_whole_returns_prizes_over_fees_in_every_world(slate: Slate, entrants: Entrants) -> None:
    contest = contest_of(82, *range(20000, 0, -1000))
    everybody = Entrants(players=entrants.players, ours=82, tried=0, valid=0)
    played = play(slate, everybody, contest, SimConfig(worlds=40), seed=1)
    expected = sum(range(20000, 0, -1000)) / (82 * 1000) - 1
    assert roi_of(played, contest, ours=82) == pytest.approx(np.full(40, expected))
    assert summarize(played, contest, ours=82)["field_roi"] == pytest.approx(expected)
    mean = np.mean([row["roi_mean"] for row in by_lineup(played, contest, ours=82)])
    assert mean == pytest.approx(expected)


def test_how_many_worlds_are_in_memory_changes_nothing_and_the_seed_does(slate: Slate, entrants: Entrants) -> None:
    contest = contest_of(82, 30000, 20000, 10000)
    whole, parts, other = (
        play(slate, entrants, contest, SimConfig(worlds=50, chunk=chunk), seed=seed)
        for chunk, seed in ((50, 1), (7, 1), (50, 2))
    )
    assert (whole.prizes == parts.prizes).all() and (whole.top_score == parts.top_score).all()
    assert whole.lineup_prizes == pytest.approx(parts.lineup_prizes)
    assert (whole.top_score != other.top_score).any()


def test_it_is_what_a_plain_loop_over_worlds_gives(slate: Slate, entrants: Entrants) -> None:
    cfg, contest = SimConfig(worlds=6, chunk=4), contest_of(82, 30000, 20000, 10000, 5000)
    played = play(slate, entrants, contest, cfg, seed=9)
    prizes = [30000, 20000, 10000, 5000] + [0] * 78
    for world, scores in enumerate(np.concatenate(list(player_scores(slate, cfg, seed=9)))):
        totals = [scores[row].sum() for row in entrants.players]
        won = []
        for total in totals:
            rank, ties = sum(other > total for other in totals), sum(other == total for other in totals)
            won.append(sum(prizes[rank : rank + ties]) / ties)
        assert played.prizes[world] == pytest.approx(sum(won[:5]))
        assert played.top_score[world] == max(totals) / 100
        assert played.best_rank[world] == min(1 + sum(o > t for o in totals) for t in totals[:5])


def test_scores_have_the_means_deviations_and_correlations_that_were_asked_for(slate: Slate) -> None:
    cfg = SimConfig(worlds=40_000, chunk=10_000, corr_team=0.1, corr_rival=-0.05, corr_opponent=0.15)
    scores = np.concatenate(list(player_scores(slate, cfg, seed=3))) / 100
    assert scores.mean(axis=0) == pytest.approx(slate.projections, abs=0.4)
    assert scores.std(axis=0) == pytest.approx(slate.sds, rel=0.03)
    found = np.corrcoef(scores.T)
    for game in set(slate.games):
        players, wanted = correlations(slate, game, cfg)
        assert smallest_eigenvalue(slate, game, cfg) > 0
        assert found[np.ix_(players, players)] == pytest.approx(wanted, abs=0.03)
        others = np.setdiff1d(np.arange(len(slate)), players)
        assert np.abs(found[np.ix_(players, others)]).max() < 0.03


def test_correlations_that_cannot_be_are_clipped_to_some_that_can(slate: Slate) -> None:
    cfg = SimConfig(corr_team=-0.5, corr_rival=-0.5, corr_opponent=-0.5)
    _, matrix = correlations(slate, slate.games[0], cfg)
    assert smallest_eigenvalue(slate, slate.games[0], cfg) < 0
    root = clipped_root(matrix)
    clipped = root @ root.T
    assert np.diag(clipped) == pytest.approx(np.ones(len(matrix)))
    assert np.linalg.eigvalsh(clipped).min() > -1e-12
    fine = np.array([[1, 0.3], [0.3, 1]])
    assert clipped_root(fine) @ clipped_root(fine).T == pytest.approx(fine)


def test_the_metrics_are_those_of_the_returns_over_worlds(slate: Slate, entrants: Entrants) -> None:
    contest = contest_of(82, 30000, 20000, 10000)
    played = play(slate, entrants, contest, SimConfig(worlds=60), seed=5)
    told = summarize(played, contest, ours=5)
    roi = played.prizes / 5000 - 1
    assert told["roi"]["mean"] == pytest.approx(roi.mean())
    assert told["roi"]["se"] == pytest.approx(roi.std(ddof=1) / math.sqrt(60))
    assert told["metrics_head"] == {
        "roi_mean": told["roi"]["mean"],
        "roi_p50": pytest.approx(np.median(roi)),
        "dup_p95": pytest.approx(np.quantile([2, 0, 0, 0, 0], 0.95)),
    }
    assert 0 <= told["finish"]["p1"] <= told["finish"]["p10"] <= 1
    assert flat(told)["roi_se"] == told["roi"]["se"]


def test_groups_of_equal_entries_are_counted_by_their_size() -> None:
    told = duplication(np.array([1, 2, 2, 4, 4, 4, 4]))
    assert told["unique_fraction"] == pytest.approx(3 / 7)
    assert told["dup_bins"] == {"1": pytest.approx(1 / 7), "2": pytest.approx(2 / 7), "3-5": pytest.approx(4 / 7)} | {
        "6-10": 0,
        "11+": 0,
    }


def test_a_seed_changes_the_worlds_and_a_player_without_deviation_scores_his_projection(slate: Slate) -> None:
    import dataclasses

    still = dataclasses.replace(slate, sds=np.zeros(len(slate)))
    (scores,) = player_scores(still, SimConfig(worlds=3), seed=1)
    assert (scores == np.round(100 * slate.projections)).all()
