"""The label of a sweep of trials, ``<MODE>-s<seeds>-t<trials>``, and its note. Reads a config; knows no sweep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .config import UNSEEDED

#: a list of seeds that would be longer than this is told by its ends: a sweep's label has at most 60 letters.
LONGEST_SEEDS = 30

_PREFIX = "workload."


def label(workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str]) -> str:
    """The label, such as ``SHIM-s41-42-43-t5``.

    Args:
        workload: the workload's config, with the values that all jobs have in common.
        sweeper: the sweeper's config: ``params`` and ``seeds`` are followed.
        overrides: those of the command line, which win.
    """
    mode, seeds, trials = (_values(name, workload, sweeper, overrides) for name in ("mode", "seed", "trials"))
    return f"{'-'.join(mode)}-s{_short(seeds)}-t{'-'.join(trials)}"


def note(workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str]) -> str:
    """A sentence for the record when the seed has no effect in a mode of the sweep; empty when it has in all."""
    modes = _values("mode", workload, sweeper, overrides)
    return "; ".join(UNSEEDED[mode] for mode in modes if mode in UNSEEDED)


def _values(name: str, workload: Mapping[str, Any], sweeper: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """The values that a key of the workload takes in the sweep, as text, in order."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

    key = _PREFIX + name
    given = [text for text in overrides if re.match(rf"\+*{re.escape(key)}=", text)]
    swept = (sweeper.get("params") or {}).get(key)
    if not given and swept is not None:
        given = [f"{key}={swept}"]
    if not given:
        seeds = sweeper.get("seeds") if sweeper.get("seed_key") == key else None
        if seeds is None:
            return [str(workload[name])]
        return [str(seed) for seed in (range(seeds) if isinstance(seeds, int) else seeds)]
    override = OverridesParser.create().parse_override(given[-1])
    if not override.is_sweep_override():
        return [str(override.value())]
    if isinstance(override.value(), (ChoiceSweep, RangeSweep)):
        return [str(value) for value in override.sweep_string_iterator()]
    return ["swept"]  # by an interval or a glob, of which only the sweeper knows the values


def _short(seeds: Sequence[str]) -> str:
    whole = "-".join(seeds)
    return whole if len(whole) <= LONGEST_SEEDS else f"{seeds[0]}..{seeds[-1]}x{len(seeds)}"
