"""The leaderboard: a CSV with a row per run, and the same as Markdown. One writer at a time; adding twice adds once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import RecordError, write_text
from runyard.lifecycle.hold import held
from runyard.lifecycle.subject import Subject

COLUMNS = ("run_id", "timestamp", "label", "config", "notes", "tags")
LABELS = ("small_eval", "full_eval", "champion")
METRIC, EXTRA = "metric:", "extra:"
_DEFAULT_LABEL = "full_eval"
#: what a person may have changed in the file: a run that is added again changes it only when told to.
_WORDS = ("label", "config", "notes", "tags")

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardEntry:
    """A run for the leaderboard. Of ``label``, ``config``, ``notes`` and ``tags`` None means: as it is in the file.

    ``usual`` are the values of these for a run that is not there yet.
    """

    run_id: str
    timestamp: str
    label: str | None = None
    config: str | None = None
    notes: str | None = None
    tags: str | None = None
    usual: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """Columns in their order and rows in the file's; every row has every column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics, without ``metric:``."""
        return tuple(name[len(METRIC) :] for name in self.columns if name.startswith(METRIC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What adding did: how many rows are new, how many have changed; and the leaderboard that came of it."""

    new: int
    changed: int
    board: Leaderboard


def entry_of(
    subject: Subject,
    *,
    label: str | None = None,
    config: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] = (),
) -> LeaderboardEntry:
    """The entry of a run: its metrics, and as extra its experiment, run key, commit and seconds."""
    sweep, run = subject.sweep, subject.run
    swept = " ".join(f"{key.lstrip('+')}={value}" for key, value in run.params.items())
    usual = {"label": _DEFAULT_LABEL, "config": swept, "notes": sweep.note, "tags": ";".join(sweep.tags)}
    return LeaderboardEntry(
        run_id=subject.name,
        timestamp=subject.ended_at,
        label=label,
        config=config,
        notes=notes,
        tags=";".join(dict.fromkeys((*sweep.tags, *tags))) if tags else None,
        usual=usual,
        metrics=run.metrics,
        extra={
            "experiment": sweep.experiment,
            "run_key": run.run_key,
            "commit": str(subject.git.get("sha") or "")[:12],
            "seconds": run.seconds,
        },
    )


def read_leaderboard(path: Path) -> Leaderboard:
    """The leaderboard in a file; an empty one when there is no file.

    Raises:
        RecordError: it is no leaderboard.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Leaderboard(columns=COLUMNS, rows=())
    except UnicodeDecodeError as exc:
        raise RecordError(path, f"not a leaderboard ({exc})") from exc
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    names = tuple(name for name in reader.fieldnames or () if name)
    if "run_id" not in names:
        raise RecordError(path, "not a leaderboard: it has no column run_id")
    columns = ordered((*COLUMNS, *names))
    rows = tuple({name: row.get(name) or "" for name in columns} for row in reader)
    return Leaderboard(columns=columns, rows=rows)


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Columns, each once: ours, then metrics, extras, and those that a person has added; within these as they come."""

    def rank(name: str) -> int:
        if name in COLUMNS:
            return 0
        return 1 if name.startswith(METRIC) else 2 if name.startswith(EXTRA) else 3

    return tuple(sorted(dict.fromkeys(names), key=rank))


def merged(board: Leaderboard, entries: Sequence[LeaderboardEntry]) -> Added:
    """A leaderboard with entries in it, each in the place of the row with its ``run_id`` or last. Pure."""
    rows = {row["run_id"]: row for row in board.rows}
    new = changed = 0
    for entry in entries:
        old = rows.get(entry.run_id)
        row = _row(entry, old)
        if old is None:
            new += 1
        else:
            changed += any(row[name] != old.get(name, "") for name in row)
        rows[entry.run_id] = row
    columns = ordered((*board.columns, *(name for row in rows.values() for name in row)))
    whole = tuple({name: row.get(name, "") for name in columns} for row in rows.values())
    return Added(new=new, changed=changed, board=Leaderboard(columns=columns, rows=whole))


def _row(entry: LeaderboardEntry, old: Row | None) -> Row:
    row = {**(old or {}), "run_id": entry.run_id, "timestamp": entry.timestamp}
    for name in _WORDS:
        given: str | None = getattr(entry, name)
        row[name] = given if given is not None else (old or {}).get(name) or entry.usual.get(name, "")
    row |= {METRIC + name: _cell(value) for name, value in entry.metrics.items()}
    return row | {EXTRA + name: _cell(value) for name, value in entry.extra.items()}


def _cell(value: Any) -> str:
    """A value as text that reads back the same."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def add_to_leaderboard(path: Path, entries: Sequence[LeaderboardEntry], *, markdown: Path | None = None) -> Added:
    """Adds runs to the leaderboard in a file, which keeps all its columns; a run that is there is brought up to date.

    Args:
        path: the CSV; it is made, with its folder.
        entries: the runs; none writes the Markdown alone.
        markdown: where to write the same as a table in Markdown.

    Raises:
        RecordError: the file is no leaderboard, or others hold its lock for too long.
        OSError: it cannot be written; it is as before.
    """
    with held(path.with_name(f".{path.name}.lock")):
        before = read_leaderboard(path)
        added = merged(before, entries)
        if added.board != before or not path.exists():
            write_text(path, csv_text(added.board), sync=True)
        if markdown is not None:
            markdown.parent.mkdir(parents=True, exist_ok=True)
            write_text(markdown, markdown_text(added.board))
    return added


def csv_text(board: Leaderboard) -> str:
    """The leaderboard as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, board.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(board.rows)
    return text.getvalue()


def markdown_text(board: Leaderboard) -> str:
    """The leaderboard as a table in Markdown: numbers in six digits, columns without any value left out."""
    names = [name for name in board.columns if any(row[name] for row in board.rows)] or list(COLUMNS)
    lines = ["# Leaderboard", "", _line([name.removeprefix(METRIC).removeprefix(EXTRA) for name in names])]
    lines.append(_line(["---:" if name.startswith(METRIC) else "---" for name in names]))
    lines += [_line([_short(row[name]) for name in names]) for row in board.rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', chr(92) + '|').split()) for cell in cells)} |"


def _short(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.6g}" if "." in text or "e" in text or not math.isfinite(number) else text


def sorted_rows(board: Leaderboard, metric: str, mode: str) -> list[Row]:
    """The rows by a metric, the best first; those that do not have it, or NaN, last."""

    def rank(row: Row) -> tuple[bool, float]:
        try:
            value = float(row.get(METRIC + metric, ""))
        except ValueError:
            value = math.nan
        return (math.isnan(value), 0.0 if math.isnan(value) else value if mode == "min" else -value)

    return sorted(board.rows, key=rank)
