"""Values as words and tables as lines. Pure but for the width of the terminal."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from runyard.base import State, SweepState, from_iso
from runyard.record import one_line

_COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "PENDING": "bright_black",
    "CANCELLED": "yellow",
}


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None when it is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def state_text(state: str | State | SweepState) -> str:
    """A state in its colour."""
    name = str(state)
    return click.style(name, fg=_COLOURS.get(name, "red"))


def counts_text(counts: Mapping[str, int]) -> str:
    """``31/48 completed, 2 failed, 8 running, 7 pending``."""
    done = counts.get("COMPLETED", 0)
    last = ["RUNNING", "PENDING"]
    names = [*(name for name in counts if name not in ("COMPLETED", *last)), *last]
    others = [f"{counts[name]} {name.lower()}" for name in names if counts.get(name)]
    return ", ".join([f"{done}/{sum(counts.values())} completed", *others])


def duration(seconds: float | None) -> str:
    """``0.45 s``, ``12.3 s``, ``4 min 10 s``, ``2 h 3 min``, ``3 d 4 h``; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    for size, unit, small_size, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            first, rest = divmod(int(seconds), size)
            return f"{first} {unit} {rest // small_size} {small}"
    return f"{seconds:.0f} s"


def age(moment: str, now: datetime) -> str:
    """How long ago, in one unit: ``5 s``, ``3 min``, ``2 h``, ``4 d``; a dash when it is not a time."""
    try:
        seconds = max((now - from_iso(moment)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def moment_text(moment: str | None) -> str:
    """``2026-01-31 12:00:00 UTC``; a dash for None."""
    if not moment:
        return "-"
    try:
        return from_iso(moment).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return moment


def seconds_between(start: str, end: str | None, now: datetime) -> float | None:
    """Seconds from one written time to another, or to now; None when one is no time."""
    try:
        return max(((from_iso(end) if end else now) - from_iso(start)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def count(n: int, noun: str) -> str:
    """``1 sweep``, ``2 sweeps``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def number(value: Any) -> str:
    """A cell of a table for people: floats with six digits that count, None as a dash."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value))


def cells_wide(text: str) -> int:
    """Columns that text takes on a terminal: wide characters two, combining ones none, colours none."""
    plain = click.unstyle(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


def cut(text: str, width: int) -> str:
    """Text cut to a width, the cut marked."""
    if cells_wide(text) <= width:
        return text
    kept = ""
    for c in click.unstyle(text):
        if cells_wide(kept + c) > width - 3:
            break
        kept += c
    return f"{kept}..."[:width] if width > 0 else ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None, right: frozenset[int]) -> str:
    """Lines of aligned columns.

    Args:
        header: names of the columns.
        rows: cells, one line each; they may have colours.
        width: the last column is cut so that lines fit; None cuts nothing.
        right: columns to be set flush right.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(cells_wide(line[n]) for line in lines) for n in range(len(header))]
    if width is not None:
        room = max(width - sum(widths[:-1]) - 2 * (len(widths) - 1), 4)
        for line in lines:
            line[-1] = cut(line[-1], room)
    return "\n".join(
        "  ".join(_pad(c, w, n in right) for n, (c, w) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def _pad(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - cells_wide(cell))
    return blanks + cell if right else cell + blanks


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Lines of names and values, indented; pairs without a value are left out, further lines stand below it."""
    kept = [(name, value) for name, value in pairs if value]
    wide = max((len(name) for name, _ in kept), default=0)
    gap = "\n" + " " * (wide + 4)
    return "\n".join(f"  {name:<{wide}}  {gap.join(value.splitlines())}" for name, value in kept)
