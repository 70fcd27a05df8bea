"""Where the overrides of a job change a config, and whether each does what it does whatever the others are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig
from omegaconf._utils import split_key

from runyard.compose.depends import Path, has_interpolation, node_at, overlap
from runyard.compose.line import Line, Part
from runyard.compose.patch import NotLocalError, place_of

#: texts that are remembered at a time.
_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """Overrides of a job that change one place."""

    place: Path
    parts: Line


class Effects:
    """What overrides do to one config, which itself is not changed."""

    def __init__(self, task: DictConfig) -> None:
        self._task = task
        self._places: dict[str, Path | None] = {}
        self._asking: dict[str, bool] = {}

    def place(self, part: Part) -> Path | None:
        """The mapping's entry that an override changes; None where a key on the way is no text.

        Raises:
            NotLocalError: the way leads through an interpolation.
        """
        if part.text not in self._places:
            if len(self._places) >= _REMEMBERED:
                self._places.clear()
            self._places[part.text] = place_of(self._task, part.override.key_or_group)
        return self._places[part.text]

    def changes(self, values: Iterable[Part]) -> list[Change]:
        """The overrides by the place that they change; no place lies in another.

        New entries come in the order in which they are made.

        Raises:
            NotLocalError: as above, or a place is none.
        """
        found: list[Change] = []
        for part in values:
            place = self.place(part)
            if place is None:
                raise NotLocalError("a key that is no text")
            same = [change for change in found if overlap(change.place, place)]
            if not same:
                found.append(Change(place, (part,)))
                continue
            first, *others = same
            outer = min((place, *(change.place for change in same)), key=len)
            found[found.index(first)] = Change(outer, (*(p for change in same for p in change.parts), part))
            found = [change for change in found if change not in others]
        return found

    def is_local(self, values: Line) -> bool:
        """Whether each override does what it does whatever the others are, and at its own place."""
        try:
            if any(map(self._asks, values)):
                return False
            if not any(part.refers for part in values):
                return True
            return all(len(c.parts) == 1 or not any(p.refers for p in c.parts) for c in self.changes(values))
        except NotLocalError:
            return False

    def _asks(self, part: Part) -> bool:
        """Whether an override fails or not by a value that lies elsewhere."""
        if part.text not in self._asking:
            if len(self._asking) >= _REMEMBERED:
                self._asking.clear()
            self._asking[part.text] = self._finds_asking(part)
        return self._asking[part.text]

    def _finds_asking(self, part: Part) -> bool:
        override, place = part.override, self.place(part)
        node: Any = node_at(self._task, place) if place is not None else None
        is_container = isinstance(node, (DictConfig, ListConfig)) and not node._is_interpolation()
        if isinstance(override.value(), (dict, list)) and not override.is_delete():
            return node is not None and bool(node._is_interpolation())  # it is merged into what is there
        if not (override.is_delete() or override.is_add()):
            return False
        is_all_of_it = place is not None and len(place) == len(split_key(override.key_or_group))
        if is_container and is_all_of_it and override.value() is None:
            return False  # that it is there is enough
        return place is None or has_interpolation(self._task, place)
