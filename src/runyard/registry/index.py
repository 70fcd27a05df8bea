"""``index.csv``, a row per sweep, and ``latest``, the pointer to an experiment's newest. Knows no database."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, swap_symlink, write_text
from runyard.record import RootPaths, SweepRecord
from runyard.registry.rows import absolute_path, failed_count, stored_path, sweep_row

INDEX_COLUMNS = (
    "sweep_id",
    "experiment",
    "state",
    "created_at",
    "finished_at",
    "jobs",
    "completed",
    "failed",
    "launcher",
    "git_sha",
    "note",
    "tags",
    "path",
)

_LOCK_TIMEOUT_S, _LOCK_PAUSE_S = 30.0, 0.01
#: a record lock is the process's: it keeps no other thread out, and closing the file frees it for all of them.
_in_this_process = threading.Lock()


def _free_after_fork() -> None:
    """A child has no thread that could free what a thread of its parent held."""
    global _in_this_process  # noqa: PLW0603
    _in_this_process = threading.Lock()


os.register_at_fork(after_in_child=_free_after_fork)


@contextmanager
def root_lock(root: Path, *, timeout_s: float = _LOCK_TIMEOUT_S) -> Iterator[None]:
    """Keeps other processes and threads from the root's common files while it lasts. Not to be nested.

    Raises:
        RecordError: others have held it all the time, or the file system knows no locks.
    """
    path = RootPaths(root).registry_lock
    deadline = time.monotonic() + timeout_s
    within = _in_this_process
    if not within.acquire(timeout=timeout_s):
        raise RecordError(path, f"another thread has held the lock for {timeout_s:g} s")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            while not _is_locked_now(descriptor, path):
                if time.monotonic() >= deadline:
                    raise RecordError(path, f"other processes have held the lock for {timeout_s:g} s")
                time.sleep(_LOCK_PAUSE_S * (0.5 + os.urandom(1)[0] / 255))  # uneven, so that nobody is always late
            yield
        finally:
            os.close(descriptor)
    finally:
        within.release()


def _is_locked_now(descriptor: int, path: Path) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise RecordError(path, f"cannot be locked ({exc})") from exc
    return True


def point_latest(root: Path, experiment: str, sweep_dir: Path) -> None:
    """Makes ``<root>/<experiment>/latest`` name a sweep, in one step.

    Raises:
        RecordError: something that is not a pointer is in the way.
    """
    link = RootPaths(root).latest(experiment)
    link.parent.mkdir(parents=True, exist_ok=True)
    inside = Path(os.path.realpath(sweep_dir)).is_relative_to(os.path.realpath(root))
    target = os.path.relpath(os.path.realpath(sweep_dir), os.path.realpath(link.parent)) if inside else None
    try:
        swap_symlink(link, target or os.path.abspath(sweep_dir))
    except OSError as exc:
        raise RecordError(link, f"cannot be made the pointer to the newest sweep ({exc})") from exc


def add_to_index(root: Path, record: SweepRecord, sweep_dir: Path) -> None:
    """Puts a sweep's row into ``<root>/index.csv``, in the place of its row from before or last.

    Columns that a person has added stay, and so do their values.

    Raises:
        RecordError: the root's lock cannot be had.
        OSError: the file cannot be written; it is as before.
    """
    path = RootPaths(root).index_csv
    new = _index_row(root, record, sweep_dir)
    with root_lock(root):
        columns, rows = _read(path)
        at = next((n for n, row in enumerate(rows) if row.get("sweep_id") == record.sweep_id), None)
        if at is None:
            rows.append(new)
        else:
            rows[at] = {**rows[at], **new}
        _write(path, columns, rows)


def indexed_dirs(root: Path) -> list[Path]:
    """Directories of sweeps that ``index.csv`` names, wherever they are; some may be gone."""
    _, rows = _read(RootPaths(root).index_csv)
    return [absolute_path(root, row["path"]) for row in rows if row.get("path")]


def _index_row(root: Path, record: SweepRecord, sweep_dir: Path) -> dict[str, str]:
    row: dict[str, Any] = sweep_row(record, sweep_dir)
    row["completed"] = record.counts.get(State.COMPLETED.value, 0)
    row["failed"] = failed_count(record.counts)
    row["tags"] = ";".join(record.tags)
    row["path"] = stored_path(root, sweep_dir)
    return {name: "" if row[name] is None else str(row[name]) for name in INDEX_COLUMNS}


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of an index; ours when there is none. What cannot be read as text is passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return list(INDEX_COLUMNS), []
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    added = [name for name in reader.fieldnames or () if name and name not in INDEX_COLUMNS]
    rows = [{k: v for k, v in row.items() if k} for row in reader]
    return [*INDEX_COLUMNS, *added], rows


def _write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
