"""From override strings to jobs: Hydra's grid. Pure; composes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override

from runyard.base import UsageError

Parse = Callable[[str], Override]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One override key and the overrides it takes in turn. ``swept`` is False for a value given once and for all."""

    name: str
    overrides: tuple[str, ...]
    swept: bool


def axes_of(parsed: Sequence[Override], params: Mapping[str, Override]) -> list[Axis]:
    """The axes of a grid, in the order in which their keys come first; a key given again takes the later values.

    Args:
        parsed: the overrides of the command line.
        params: those of ``hydra.sweeper.params`` by key; they come first, and count as swept also with one value.

    Raises:
        UsageError: an override is a sweep over a continuous range.
    """
    axes: dict[str, Axis] = {}
    for override in (*params.values(), *parsed):
        axis = _axis(override)
        swept = axis.swept or override in params.values() or (axis.name in axes and axes[axis.name].swept)
        axes[axis.name] = Axis(name=axis.name, overrides=axis.overrides, swept=swept)
    return list(axes.values())


def _axis(override: Override) -> Axis:
    name = override.get_key_element()
    if not override.is_sweep_override():
        return Axis(name=name, overrides=(f"{name}={override.get_value_element_as_str()}",), swept=False)
    if not override.is_discrete_sweep():
        kind = override.value_type.name if override.value_type else "this kind of sweep"
        raise UsageError(
            f"the sweep over {name} has no list of values ({kind.lower().replace('_', ' ')})",
            where=str(override.input_line),
            todo="give values (a,b,c), range(...) or glob(...), or use a sweeper that samples, such as optuna",
        )
    values = tuple(f"{name}={value}" for value in override.sweep_string_iterator())
    return Axis(name=name, overrides=values, swept=True)


def grid(axes: Sequence[Axis]) -> Iterator[list[str]]:
    """The overrides of each job: every combination, the last axis fastest."""
    for combination in itertools.product(*(axis.overrides for axis in axes)):
        yield list(combination)


def grid_size(axes: Sequence[Axis]) -> int:
    """How many jobs ``grid`` gives."""
    size = 1
    for axis in axes:
        size *= len(axis.overrides)
    return size


def table_jobs(rows: Sequence[Mapping[str, str]], fixed: Sequence[Axis], where: str, parse: Parse) -> list[list[str]]:
    """The overrides of each row of a table, after those that are the same for all.

    Raises:
        UsageError: an axis of the command line is swept too, or a cell is not a value in Hydra's grammar.
    """
    for axis in fixed:
        if axis.swept:
            raise UsageError(
                f"a table gives every job, and {axis.name} is swept besides",
                where="hydra.sweeper.table",
                todo=f"make {axis.name} a column of the table, or give it one value",
            )
    common = [override for axis in fixed for override in axis.overrides]
    return [common + _row(row, f"{where}, row {n}", parse) for n, row in enumerate(rows, start=1)]


def _row(row: Mapping[str, str], where: str, parse: Parse) -> list[str]:
    overrides = []
    for key, value in row.items():
        text = f"{key}={value}"
        try:
            is_sweep = parse(text).is_sweep_override()
        except Exception as exc:  # Hydra's parser has no error class of its own for every fault
            raise UsageError(
                f"{text!r} is not an override",
                where=where,
                todo="write the cell as on the command line, quoted for Hydra",
            ) from exc
        if is_sweep:
            raise UsageError(f"{text!r} gives several values", where=where, todo="give each job a row of its own")
        overrides.append(text)
    return overrides
