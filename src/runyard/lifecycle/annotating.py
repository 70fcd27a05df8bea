"""Tags and the note of a sweep: a person's words, in ``sweep.json``.

They are changed under the controller's lock. A controller at work holds the record in memory and writes it whole, so
that a change beside it would be lost; whoever else writes the file (resume, collect, the last worker on Slurm) reads it
first, under the same lock. So a sweep whose controller runs is refused, and one that waits or runs on Slurm is not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runyard.base import RecordError, UsageError
from runyard.lifecycle.work import idle
from runyard.record import ControllerLock, SweepPaths, SweepRecord, read_sweep, write_sweep
from runyard.registry import Registry, add_to_index


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """The record as it is now. ``trouble``: why registry or index do not know it yet."""

    record: SweepRecord
    trouble: str = ""


def tag_sweep(sweep_dir: Path, changes: Sequence[str], *, root: Path | None) -> Annotation:
    """Gives a sweep tags (``+TAG`` or ``TAG``) and takes some (``-TAG``), in the order given.

    Args:
        sweep_dir: the sweep, or single run.
        changes: what to do.
        root: the root whose registry and index know it, or None.

    Raises:
        SweepBusy: its controller is at work.
        UsageError: something is no tag, or it does not have a tag that is to be taken.
    """
    steps = [(change[:1] != "-", change[1:] if change[:1] in ("+", "-") else change) for change in changes]
    for _, tag in steps:
        if not tag or any(c.isspace() or c in ";," for c in tag) or tag[0] in "+-":
            raise UsageError(
                f"{tag!r} cannot be a tag", where=str(sweep_dir), todo="a tag is one word, without , and ;"
            )

    def changed(record: SweepRecord) -> SweepRecord:
        tags = list(record.tags)
        for gives, tag in steps:
            if gives and tag not in tags:
                tags.append(tag)
            elif not gives:
                if tag not in tags:
                    known = f"it has {', '.join(tags)}" if tags else "it has none"
                    raise UsageError(f"{record.sweep_id} has no tag {tag!r}", where=str(sweep_dir), todo=known)
                tags.remove(tag)
        return dataclasses.replace(record, tags=tuple(tags))

    return _change(sweep_dir, changed, root)


def note_sweep(sweep_dir: Path, note: str, *, root: Path | None) -> Annotation:
    """Gives a sweep a note in the place of the one that it has; an empty one takes it away. Raises as ``tag_sweep``."""
    return _change(sweep_dir, lambda record: dataclasses.replace(record, note=note.strip()), root)


def _change(sweep_dir: Path, change: Callable[[SweepRecord], SweepRecord], root: Path | None) -> Annotation:
    with _record_is_ours(sweep_dir):
        before = read_sweep(sweep_dir)
        record = change(before)
        if record != before:
            write_sweep(sweep_dir, record)
    trouble = ""
    if root is not None and record != before:
        try:
            Registry(root).put(sweep_dir, runs=())
            if record.finished_at is not None:
                add_to_index(root, record, sweep_dir)
        except (RecordError, OSError) as exc:
            trouble = str(exc)
    return Annotation(record=record, trouble=trouble)


@contextmanager
def _record_is_ours(sweep_dir: Path) -> Iterator[None]:
    """Keeps everybody else from writing ``sweep.json``."""
    from runyard.cluster import is_on_cluster  # loads Hydra

    if not is_on_cluster(sweep_dir):
        with idle(sweep_dir, "be changed"):
            yield
        return
    lock = ControllerLock(SweepPaths(sweep_dir).lock)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
