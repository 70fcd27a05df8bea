"""A ceiling on the number of jobs: whoever starts sweeps for others says how many a sweep may have at most."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from runyard.base import UsageError

#: the greatest number of jobs a sweep may have. Handed on by the service to what it starts.
MOST_JOBS = "RUNYARD_MOST_JOBS"


def below_ceiling(points: Iterable[Sequence[str]], before: int = 0) -> Iterator[Sequence[str]]:
    """The points as they are; more than the environment allows are an error, before any of them runs.

    Args:
        points: the overrides of each job.
        before: how many jobs the sweep has already.

    Raises:
        UsageError: there are more, or the variable is no number.
    """
    named = os.environ.get(MOST_JOBS)
    if named is None:
        yield from points
        return
    if not named.isascii() or not named.isdigit():
        raise UsageError(f"{named!r} is no number of jobs", where=MOST_JOBS, todo="give a whole number, or unset it")
    most = int(named)
    for count, point in enumerate(points, start=before + 1):
        if count > most:
            raise UsageError(
                f"the sweep has more than {most} jobs, which is the most that is allowed here",
                where=MOST_JOBS,
                todo="sweep over fewer values, or set hydra.sweeper.max_jobs",
            )
        yield point
