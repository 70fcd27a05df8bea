"""What Hydra's sweeper gets back: a JobReturn for each job, made when it is asked for."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from runyard.base import JobFailed, State
from runyard.record import RunRecord
from runyard.sweep.config import without_hydra
from runyard.sweep.planning import PlannedJob
from runyard.sweep.worker import JobReport


class JobReturns(Sequence[JobReturn]):
    """Results in the order of the jobs. Holds what the jobs returned; configs are composed anew on access."""

    def __init__(
        self,
        jobs: Sequence[PlannedJob],
        reports: Mapping[int, JobReport],
        records: Mapping[int, RunRecord],
        config_of: Callable[[PlannedJob], DictConfig],
    ) -> None:
        self._jobs, self._reports, self._records, self._config_of = jobs, reports, records, config_of

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[JobReturn]:
        return (self._one(job) for job in self._jobs)

    @overload
    def __getitem__(self, index: int) -> JobReturn: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[JobReturn]: ...
    def __getitem__(self, index: int | slice) -> JobReturn | Sequence[JobReturn]:
        if isinstance(index, slice):
            return [self._one(job) for job in self._jobs[index]]
        return self._one(self._jobs[index])

    def _one(self, job: PlannedJob) -> JobReturn:
        config = self._config_of(job)
        with read_write(config.hydra.runtime), open_dict(config.hydra.runtime):
            config.hydra.runtime.output_dir = str(job.run_dir)
        report, record = self._reports.get(job.job), self._records.get(job.job)
        result = JobReturn(
            overrides=[str(o) for o in config.hydra.overrides.task],
            cfg=without_hydra(config),
            hydra_cfg=OmegaConf.masked_copy(config, ["hydra"]),
            working_dir=(report.working_dir if report else None) or os.getcwd(),
            task_name=report.task_name if report else None,
        )
        done = record is not None and record.state is State.COMPLETED
        result.status = JobStatus.COMPLETED if done else JobStatus.FAILED
        result.return_value = _value(report) if done else _error(job, report, record)
        return result


def _value(report: JobReport | None) -> Any:
    return pickle.loads(report.returned) if report and report.returned else None


def _error(job: PlannedJob, report: JobReport | None, record: RunRecord | None) -> BaseException:
    """The job's own exception where it can be had, else ours."""
    if report and report.returned and not report.completed:
        try:
            error = pickle.loads(report.returned)
            if isinstance(error, Exception):
                return error
        except Exception:  # a class that can be pickled and not unpickled
            pass
    state = record.state if record else State.PENDING
    info = record.attempts[-1].error if record and record.attempts else None
    message = f"{info.type}: {info.message}" if info else "it has not run"
    return JobFailed(job.job, state.value, message, job.run_dir)
