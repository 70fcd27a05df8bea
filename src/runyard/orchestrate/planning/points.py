"""From the sweeper's settings and the command line to the points of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from runyard.base import UsageError, unknown_name
from runyard.compose import Composer
from runyard.orchestrate.opening import absolute
from runyard.orchestrate.planning.planner import Values
from runyard.plan import (
    Axis,
    Chain,
    Condition,
    Dimension,
    Listed,
    Points,
    Product,
    axes_of,
    sample,
    seeds_dimension,
    table_rows,
    zipped,
)
from runyard.record import read_plan_table

OUR_SWEEPER = "hydra_plugins.runyard.sweeper.RunyardSweeper"
REUSE = ("never", "completed")
#: combinations of swept config groups that are asked for parameters of their own.
_MOST_BRANCHES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperSettings:
    """``hydra.sweeper.*``; the meaning of each key is in docs/configuration.md."""

    params: Mapping[str, Any] = field(default_factory=dict)
    zip: Mapping[str, Any] = field(default_factory=dict)
    union: Sequence[Any] = ()
    table: str | None = None
    seeds: Any = None
    seed_key: str = "seed"
    include: Any = ()
    exclude: Any = ()
    n_samples: int | None = None
    sampler: str = "random"
    sampler_seed: int = 0
    max_jobs: int | None = None
    shuffle_jobs: Any = False
    group_by: Any = ()
    dry_run: bool = False
    reuse: str = "never"
    max_batch_size: int | None = None


def settings_from(values: Mapping[str, Any]) -> SweeperSettings:
    """Settings from what stands under ``hydra.sweeper``; null is the default.

    Raises:
        UsageError: a value is of the wrong kind or out of range.
    """
    settings = SweeperSettings(**{key: value for key, value in values.items() if value is not None})
    for key, least in (("max_jobs", 1), ("max_batch_size", 1), ("n_samples", 1)):
        value = getattr(settings, key)
        if value is not None and value < least:
            raise UsageError(
                f"{key} is {value}", where=f"hydra.sweeper.{key}", todo=f"give a number of at least {least}, or null"
            )
    if settings.reuse not in REUSE:
        raise unknown_name("choice", str(settings.reuse), REUSE, where="hydra.sweeper.reuse")
    for key in ("zip", "params"):
        if not isinstance(getattr(settings, key), Mapping):
            raise UsageError(f"{key} is no mapping", where=f"hydra.sweeper.{key}", todo="write name: values")
    return settings


def sweeper_settings(config: DictConfig) -> SweeperSettings | None:
    """The settings of our sweeper in a composed config, or None when another sweeper is chosen."""
    node: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    return settings_from(node) if node.pop("_target_", "") == OUR_SWEEPER else None


def points_of(
    config: DictConfig, settings: SweeperSettings, arguments: Sequence[str], parser: OverridesParser, composer: Composer
) -> Points:
    """The points that a command line and the sweeper's settings ask for.

    Args:
        config: the sweep's own config.
        settings: the sweeper's.
        arguments: the overrides of the command line.
        parser: Hydra's, with the loader that ``glob`` needs.
        composer: tells what a config group brings along.

    Raises:
        UsageError: the settings contradict each other, or name what is not there.
        hydra.errors.HydraException: an override is not in Hydra's grammar.
    """
    params = {str(k): parser.parse_override(f"{k}={v}") for k, v in settings.params.items()}
    axes = axes_of(parser.parse_overrides(list(arguments)), params)
    fixed = [override for axis in axes if not axis.swept for override in axis.overrides]
    dimensions = [
        *_of_axes(axes, settings, lambda choices: _branch_params(composer, [*fixed, *choices]), parser, composer),
        *_of_table(config, settings, axes, parser),
        *(zipped(name, _columns(name, given, parser)) for name, given in settings.zip.items()),
        *_of_union(settings, parser),
        *([] if settings.seeds is None else [seeds_dimension(settings.seeds, settings.seed_key)]),
    ]
    names = _names(dimensions, axes)
    replicate = None if settings.seeds is None else settings.seed_key
    return Points(
        dimensions=dimensions,
        values_of=Values().of,
        names=names,
        replicate=replicate,
        slowest=_slowest(dimensions, _texts(settings.group_by, "group_by"), names),
        include=[Condition(t, names, "hydra.sweeper.include") for t in _texts(settings.include, "include")],
        exclude=[Condition(t, names, "hydra.sweeper.exclude") for t in _texts(settings.exclude, "exclude")],
        max_jobs=settings.max_jobs,
        shuffle=_shuffle(settings.shuffle_jobs),
    )


def _of_axes(
    axes: Sequence[Axis],
    settings: SweeperSettings,
    params_of: Callable[[Sequence[str]], Mapping[str, Any]],
    parser: OverridesParser,
    composer: Composer,
) -> list[Dimension]:
    """The axes in their order. Those that are sampled together, and those of groups, stand where the first was."""
    sampled = _sampled(axes, settings)
    groups = [axis for axis in axes if axis.swept and axis.interval is None and _chooses(axis, composer)]
    branched = _branches(groups, axes, params_of, parser)
    found: list[Dimension] = []
    for axis in axes:
        if axis.interval is not None:
            if sampled is not None:
                found.append(sampled)
                sampled = None
        elif branched is not None and axis in groups:
            found += [branched] if axis is groups[0] else []
        else:
            found.append(axis.dimension())
    return found


def _sampled(axes: Sequence[Axis], settings: SweeperSettings) -> Dimension | None:
    intervals = [axis.interval for axis in axes if axis.interval is not None]
    if intervals and settings.n_samples is None:
        name = intervals[0].name
        raise UsageError(
            f"the sweep over {name} has no list of values, and it is not said how many to draw",
            where=f"{name}=interval(...)",
            todo="set hydra.sweeper.n_samples=N and hydra.sweeper.sampler=random, sobol or lhs; or give values, "
            "or take a sweeper that searches, such as optuna",
        )
    if not intervals and settings.n_samples is not None:
        raise UsageError(
            "n_samples is set, and nothing is to be sampled",
            where="hydra.sweeper.n_samples",
            todo="give a key an interval, such as 'lr=tag(log,interval(1e-4,1e-1))'",
        )
    if not intervals or settings.n_samples is None:
        return None
    return sample(intervals, settings.n_samples, settings.sampler, settings.sampler_seed)


def _chooses(axis: Axis, composer: Composer) -> bool:
    return bool(axis.overrides) and bool(composer.choices_of(axis.overrides[:1]))


def _branches(
    groups: Sequence[Axis],
    axes: Sequence[Axis],
    params_of: Callable[[Sequence[str]], Mapping[str, Any]],
    parser: OverridesParser,
) -> Dimension | None:
    """Each combination of swept config groups with the parameters of its own; None where none has any."""
    combinations = list(product(*(axis.overrides for axis in groups)))
    if not groups or len(combinations) > _MOST_BRANCHES:
        return None
    given = {axis.name for axis in axes}
    parts: list[Dimension] = []
    for combination in combinations:
        own = {key: text for key, text in params_of(combination).items() if key not in given}
        parsed = {key: parser.parse_override(f"{key}={text}") for key, text in own.items()}
        chosen = Listed(tuple(axis.name for axis in groups), [combination])
        parts.append(Product([chosen, *(axis.dimension() for axis in axes_of((), parsed))]))
    return None if all(len(part) == 1 for part in parts) else Chain(parts)


def _branch_params(composer: Composer, choices: Sequence[str]) -> Mapping[str, Any]:
    config = composer.compose(choices)
    found: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    return {str(key): value for key, value in (found.get("params") or {}).items()}


def _of_table(
    config: DictConfig, settings: SweeperSettings, axes: Sequence[Axis], parser: OverridesParser
) -> list[Dimension]:
    if settings.table is None:
        return []
    path = absolute(config, settings.table)
    rows = read_plan_table(path)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for axis in axes:
        if axis.swept:
            raise UsageError(
                f"a table gives every job, and {axis.name} is swept besides",
                where="hydra.sweeper.table",
                todo=f"make {axis.name} a column of the table, or give it one value",
            )
    return [table_rows(rows, names, str(path), parser.parse_override)]


def _of_union(settings: SweeperSettings, parser: OverridesParser) -> list[Dimension]:
    if not settings.union:
        return []
    parts: list[Dimension] = []
    for number, grid in enumerate(settings.union):
        where = f"hydra.sweeper.union[{number}]"
        if not isinstance(grid, Mapping) or not grid:
            raise UsageError("a grid of the union is no mapping", where=where, todo="write {lr: '0.1,0.2', opt: adam}")
        axes = axes_of((), {str(k): _parse(str(k), v, parser) for k, v in grid.items()})
        if any(axis.interval is not None for axis in axes):
            raise UsageError("an interval cannot stand in a union", where=where, todo="give it on the command line")
        parts.append(Product([axis.dimension() for axis in axes]))
    return [Chain(parts)]


def _columns(name: str, given: Any, parser: OverridesParser) -> dict[str, tuple[str, ...]]:
    where = f"hydra.sweeper.zip.{name}"
    if not isinstance(given, Mapping):
        raise UsageError("a zip is no mapping", where=where, todo="write {lr: [0.1,0.01], batch: [32,64]}")
    columns = {}
    for key, values in given.items():
        axes = axes_of([_parse(str(key), values, parser)], {})
        if axes[0].interval is not None:
            raise UsageError(f"{key} has an interval in it", where=where, todo="give a list of values")
        columns[axes[0].name] = axes[0].overrides
    return columns


def _parse(key: str, values: Any, parser: OverridesParser) -> Override:
    """An override of a key with the values of a setting: a text in Hydra's grammar, a list, or one value."""
    if isinstance(values, str):
        return parser.parse_override(f"{key}={values}")
    listed = values if isinstance(values, list) else [values]
    return parser.parse_override(f"{key}={','.join(Override._get_value_element_as_str(v) for v in listed)}")


