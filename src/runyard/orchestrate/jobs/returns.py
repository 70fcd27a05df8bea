"""What Hydra's sweeper gets back: a JobReturn for each job, made when it is asked for."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from runyard.base import JobFailed, RecordError, State, write_bytes
from runyard.orchestrate.jobs.worker import JobReport
from runyard.orchestrate.opening import task_overrides, without_hydra
from runyard.orchestrate.planning import PlannedJob
from runyard.record import RunRecord, read_run

_NOTHING = (None, None, False, None)


class Returned:
    """What the tasks of a sweep returned, in a file without a name: a sweep may have any number of jobs."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="runyard-")  # noqa: SIM115 - it lives as long as this
        self._places: dict[int, int] = {}

    def put(self, job: int, report: JobReport) -> None:
        """Keeps what a job told at its end."""
        self._places[job] = self._file.seek(0, os.SEEK_END)
        pickle.dump(_told(report), self._file)

    def get(self, job: int) -> tuple[str | None, str | None, bool, bytes | None]:
        """Working directory and task name of a job, whether it completed, and what it returned or raised, pickled."""
        if job not in self._places:
            return _NOTHING
        self._file.seek(self._places[job])
        found: tuple[str | None, str | None, bool, bytes | None] = pickle.load(self._file)
        return found


class ReturnedFiles(Returned):
    """The same in a folder, for a process on another machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, job: int, report: JobReport) -> None:  # noqa: D102
        self._folder.mkdir(exist_ok=True)
        write_bytes(self._folder / f"{job}.pkl", pickle.dumps(_told(report)), mode=0o600)

    def get(self, job: int) -> tuple[str | None, str | None, bool, bytes | None]:  # noqa: D102
        try:
            found: tuple[str | None, str | None, bool, bytes | None]
            found = pickle.loads((self._folder / f"{job}.pkl").read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            return _NOTHING
        return found


def _told(report: JobReport) -> tuple[str | None, str | None, bool, bytes | None]:
    completed = report.ending.attempt["state"] == State.COMPLETED.value
    return report.working_dir, report.task_name, completed, report.returned


class JobReturns(Sequence[JobReturn]):
    """Results in the order of the jobs. Configs are composed anew, and records read, when one is asked for."""

    def __init__(
        self,
        count: int,
        job_of: Callable[[int], PlannedJob],
        returned: Returned,
        config_of: Callable[[PlannedJob], DictConfig],
    ) -> None:
        """``job_of`` gives the planned job at a position."""
        self._count, self._job_of, self._returned, self._config_of = count, job_of, returned, config_of

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[JobReturn]:
        return (self._one(position) for position in range(self._count))

    @overload
    def __getitem__(self, index: int) -> JobReturn: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[JobReturn]: ...
    def __getitem__(self, index: int | slice) -> JobReturn | Sequence[JobReturn]:
        positions = range(self._count)[index]
        return self._one(positions) if isinstance(positions, int) else [self._one(p) for p in positions]

    def _one(self, position: int) -> JobReturn:
        job = self._job_of(position)
        config = self._config_of(job)
        with read_write(config.hydra.runtime), open_dict(config.hydra.runtime):
            config.hydra.runtime.output_dir = str(job.run_dir)
        working_dir, task_name, completed, value = self._returned.get(job.job)
        result = JobReturn(
            overrides=list(task_overrides(config)),
            cfg=without_hydra(config),
            hydra_cfg=OmegaConf.masked_copy(config, ["hydra"]),
            working_dir=working_dir or os.getcwd(),
            task_name=task_name,
        )
        record = _record(job)
        done = record is not None and record.state is State.COMPLETED
        result.status = JobStatus.COMPLETED if done else JobStatus.FAILED
        if done:
            result.return_value = pickle.loads(value) if value else None
        else:
            result.return_value = _error(job, None if completed else value, record)
        return result


def _record(job: PlannedJob) -> RunRecord | None:
    try:
        return read_run(job.run_dir)
    except RecordError:
        return None


def _error(job: PlannedJob, raised: bytes | None, record: RunRecord | None) -> BaseException:
    """The job's own exception where it can be had, else ours."""
    if raised:
        try:
            error: Any = pickle.loads(raised)
            if isinstance(error, Exception):
                return error
        except Exception:  # a class that can be pickled and not unpickled
            pass
    state = record.state if record else State.PENDING
    info = record.attempts[-1].error if record and record.attempts else None
    message = f"{info.type}: {info.message}" if info else "it has not run"
    return JobFailed(job.job, state.value, message, job.run_dir)
