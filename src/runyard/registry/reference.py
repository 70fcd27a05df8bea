"""From what a person calls a sweep to its directory: an id, a prefix, a path, ``latest``. Reads only."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.record import LATEST, SWEEP_FILE, SweepPaths
from runyard.registry.listing import list_sweeps
from runyard.registry.rows import newest_first

_SHOWN = 8


def find_sweep(reference: str, roots: Sequence[Path], *, multirun_only: bool = False) -> Path:
    """The directory of the sweep that ``reference`` names; absolute.

    Args:
        reference: a path to the sweep or its ``sweep.json``; an id or the unique beginning of one, also after
            ``<experiment>/``; ``latest``; ``latest:<experiment>`` or ``<experiment>/latest``.
        roots: where to look; those that do not exist are passed over.
        multirun_only: ``latest`` passes over single runs (without ``-m``).

    Raises:
        UsageError: no sweep, or more than one, has that name.
    """
    by_path = _by_path(Path(reference))
    if by_path is not None:
        return by_path
    rows = newest_first([row for root in roots for row in list_sweeps(root)])
    if not rows:
        raise _no_sweeps(reference, roots)
    experiment = _latest_of(reference)
    if experiment is not None:
        return _newest(rows, experiment, roots, multirun_only)
    return _named(reference, rows, roots)


def _by_path(path: Path) -> Path | None:
    """The sweep's directory when ``path`` is one, its ``sweep.json``, or a ``latest`` that is a text file."""
    if path.name == SWEEP_FILE and path.is_file():
        return path.parent.absolute()
    if path.name == LATEST and path.is_file():
        path = path.parent / path.read_text(encoding="utf-8", errors="replace").strip()
    # A sweep that lost its record has its journal still, and can be collected.
    if SweepPaths(path).sweep_json.is_file() or SweepPaths(path).journal.is_file():
        return path.resolve() if path.is_symlink() else path.absolute()
    return None


def _latest_of(reference: str) -> str | None:
    """The experiment in a reference to its latest sweep; empty for any; None for another kind of reference."""
    if reference == LATEST:
        return ""
    if reference.startswith(f"{LATEST}:"):
        return reference[len(LATEST) + 1 :]
    if reference.endswith(f"/{LATEST}"):
        return reference[: -len(LATEST) - 1]
    return None


def _newest(rows: Sequence[dict[str, Any]], experiment: str, roots: Sequence[Path], multirun_only: bool) -> Path:
    experiments = {row["experiment"] for row in rows}
    if experiment and experiment not in experiments:
        close = difflib.get_close_matches(experiment, experiments, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(
            f"no sweep of experiment {experiment!r}",
            where=_places(roots),
            todo=f"{hint}Known: {', '.join(sorted(experiments))}",
        )
    for row in rows:
        if (not experiment or row["experiment"] == experiment) and not (multirun_only and row["single"]):
            return Path(row["path"])
    raise UsageError(
        "there are only single runs, no sweep", where=_places(roots), todo="start one with -m, or name a run by its id"
    )


def _named(reference: str, rows: Sequence[dict[str, Any]], roots: Sequence[Path]) -> Path:
    """The one sweep whose id, or the name of whose directory, is ``reference`` or begins with it.

    What stands before a slash is the experiment or the folder around the directory, in full.
    """
    above, _, name = reference.rpartition("/")
    among = [row for row in rows if not above or above in (row["experiment"], Path(row["path"]).parent.name)]
    for fits in (str.__eq__, str.startswith):
        found = [row for row in among if any(fits(known, name) for known in (row["sweep_id"], Path(row["path"]).name))]
        if len(found) == 1:
            return Path(found[0]["path"])
        if found:
            raise _ambiguous(reference, found)
    raise _unknown(reference, rows, roots)


def _ambiguous(reference: str, found: Sequence[dict[str, Any]]) -> UsageError:
    same = len({row["sweep_id"] for row in found}) == 1
    label: Callable[[dict[str, Any]], str] = (
        (lambda row: str(row["path"])) if same else (lambda row: f"{row['sweep_id']}  ({row['experiment']})")
    )
    lines = [label(row) for row in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more")
    what = "copies of one sweep are meant" if same else "sweeps begin so"
    listed = "".join(f"\n    {line}" for line in lines)
    return UsageError(
        f"{reference!r} is not clear: {len(found)} {what}",
        todo=f"give {'the path of one' if same else 'more of the id'}:{listed}",
    )


def _unknown(reference: str, rows: Sequence[dict[str, Any]], roots: Sequence[Path]) -> UsageError:
    ids = [row["sweep_id"] for row in rows]
    close = difflib.get_close_matches(reference, ids, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else f"the newest is {ids[0]}; "
    what = f"no sweep {reference!r}"
    if Path(reference).exists():
        what = f"{reference!r} exists but is not the directory of a sweep: it has no {SWEEP_FILE}"
    todo = f"{hint}'runyard ls' lists what there is, --root PATH looks elsewhere"
    return UsageError(what, where=_places(roots), todo=todo)


def _no_sweeps(reference: str, roots: Sequence[Path]) -> UsageError:
    return UsageError(
        f"no sweep {reference!r}: there is none at all" if reference != LATEST else "there is no sweep yet",
        where=_places(roots),
        todo="name the place of yours with --root PATH, or start one: python your_app.py -m +runyard=local x=1,2",
    )


def _places(roots: Sequence[Path]) -> str:
    return "below " + ", ".join(str(root) for root in roots)
