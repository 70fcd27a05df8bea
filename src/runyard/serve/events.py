"""Server-sent events: what changes among the sweeps, told as it is seen. Reads only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from runyard.serve.sweeps import Sweeps

#: how often it is looked, and how often a line is sent that says nothing: a dead client is noticed by it. In seconds.
_LOOK_S, _BEAT_S = 1.0, 15.0


async def events(sweeps: Sweeps) -> AsyncIterator[str]:
    """First every run at work, then each run as it begins, changes its counts, or ends: ``event: run``.

    The data is JSON: ``run_id``, ``experiment``, ``state``, ``counts``. A run that is gone is ``event: gone``.
    """
    known: dict[str, Any] | None = None
    silent_s = 0.0
    while True:
        now = {row["sweep_id"]: _seen(row) for row in await asyncio.to_thread(sweeps.rows)}
        lines = _first(now) if known is None else _changes(known, now)
        known = now
        for line in lines:
            yield line
        silent_s = 0.0 if lines else silent_s + _LOOK_S
        if silent_s >= _BEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(_LOOK_S)


def _seen(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "run_id": row["sweep_id"],
        "experiment": row["experiment"],
        "state": row["state"],
        "counts": dict(row["counts"]),
    }


def _first(now: dict[str, Any]) -> list[str]:
    return [": here\n\n", *(_event("run", seen) for seen in now.values() if seen["state"] == "RUNNING")]


def _changes(known: dict[str, Any], now: dict[str, Any]) -> list[str]:
    changed = [_event("run", seen) for name, seen in now.items() if known.get(name) != seen]
    return changed + [_event("gone", {"run_id": name}) for name in known if name not in now]


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
