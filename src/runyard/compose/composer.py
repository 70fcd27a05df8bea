"""From a job's overrides to its config, fast, and as Hydra would compose it.

Overrides that only set values are applied, by Hydra's own function, to one composition; whatever chooses config
groups, or touches ``hydra.*``, is composed by Hydra once per distinct combination. The first job of each combination
is composed both ways and compared; on any difference, and on any error, Hydra's own way is taken.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import cloudpickle
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from runyard.compose.clone import clone
from runyard.compose.composed import Choices, ComposedJob, ExactJob, QuickJob, number_job
from runyard.compose.composition import Composition, JobTexts, task_of
from runyard.compose.job import Rehearsal
from runyard.compose.key import run_key
from runyard.compose.line import Line, LineReader, Part
from runyard.compose.same import is_same_config
from runyard.compose.sources import Sources

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
        self._candidates: dict[Choices, Composition | None] = {}

    def job(self, overrides: Sequence[str]) -> ComposedJob:
        """A job's config, in the cheapest form that is proved to be right.

        Raises:
            hydra.errors.HydraException: what Hydra raises for these overrides.
        """
        texts = tuple(overrides)
        if texts in self.frozen.exact:
            return ExactJob(self._thaw(self.frozen.exact[texts]), self._exclude)
        try:
            line = self._reader.read(texts)
        except Exception:  # Hydra's parser has no error class of its own for every fault; composing words it
            return self._exact(texts, as_read=False)
        if any(part.alone for part in line):
            return self._exact(texts, as_read=False)
        choices = tuple(part.text for part in line if part.chooses)
        composition = self._composition(choices, line)
        if composition is None:
            return self._exact(texts)
        composition.share_cache(self._master)
        if not composition.is_local(line):
            return self._exact(texts)
        return QuickJob(composition, line, lambda: self._exact(texts))

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
        """The composition that a job differs from in values; None where only Hydra can compose it."""
        if choices in self._compositions:
            return self._compositions[choices]
        if choices in self.frozen.bases:
            data = self.frozen.bases[choices]
            found = Composition(self._thaw(data), self._exclude) if data else None
        else:
            found = self._candidate(choices)
            if found is not None and not found.is_local(line):
                return None  # another job of these choices may prove it
            if found is not None and not self._is_proved(found, choices, line):
                found = None
            self._candidates.pop(choices)
            self.frozen.bases[choices] = freeze_config(found.config) if found is not None else b""
        self._compositions[choices] = found
        return found

    def _candidate(self, choices: Choices) -> Composition | None:
        """A composition that has to be proved; None where there can be none."""
        if choices not in self._candidates:
            base = self._base(choices)
            found = Composition(base, self._exclude) if base is not None else None
            self._candidates[choices] = found if found is not None and found.is_common() else None
        candidate = self._candidates[choices]
        if candidate is not None:
            candidate.share_cache(self._master)
        return candidate

    def _base(self, choices: Choices) -> DictConfig | None:
        """What the choices of a job come to; None where they are nothing without the job's values."""
        try:
            return self._by_hydra(choices)
        except Exception:  # whatever it was: with the values Hydra has composed them
            return None

    def _is_proved(self, composition: Composition, choices: Choices, line: Line) -> bool:
        """Whether the quick way gives for this job what Hydra gives: config, key and texts.

        Raises:
            hydra.errors.HydraException: what Hydra raises for this job.
        """
        texts = tuple(part.text for part in line)
        by_hydra = self._by_hydra(texts) if texts != choices else clone(composition.config)
        quick = QuickJob(composition, line, lambda: self._exact(texts))
        try:
            own = quick.fast_config()
            key = composition.run_key(line)
        except Exception:  # whatever it was: Hydra's own composition decides, and words the error
            return False
        if not is_same_config(own, by_hydra) or key != run_key(by_hydra, self._exclude):
            return False
        files = quick.texts(0, "/")
        return files is None or _is_text_of(files, by_hydra)

    def _by_hydra(self, texts: Choices, *, as_read: bool = True) -> DictConfig:
        if self._sources is None:
            raise LookupError(f"no frozen config for the overrides {list(texts)}")
        return self._sources.compose(texts, as_read=as_read)

    def _exact(self, texts: Choices, *, as_read: bool = True) -> ComposedJob:
        config = self._by_hydra(texts, as_read=as_read)
        self.frozen.exact[texts] = freeze_config(config)
        return ExactJob(config, self._exclude)

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


def freeze_config(config: DictConfig) -> bytes:
    """A pickle of a config; classes that cannot be imported by their name go with it."""
    try:
        return pickle.dumps(config, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):  # a class that cannot be imported by its name
        data: bytes = cloudpickle.dumps(config)
        return data
