"""The overrides of a job, read by Hydra's parser: each text once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override

from runyard.compose.reader import OverrideReader

#: texts that are remembered at a time; a sweep over random numbers has as many as it has jobs.
_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One override of a job.

    ``chooses`` tells that it may change which files are composed, ``alone`` that only Hydra can tell what it means
    in one job's line, ``refers`` that its value holds an interpolation, ``is_hydras`` that it is one of ``hydra.*``.
    """

    text: str
    override: Override
    chooses: bool
    alone: bool
    refers: bool
    is_hydras: bool


Line = tuple[Part, ...]


class LineReader:
    """Reads the overrides of jobs. ``judge`` makes a part of a parsed override."""

    def __init__(self, judge: Callable[[Override], Part]) -> None:
        self._reader, self._judge = OverrideReader(), judge
        self._known: dict[str, Part] = {}

    def read(self, overrides: Sequence[str]) -> Line:
        """The parts of a line. Raises what Hydra's parser raises."""
        known = self._known
        try:
            return tuple([known[text] for text in overrides])
        except KeyError:
            return tuple([self._one(text) for text in overrides])

    def _one(self, text: str) -> Part:
        part = self._known.get(text)
        if part is None:
            part = self._judge(self._reader.read(text))
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = part
        return part
