"""Words for numbers, times, lists and names, as figures and notes say them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from runyard.analyze import Cell, cell_text, level

_EMPTY = "(empty)"


def number(value: float) -> str:
    """A number to four significant digits: ``2.819``, ``0.5``, ``12,345``, ``1.2e-07``; whole numbers whole."""
    if not math.isfinite(value):
        return cell_text(float(value))
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        return f"{value:.3g}"
    if value == int(value):
        return f"{int(value):,}"
    decimals = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(mean: float, half: float) -> str:
    """``2.819 ± 0.012``: the half width to two significant digits and the mean to as many places."""
    if not math.isfinite(half):
        return number(mean)
    if half == 0 or max(abs(mean), half) >= 1e7 or half < 1e-6:
        return f"{number(mean)} ± {number(half)}"
    decimals = max(0, 1 - math.floor(math.log10(half)))
    return f"{mean:,.{decimals}f} ± {half:,.{decimals}f}"


def levels(values: Sequence[Cell]) -> list[str]:
    """A label for each value, numbers as short as tells them apart."""
    for digits in (3, 4, 6):
        texts = [_level(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            return texts
    return [cell_text(value) or _EMPTY for value in values]


def level_labels(values: Sequence[Cell]) -> dict[Cell, str]:
    """The label of each value by its level (see ``runyard.analyze.level``)."""
    return dict(zip(map(level, values), levels(values), strict=True))


def _level(value: Cell, digits: int) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.{digits}g}"
    return cell_text(value) or _EMPTY


def listing(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    given = list(words)
    return " and ".join([", ".join(given[:-1]), given[-1]]) if len(given) > 1 else "".join(given)


def count(number_of: int, word: str, plural: str | None = None) -> str:
    """``1 job``, ``12 jobs``, ``2,000 jobs``."""
    return f"{number_of:,} {word if number_of == 1 else plural or word + 's'}"


def job_ranges(jobs: Iterable[int], *, at_most: int = 12) -> str:
    """``3, 7 and 9-12``; after ``at_most`` ranges, how many jobs more there are."""
    ranges: list[list[int]] = []
    for job in sorted(jobs):
        if ranges and ranges[-1][1] == job - 1:
            ranges[-1][1] = job
        else:
            ranges.append([job, job])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in ranges[:at_most]]
    rest = sum(b - a + 1 for a, b in ranges[at_most:])
    return listing([*shown, f"{rest:,} more"] if rest else shown)


def duration(seconds: float) -> str:
    """``0.31 s``, ``45.2 s``, ``3 min 12 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds < 59.95:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, lower in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {lower}" if rest else "")
    return f"{whole} s"


def moment(when: datetime) -> str:
    """``2026-01-31 12:00 UTC``."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def short_names(names: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """For each override name its last dotted part, or the whole name where another one ends in the same part.

    A leading ``+`` is dropped. ``taken`` are names that a short one must not equal.
    """
    plain = {name: name.lstrip("+") for name in names}
    last = {name: text.rpartition(".")[2] for name, text in plain.items()}
    used = [*last.values(), *taken]
    return {name: last[name] if used.count(last[name]) == 1 else plain[name] for name in names}


def shorten(text: str, width: int) -> str:
    """The text, its middle left out when it is longer than ``width`` characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
