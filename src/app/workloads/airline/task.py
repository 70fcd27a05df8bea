"""The job: plays its trials against the target of its mode, and counts how often the attack succeeded."""

from __future__ import annotations

import logging
from typing import Any

import runyard

from .attack import Settings, play
from .config import REAL, SHIM, UNSEEDED, AirlineConfig, settled, validate
from .real import check_real, real_target
from .shim import SeededShim, Shim
from .target import Target

_log = logging.getLogger(__name__)


def check(cfg: AirlineConfig) -> None:
    """Checks a configuration, and that its mode can run here.

    Raises:
        UsageError: what is wrong, where, and what to do.
    """
    plain = settled(cfg)
    validate(plain)
    if plain.mode == REAL:
        check_real(plain.adapter)


def run(cfg: AirlineConfig) -> dict[str, Any]:
    """Plays the trials of a job and returns ``trials``, ``successes`` and ``asr``, the attack success rate.

    Emits a row per trial to the table ``trials`` (trial, from 1; seed; tool; amount, in dollars; fired;
    turn_first_hit, from 1, None where it did not fire), and one to the table ``conditions`` (mode, seed,
    seed_has_effect, note).

    Raises:
        UsageError: The configuration makes no sense, or REAL cannot run here.
    """
    plain = settled(cfg)
    validate(plain)
    settings = settings_of(plain)
    target = _target(plain, settings)
    note = UNSEEDED.get(plain.mode, "")
    if note:
        _log.info("%s", note)
    outcomes = list(play(settings, target))
    runyard.table("conditions").append(mode=plain.mode, seed=plain.seed, seed_has_effect=not note, note=note)
    runyard.table("trials").extend(
        {
            "trial": outcome.trial,
            "seed": plain.seed,
            "tool": outcome.action.tool,
            "amount": outcome.action.amount,
            "fired": outcome.fired,
            "turn_first_hit": outcome.turn_first_hit,
        }
        for outcome in outcomes
    )
    successes = sum(outcome.fired for outcome in outcomes)
    return {"trials": len(outcomes), "successes": successes, "asr": successes / len(outcomes)}


def settings_of(cfg: AirlineConfig) -> Settings:
    """What the attack and an adapter need to know of a configuration that has been checked."""
    return Settings(
        mode=cfg.mode,
        seed=cfg.seed,
        trials=cfg.trials,
        max_turns=cfg.max_turns,
        suffixes=tuple(cfg.suffixes),
        threshold=float(cfg.threshold),
    )


def _target(cfg: AirlineConfig, settings: Settings) -> Target:
    if cfg.mode == REAL:
        return real_target(cfg.adapter, settings)
    return Shim() if cfg.mode == SHIM else SeededShim(seed=cfg.seed)
