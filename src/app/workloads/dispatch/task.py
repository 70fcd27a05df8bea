"""One dispatch job, in stages: a day's orders and what hindsight says of them, then the day played under a policy."""

from __future__ import annotations

import logging
import shutil
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import runyard
from app.workloads.dispatch import shadows
from app.workloads.dispatch.bounds import Hindsight
from app.workloads.dispatch.config import DispatchConfig, validate
from app.workloads.dispatch.jobs import Jobs
from app.workloads.dispatch.pairs import feasible_pairs
from app.workloads.dispatch.simulate import Day, Matches, Ties, simulate
from app.workloads.dispatch.upstream import (
    OPT,
    Inputs,
    bound,
    computed_here,
    days_of,
    microseconds,
    optimum,
    orders,
    upstream,
)
from runyard import Stage, StageContext

SIMULATE = "simulate"
MATCHES_FILE = "matches.npz"

_log = logging.getLogger(__name__)


def run(cfg: DispatchConfig) -> dict[str, Any]:
    """Plays one day and returns its metrics.

    Emits a row per matched pair to the table ``matches`` (i, j: positions in the order of (time, row); time_s:
    seconds from the earliest job to their departure; reward), and a row to the table ``lp`` per bound that this job
    computed. With ``export_npz`` also writes matches.npz into the run's directory.

    Returns:
        savings, pairs, solos, pooled_pct, lp, ratio_lp, lp_gap, jobs, skipped_rows, simulate_s; with ``with_opt``
        also opt, ratio_opt, opt_gap. Lengths are in the unit of the coordinates. A ratio to a bound of 0 is left out.

    Raises:
        UsageError: the configuration or the jobs file is at fault.
    """
    validate(cfg)
    stages = upstream(cfg)
    needs = tuple(stage.name for stage in stages)
    play = Stage(name=SIMULATE, function=_simulate, needs=needs, outputs={"matches": MATCHES_FILE})
    try:
        metrics = runyard.run_stages(cfg, [*stages, play])
    finally:
        runyard.table("lp").extend(computed_here(needs, runyard.current().dir, cfg.d))
    _emit_matches(cfg)
    return metrics


def _simulate(cfg: DispatchConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Plays the day, and leaves the matched pairs and the shadows in ``matches.npz``."""
    jobs, hindsight = orders(cfg.day, inputs), bound(cfg.day, inputs)
    if jobs.skipped_rows:
        _log.warning("%d of %d rows skipped", jobs.skipped_rows, jobs.skipped_rows + len(jobs))
    shadow = _shadow(cfg, jobs, hindsight, inputs)
    effective = cfg.gamma * shadow + cfg.tau
    matches, seconds = _play(cfg, jobs, effective)
    np.savez(
        context.dir / MATCHES_FILE,
        i=matches.first,
        j=matches.second,
        time_s=matches.time_us / 1e6,
        reward=matches.reward,
        shadow=shadow,
        effective_shadow=effective,
    )
    metrics = _metrics(jobs, matches) | _against("lp", hindsight.lp, matches)
    if cfg.with_opt:
        metrics |= _against(OPT, optimum(inputs), matches)
    return {**metrics, "simulate_s": seconds}


def _shadow(cfg: DispatchConfig, jobs: Jobs, hindsight: Hindsight, inputs: Inputs) -> NDArray[np.float64]:
    """Shadows before gamma and tau; shape (n,)."""
    if cfg.shadow == "hd":
        return hindsight.dual
    if cfg.shadow == "ad":
        days = [day for day in days_of(inputs) if day != cfg.day]
        past = [(orders(day, inputs), bound(day, inputs).dual) for day in days]
        return shadows.historical_mean(jobs, past)
    return shadows.potential(jobs) if cfg.shadow == "pb" else shadows.naive(jobs)


def _play(cfg: DispatchConfig, jobs: Jobs, effective: NDArray[np.float64]) -> tuple[Matches, float]:
    """The matches, and the seconds of the simulation alone."""
    drawn = cfg.tie_breaker == "random"
    if not drawn:
        _log.info("tie_breaker=distance is deterministic: the seed has no effect")
    d_us = microseconds(cfg.d)
    day = Day(time_us=jobs.time_us, d_us=d_us, pairs=feasible_pairs(jobs, d_us))
    ties = Ties(generator=np.random.default_rng(cfg.seed) if drawn else None)
    started = time.perf_counter()
    return simulate(day, effective, policy=cfg.dispatch, ties=ties), time.perf_counter() - started


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


def _emit_matches(cfg: DispatchConfig) -> None:
    """The simulation's matches as rows of the run and, where that is asked for, as a file in its directory."""
    run = runyard.current()
    path = run.dir / SIMULATE / MATCHES_FILE
    with np.load(path) as found:
        columns = [found[name].tolist() for name in ("i", "j", "time_s", "reward")]
    runyard.table("matches").extend(
        {"i": i, "j": j, "time_s": when, "reward": reward} for i, j, when, reward in zip(*columns, strict=True)
    )
    if cfg.export_npz:
        shutil.copyfile(path, run.dir / MATCHES_FILE)
