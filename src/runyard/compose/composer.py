"""From a job's overrides to its config, fast, and as Hydra would compose it.

Overrides that only set values are applied, by Hydra's own function, to one composition; whatever chooses config
groups, or touches ``hydra.*``, is composed by Hydra once per distinct combination. The first job of each combination
is composed both ways and compared; on any difference, and on any error, Hydra's own way is taken.
"""

from __future__ import annotations

import pickle
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import cloudpickle
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from runyard.compose.clone import clone
from runyard.compose.composition import Composition, JobTexts, fill_job, task_of, task_texts
from runyard.compose.document import NotPiecewiseError
from runyard.compose.job import JobOrder, Rehearsal
from runyard.compose.key import output_dir, run_key
from runyard.compose.line import Line, LineReader, Part
from runyard.compose.patch import NotLocalError, apply_in_place
from runyard.compose.same import is_same_config
from runyard.compose.sources import Sources

Choices = tuple[str, ...]
_HYDRAS = re.compile(r"hydra($|[./\[])")
_SEARCH_PATH = re.compile(r"hydra($|\.searchpath|\[)")


@dataclass(slots=True)
class Frozen:
    """Everything that composing needs, without the config files: it can be pickled and used later.

    ``bases`` maps the overrides that choose to the pickled composition of them alone (empty where only Hydra can
    compose their jobs), ``exact`` all overrides of a job to its pickled config where only Hydra could compose it,
    ``groups`` names that are config groups.
    """

    bases: dict[Choices, bytes] = field(default_factory=dict)
    exact: dict[Choices, bytes] = field(default_factory=dict)
    groups: dict[str, bool] = field(default_factory=dict)


class Composer:
    """Composes the jobs of one sweep.

    Args:
        master: the sweep's own config, composed by Hydra.
        loader: Hydra's loader, or None to compose only what is frozen.
        frozen: what an earlier composer has gathered.
        exclude: dotted keys that do not count in run keys.
    """

    def __init__(
        self,
        master: DictConfig,
        loader: ConfigLoader | None,
        frozen: Frozen | None = None,
        *,
        exclude: Collection[str] = (),
    ) -> None:
        self._master, self._exclude = master, tuple(exclude)
        self._sources = Sources(master, loader) if loader is not None else None
        self.frozen = frozen or Frozen()
        self._reader = LineReader(self._judge)
        self._compositions: dict[Choices, Composition | None] = {}

    def job(self, overrides: Sequence[str]) -> ComposedJob:
        """A job's config, in the cheapest form that is proved to be right.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        texts = tuple(overrides)
        if texts in self.frozen.exact:
            return _ExactJob(self._thaw(self.frozen.exact[texts]), self._exclude)
        try:
            line = self._reader.read(texts)
        except Exception:  # Hydra's parser has no error class of its own for every fault; composing words it
            return self._exact(texts, as_read=False)
        if any(part.alone for part in line):
            return self._exact(texts, as_read=False)
        choices = tuple(part.text for part in line if part.chooses)
        if choices not in self._compositions:
            self._compositions[choices] = self._composition(choices, line)
        composition = self._compositions[choices]
        if composition is None:
            return self._exact(texts)
        composition.share_cache(self._master)
        if not composition.is_local(line):
            return self._exact(texts)
        return _QuickJob(self, composition, line, texts)

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The whole config of a job, the ``hydra`` node included, without the job's number. It is the caller's own.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        return self.job(overrides).config()

    def choices_of(self, overrides: Sequence[str]) -> Choices:
        """The overrides of a job that may change which files are composed; all of them where only Hydra can tell."""
        texts = tuple(overrides)
        try:
            line = self._reader.read(texts)
        except Exception:  # as above
            return texts
        return texts if any(p.alone for p in line) else tuple(p.text for p in line if p.chooses)

    def _composition(self, choices: Choices, line: Line) -> Composition | None:
        if choices in self.frozen.bases:
            data = self.frozen.bases[choices]
            return Composition(self._thaw(data), self._exclude) if data else None
        texts = tuple(part.text for part in line)
        by_hydra = self._by_hydra(texts)
        base = self._base(choices) if choices != texts else clone(by_hydra)
        self.frozen.bases[choices] = b""
        if base is None:
            return None
        composition = Composition(base, self._exclude)
        composition.share_cache(self._master)
        if not self._is_proved(composition, line, by_hydra):
            return None
        self.frozen.bases[choices] = freeze_config(base)
        return composition

    def _base(self, choices: Choices) -> DictConfig | None:
        """What the choices of a job come to; None where they are nothing without the job's values."""
        try:
            return self._by_hydra(choices)
        except Exception:  # whatever it was: with the values Hydra has composed them
            return None

    def _is_proved(self, composition: Composition, line: Line, by_hydra: DictConfig) -> bool:
        """Whether the quick way gives for this job what Hydra gives: config, key and texts."""
        if not composition.is_common():
            return False
        quick = _QuickJob(self, composition, line, tuple(part.text for part in line))
        try:
            own = quick.fast_config()
            key = composition.run_key(line)
        except Exception:  # whatever it was: Hydra's own composition decides, and words the error
            return False
        if not is_same_config(own, by_hydra) or key != run_key(by_hydra, self._exclude):
            return False
        texts = quick.texts(0, "/")
        return texts is None or _is_text_of(texts, by_hydra)

    def _by_hydra(self, texts: Choices, *, as_read: bool = True) -> DictConfig:
        if self._sources is None:
            raise LookupError(f"no frozen config for the overrides {list(texts)}")
        return self._sources.compose(texts, as_read=as_read)

    def _exact(self, texts: Choices, *, as_read: bool = True) -> ComposedJob:
        config = self._by_hydra(texts, as_read=as_read)
        self.frozen.exact[texts] = freeze_config(config)
        return _ExactJob(config, self._exclude)

    def _thaw(self, data: bytes) -> DictConfig:
        """A frozen config, with the values that the sweep's own config has resolved so far (``${now:}``)."""
        config: DictConfig = pickle.loads(data)
        OmegaConf.copy_cache(self._master, config)
        return config

    def rehearse(self, choices: Choices) -> Rehearsal | None:
        """Readies the jobs of a composition; None where they must be run from whole configs."""
        composition = self._compositions.get(choices)
        if composition is None and self.frozen.bases.get(choices):
            composition = self._compositions[choices] = Composition(
                self._thaw(self.frozen.bases[choices]), self._exclude
            )
        if composition is None:
            return None
        composition.share_cache(self._master)
        rehearsal = Rehearsal(composition.config)
        return rehearsal if rehearsal.is_like_hydras() else None

    # -- what an override may do -----------------------------------------------------------------------------------

    def _judge(self, override: Override) -> Part:
        text = str(override.input_line)
        return Part(
            text=text,
            override=override,
            chooses=not self._sets_value(override),
            alone=self._is_for_hydra_alone(override),
            refers="$" in text,  # not "${": braces may be escaped
            is_hydras=override.is_hydra_override(),
        )

    def _is_for_hydra_alone(self, override: Override) -> bool:
        """Whether an override is an error in one job's line, or changes where and which config files are found."""
        key = override.key_or_group
        if override.is_sweep_override() or _SEARCH_PATH.match(key):
            return True
        return bool(override.is_delete() and self._exists(key, "config"))

    def _sets_value(self, override: Override) -> bool:
        """Whether an override sets a value of the task's config, and cannot change which files are composed."""
        key = override.key_or_group
        if override.package is not None or _HYDRAS.match(key) or override.is_sweep_override():
            return False
        return isinstance(override.value(), dict) or not self._exists(key, "group")

    def _exists(self, key: str, kind: str) -> bool:
        """Whether there is a config group (or a config, with ``kind`` ``config``) of that name."""
        name = key if kind == "group" else f"{key}.yaml"
        known = self.frozen.groups.get(name)
        if known is None:
            known = self.frozen.groups[name] = self._ask(key, kind)
        return known

    def _ask(self, key: str, kind: str) -> bool:
        if self._sources is None:
            return True  # cannot be proved to be a value: Hydra composes it
        return self._sources.group_exists(key) if kind == "group" else self._sources.config_exists(key)


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


