"""The configuration of one dispatch job. Reads no file."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard import UsageError

SHADOWS = ("naive", "pb", "hd", "ad")
POLICIES = ("greedy", "greedy+", "greedyx", "batch", "rbatch")
TIE_BREAKERS = ("distance", "random")


@dataclass
class DispatchConfig:
    """One simulated day under one policy.

    Attributes:
        name: the workload.
        day: which jobs file the template stands for, from 0.
        d: sojourn window in seconds: a job that came at t leaves at t + d at the latest.
        shadow: opportunity cost of a job: ``naive`` 0, ``pb`` half its trip, ``hd`` hindsight dual,
            ``ad`` historical mean of hd over the other days' files.
        dispatch: the policy: greedy, greedy+, greedyx, batch or rbatch.
        gamma: effective shadow = gamma * shadow + tau.
        tau: see gamma; in the unit of the coordinates.
        jobs_csv: a jobs file, instead of the one that the template gives.
        jobs_template: path of the jobs file of a day; holds ``{day}``.
        timestamp_column: the column with ISO 8601 times.
        tie_breaker: among equal partners: ``distance`` (then index) or ``random`` (by the seed).
        with_opt: also compute the integral offline optimum.
        export_npz: also write matches.npz into the run's directory.
        seed: changes the outcome under ``tie_breaker=random`` only; all else is deterministic.
    """

    name: str = "dispatch"
    day: int = 0
    d: float = 20.0
    shadow: str = "hd"
    dispatch: str = "greedy"
    gamma: float = 1.0
    tau: float = 0.0
    jobs_csv: str | None = None
    jobs_template: str = "data/meituan_city_lunchtime_plat10301330_day{day}.csv"
    timestamp_column: str = "platform_order_time"
    tie_breaker: str = "distance"
    with_opt: bool = False
    export_npz: bool = False
    seed: int = 0


def validate(cfg: DispatchConfig) -> None:
    """Checks everything that can be checked without reading a file.

    Raises:
        UsageError: a name is not known, or a number is out of range.
    """
    _known("shadow", cfg.shadow, SHADOWS)
    _known("dispatch", cfg.dispatch, POLICIES)
    _known("tie_breaker", cfg.tie_breaker, TIE_BREAKERS)
    for key, value in (("d", cfg.d), ("day", cfg.day), ("seed", cfg.seed)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{key} must be 0 or more, not {value}", where=key, todo=f"set for example {key}=20")
    for key, value in (("gamma", cfg.gamma), ("tau", cfg.tau)):
        if not math.isfinite(value):
            raise UsageError(f"{key} must be a finite number, not {value}", where=key, todo=f"set for example {key}=1")
    if cfg.jobs_csv is None:
        template_path(cfg.jobs_template, cfg.day)


def jobs_path(cfg: DispatchConfig) -> Path:
    """The jobs file that this job reads; need not exist."""
    if cfg.jobs_csv is not None:
        return Path(cfg.jobs_csv)
    return template_path(cfg.jobs_template, cfg.day)


def template_path(template: str, day: int) -> Path:
    """The path that the template gives for a day.

    Raises:
        UsageError: the template does not hold ``{day}``, or holds something else in braces.
    """
    try:
        path = template.format(day=day)
    except (KeyError, IndexError, ValueError, AttributeError) as exc:
        raise _bad_template(template, f"cannot be filled in ({exc!r})") from exc
    if path == template.format(day=day + 1):
        raise _bad_template(template, "names the same file for every day")
    return Path(path)


def _bad_template(template: str, problem: str) -> UsageError:
    return UsageError(
        f"the template {template!r} {problem}",
        where="jobs_template",
        todo="give a path with {day} in it, such as 'data/day{day}.csv', or name one file with jobs_csv=PATH",
    )


def _known(key: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"unknown {key} {name!r}", where=key, todo=f"{hint}Known: {', '.join(known)}")
