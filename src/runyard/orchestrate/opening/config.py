"""From Hydra's config to our settings: what the recorder, the job and the sweep are told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from runyard.base import function_of, unknown_name
from runyard.gates import Rule, parse_rules, read_rules
from runyard.orchestrate.opening.settings import RecorderSettings

CALLBACK = "hydra.callbacks.runyard"
OUR_LAUNCHERS = frozenset(
    {
        "hydra_plugins.runyard.launcher.RunyardLocalLauncher",
        "hydra_plugins.runyard.slurm_launcher.RunyardSlurmLauncher",
    }
)
RECORDER_KEYS = tuple(f.name for f in dataclasses.fields(RecorderSettings))


def recorder_settings(config: DictConfig) -> RecorderSettings:
    """The recorder's settings in a composed config; defaults, and no root, where the callback is not chosen.

    Raises:
        UsageError: a key under ``hydra.callbacks.runyard`` is not known.
    """
    job_name = str(OmegaConf.select(config, "hydra.job.name", default="sweep"))
    node = OmegaConf.select(config, CALLBACK)
    if node is None:
        return RecorderSettings(experiment=job_name)
    values: Any = OmegaConf.to_container(node, resolve=True)
    values.pop("_target_", None)
    for key in values:
        if key not in RECORDER_KEYS:
            raise unknown_name("key", key, RECORDER_KEYS, where=CALLBACK)
    given = {k: v for k, v in values.items() if v is not None}
    for key in ("tags", "exclude_keys"):
        value = given.get(key, ())
        given[key] = tuple(str(v) for v in ([value] if isinstance(value, str) else value))
    return RecorderSettings(**{"experiment": job_name, **given})


def validator(settings: RecorderSettings) -> Callable[[DictConfig], None] | None:
    """The application's own check of a job's config, called before anything runs; it raises UsageError.
    None where it has none.

    Raises:
        UsageError: ``hydra.callbacks.runyard.validate`` does not name a function that can be imported.
    """
    if not settings.validate:
        return None
    function = function_of(
        settings.validate,
        where=f"{CALLBACK}.validate",
        todo="give the dotted name of a function of the config, such as app.config.validate",
    )

    def check(config: DictConfig) -> None:
        function(without_hydra(config))

    return check


def finisher(dotted: str | None) -> Callable[[Path], Any] | None:
    """The application's own function that is called with a sweep's directory when the sweep has ended; None without.

    Raises:
        UsageError: ``hydra.callbacks.runyard.finish`` does not name a function that can be imported.
    """
    if not dotted:
        return None
    return function_of(
        dotted,
        where=f"{CALLBACK}.finish",
        todo="give the dotted name of a function of the sweep's directory, such as app.trials.gather",
    )


def gate_rules(settings: RecorderSettings, cwd: Path) -> tuple[Rule, ...]:
    """The rules of ``hydra.callbacks.runyard.gates``: a list, or the path of a file, taken from ``cwd``.

    Raises:
        UsageError: they are none.
    """
    if not settings.gates:
        return ()
    if isinstance(settings.gates, str):
        return read_rules(cwd / settings.gates)
    return parse_rules(settings.gates, f"{CALLBACK}.gates")


def without_hydra(config: DictConfig) -> DictConfig:
    """A copy of a composed config as the task gets it."""
    task = config.copy()
    with read_write(task), open_dict(task):
        del task["hydra"]
    return task


def seed_of(config: DictConfig, seed_key: str | None) -> Any:
    """The seed in a job's config: at ``seed_key``; else at ``seed``, else the one value whose last key is ``seed``."""
    if seed_key:
        return OmegaConf.select(config, seed_key, throw_on_missing=False)
    plain = {k: config._get_node(k) for k in config if k != "hydra"}
    if "seed" in plain:
        return OmegaConf.select(config, "seed", throw_on_missing=False)
    found = [path for path in _leaves(config, "") if path.rpartition(".")[2] == "seed"]
    return OmegaConf.select(config, found[0], throw_on_missing=False) if len(found) == 1 else None


def _leaves(node: DictConfig, prefix: str) -> list[str]:
    paths: list[str] = []
    for key in node:
        if not prefix and key == "hydra":
            continue
        child = node._get_node(key)
        if isinstance(child, DictConfig) and not (child._is_none() or child._is_missing() or child._is_interpolation()):
            paths += _leaves(child, f"{prefix}{key!s}.")
        else:
            paths.append(f"{prefix}{key!s}")
    return paths


def launcher_name(config: DictConfig) -> str:
    """The launcher's name as it is chosen (``hydra/launcher=...``), or its class."""
    choices: Any = OmegaConf.select(config, "hydra.runtime.choices", default={})
    chosen = choices.get("hydra/launcher")
    return str(chosen or OmegaConf.select(config, "hydra.launcher._target_", default="unknown"))


def task_overrides(config: DictConfig) -> tuple[str, ...]:
    """The overrides of the task in a composed config, as written."""
    written: Any = OmegaConf.to_container(config.hydra.overrides.task)
    return tuple(str(override) for override in written)


def swept_names(job_overrides: Sequence[str], common: Sequence[str]) -> list[str]:
    """Keys of a job's overrides that are not, to the letter, among those of the command line: they were swept."""
    shared = set(common)
    return [key_of(o) for o in job_overrides if o not in shared]


def key_of(override: str) -> str:
    """The key of an override, as written: ``+a.b`` of ``+a.b=1``."""
    return override.partition("=")[0]


def absolute(config: DictConfig, path: str) -> Path:
    """A path of the config, taken from where the application was started."""
    return Path(str(config.hydra.runtime.cwd), path)


def plain_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Swept values as JSON can carry them."""
    return {k: _plain(v) for k, v in values.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return getattr(value, "text", None) or str(value)  # QuotedString has its text
