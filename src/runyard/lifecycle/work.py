"""Whether anybody works on a sweep; and holding it, so that nobody begins to while its files are changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.base import SweepBusy
from runyard.record import ControllerLock, SweepPaths


def at_work(sweep_dir: Path) -> str:
    """Who works on a sweep, here or on Slurm, in words; empty where nobody does.

    A worker whose state Slurm does not tell counts as alive.

    Raises:
        RecordError: the directory is not that of a sweep.
    """
    from runyard.cluster import Observer, is_on_cluster  # loads Hydra
    from runyard.orchestrate import status

    if is_on_cluster(sweep_dir):
        standing = Observer(sweep_dir, least_s=0.0).look()
        alive = [worker.name for worker in standing.workers if worker.is_alive]
        return f"{len(alive)} workers on Slurm ({', '.join(alive[:3])})" if alive else ""
    controller = status(sweep_dir).controller
    return f"process {controller.get('pid')} on {controller.get('host')}" if controller else ""


@contextmanager
def idle(sweep_dir: Path, what: str) -> Iterator[None]:
    """Holds a sweep on which nobody works, as its controller would, while it lasts.

    Args:
        sweep_dir: the sweep.
        what: what is to be done to it, for the message: "be archived".

    Raises:
        SweepBusy: somebody works on it.
    """
    who = at_work(sweep_dir)
    if who:
        raise SweepBusy(
            f"{sweep_dir.name} is running and cannot {what}: {who} is at work on it",
            where=str(sweep_dir),
            todo="wait until it has ended ('runyard wait'), or stop it with 'runyard cancel'",
        )
    lock = ControllerLock(SweepPaths(sweep_dir).lock)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
