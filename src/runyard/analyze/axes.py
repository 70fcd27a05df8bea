"""An axis: one swept name and the values it takes. Says what kind it is; draws nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from runyard.analyze.cells import Cell, kind_of, level
from runyard.analyze.jobtable import JobTable

#: last parts of names that number the instances an experiment is repeated on, and are no setting of it.
_REPLICATES = frozenset({"day", "fold", "split", "rep", "repeat", "repetition", "replicate", "replication", "trial"})

Role = Literal["seed", "replicate", "setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One swept name.

    ``name`` is its column in the results. ``values`` are distinct: numbers in rising order, others in the order in
    which jobs have them; None among them means that some jobs were not given the name. ``role`` is ``seed``
    (see ``JobTable.is_seed``), ``replicate`` (a name such as ``day`` or ``fold``: what one averages over when the
    settings are compared) or ``setting``.
    """

    name: str
    kind: Literal["numeric", "categorical", "bool"]
    values: tuple[Cell, ...]
    role: Role

    @property
    def varies(self) -> bool:
        """Whether it takes more than one value."""
        return len(self.values) > 1


def axes_of(table: JobTable) -> tuple[Axis, ...]:
    """The axes of a sweep, in the order of the swept names."""
    return tuple(_axis(name, table.columns[name], role_of(name, table)) for name in table.names)


def _axis(name: str, cells: list[Cell], role: Role) -> Axis:
    first: dict[Cell, Cell] = {}
    for cell in cells:
        first.setdefault(level(cell), cell)
    values = list(first.values())
    kind = kind_of(values)
    if kind == "bool" and None not in values:
        return Axis(name=name, kind="bool", values=tuple(values), role=role)
    numbers = [value for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
    if kind in ("int", "float") and len(numbers) == len(values):
        return Axis(name=name, kind="numeric", values=tuple(sorted(numbers)), role=role)
    return Axis(name=name, kind="categorical", values=tuple(values), role=role)


def role_of(name: str, table: JobTable) -> Role:
    """What the swept name is for; see ``Axis``."""
    if table.is_seed(name):
        return "seed"
    return "replicate" if name.lstrip("+").rpartition(".")[2] in _REPLICATES else "setting"