def _names(dimensions: Sequence[Dimension], axes: Sequence[Axis]) -> tuple[str, ...]:
    """The swept keys in order.

    Raises:
        UsageError: a key is given its values in two ways.
    """
    found: dict[str, Dimension] = {}
    fixed = {axis.name for axis in axes if not axis.swept}
    for dimension in dimensions:
        for name in dimension.names:
            if found.setdefault(name, dimension) is not dimension or name in fixed:
                raise UsageError(
                    f"{name} is given its values in two ways",
                    where="hydra.sweeper",
                    todo="give it once: on the command line, or in params, zip, union, table or seeds",
                )
    return tuple(found)


def _slowest(dimensions: Sequence[Dimension], keys: Sequence[str], names: Sequence[str]) -> list[int]:
    for key in keys:
        if key not in names:
            raise unknown_name("key", key, names, where="hydra.sweeper.group_by")
    return [next(i for i, d in enumerate(dimensions) if key in d.names) for key in keys]


def _texts(value: Any, key: str) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
        raise UsageError(f"{key} cannot be {value!r}", where=f"hydra.sweeper.{key}", todo="give a text, or several")
    return list(listed)


def _shuffle(value: Any) -> int | None:
    if value is True:
        return 0
    if value is False or type(value) is int:
        return None if value is False else value
    raise UsageError(
        f"shuffle_jobs cannot be {value!r}", where="hydra.sweeper.shuffle_jobs", todo="say true, false or a seed"
    )
