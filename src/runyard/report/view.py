"""What a figure shows, ready to be drawn: groups by place, labels, panels. Knows no colours and no axes of paper."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from runyard.analyze import Axis, Cell, Group, LoadedSweep, groups_of, level
from runyard.report.layout import Layout, choose_layout
from runyard.report.wording import levels, short_names, shorten

_LABEL_WIDTH = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A metric over the groups that a layout tells apart. ``groups`` has the levels of ``layout.by`` as keys."""

    loaded: LoadedSweep
    metric: str
    layout: Layout
    groups: Mapping[tuple[Cell, ...], Group]
    names: Mapping[str, str]

    def group(self, place: Mapping[str, Cell]) -> Group | None:
        """The group at a place (a value for each column of ``layout.by``), when it has a finite mean."""
        found = self.groups.get(tuple(level(place[name]) for name in self.layout.by))
        return found if found is not None and math.isfinite(found.mean) else None

    def drawn(self) -> list[Group]:
        """Every group with a finite mean."""
        return [group for group in self.groups.values() if math.isfinite(group.mean)]

    def name(self, axis: Axis) -> str:
        """The axis' name as it is written on paper."""
        return plain(shorten(self.names[axis.name], 40))

    def panels(self) -> list[tuple[dict[str, Cell], str]]:
        """The panels in order: the values of the facets, and the panel's title; one without a title without facets."""
        facets = self.layout.facets
        labels = [labels_of(axis) for axis in facets]
        panels = []
        for positions in itertools.product(*(range(len(axis.values)) for axis in facets)):
            place = {axis.name: axis.values[i] for axis, i in zip(facets, positions, strict=True)}
            said = zip(facets, labels, positions, strict=True)
            panels.append((place, ", ".join(f"{self.name(axis)} = {texts[i]}" for axis, texts, i in said)))
        return panels

    def shape(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        number = len(self.panels())
        if len(self.layout.facets) == 2:
            rows = len(self.layout.facets[0].values)
            if number // rows <= 3:
                return rows, number // rows
        columns = 2 if number in (2, 4) else min(number, 3)
        return math.ceil(number / columns), columns


def make_view(loaded: LoadedSweep, metric: str) -> View:
    """The view of a metric that fits the sweep's axes."""
    settings = [axis.name for axis in loaded.axes if axis.varies and axis.role == "setting"]
    layout = choose_layout(loaded.axes, len(groups_of(loaded.table, settings, metric)))
    groups = {tuple(map(level, g.key)): g for g in groups_of(loaded.table, layout.by, metric)}
    names = short_names(loaded.names, taken=loaded.metrics)
    return View(loaded=loaded, metric=metric, layout=layout, groups=groups, names=names)


def labels_of(axis: Axis) -> list[str]:
    """A label for each of the axis' values."""
    texts = [plain(shorten(text, _LABEL_WIDTH)) for text in levels(axis.values)]
    if len(set(texts)) == len(texts):
        return texts
    return [f"{text} ({number})" for number, text in enumerate(texts, start=1)]  # cut alike


def plain(text: str) -> str:
    """The text with nothing in it that a figure takes for a formula."""
    return text.replace("$", r"\$").replace("\n", " ")
