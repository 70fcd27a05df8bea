"""From override strings to axes: Hydra's grid, as Hydra reads it. Pure; composes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import Override

from runyard.base import UsageError
from runyard.plan.dimension import Alternative, Dimension, Listed
from runyard.plan.sampling import Interval

Parse = Callable[[str], Override]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One override key and the overrides it takes in turn, or the interval that it takes them from.

    ``swept`` is False for a value given once and for all.
    """

    name: str
    overrides: tuple[str, ...]
    swept: bool
    interval: Interval | None = None

    def dimension(self) -> Dimension:
        """Its overrides as alternatives.

        Raises:
            UsageError: the sweep has no values.
        """
        if not self.overrides:
            raise UsageError(f"the sweep over {self.name} has no values", where=self.name, todo="give it at least one")
        return Listed((self.name,) if self.swept else (), [(override,) for override in self.overrides])


def axes_of(parsed: Sequence[Override], params: Mapping[str, Override]) -> list[Axis]:
    """The axes of a grid, in the order in which their keys come first; a key given again takes the later values.

    Args:
        parsed: the overrides of the command line.
        params: those of ``hydra.sweeper.params`` by key; they come first, and count as swept also with one value.

    Raises:
        UsageError: an interval is none.
    """
    axes: dict[str, Axis] = {}
    for override in (*params.values(), *parsed):
        axis = _axis(override)
        swept = axis.swept or override in params.values() or (axis.name in axes and axes[axis.name].swept)
        axes[axis.name] = Axis(name=axis.name, overrides=axis.overrides, swept=swept, interval=axis.interval)
    return list(axes.values())


def _axis(override: Override) -> Axis:
    name = override.get_key_element()
    if not override.is_sweep_override():
        return Axis(name=name, overrides=(f"{name}={override.get_value_element_as_str()}",), swept=False)
    if not override.is_discrete_sweep():
        return Axis(name=name, overrides=(), swept=True, interval=_interval(name, override.value()))
    values = tuple(f"{name}={value}" for value in override.sweep_string_iterator())
    return Axis(name=name, overrides=values, swept=True)


def _interval(name: str, value: Any) -> Interval:
    """``interval(a,b)``; of whole numbers with ``int(interval(a,b))`` or the tag ``int``, logarithmic with ``log``."""
    whole = "int" in value.tags or (type(value.start) is int and type(value.end) is int)
    return Interval(name=name, low=value.start, high=value.end, is_integer=whole, is_log="log" in value.tags)


def table_rows(rows: Sequence[Mapping[str, str]], names: Sequence[str], where: str, parse: Parse) -> Dimension:
    """The rows of a table, one after another.

    Args:
        rows: override key to override text of each row.
        names: the keys, in order.
        where: the table, for messages.
        parse: Hydra's parser.

    Raises:
        UsageError: a cell is not a value in Hydra's grammar.
    """
    return Listed(tuple(names), [_row(row, f"{where}, row {n}", parse) for n, row in enumerate(rows, start=1)])


def _row(row: Mapping[str, str], where: str, parse: Parse) -> Alternative:
    overrides: list[str] = []
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
    return tuple(overrides)
