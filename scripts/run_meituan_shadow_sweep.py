#!/usr/bin/env python3
"""The Meituan shadow sweep in one command: a grid becomes a config CSV, the CSV one sweep, the sweep a CSV per run.

    python scripts/run_meituan_shadow_sweep.py --day 0 --day 1 --d 20 --gamma-values 0:1:0.25 --tau-values 0,0.005
    python scripts/run_meituan_shadow_sweep.py --config-in configs/meituan_shadow_sweep.csv

A front only: ``python -m app -m hydra.sweeper.table=...`` plans, runs and records. What is not an option here is
taken as an option of each job (``--with_opt``, ``--tie-breaker random``).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import difflib
import io
import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

try:
    from app.workloads.dispatch.config import DispatchConfig, template_path
    from runyard import UsageError
except ModuleNotFoundError as error:
    sys.exit(f"{error}: this needs the project's own Python; run 'make venv', then .venv/bin/python {sys.argv[0]}")

EXPERIMENT = "meituan_shadow_sweep"
DAYS, D_VALUES = tuple(range(8)), ("10", "20", "30")
GAMMAS, TAUS = "0.5,1.0", "0.0,0.005"
#: columns that every config CSV has; others are options of the job, such as ``dispatch`` or ``seed``.
COLUMNS = ("day", "d", "shadow", "jobs_csv", "save_csv", "gamma", "tau")
#: what comes first in a result row, so that it can be told from every other.
FIRST = ("day", "d", "shadow", "gamma", "tau")
COMPLETED = "COMPLETED"
#: columns of the launcher's results.csv that are neither parameters nor metrics.
RECORD_COLUMNS = ("job", "state", "seconds", "attempts", "run_key", "git_sha", "run_dir")
JOB_OPTIONS = {field.name: field for field in dataclasses.fields(DispatchConfig) if field.name != "name"}
#: options of this script that make the grid; a CSV that is run again has one already.
_GRID = ("day", "d", "gamma_values", "tau_values", "shadows", "config_out")

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A row of the config CSV: what is run and where its result goes. ``number`` is its job in the sweep, or None."""

    row: Row
    output: Path
    number: int | None


# -- grids and names ----------------------------------------------------------------------------------------------


def grid_values(text: str) -> list[str]:
    """Numbers of a comma list or of an inclusive ``start:stop:step``, each once.

    >>> grid_values("0:0.3:0.1"), grid_values("1,0.50")
    (['0', '0.1', '0.2', '0.3'], ['1', '0.5'])

    Raises:
        UsageError: the text is neither.
    """
    parts = text.split(":")
    try:
        if len(parts) == 1:
            values = [_decimal(part) for part in text.split(",")]
        else:
            start, stop, step = map(_decimal, parts)
            count = round((stop - start) / step) + 1
            values = [start + i * step for i in range(count)]
    except (InvalidOperation, ValueError, ZeroDivisionError) as exc:
        raise _bad_grid(text) from exc
    if not values:
        raise _bad_grid(text)
    return list(dict.fromkeys(map(plain, values)))


def _decimal(text: str) -> Decimal:
    value = Decimal(text.strip())
    if not value.is_finite():
        raise ValueError(text)
    return value


def _bad_grid(text: str) -> UsageError:
    return UsageError(
        f"{text!r} gives no values",
        where="--gamma-values or --tau-values",
        todo="write a list such as 0.5,1.0 or start:stop:step such as 0:1:0.25",
    )


def plain(value: Decimal) -> str:
    """A number without needless digits: ``0.5`` for 0.50, ``0`` for -0.0."""
    return format(value.normalize(), "f") if value else "0"


def token(value: str) -> str:
    """A number as it stands in a file's name: ``0p5`` for 0.5, ``m1`` for -1."""
    return value.replace(".", "p").replace("-", "m")


def save_name(row: Mapping[str, str]) -> str:
    """The name of a run's CSV; a shadow other than hd is part of it."""
    shadow = "" if row["shadow"] == "hd" else f"_{row['shadow']}"
    numbers = "_".join(f"{name}{token(row[name])}" for name in ("d", "gamma", "tau"))
    return f"meituan_day{row['day']}{shadow}_{numbers}_run.csv"


