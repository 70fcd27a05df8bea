"""One job run as Hydra's ``run_job`` runs it, for a process that runs one job and ends.

Hydra copies the config four times for each job and writes its YAML in Python, which takes longer than many a job.
Here the copies are made once for a composition, in the process that jobs are forked from; a job's own values are set
in each of them, and the texts are made beforehand. What a task and a callback can see is the same: the order of
events, the separate copies, the folders and files, the environment, logging, ``HydraConfig`` and the ``JobReturn``.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import hydra as hydra_package
from hydra import version
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.utils import (
    JobReturn,
    JobRuntime,
    JobStatus,
    _flush_loggers,
    configure_log,
    env_override,
    run_job,
)
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from runyard.base import write_all
from runyard.compose.clone import clone, set_value
from runyard.compose.composition import JobTexts, fill_job, task_of
from runyard.compose.depends import Path, dependencies
from runyard.compose.logs import PreparedLogging
from runyard.compose.patch import apply_in_place

#: versions of Hydra whose ``run_job`` this is the equal of; with others theirs is called.
IS_KNOWN_HYDRA = hydra_package.__version__.startswith("1.3.")
_TO_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_CONSTANT: tuple[Path, ...] = (("hydra", "job", "chdir"), ("hydra", "output_subdir"))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """What makes a job of a composition.

    ``values`` are the overrides to apply, ``overrides`` all of the job's less those of ``hydra.*``, ``texts`` the
    files for ``.hydra`` (None: write them from the config).
    """

    job: int
    run_dir: str
    values: tuple[Override, ...]
    overrides: tuple[str, ...]
    dirname: str | None
    texts: JobTexts | None


class Rehearsal:
    """Everything about the jobs of one composition that can be done before they are forked.

    ``run`` uses it up: call it once in each process. ``task`` is the config that the task gets.
    """

    def __init__(self, config: DictConfig) -> None:
        """``config`` is the composition; a copy of it is kept."""
        self._config = clone(config)
        self._seen = _as_hydra_config(self._config)
        self._returned = clone(self._seen)
        self.task = task_of(self._config)
        self.logging = PreparedLogging.of(self._config)
        self._has_logging = self._stays = False
        self._subfolder: str | None = None
        self._prepared: JobOrder | None = None
        self._refused: Exception | None = None
        self._sets_variables = bool(self._returned.hydra.job.env_set)

    @property
    def _chdir(self) -> bool:
        return bool(self._returned.hydra.job.chdir)

    def is_like_hydras(self) -> bool:
        """Whether the jobs of this composition can be run here as Hydra would.

        Not with another Hydra, not where Hydra must warn that its default for ``chdir`` has changed, and not where a
        resolver that may have effects of its own names the folder.
        """
        sources = [dependencies(self._config, ("hydra", "sweep", key)) for key in ("dir", "subdir")]
        sources += [_plain_place(self._config, place) for place in _CONSTANT]
        if not IS_KNOWN_HYDRA or None in sources:
            return False
        chdir = self._config.hydra.job.chdir
        self._stays = not chdir and not self._sets_variables
        self._subfolder = self._config.hydra.output_subdir
        return chdir is not None or version.base_at_least("1.2")

    def finds_logging(self) -> None:
        """Tells that ``logging`` has been set up in the process that jobs are forked from."""
        self._has_logging = True

    def run(self, order: JobOrder, task_function: TaskFunction, context: HydraContext) -> JobReturn:
        """Runs a job. The task's exceptions are in the result; what is no ``Exception`` is raised.

        Where no callback could see them, the configs in the result are left out.

        Raises:
            hydra.errors.ConfigCompositionException: an override cannot be applied.
        """
        if order.texts is not None and self._is_unseen(order, context):
            return self._run_unseen(order, order.texts, task_function)
        config, task = self._config, self.task
        apply_in_place(order.values, config)
        apply_in_place(order.values, task)
        for whole in (config, self._seen, self._returned):
            _fill(whole, order)
        before, cwd = HydraConfig.instance().cfg, os.getcwd()
        HydraConfig.instance().cfg = self._seen  # type: ignore[assignment]
        try:
            return self._run(order, task_function, context)
        finally:
            HydraConfig.instance().cfg = before
            if self._chdir:
                os.chdir(cwd)

    def _is_unseen(self, order: JobOrder, context: HydraContext) -> bool:
        return self._stays and self._has_logging and order.texts is not None and not context.callbacks.callbacks

    def prepare(self, order: JobOrder, context: HydraContext) -> None:
        """Does what of ``run`` can be done before the job's turn, when nobody may see anything of it.

        An override that cannot be applied is told of by ``run``.
        """
        if self._is_unseen(order, context):
            with suppress(Exception):
                self._set_own(order)

    def _set_own(self, order: JobOrder) -> None:
        """Sets the job's values in what it sees, once: the config may be half changed after an error."""
        if self._refused is not None:
            raise self._refused
        if self._prepared is not order:
            try:
                apply_in_place(order.values, self.task)
                _fill(self._seen, order)
            except Exception as error:
                self._refused = error
                raise
            self._prepared = order

    def _run_unseen(self, order: JobOrder, texts: JobTexts, task_function: TaskFunction) -> JobReturn:
        """Runs a job that no callback watches: of the copies of the config only those are made that the task can see.

        Each object that is touched in a forked process costs the copy of a page.
        """
        self._set_own(order)
        held = HydraConfig.instance()
        before, held.cfg = held.cfg, self._seen  # type: ignore[assignment]
        try:
            result = JobReturn(overrides=order.overrides, working_dir=os.getcwd())
            if not os.path.isdir(order.run_dir):
                pathlib.Path(order.run_dir).mkdir(parents=True, exist_ok=True)
            self.logging.adopt(order.run_dir)  # type: ignore[union-attr]
            if self._subfolder is not None:
                self._write_texts(order.run_dir, texts)
            _call(task_function, self.task, result)
            result.task_name = JobRuntime.instance().get("name")
            return result
        finally:
            held.cfg = before

    def _run(self, order: JobOrder, task_function: TaskFunction, context: HydraContext) -> JobReturn:
        config, callbacks = self._config, context.callbacks
        result = JobReturn(overrides=list(order.overrides), cfg=self.task, hydra_cfg=self._returned)
        if not os.path.isdir(order.run_dir):
            pathlib.Path(order.run_dir).mkdir(parents=True, exist_ok=True)  # as Hydra: its errors name this folder
        if self._chdir:
            os.chdir(order.run_dir)
        result.working_dir = _folder(config) if self._chdir else os.getcwd()
        if self._has_logging and self.logging is not None:
            self.logging.adopt(order.run_dir)
        else:
            configure_log(config.hydra.job_logging, config.hydra.verbose)
        if self._subfolder is not None:
            self._write_texts(order.run_dir, order.texts or self._texts())
        with env_override(self._returned.hydra.job.env_set) if self._sets_variables else nullcontext():
            callbacks.on_job_start(config=config, task_function=task_function)
            _call(task_function, self.task, result)
        result.task_name = JobRuntime.instance().get("name")
        _flush_loggers()
        callbacks.on_job_end(config=config, job_return=result)
        return result

    def _texts(self) -> JobTexts:
        return JobTexts(
            config=OmegaConf.to_yaml(self.task),
            hydra=OmegaConf.to_yaml(self._returned),
            overrides=OmegaConf.to_yaml(self._config.hydra.overrides.task),
        )

    def _write_texts(self, run_dir: str, texts: JobTexts) -> None:
        folder = os.path.join(run_dir, str(self._subfolder))
        os.makedirs(folder, exist_ok=True)
        for name, text in (("config", texts.config), ("hydra", texts.hydra), ("overrides", texts.overrides)):
            descriptor = os.open(f"{folder}/{name}.yaml", _TO_WRITE, 0o666)
            try:
                write_all(descriptor, text.encode("utf-8"))
            finally:
                os.close(descriptor)


