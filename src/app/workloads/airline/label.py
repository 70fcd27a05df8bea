"""The label of a sweep of trials, ``<MODE>-s<seeds>-t<trials>``, and its note. Reads a config; knows no sweep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .config import UNSEEDED

#: a list of seeds that would be longer than this is told by its ends: a sweep's label has at most 60 letters.
LONGEST_SEEDS = 30

#: in the place of values that only the sweeper knows: those of a table, a zip, a union, an interval.
UNTOLD = "swept"


def label(workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str], mode: Any) -> str:
    """The label, such as ``SHIM-s41-42-43-t5``.

    Args:
        workload: the workload's config, with the values that all jobs have in common.
        sweeper: the sweeper's config; its ``params`` and ``seeds`` are followed.
        overrides: those of the command line, which win.
        mode: Hydra's mode; a run that is no multirun has the values of its own config.
    """
    modes, seeds, trials = (_values(name, workload, sweeper, overrides, mode) for name in ("mode", "seed", "trials"))
    return f"{'-'.join(modes)}-s{_short(seeds)}-t{'-'.join(trials)}"


def note(workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str], mode: Any) -> str:
    """A sentence for the record when the seed has no effect in a mode of the sweep; empty when it has in all."""
    return "; ".join(UNSEEDED[m] for m in _values("mode", workload, sweeper, overrides, mode) if m in UNSEEDED)


def _values(
    name: str, workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str], mode: Any
) -> list[str]:
    """The values that a key of the workload takes, as text, in order: a run's own, or those that a sweep gives it."""
    key = f"workload.{name}"
    given = [text for text in overrides if re.match(rf"\+*{re.escape(key)}=", text)]
    if given:
        return _parsed(given[-1])
    if getattr(mode, "name", None) != "MULTIRUN":
        return [str(workload[name])]
    if (params := sweeper.get("params")) and key in params:
        return _parsed(f"{key}={params[key]}")
    if sweeper.get("seeds") is not None and sweeper.get("seed_key") == key:
        seeds = sweeper["seeds"]
        return [str(seed) for seed in (range(seeds) if isinstance(seeds, int) else seeds)]
    if any(sweeper.get(way) is not None for way in ("table", "zip", "union")):
        return [UNTOLD]
    return [str(workload[name])]


def _parsed(text: str) -> list[str]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

    override = OverridesParser.create().parse_override(text)
    if not override.is_sweep_override():
        return [str(override.value())]
    if isinstance(override.value(), (ChoiceSweep, RangeSweep)):
        return [str(value) for value in override.sweep_string_iterator()]
    return [UNTOLD]


def _short(seeds: Sequence[str]) -> str:
    whole = "-".join(seeds)
    return whole if len(whole) <= LONGEST_SEEDS else f"{seeds[0]}..{seeds[-1]}x{len(seeds)}"
