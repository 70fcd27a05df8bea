"""The plan file: ``plan.csv``, a row per job. Writes it, and reads one that a person has edited."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import UsageError, write_text

#: columns of the plan that are not swept values; they are ours, and ignored when a plan is read.
OWN_COLUMNS = ("job", "run_key", "run_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One job: its number, the hash of its config, its folder, and the swept values as override text."""

    job: int
    run_key: str
    run_dir: str
    values: Mapping[str, str]


def write_plan(path: Path, rows: Iterable[PlanRow], names: Sequence[str]) -> None:
    """Writes the plan: ``job,run_key,<swept names>,run_dir``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["job", "run_key", *names, "run_dir"])
    for row in rows:
        writer.writerow([row.job, row.run_key, *(row.values.get(n, "") for n in names), row.run_dir])
    write_text(path, text.getvalue())


def read_plan_table(path: Path) -> list[dict[str, str]]:
    """The swept values of each row of a table: override key to override text; empty cells are left out.

    Raises:
        UsageError: there is no such file, it has no header or no rows, a column has no name or comes twice,
            or a row has more cells than the header.
    """
    where = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise UsageError(f"the table cannot be read ({exc})", where=where, todo="give the path of a CSV file") from exc
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise UsageError("the table is empty", where=where, todo="its first line names the overrides, such as lr,seed")
    header = [cell.strip() for cell in lines[0]]
    _check_header(header, where)
    rows = [_row(header, cells, f"{where}, line {n}") for n, cells in enumerate(lines[1:], start=2) if any(cells)]
    if not rows:
        raise UsageError("the table has no rows", where=where, todo="add a line for each job")
    return rows


def _check_header(header: Sequence[str], where: str) -> None:
    for number, name in enumerate(header, start=1):
        if not name:
            raise UsageError(f"column {number} of the table has no name", where=where, todo="name it or remove it")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UsageError(f"column {twice[0]!r} comes twice", where=where, todo="keep one of them")
    if not set(header) - set(OWN_COLUMNS):
        raise UsageError(
            "no column of the table names an override",
            where=where,
            todo=f"besides {', '.join(OWN_COLUMNS)} a table has a column for each swept key, such as lr or seed",
        )


def _row(header: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    if len(cells) > len(header):
        raise UsageError(f"{len(cells)} cells under {len(header)} columns", where=where, todo="quote cells with commas")
    pairs = zip(header, cells, strict=False)
    return {name: cell.strip() for name, cell in pairs if name not in OWN_COLUMNS and cell.strip()}
