"""From a planned job to what is asked for it: resources, and what its process is told. Starts nothing."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

from omegaconf import DictConfig

from runyard.compose import Choices, Composer, freeze_config, number_job
from runyard.execute import Resources
from runyard.orchestrate.jobs.running import JobFacts, blank_record
from runyard.orchestrate.jobs.worker import JobPayload
from runyard.orchestrate.opening import OpenSweep
from runyard.orchestrate.planning import JobResources, PlannedJob, Reuse
from runyard.record import Attempt, RunRecord, draft_of


class Orders:
    """Makes the orders for the jobs of one sweep.

    Args:
        opened: the sweep.
        composer: composes its jobs.
        resources: what they ask for.
        check: raises UsageError for resources that there will never be.
        rehearsed: compositions whose jobs the worker has readied; those of others are handed their whole config.
        reuse: finds results that can be taken over; None to run every job.
    """

    def __init__(
        self,
        opened: OpenSweep,
        composer: Composer,
        resources: JobResources,
        *,
        check: Callable[[Resources], None],
        rehearsed: Collection[Choices],
        reuse: Reuse | None = None,
    ) -> None:
        self._opened, self._composer, self._resources = opened, composer, resources
        self._check, self._rehearsed = check, frozenset(rehearsed)
        self._reuse, self._looked_for = reuse, -1
        self._asked: tuple[int, Resources] | None = None
        self._prepared: tuple[int, tuple[Attempt, ...], JobPayload] | None = None

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the results of the jobs come from."""
        return self._opened.provenance

    @property
    def are_alike(self) -> bool:
        """Whether all jobs ask for the same, and for no device: one can take the room of any other."""
        return not self._resources.varies and not self._resources.base.gpus

    def ready_made(self, job: PlannedJob) -> RunRecord | None:
        """The record of a job whose result is taken over from an earlier run; None when it must run.

        It is looked for once: the same job may have to wait for its turn.
        """
        if self._reuse is None or self._looked_for == job.job:
            return None
        self._looked_for = job.job
        return self._reuse.take(blank_record(self.facts(job, (), None)))

    def resources(self, job: PlannedJob) -> Resources:
        """What a job asks for; remembered for the last job, which may wait long for its turn.

        Raises:
            UsageError: it asks for what there is not.
            Exception: whatever composing its config raises.
        """
        if self._asked is None or self._asked[0] != job.job:
            wanted = self._resources.of(job.overrides, self._config(job) if self._resources.reads_config else None)
            if self._resources.varies:
                self._check(wanted)
            self._asked = job.job, wanted
        return self._asked[1]

    def _config(self, job: PlannedJob) -> DictConfig:
        return number_job(self._composer.job(job.overrides).config(), job.job)

    def facts(self, job: PlannedJob, earlier: tuple[Attempt, ...], wanted: Resources | None) -> JobFacts:
        """What is known of a job before it runs. ``wanted`` None: what it asks for could not be told."""
        return JobFacts(
            sweep_id=self._opened.record.sweep_id,
            sweep_dir=self._opened.dir,
            job=job.job,
            run_key=job.run_key,
            run_dir=job.run_dir,
            overrides=job.overrides,
            params=job.params,
            resources=wanted.to_json() if wanted is not None else {},
            earlier=earlier,
        )

    def prepare(self, job: PlannedJob, earlier: tuple[Attempt, ...]) -> None:
        """Makes what the job that waits for a slot will be told, while nothing else is to be done."""
        if self._prepared is None or self._prepared[:2] != (job.job, earlier):
            with contextlib.suppress(Exception):  # it is raised again when the job's turn has come
                self._prepared = job.job, earlier, self._payload(job, earlier, self.resources(job))

    def payload(self, job: PlannedJob, earlier: tuple[Attempt, ...], wanted: Resources) -> JobPayload:
        """What the job's process is told.

        Raises:
            Exception: whatever composing its config raises.
        """
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared[:2] == (job.job, earlier):
            return prepared[2]
        return self._payload(job, earlier, wanted)

    def _payload(self, job: PlannedJob, earlier: tuple[Attempt, ...], wanted: Resources) -> JobPayload:
        facts = self.facts(job, earlier, wanted)
        facts = dataclasses.replace(facts, draft=draft_of(blank_record(facts)))
        composed = self._composer.job(job.overrides)
        if composed.choices in self._rehearsed:
            return JobPayload(facts=facts, choices=composed.choices, order=composed.order(job.job, str(job.run_dir)))
        return JobPayload(facts=facts, config=freeze_config(number_job(composed.config(), job.job)))
