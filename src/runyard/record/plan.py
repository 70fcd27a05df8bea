"""The plan file: ``plan.csv``, a row per job. Writes it, and reads one that a person has edited."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.base import RecordError, UsageError, append_text, write_text

#: columns of the plan that are not swept values; they are ours, and ignored when a plan is read.
OWN_COLUMNS = ("job", "run_key", "plan_note", "run_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One job: its number, the hash of its config, its folder, and the swept values as override text.

    ``note`` says what was expected of the job when it was planned.
    """

    job: int
    run_key: str
    run_dir: str
    values: Mapping[str, str]
    note: str = ""


def write_plan(path: Path, rows: Iterable[PlanRow], names: Sequence[str]) -> None:
    """Writes a whole plan: ``job,run_key,<swept names>,plan_note,run_dir``."""
    write_text(path, _header(names) + "".join(_line(row, names) for row in rows))


def _header(names: Sequence[str]) -> str:
    return _csv(["job", "run_key", *names, "plan_note", "run_dir"])


def _line(row: PlanRow, names: Sequence[str]) -> str:
    return _csv([row.job, row.run_key, *(row.values.get(n, "") for n in names), row.note, row.run_dir])


def _csv(cells: Iterable[str | int]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMark:
    """How much of a plan file is known to be ours: its first ``size`` bytes, with their SHA-256."""

    size: int
    sha256: str


class PlanWriter:
    """Writes a plan row by row, for a sweep that begins before its last job is planned.

    Rows reach the file in groups; what a killed writer left behind its last mark is cut off by the next one.
    """

    def __init__(self, path: Path, names: Sequence[str], mark: PlanMark | None = None, *, copy: Path) -> None:
        """Opens a plan for more rows.

        Args:
            path: the file.
            names: the swept names, in order.
            mark: where the plan ends; None begins a new one.
            copy: a second file that gets the same, from which the first can be brought back.

        Raises:
            RecordError: the file does not begin with what the mark tells of.
        """
        self._files, self._names = (path, copy), tuple(names)
        self._hash = hashlib.sha256()
        self._waiting: list[str] = []
        if mark is None:
            for file in self._files:
                write_text(file, "")
            self._size = 0
            self._waiting.append(_header(names))
            return
        for file in self._files:
            if not is_marked(file, mark):
                raise RecordError(file, "it is not the plan that was written")
        self._hash.update(copy.read_bytes()[: mark.size])
        self._size = mark.size
        for file in self._files:
            os.truncate(file, mark.size)

    def add(self, row: PlanRow) -> None:
        """Adds a row; ``flush`` writes it."""
        self._waiting.append(_line(row, self._names))

    def flush(self) -> PlanMark:
        """Writes what was added. Raises OSError when the disk is full."""
        if self._waiting:
            text = "".join(self._waiting)
            self._waiting.clear()
            data = text.encode("utf-8", errors="backslashreplace")
            for file in self._files:
                append_text(file, text)
            self._size += len(data)
            self._hash.update(data)
        return PlanMark(size=self._size, sha256=self._hash.hexdigest())


def is_marked(path: Path, mark: PlanMark) -> bool:
    """Whether a plan file still begins with what the mark tells of."""
    try:
        with path.open("rb") as file:
            return hashlib.sha256(file.read(mark.size)).hexdigest() == mark.sha256
    except OSError:
        return False


class PlanReader:
    """Reads a plan row by row, while it may still grow. A last line that is torn is not read until it is whole."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError when there is no plan."""
        self._path, self._file = path, path.open("rb")
        self._cells = csv.reader(self)
        self._header: list[str] | None = None

    def __iter__(self) -> PlanReader:
        return self

    def __next__(self) -> str:
        """The next whole line; for the CSV parser. Ends where the file does, and goes on when that has grown."""
        place = self._file.tell()
        line = self._file.readline()
        if not line.endswith(b"\n"):
            self._file.seek(place)
            raise StopIteration
        return line.decode("utf-8")

    def read(self) -> PlanRow | None:
        """The next row; None where the plan ends so far.

        Raises:
            RecordError: the file is not a plan.
        """
        try:
            if self._header is None:
                self._header = next(self._cells, None)
                if self._header is None:
                    return None
                if self._header[:2] != ["job", "run_key"] or self._header[-1] != "run_dir":
                    raise ValueError("the first line is not that of a plan")
            cells = next(self._cells, None)
            return None if cells is None else _plan_row(self._header, cells)
        except (csv.Error, ValueError, IndexError) as exc:
            raise RecordError(self._path, f"not a plan ({type(exc).__name__}: {exc})") from exc

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def iter_plan(path: Path) -> Iterator[PlanRow]:
    """The rows of a plan file as far as it is written, one at a time; none when there is no file.

    Raises:
        RecordError: the file is not a plan.
    """
    try:
        reader = PlanReader(path)
    except FileNotFoundError:
        return
    try:
        while (row := reader.read()) is not None:
            yield row
    finally:
        reader.close()


def _plan_row(header: Sequence[str], cells: Sequence[str]) -> PlanRow:
    if len(cells) != len(header):
        job = cells[0] if cells else None
        raise ValueError(f"job {job}: the line has not as many cells as there are columns")
    has_note = header[-2] == "plan_note"  # plans of version 0.1.0 have none
    last = -2 if has_note else -1
    values = dict(zip(header[2:last], cells[2:last], strict=True))
    note = cells[-2] if has_note else ""
    return PlanRow(job=int(cells[0]), run_key=cells[1], run_dir=cells[-1], values=values, note=note)


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
