"""The Slurm launcher's work: plans and freezes a sweep, submits workers for it, and leaves, or stays to watch."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import OmegaConf

from runyard.base import StorageError, SweepState, UsageError
from runyard.cluster.feed import planned_jobs
from runyard.cluster.settings import ClusterSettings, cluster_settings
from runyard.cluster.submitting import submit_work
from runyard.cluster.waiting import wait_here
from runyard.cluster.work import Group, Work
from runyard.compose import number_job
from runyard.execute import check_here
from runyard.orchestrate import (
    Application,
    Execution,
    Launch,
    ReturnedFiles,
    index,
    not_submitted,
    open_execution,
    reference,
)
from runyard.record import SweepPaths, current_entry

#: sweepers that need no result of a job to go on.
_UNDEMANDING = ("hydra._internal.core_plugins.basic_sweeper.", "hydra_plugins.runyard.")


class SlurmLaunch(Launch):
    """One sweep on Slurm."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.settings: ClusterSettings = cluster_settings(self.values)
        self._works: list[Work] = []
        self._is_well = True

    def open(self, app: Application) -> Execution:
        """Opens the sweep.

        Raises:
            UsageError: the sweeper needs results and nobody waits for them, or the application cannot be started
                again.
        """
        sweeper = str(OmegaConf.select(app.config, "hydra.sweeper._target_", default=""))
        if not self.settings.wait and not sweeper.startswith(_UNDEMANDING):
            raise UsageError(
                f"the sweeper {sweeper.rpartition('.')[2]} needs each batch's results to choose the next",
                where="hydra.launcher.wait=false",
                todo="let the command stay until they are there: hydra.launcher.wait=true",
            )
        if current_entry(str(app.config.hydra.runtime.cwd)) is None:
            raise _not_a_program()
        return open_execution(app, self.settings.jobs, self.values)

    def run(self, execution: Execution, first: int, count: int) -> Sequence[JobReturn]:
        """Submits jobs; returns their results where it stays for them, else none."""
        opened, entry = execution.opened, execution.opened.entry
        if entry is None:
            raise _not_a_program()
        with _nothing_half_submitted(execution, is_first=not self._works):
            check_here()
            execution.plan_all()
            opened.save(state=SweepState.RUNNING, controller=None)  # before Slurm has anything: it may fail
            work = submit_work(
                opened.dir,
                name=f"runyard-{opened.record.experiment}",
                root=opened.root or SweepPaths(opened.dir).snapshot,
                entry=entry,
                settings=self.settings,
                values=self.values,
                groups=by_stage(_groups(execution, first, count), self.settings),
                first=first,
                count=count,
            )
        self._works.append(work)
        opened.is_detached = not self.settings.wait
        index(opened, latest=True)
        for line in submitted_lines(opened.record.sweep_id, reference(opened), work):
            sys.stderr.write(f"{line}\n")
        if not self.settings.wait:
            return []
        self._is_well = wait_here(opened.dir, opened.root, display=self.settings.jobs.display) and self._is_well
        return execution.returns(first, count, ReturnedFiles(SweepPaths(opened.dir).slurm / "returned"))

    def end(self) -> bool:  # noqa: D102
        return self._is_well


def _not_a_program() -> UsageError:
    return UsageError(
        "the application was not started as a program (python FILE or python -m MODULE), so workers cannot start it on "
        "other machines",
        where="hydra/launcher=runyard_slurm",
        todo="start it from a command line",
    )


@contextmanager
def _nothing_half_submitted(execution: Execution, *, is_first: bool) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if is_first:
            execution.opened.abandon()
        if isinstance(error, (OSError, StorageError)):
            raise not_submitted(error, execution.opened.dir) from error
        raise


def _groups(execution: Execution, first: int, count: int) -> list[Group]:
    """The jobs by what they ask for."""
    resources = execution.resources
    if not resources.varies:
        return [Group(resources=resources.base.to_json(), workers=1)]
    found: dict[Any, list[int]] = {}
    for job in planned_jobs(execution.opened.dir, execution.jobs.names, list(range(first, first + count))).values():
        config = None
        if resources.reads_config:
            config = number_job(execution.composer.job(job.overrides).config(), job.job)
        found.setdefault(resources.of(job.overrides, config), []).append(job.job)
    return [Group(resources=wanted.to_json(), workers=1, jobs=tuple(jobs)) for wanted, jobs in found.items()]


def by_stage(groups: Sequence[Group], settings: ClusterSettings) -> list[Group]:
    """Groups for each stage in turn, where stages have workers of their own."""
    names = [name for name, _ in settings.stages]
    if not names:
        return list(groups)
    return [
        dataclasses.replace(group, stage=name, before=tuple(names[:number]))
        for number, name in enumerate(names)
        for group in groups
    ]


def submitted_lines(sweep_id: str, name: str, work: Work) -> Iterator[str]:
    """What the user is told of a submission; ``name`` is how the sweep is named to the ``runyard`` command."""
    jobs = len({job for group in range(len(work.groups)) for job in work.jobs_of(group)})
    workers = sum(array.tasks for array in work.arrays)
    ids = ", ".join(str(array.job_id) for array in work.arrays)
    yield f"sweep {sweep_id}: {jobs} jobs submitted to Slurm, {workers} workers as {ids}"
    yield f"  how it stands:  runyard status {name}"
    yield f"  watch it:       runyard watch {name}"
    yield f"  wait for it:    runyard wait {name}"
    yield f"  stop it:        runyard cancel {name}"
