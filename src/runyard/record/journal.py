"""The journal: a sweep's append-only ledger, one JSON object a line; and what it says of each job.

Events (``event``):
    ``sweep``       jobs are about to be added; ``sweep`` is the sweep's record at that time
    ``controller``  a controller took the sweep over: ``pid``, ``host``
    ``submitted``   the sweep has ``count`` jobs; their overrides are in the snapshot
    ``planned``     the first ``count`` of them are in the plan file, in its first ``size`` bytes with that ``sha256``
    ``started``     attempt ``attempt`` of ``job`` runs as ``pid`` on ``host``
    ``ended``       an attempt ended: ``job`` and ``run``, the whole run record but for its provenance
    ``stopped``     the controller left; ``interrupted`` tells whether it was told to
A torn line is skipped: the writer was killed there, or the disk was full. What follows stands on a line of its own.

Workers on other machines write parts of their own, beside it; they are read together, in no order of time.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from runyard.base import compact_json, iso, utc_now, write_all
from runyard.record.layout import SweepPaths
from runyard.record.plan import PlanMark

FLUSH_EVERY_S = 1.0


class Journal:
    """The one writer of a journal. Lines reach the file at once and the disk in groups."""

    def __init__(self, path: Path, *, flush_every_s: float = FLUSH_EVERY_S) -> None:
        """Opens the journal for appending; a line that a killed writer left open is closed by the next event."""
        self._is_torn = _ends_torn(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o666)
        self._flush_every_s = flush_every_s
        self._dirty_since: float | None = None

    def append(self, event: str, **fields: Any) -> None:
        """Adds one event. Raises OSError when the disk is full; a torn line may be left, and is harmless."""
        line = compact_json({"t": iso(utc_now()), "event": event, **fields})
        data = b"\n" * self._is_torn + line.encode("utf-8", errors="backslashreplace") + b"\n"
        self._is_torn = True  # until all of it is written
        write_all(self._descriptor, data)
        self._is_torn = False
        if self._dirty_since is None:
            self._dirty_since = time.monotonic()

    def flush_if_due(self) -> None:
        """Waits for the disk when the oldest unflushed line is older than the interval."""
        if self._dirty_since is not None and time.monotonic() - self._dirty_since >= self._flush_every_s:
            self.flush()

    def flush(self) -> None:
        """Waits until the disk has every line."""
        if self._dirty_since is not None:
            os.fsync(self._descriptor)
            self._dirty_since = None

    def close(self) -> None:
        """Flushes and closes. The journal takes no more events."""
        if self._descriptor >= 0:
            self.flush()
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False


def read_events(path: Path, kinds: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """The events of a journal in order, without the torn ones; none when there is no journal.

    Of ``kinds`` all are there, and few others: a line that does not name one is not parsed. None means all.
    """
    names = None if kinds is None else [json.dumps(kind).encode("ascii") for kind in kinds]
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if names is not None and not any(name in line for name in names):
                continue
            try:
                event = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError):
                continue
            if isinstance(event, dict) and "event" in event:
                yield event


@dataclass(slots=True)
class Ledger:
    """What the journal says.

    ``sweep`` is the sweep's record when its jobs were submitted, ``submitted`` their number, ``planned`` how many of
    them are in the plan file and ``mark`` how far that goes; ``runs`` holds the last ended record of each job, as in
    ``run.json``, and ``started`` the last attempt that began.
    """

    submitted: int = 0
    planned: int = 0
    mark: PlanMark | None = None
    sweep: Mapping[str, Any] | None = None
    runs: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    started: dict[int, Mapping[str, Any]] = field(default_factory=dict)


def replay(path: Path, kinds: Collection[str] | None = None) -> Ledger:
    """Reads the whole journal, with its parts. ``started`` holds the last attempt that began of each job, ended or not.

    An event that lacks what its kind must have says nothing. Whoever needs only some ``kinds`` of events has them
    sooner: long journals are nearly all ``started`` and ``ended``. What the others say may then be missing.
    """
    ledger = Ledger()
    for file in (path, *parts_of(path)):
        for event in read_events(file, kinds):
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                _enter(ledger, event)
    return ledger


def parts_of(path: Path) -> list[Path]:
    """The parts of a journal that workers on other machines have written so far."""
    return sorted(SweepPaths(path.parent).parts.glob("*.jsonl"))


def _enter(ledger: Ledger, event: Mapping[str, Any]) -> None:
    kind = event["event"]
    if kind == "sweep":
        ledger.sweep = event["sweep"]
    elif kind == "submitted":
        ledger.submitted = int(event["count"])
    elif kind == "planned":
        ledger.mark = PlanMark(size=int(event["size"]), sha256=str(event["sha256"]))
        ledger.planned = int(event["count"])
    elif kind == "started":
        job, known = int(event["job"]), ledger.started.get(int(event["job"]))
        if known is None or int(event["attempt"]) >= int(known["attempt"]):
            ledger.started[job] = event
    elif kind == "ended":
        job = int(event["job"])
        if _is_newer(event["run"], ledger.runs.get(job)):
            ledger.runs[job] = event["run"]


def _is_newer(run: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    """Whether a record of a job says more than the one that is known: of two parts either may be read first."""
    if known is None or known.get("state") == "COMPLETED":
        return known is None
    return run.get("state") == "COMPLETED" or len(run.get("attempts") or ()) >= len(known.get("attempts") or ())