class _ExactJob(ComposedJob):
    """A job whose config Hydra has composed."""

    def __init__(self, config: DictConfig, exclude: Collection[str]) -> None:
        self._config, self._exclude = config, exclude

    def config(self) -> DictConfig:
        return self._config

    def run_key(self) -> str:
        return run_key(self._config, self._exclude)

    @contextmanager
    def on_loan(self, job: int) -> Iterator[DictConfig]:
        yield number_job(clone(self._config), job)

    def output_dir(self, job: int) -> str:
        return output_dir(number_job(clone(self._config), job))


class _QuickJob(ComposedJob):
    """A job that differs in values from a composition."""

    def __init__(self, composer: Composer, composition: Composition, line: Line, texts: Choices) -> None:
        self._composer, self._composition, self._line, self._texts = composer, composition, line, texts
        self.choices = tuple(part.text for part in line if part.chooses)
        self._values = tuple(part.override for part in line if not part.chooses)

    def config(self) -> DictConfig:
        try:
            return self.fast_config()
        except Exception:  # whatever it was: Hydra's own composition decides, and words the error
            return self._otherwise().config()

    def fast_config(self) -> DictConfig:
        config = clone(self._composition.config)
        config._metadata.resolver_cache = defaultdict(dict)  # composing starts with none
        apply_in_place(self._values, config)
        OmegaConf.copy_cache(self._composition.config, config)
        fill_job(config.hydra, task_texts(self._line), None, self._composition.dirname(self._line))
        return config

    @contextmanager
    def on_loan(self, job: int) -> Iterator[DictConfig]:
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
        try:
            return self._composition.run_key(self._line)
        except Exception:  # as above
            return self._otherwise().run_key()

    def output_dir(self, job: int) -> str:
        try:
            return self._composition.output_dir(self._line, job)
        except Exception:  # as above
            return self._otherwise().output_dir(job)

    def order(self, job: int, run_dir: str) -> JobOrder:
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

    def _otherwise(self) -> ComposedJob:
        return self._composer._exact(self._texts)


def _is_text_of(texts: JobTexts, config: DictConfig) -> bool:
    """Whether the texts of job 0 in the folder ``/`` are what OmegaConf writes of the config."""
    whole: DictConfig = number_job(clone(config), 0)
    with open_dict(whole):
        whole.hydra.runtime.output_dir = "/"
    return (
        texts.config == OmegaConf.to_yaml(task_of(whole))
        and texts.hydra == OmegaConf.to_yaml(OmegaConf.masked_copy(whole, "hydra"))
        and texts.overrides == OmegaConf.to_yaml(whole.hydra.overrides.task)
    )


def number_job(config: DictConfig, job: int) -> DictConfig:
    """Gives a composed config the job's number, as Hydra's basic launcher does; returns it."""
    with open_dict(config):
        config.hydra.job.id = job
        config.hydra.job.num = job
    return config


def freeze_config(config: DictConfig) -> bytes:
    """A pickle of a config; classes that cannot be imported by their name go with it."""
    try:
        return pickle.dumps(config, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):  # a class that cannot be imported by its name
        data: bytes = cloudpickle.dumps(config)
        return data
