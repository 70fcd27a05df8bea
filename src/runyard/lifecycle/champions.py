"""``production/champions.json``: which run each promoted config came from, now and before. One writer at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json, write_json

CHAMPIONS_FILE = "champions.json"
LOCK_FILE = ".champions.lock"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """A promotion. ``file`` is the config's name in its folder, ``sha256`` that of its text; times are ISO 8601 UTC."""

    name: str
    sweep_id: str
    job: int
    run_key: str
    run_dir: str
    promoted_at: str
    file: str
    sha256: str
    experiment: str = ""
    commit: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    gates: str = ""
    command: tuple[str, ...] = ()


def read_champions(folder: Path) -> tuple[Champion, ...]:
    """Every promotion into a folder, the oldest first; the last of a name is its champion.

    Raises:
        RecordError: the file is not such a history.
    """
    path = folder / CHAMPIONS_FILE
    try:
        value: Any = read_json(path)
    except FileNotFoundError:
        return ()
    try:
        if value["schema"] != SCHEMA:
            raise RecordError(path, f"schema {value['schema']!r}; this version reads {SCHEMA}")
        known = {f.name for f in dataclasses.fields(Champion)}
        return tuple(_champion({k: v for k, v in entry.items() if k in known}) for entry in value["history"])
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordError(path, f"not a history of promotions ({type(exc).__name__}: {exc})") from exc


def _champion(fields: dict[str, Any]) -> Champion:
    return Champion(**{**fields, "command": tuple(fields.get("command", ()))})


def add_champion(folder: Path, champion: Champion) -> None:
    """Adds a promotion to the history; for the holder of the folder's lock."""
    history = (*read_champions(folder), champion)
    now = {entry.name: f"{entry.sweep_id}/{entry.job}" for entry in history}
    value = {"schema": SCHEMA, "champions": now, "history": [dataclasses.asdict(entry) for entry in history]}
    write_json(folder / CHAMPIONS_FILE, value, sync=True)
