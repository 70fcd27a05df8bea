"""Opens results: from what a person calls a sweep to its results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runyard.analyze.load import load_sweep
from runyard.analyze.results import Results
from runyard.base import UsageError
from runyard.record import LATEST
from runyard.registry import DEFAULT_ROOTS, find_sweep

#: how a person names a sweep.
Reference = str | os.PathLike[str]


def load(
    reference: Reference | Sequence[Reference] = LATEST, *, roots: Reference | Sequence[Reference] | None = None
) -> Results:
    """Reads the results of a sweep, or of several together, as far as its files can be read; also while it runs.

    Args:
        reference: a path, an id or its unique beginning, ``latest``, ``<experiment>/latest``; or several of them.
        roots: where to look for ids; None for ``./multirun`` and ``./outputs``.

    Raises:
        UsageError: no sweep has that name, or more than one; none or the same one twice is given.
        RecordError: the directory has neither a sweep record nor a run.
    """
    references = [reference] if isinstance(reference, (str, os.PathLike)) else list(reference)
    places = DEFAULT_ROOTS if roots is None else [roots] if isinstance(roots, (str, os.PathLike)) else roots
    if not references:
        raise UsageError("no sweep is named", todo="give at least one, such as 'latest'")
    found = [find_sweep(os.fspath(one), [Path(place) for place in places]) for one in references]
    for one, folder in zip(references, found, strict=True):
        if found.count(folder) > 1:
            raise UsageError(f"{os.fspath(one)!r} is named more than once", where=str(folder), todo="name each once")
    return Results([load_sweep(folder) for folder in found])
