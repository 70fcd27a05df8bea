"""A plate: one figure of a report, to be drawn twice, on paper by matplotlib and on the page by plotly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: a figure as plotly takes it: ``data`` and ``layout``, made of plain values.
Spec: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """One figure. ``name`` is its file's; ``caption`` is plain text; ``paper`` is None for the page's own figures."""

    name: str
    title: str
    caption: str
    spec: Spec
    paper: Callable[[], Figure] | None = None