# -- the config CSV -----------------------------------------------------------------------------------------------


def grid_rows(args: argparse.Namespace) -> list[Row]:
    """A row for every combination of day, d, shadow, gamma and tau, the last fastest.

    Raises:
        UsageError: a list of values, or the template, is none.
    """
    rows = []
    days = list(dict.fromkeys(args.day or DAYS))
    windows = list(dict.fromkeys(args.d or D_VALUES))
    gammas, taus = grid_values(args.gamma_values or GAMMAS), grid_values(args.tau_values or TAUS)
    shadows = list(dict.fromkeys((args.shadows or "hd").split(",")))
    for day in days:
        jobs_csv = str(template_path(args.jobs_template, day))
        for d in windows:
            for shadow in shadows:
                for gamma in gammas:
                    for tau in taus:
                        row = {"day": str(day), "d": d, "shadow": shadow, "jobs_csv": jobs_csv}
                        row |= {"gamma": gamma, "tau": tau}
                        save_csv = str(args.results_dir / save_name(row))
                        rows.append({**row, "save_csv": save_csv, "dispatch": args.dispatch or "greedy+"})
    return rows


def read_config(path: Path, dispatch: str | None) -> list[Row]:
    """The rows of a config CSV that a person may have edited.

    Args:
        path: the file.
        dispatch: the policy for a file without a column for it; None is ``greedy+``.

    Raises:
        UsageError: it cannot be read, a column is missing or not known, a cell is empty, or two rows would write
            the same file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"the config CSV cannot be read ({exc})", where=str(path), todo="give the path of one"
        ) from exc
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [name.strip() for name in reader.fieldnames or ()]
    _check_columns(path, columns, dispatch)
    rows = []
    for cells in reader:
        row = {name: (cells[raw] or "").strip() for name, raw in zip(columns, reader.fieldnames or (), strict=True)}
        if not any(row.values()):
            continue
        _check_row(row, f"{path}, line {reader.line_num}", is_long=None in cells)
        rows.append(row if "dispatch" in row else {**row, "dispatch": dispatch or "greedy+"})
    if not rows:
        raise UsageError("the config CSV has no rows", where=str(path), todo="add a line for each run")
    return rows


def _check_columns(path: Path, columns: Sequence[str], dispatch: str | None) -> None:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise UsageError(
            f"the config CSV has no column {', '.join(missing)}",
            where=str(path),
            todo=f"its first line is {','.join(COLUMNS)}, and further options of the job as you like",
        )
    for name in columns:
        if name not in COLUMNS:
            _known_option(name, f"{path}, a column")
        if columns.count(name) > 1:
            raise UsageError(f"column {name!r} comes twice", where=str(path), todo="keep one of them")
    if dispatch is not None and "dispatch" in columns:
        raise UsageError(
            "--dispatch, and a column 'dispatch' in the config CSV", where=str(path), todo="leave one of them out"
        )


def _check_row(row: Row, where: str, *, is_long: bool) -> None:
    if is_long:
        raise UsageError("more cells than columns", where=where, todo="quote cells with commas")
    empty = [name for name in COLUMNS if not row[name]]
    if empty:
        raise UsageError(f"the cell {empty[0]} is empty", where=where, todo="fill it, or remove the line")


def placed(rows: Sequence[Row], results_dir: Path) -> list[Job]:
    """The rows as jobs: those whose orders are there get the numbers from 0, the others none.

    A ``save_csv`` without a folder lies in ``results_dir``.

    Raises:
        UsageError: two rows would write the same file.
    """
    jobs: list[Job] = []
    number = 0
    for row in rows:
        name = Path(row["save_csv"])
        output = name if name.parent != Path() else results_dir / name
        if any(job.output == output for job in jobs):
            raise UsageError("two rows would write the same file", where=str(output), todo="change one save_csv")
        exists = Path(row["jobs_csv"]).is_file()
        jobs.append(Job(row=row, output=output, number=number if exists else None))
        number += exists
    return jobs


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Writes rows in one step; the columns are the union of theirs, in the order in which they come."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Writes a file in one step, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


# -- the sweep ----------------------------------------------------------------------------------------------------


def table_rows(jobs: Sequence[Job]) -> list[Row]:
    """The table for the launcher: a row per job that can run, ``workload.<option>`` columns."""
    return [
        {f"workload.{name}": hydra_text(value) for name, value in job.row.items() if name != "save_csv" and value}
        for job in jobs
        if job.number is not None
    ]


def hydra_text(value: str) -> str:
    """A value as Hydra's override grammar reads it back.

    >>> print(hydra_text("0.5"), hydra_text("my day.csv"))
    0.5 "my day.csv"
    """
    if re.fullmatch(r"[\w./+-]+", value, re.ASCII):
        return value
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', value)
    return f'"{escaped}"'


def command_of(table: Path, label: str, options: Iterable[str], overrides: Iterable[str]) -> list[str]:
    """The command that runs a table as one sweep."""
    return [
        *(sys.executable, "-m", "app", "-m", "workload=dispatch"),
        f"hydra.sweeper.table={hydra_text(str(table))}",
        f"hydra.callbacks.runyard.experiment={EXPERIMENT}",
        "hydra.callbacks.runyard.metric=savings",
        f"hydra.callbacks.runyard.label={label}",
        *options,
        *overrides,
    ]


def run(command: Sequence[str]) -> int:
    """Runs the sweep; returns its exit code. A signal that stops this script stops the sweep, and is waited for."""
    process = subprocess.Popen(command)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
                return code if code >= 0 else 128 - code
            except KeyboardInterrupt:  # the sweep has had the signal too, and ends itself
                continue
    finally:
        signal.signal(signal.SIGTERM, before)


def find_sweep(label: str) -> Path | None:
    """The directory of the sweep with this label; None when it did not come to one."""
    found = sorted(Path("multirun", EXPERIMENT).glob(f"*-{label}/sweep.json"))
    return found[-1].parent if found else None


# -- results ------------------------------------------------------------------------------------------------------


def read_results(sweep: Path | None) -> dict[int, Row]:
    """The rows of the sweep's results.csv by job; none when there is no such file."""
    if sweep is None or not (sweep / "results.csv").is_file():
        return {}
    with (sweep / "results.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["job"]): row for row in csv.DictReader(file)}


def result_row(job: Job, result: Mapping[str, str]) -> Row:
    """A job's parameters, then its metrics."""
    shown = [*FIRST, *(name for name in job.row if name not in (*FIRST, "jobs_csv", "save_csv"))]
    parameters = {name: job.row[name] for name in shown}
    metrics = {k: v for k, v in result.items() if k not in RECORD_COLUMNS and not k.startswith("workload.")}
    return {**parameters, **metrics}


def write_results(jobs: Sequence[Job], results: Mapping[int, Row], final: Path, *, keep: bool) -> int:
    """Writes a CSV per completed job (if ``keep``) and all of them in one.

    A file of an earlier sweep goes where this one has run the job and has no result for it.

    Returns:
        How many jobs are in the final CSV.
    """
    rows = []
    for job in jobs:
        result = result_of(job, results)
        if result is None:
            continue
        job.output.unlink(missing_ok=True)
        if result["state"] == COMPLETED:
            rows.append(result_row(job, result))
            if keep:
                write_csv(job.output, rows[-1:])
    if rows:
        write_csv(final, rows)
    elif results:
        final.unlink(missing_ok=True)
    return len(rows)


def result_of(job: Job, results: Mapping[int, Row]) -> Row | None:
    """The job's row in the results; None when it has none."""
    return None if job.number is None else results.get(job.number)


def manifest(
    jobs: Sequence[Job], results: Mapping[int, Row], sweep: Path | None, *, keep: bool
) -> list[dict[str, Any]]:
    """What became of each row: its parameters, the file of its result, its state and exit code."""
    entries = []
    for job in jobs:
        result = result_of(job, results)
        entry: dict[str, Any] = {"job": job.number, **job.row, "save_csv": str(job.output)}
        entry["output"] = str(job.output) if keep and result and result["state"] == COMPLETED else None
        entry["state"] = result["state"] if result else "PENDING" if job.number is not None else "MISSING_INPUT"
        entry["return_code"] = _return_code(sweep / result["run_dir"]) if sweep and result else None
        entries.append(entry)
    return entries


def _return_code(run_dir: Path) -> int | None:
    """The exit code of a run's last attempt; None when it has none (it has not ended, or a signal ended it)."""
    try:
        attempts = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))["attempts"]
    except (OSError, ValueError, KeyError):
        return None
    code: int | None = attempts[-1]["exit_code"] if attempts else None
    return code


