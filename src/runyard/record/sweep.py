"""The sweep record: ``sweep.json``. Reads and writes it; decides nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import RecordError, SweepState, read_json, write_json
from runyard.record.journal import replay
from runyard.record.layout import SweepPaths

SWEEP_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """What ``sweep.json`` says.

    ``command`` is the command line (secrets redacted) and ``entry`` how the application can be started again
    (see ``runyard.record.entry``), or None when it cannot. ``controller`` names the process at work.
    ``single`` marks a run without ``-m``; ``replicate`` is the swept key that only repeats;
    ``baseline`` is the directory of the sweep that its gates compare with, ``finish`` the dotted name of the
    application's own function that is called at its end.
    """

    sweep_id: str
    experiment: str
    state: SweepState
    command: tuple[str, ...]
    cwd: str
    overrides: tuple[str, ...]
    launcher: str
    created_at: str
    finished_at: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    note: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    entry: Mapping[str, Any] | None = None
    controller: Mapping[str, Any] | None = None
    single: bool = False
    replicate: str | None = None
    baseline: str | None = None
    finish: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands in ``sweep.json``."""
        values: dict[str, Any] = {"schema": SWEEP_SCHEMA}
        values |= {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values["state"] = self.state.value
        for name in ("command", "overrides", "tags"):
            values[name] = list(values[name])
        return values

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> SweepRecord:
        """The record that ``to_json`` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        known = {f.name for f in dataclasses.fields(SweepRecord)}
        fields = {k: v for k, v in value.items() if k in known}
        fields["state"] = SweepState(fields["state"])
        for name in ("command", "overrides", "tags"):
            fields[name] = tuple(fields[name])
        return SweepRecord(**fields)


def write_sweep(sweep_dir: Path, record: SweepRecord) -> None:
    """Writes ``sweep.json``, and waits until the disk has it."""
    write_json(SweepPaths(sweep_dir).sweep_json, record.to_json(), sync=True)


def recover_sweep(sweep_dir: Path) -> SweepRecord | None:
    """The sweep's record from its journal, as it was when jobs were planned; None when the journal has none."""
    value = replay(SweepPaths(sweep_dir).journal).sweep
    try:
        return SweepRecord.from_json(value) if value is not None else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def read_sweep(sweep_dir: Path) -> SweepRecord:
    """The record of a sweep.

    Raises:
        RecordError: there is none, or it is not a sweep record of schema 1.
    """
    path = SweepPaths(sweep_dir).sweep_json
    try:
        value = read_json(path)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise RecordError(path, "no such file: this is not the directory of a sweep") from exc
    try:
        if value["schema"] != SWEEP_SCHEMA:
            raise RecordError(path, f"schema {value['schema']!r}; this version reads {SWEEP_SCHEMA}")
        return SweepRecord.from_json(value)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordError(path, f"not a sweep record ({type(exc).__name__}: {exc})") from exc
