"""Work: a submission to Slurm as it stands on disk: which jobs, by how many workers, and as which arrays."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import RecordError, read_json, write_json
from runyard.record import SweepPaths

_PREFIX = "work-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Jobs that ask for the same resources, and the workers that run them.

    ``jobs`` are their numbers; None for all of the submission. ``workers`` counts array tasks. ``stage`` is the one
    that they run of each job, ``before`` those that others have run by then; None where they run whole jobs.
    """

    resources: Mapping[str, Any]
    workers: int
    jobs: tuple[int, ...] | None = None
    stage: str | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """An array that Slurm has accepted: its tasks are the workers of ``group`` from number ``first`` on."""

    job_id: int
    group: int
    first: int
    tasks: int

    @property
    def workers(self) -> list[str]:
        """The names of its tasks, as Slurm gives them."""
        return [f"{self.job_id}_{index}" for index in range(self.tasks)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One submission.

    ``first`` and ``count`` tell the jobs of the sweep that it was made for; ``take`` those of them that are to run,
    None for all that are not COMPLETED. ``attempts`` are those that jobs had had by then; jobs without any are left
    out. ``values`` is what stands under ``hydra.launcher``. ``cluster`` is where it was submitted to; all
    submissions of a sweep have the same, for workers are known by their numbers there.
    """

    number: int
    first: int
    count: int
    values: Mapping[str, Any]
    groups: tuple[Group, ...]
    cluster: str | None = None
    take: frozenset[int] | None = None
    attempts: Mapping[int, int] = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()

    def jobs_of(self, group: int) -> list[int]:
        """The numbers of the jobs that the workers of a group may take, in order."""
        own = self.groups[group].jobs
        numbers = range(self.first, self.first + self.count) if own is None else own
        return [job for job in numbers if self.take is None or job in self.take]

    def to_json(self) -> dict[str, Any]:
        """The mapping that stands on disk."""
        plain = dataclasses.asdict(self)
        plain["take"] = None if self.take is None else sorted(self.take)
        plain["attempts"] = {str(job): count for job, count in self.attempts.items()}
        return plain

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Work:
        """The submission that ``to_json`` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        given = dict(value)
        groups = [
            Group(
                **{
                    **group,
                    "jobs": None if group["jobs"] is None else tuple(group["jobs"]),
                    "before": tuple(group["before"]),
                }
            )
            for group in given.pop("groups")
        ]
        return Work(
            groups=tuple(groups),
            arrays=tuple(Array(**array) for array in given.pop("arrays")),
            attempts={int(job): int(count) for job, count in given.pop("attempts").items()},
            take=None if given.get("take") is None else frozenset(given["take"]),
            **{key: given[key] for key in ("number", "first", "count", "values", "cluster")},
        )


def keep_work(sweep_dir: Path, work: Work) -> None:
    """Writes a submission, for the workers and for whoever asks how it stands."""
    folder = SweepPaths(sweep_dir).slurm
    folder.mkdir(exist_ok=True)
    write_json(folder / f"{_PREFIX}{work.number}.json", work.to_json(), sync=True)


def read_work(sweep_dir: Path, number: int) -> Work:
    """The submission with a number.

    Raises:
        RecordError: there is none, or it is damaged.
    """
    path = SweepPaths(sweep_dir).slurm / f"{_PREFIX}{number}.json"
    try:
        return Work.from_json(read_json(path))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, json.JSONDecodeError) as exc:
        raise RecordError(path, f"the submission cannot be read ({exc})") from exc


def read_works(sweep_dir: Path) -> list[Work]:
    """All submissions of a sweep in order; none where nothing was submitted to Slurm.

    Raises:
        RecordError: one is damaged.
    """
    names = [path.stem.removeprefix(_PREFIX) for path in SweepPaths(sweep_dir).slurm.glob(f"{_PREFIX}*.json")]
    return [read_work(sweep_dir, number) for number in sorted(int(name) for name in names if name.isdigit())]


def cluster_of(works: Sequence[Work]) -> str | None:
    """The cluster that a sweep was submitted to; None where it was to none."""
    return next((work.cluster for work in works if work.cluster is not None), None)


def job_ids(works: Sequence[Work]) -> list[int]:
    """The arrays of all submissions, as Slurm numbers them."""
    return [array.job_id for work in works for array in work.arrays]


def worker_names(works: Sequence[Work]) -> list[str]:
    """The workers of all submissions, as Slurm names their tasks."""
    return [name for work in works for array in work.arrays for name in array.workers]