# -- the command line ---------------------------------------------------------------------------------------------


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our options, and the overrides that make the others options of every job.

    Raises:
        UsageError: an option is not known, or does not go with another.
    """
    args, unknown = _parser().parse_known_args(_joined(argv))
    if args.config_in is not None:
        given = [f"--{name.replace('_', '-')}" for name in _GRID if getattr(args, name) is not None]
        if given:
            raise UsageError(
                f"{', '.join(given)} besides --config-in", todo="leave it out: the config CSV says what is run"
            )
    options = {"jobs_template": args.jobs_template, **passthrough(unknown)}
    if args.timestamp_column is not None:
        options["timestamp_column"] = args.timestamp_column
    return args, [f"workload.{name}={hydra_text(value)}" for name, value in options.items()]


def _joined(argv: Sequence[str]) -> list[str]:
    """The words with ``-`` for ``_`` in flags, and ``--tau-values -0.01,0`` as one: argparse takes it for two flags."""
    words: list[str] = []
    for given in argv:
        flag, equals, value = given.partition("=")
        word = flag.replace("_", "-") + equals + value if flag.startswith("--") else given
        if words and words[-1] in ("--gamma-values", "--tau-values") and re.match(r"-[\d.]", word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def passthrough(words: Sequence[str]) -> dict[str, str]:
    """Unknown flags as options of the job: ``--with_opt``, ``--tie-breaker random``, ``--seed=3``.

    Raises:
        UsageError: the job has no such option, or it lacks its value.
    """
    options: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if not flag.startswith("--"):
            raise UsageError(f"{word!r} is no option", todo="options begin with --; see --help")
        name = flag[2:].replace("-", "_")
        field = _known_option(name, flag)
        if not equals and field.type == "bool":
            value = rest.pop(0) if rest and rest[0].lower() in ("true", "false") else "true"
        elif not equals and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
        elif not equals:
            raise UsageError(f"{flag} needs a value", todo=f"write {flag}=VALUE")
        options[name] = value
    return options


def _known_option(name: str, where: str) -> dataclasses.Field[Any]:
    known = [option for option in JOB_OPTIONS if option not in COLUMNS]
    if name in known:
        return JOB_OPTIONS[name]
    if name in JOB_OPTIONS:
        raise UsageError(f"{name} is part of the grid", where=where, todo="see --help, or edit the config CSV")
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"unknown job option {name!r}", where=where, todo=f"{hint}Known: {', '.join(sorted(known))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_meituan_shadow_sweep.py",
        description="Run the Meituan shadow sweep: config CSV, one sweep, a CSV per run, one CSV of all.",
        epilog="Any other option is one of each job: --with_opt, --export-npz, --tie-breaker random, --seed 3. "
        "Exit code: 0 all completed; 1 a job failed or a day's file is missing; 2 wrong usage; 130 interrupted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--day", type=_day, action="append", help="a day; repeatable (default: 0 to 7)")
    add("--d", type=_window, action="append", help="sojourn window in seconds; repeatable (default: 10, 20, 30)")
    add("--gamma-values", metavar="GRID", help=f"comma list or inclusive start:stop:step (default: {GAMMAS})")
    add("--tau-values", metavar="GRID", help=f"as --gamma-values (default: {TAUS})")
    add("--shadows", metavar="LIST", help="shadows, separated by commas (default: hd)")
    add("--dispatch", help="the policy of every job (default: greedy+)")
    add("--jobs-template", default=DispatchConfig.jobs_template, help="path of a day's file (default: %(default)s)")
    add("--timestamp-column", help=f"column of the times (default: {DispatchConfig.timestamp_column})")
    add("--results-dir", type=Path, default=Path("results"), help="folder of the runs' CSVs (default: %(default)s)")
    add("--config-out", type=Path, help=f"the config CSV to write (default: configs/{EXPERIMENT}.csv)")
    add("--config-in", type=Path, help="run this config CSV instead of a grid")
    add("--final-out", type=Path, help="CSV of all runs (default: RESULTS_DIR/meituan_sweep_final.csv)")
    add("--keep-individual", action=argparse.BooleanOptionalAction, default=True, help="keep the runs' CSVs")
    add("--override", action="append", default=[], metavar="KEY=VALUE", help="handed to the application as it is")
    add("--dry-run", action="store_true", help="write the config CSV, show what would run, and run nothing")
    return parser


def _day(text: str) -> int:
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"a day is a number from 0, not {text!r}")
    return int(text)


def _window(text: str) -> str:
    try:
        value = _decimal(text)
    except (InvalidOperation, ValueError) as exc:
        raise argparse.ArgumentTypeError(f"a window is a number of seconds, not {text!r}") from exc
    if value < 0:
        raise argparse.ArgumentTypeError(f"a window is 0 seconds or more, not {text!r}")
    return plain(value)


def main(argv: Sequence[str]) -> int:
    """The command; returns the exit code."""
    try:
        return _sweep(*parse(argv))
    except UsageError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _sweep(args: argparse.Namespace, options: Sequence[str]) -> int:
    config = args.config_in or args.config_out or Path("configs", f"{EXPERIMENT}.csv")
    rows = read_config(config, args.dispatch) if args.config_in else grid_rows(args)
    jobs = placed(rows, args.results_dir)
    if not args.config_in:
        write_csv(config, [{name: row[name] for name in (*COLUMNS, "dispatch")} for row in rows])
    missing = [job for job in jobs if job.number is None]
    for path, count in _counted(job.row["jobs_csv"] for job in missing).items():
        print(f"no such file: {path}: {count} runs are left out", file=sys.stderr)
    label = f"csv{secrets.token_hex(3)}"
    table = config.with_name(f"{config.stem}.table.csv")
    command = command_of(table, label, options, args.override)
    if len(missing) < len(jobs):
        write_csv(table, table_rows(jobs))
    if args.dry_run:
        _show(config, jobs, command)
        return 1 if missing else 0
    final = args.final_out or args.results_dir / "meituan_sweep_final.csv"
    report = Report(config=config, final=final, command=command, jobs=jobs, keep=args.keep_individual)
    report.write(sweep=None, results={}, code=None)
    code = run(command) if len(missing) < len(jobs) else 0
    sweep = find_sweep(label)
    results = read_results(sweep)
    count = write_results(jobs, results, final, keep=args.keep_individual)
    code = code or (1 if missing or count < len(jobs) else 0)
    report.write(sweep=sweep, results=results, code=code)
    print(f"{count} of {len(jobs)} runs completed")
    print(*(f"  {path}" for path in (final if count else None, report.path, sweep) if path), sep="\n")
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The manifest beside the final CSV: what was asked for, and what became of it."""

    config: Path
    final: Path
    command: Sequence[str]
    jobs: Sequence[Job]
    keep: bool

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.final.with_name(f"{self.final.stem}.manifest.json")

    def write(self, *, sweep: Path | None, results: Mapping[int, Row], code: int | None) -> None:
        """Writes it. ``code`` is the exit code, None before the sweep."""
        value = {
            "config": str(self.config),
            "final": str(self.final),
            "sweep": str(sweep) if sweep else None,
            "command": list(self.command),
            "exit_code": code,
            "runs": manifest(self.jobs, results, sweep, keep=self.keep),
        }
        write_text(self.path, json.dumps(value, indent=2) + "\n")


def _counted(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def _show(config: Path, jobs: Sequence[Job], command: Sequence[str]) -> None:
    print(f"config: {config}  (edit it, and run it with --config-in {config})")
    for job in jobs:
        what = " ".join(f"{k}={v}" for k, v in job.row.items() if k not in ("jobs_csv", "save_csv"))
        number = "left out" if job.number is None else f"job {job.number}"
        print(f"{number}: {what} -> {job.output}")
    print(shlex.join(command))
    print("nothing was run")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
