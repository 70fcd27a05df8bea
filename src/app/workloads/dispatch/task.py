"""One dispatch job: reads a day, plays it under a policy, and reports how close that came to hindsight."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import runyard
from app.workloads.dispatch import shadows
from app.workloads.dispatch.bounds import Hindsight
from app.workloads.dispatch.config import DispatchConfig, jobs_path, validate
from app.workloads.dispatch.jobs import Jobs, read_jobs
from app.workloads.dispatch.pairs import Pairs, feasible_pairs
from app.workloads.dispatch.simulate import Day, Matches, Ties, simulate
from app.workloads.dispatch.upstream import history, microseconds, shared_hindsight, shared_optimum

_log = logging.getLogger(__name__)


def run(cfg: DispatchConfig) -> dict[str, Any]:
    """Plays one day and returns its metrics.

    Emits a row per matched pair to the table ``matches`` (i, j: positions in the order of (time, row); time_s:
    seconds from the earliest job to their departure; reward). With ``export_npz`` also writes matches.npz into the
    run's directory.

    Returns:
        savings, pairs, solos, pooled_pct, lp, ratio_lp, lp_gap, jobs, skipped_rows, simulate_s; with ``with_opt``
        also opt, ratio_opt, opt_gap. Lengths are in the unit of the coordinates. A ratio to a bound of 0 is left out.

    Raises:
        UsageError: the configuration or the jobs file is at fault.
    """
    validate(cfg)
    jobs = read_jobs(jobs_path(cfg), cfg.timestamp_column)
    if jobs.skipped_rows:
        _log.warning("%d of %d rows skipped", jobs.skipped_rows, jobs.skipped_rows + len(jobs))
    pairs = feasible_pairs(jobs, microseconds(cfg.d))
    bound = shared_hindsight(cfg, cfg.day, jobs, pairs)
    shadow = _shadow(cfg, jobs, bound)
    started = time.perf_counter()
    matches = _play(cfg, jobs, pairs, cfg.gamma * shadow + cfg.tau)
    seconds = time.perf_counter() - started
    metrics = _metrics(jobs, matches) | _against("lp", bound.lp, matches)
    if cfg.with_opt:
        metrics |= _against("opt", shared_optimum(cfg, jobs, pairs), matches)
    _emit(cfg, matches, shadow)
    return {**metrics, "simulate_s": seconds}


def _shadow(cfg: DispatchConfig, jobs: Jobs, bound: Hindsight) -> NDArray[np.float64]:
    """Shadows before gamma and tau; shape (n,)."""
    if cfg.shadow == "hd":
        return bound.dual
    if cfg.shadow == "ad":
        return shadows.historical_mean(jobs, history(cfg))
    return shadows.potential(jobs) if cfg.shadow == "pb" else shadows.naive(jobs)


def _play(cfg: DispatchConfig, jobs: Jobs, pairs: Pairs, effective: NDArray[np.float64]) -> Matches:
    drawn = cfg.tie_breaker == "random"
    if not drawn:
        _log.info("tie_breaker=distance is deterministic: the seed has no effect")
    day = Day(time_us=jobs.time_us, d_us=microseconds(cfg.d), pairs=pairs)
    ties = Ties(generator=np.random.default_rng(cfg.seed) if drawn else None)
    return simulate(day, effective, policy=cfg.dispatch, ties=ties)


def _metrics(jobs: Jobs, matches: Matches) -> dict[str, Any]:
    return {
        "savings": float(matches.reward.sum()),
        "pairs": len(matches),
        "solos": len(jobs) - 2 * len(matches),
        "pooled_pct": 200.0 * len(matches) / len(jobs),
        "jobs": len(jobs),
        "skipped_rows": jobs.skipped_rows,
    }


def _against(name: str, bound: float, matches: Matches) -> dict[str, float]:
    """The bound, the part of it that was saved, and what is missing to it."""
    savings = float(matches.reward.sum())
    metrics = {name: bound, f"{name}_gap": max(bound - savings, 0.0)}
    if bound > 0:
        metrics[f"ratio_{name}"] = savings / bound
    else:
        _log.warning("ratio_%s is left out: no two jobs within d save anything together, so %s is 0", name, name)
    return metrics


def _emit(cfg: DispatchConfig, matches: Matches, shadow: NDArray[np.float64]) -> None:
    time_s = matches.time_us / 1e6
    columns = (matches.first, matches.second, time_s, matches.reward)
    runyard.table("matches").extend(
        {"i": i, "j": j, "time_s": when, "reward": reward}
        for i, j, when, reward in zip(*(column.tolist() for column in columns), strict=True)
    )
    if cfg.export_npz:
        np.savez(
            runyard.current().dir / "matches.npz",
            i=matches.first,
            j=matches.second,
            time_s=time_s,
            reward=matches.reward,
            shadow=shadow,
            effective_shadow=cfg.gamma * shadow + cfg.tau,
        )