def _fill(whole: DictConfig, order: JobOrder) -> None:
    """Writes into a config what is the job's own."""
    node = whole.__dict__["_content"]["hydra"]
    fill_job(node, order.overrides, order.job, order.dirname)
    set_value(node.__dict__["_content"]["runtime"].__dict__["_content"]["output_dir"], order.run_dir)


def _call(task_function: TaskFunction, task: DictConfig, result: JobReturn) -> None:
    try:
        result.return_value = task_function(task)
        result.status = JobStatus.COMPLETED
    except Exception as error:  # as Hydra: the task's failure is its result
        result.return_value = error
        result.status = JobStatus.FAILED


def _plain_place(config: DictConfig, place: Path) -> frozenset[Path] | None:
    """None where a value is made by an interpolation, and may differ between jobs."""
    return frozenset() if dependencies(config, place) == frozenset() else None


def _folder(config: DictConfig) -> str:
    """The job's folder as the config has it; it may be relative."""
    return os.path.join(*(str(OmegaConf.select(config, f"hydra.sweep.{key}")) for key in ("dir", "subdir")))


def prepare_logging(rehearsals: Iterable[Rehearsal]) -> None:
    """Sets up in this process what the jobs of some compositions log to, where they have it in common.

    The others, and all where it fails, set up their own.
    """
    prepared = [rehearsal for rehearsal in rehearsals if rehearsal.logging is not None]
    common = prepared[0].logging if prepared else None
    if common is None:
        return
    try:
        common.set_up()
    except Exception:  # such as a class that is not there: each job meets it itself, and fails by it
        return
    for rehearsal in prepared:
        if common.is_like(rehearsal.logging):
            rehearsal.finds_logging()


def run_as_hydra(config: DictConfig, task_function: TaskFunction, context: HydraContext) -> JobReturn:
    """Runs a job of a sweep by Hydra's own function; ``config`` has the job's number."""
    return run_job(
        hydra_context=context,
        task_function=task_function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _as_hydra_config(config: DictConfig) -> DictConfig:
    """What ``HydraConfig`` holds of a config. The config's ``hydra`` node becomes read-only, as Hydra has it."""
    singleton = HydraConfig.instance()
    before = singleton.cfg
    try:
        singleton.set_config(config)
        held: DictConfig = singleton.cfg  # type: ignore[assignment]
        return held
    finally:
        singleton.cfg = before
