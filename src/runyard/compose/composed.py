"""A job's config and what a sweep asks of it, in the cheapest form that is right. Knows not how to compose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from omegaconf import DictConfig, OmegaConf, open_dict

from runyard.compose.clone import clone
from runyard.compose.composition import Composition, JobTexts, fill_job, task_texts
from runyard.compose.document import NotPiecewiseError
from runyard.compose.job import JobOrder
from runyard.compose.key import output_dir, run_key
from runyard.compose.line import Line
from runyard.compose.patch import NotLocalError, apply_in_place

Choices = tuple[str, ...]


class ComposedJob:
    """What a sweep asks of a job's config."""

    #: the choices from whose composition a process can make the job by an order; None where it needs the config.
    choices: Choices | None = None

    def config(self) -> DictConfig:
        """The whole config without the job's number; the caller's own.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        raise NotImplementedError

    @contextmanager
    def on_loan(self, job: int) -> Iterator[DictConfig]:
        """The whole config with the job's number, to be looked at and not to be kept. Raises as above."""
        yield number_job(self.config(), job)

    def run_key(self) -> str:
        """See ``compose.run_key``. Raises as above."""
        raise NotImplementedError

    def output_dir(self, job: int) -> str:
        """See ``compose.output_dir``. Overrides that cannot be applied are told by ``run_key`` and ``config`` first."""
        raise NotImplementedError

    def order(self, job: int, run_dir: str) -> JobOrder:
        """What makes the job of the composition of ``choices``, where there are any."""
        raise NotImplementedError


class ExactJob(ComposedJob):
    """A job whose config Hydra has composed."""

    def __init__(self, config: DictConfig, exclude: Collection[str]) -> None:
        self._config, self._exclude = config, exclude

    def config(self) -> DictConfig:
        """As ``ComposedJob`` has it."""
        return self._config

    def run_key(self) -> str:
        """As ``ComposedJob`` has it."""
        return run_key(self._config, self._exclude)

    @contextmanager
    def on_loan(self, job: int) -> Iterator[DictConfig]:
        """As ``ComposedJob`` has it."""
        yield number_job(clone(self._config), job)

    def output_dir(self, job: int) -> str:
        """As ``ComposedJob`` has it."""
        return output_dir(number_job(clone(self._config), job))


class QuickJob(ComposedJob):
    """A job that differs in values from a composition."""

    def __init__(self, composition: Composition, line: Line, by_hydra: Callable[[], ComposedJob]) -> None:
        """``by_hydra`` composes the job in Hydra's own way."""
        self._composition, self._line, self._by_hydra = composition, line, by_hydra
        self.choices = tuple(part.text for part in line if part.chooses)
        self._values = tuple(part.override for part in line if not part.chooses)

    def config(self) -> DictConfig:
        """As ``ComposedJob`` has it."""
        try:
            return self.fast_config()
        except Exception:  # whatever it was: Hydra's own composition decides, and words the error
            return self._by_hydra().config()

    def fast_config(self) -> DictConfig:
        """The config without Hydra's help. Raises where its own way would be needed."""
        config = clone(self._composition.config)
        config._metadata.resolver_cache = defaultdict(dict)  # composing starts with none
        apply_in_place(self._values, config)
        OmegaConf.copy_cache(self._composition.config, config)
        fill_job(config.hydra, task_texts(self._line), None, self._composition.dirname(self._line))
        return config

    @contextmanager
    def on_loan(self, job: int) -> Iterator[DictConfig]:
        """As ``ComposedJob`` has it."""
        try:
            loan = self._composition.of_job(self._line, job)
            config = loan.__enter__()
        except Exception:  # as above
            yield number_job(self.config(), job)
            return
        try:
            yield config
        finally:
            loan.__exit__(None, None, None)

    def run_key(self) -> str:
        """As ``ComposedJob`` has it."""
        try:
            return self._composition.run_key(self._line)
        except Exception:  # as above
            return self._by_hydra().run_key()

    def output_dir(self, job: int) -> str:
        """As ``ComposedJob`` has it."""
        try:
            return self._composition.output_dir(self._line, job)
        except Exception:  # as above
            return self._by_hydra().output_dir(job)

    def order(self, job: int, run_dir: str) -> JobOrder:
        """As ``ComposedJob`` has it."""
        return JobOrder(
            job=job,
            run_dir=run_dir,
            values=self._values,
            overrides=tuple(task_texts(self._line)),
            dirname=self._composition.dirname(self._line),
            texts=self.texts(job, run_dir),
        )

    def texts(self, job: int, run_dir: str) -> JobTexts | None:
        """The files that Hydra writes into ``.hydra``; None where they must be written from the config."""
        try:
            return self._composition.texts(self._line, job, run_dir)
        except (NotPiecewiseError, NotLocalError):
            return None


def number_job(config: DictConfig, job: int) -> DictConfig:
    """Gives a composed config the job's number, as Hydra's basic launcher does; returns it."""
    with open_dict(config):
        config.hydra.job.id = job
        config.hydra.job.num = job
    return config
