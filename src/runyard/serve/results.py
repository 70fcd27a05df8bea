"""The results of a run as CSV: a row per job, as results.csv has them, also while jobs run. Reads no file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runyard.analyze import cell_text, job_table
from runyard.record import RunRecord, redact


def results_csv(runs: Sequence[RunRecord], folder: Path) -> str:
    """A header, and a line per job in the order of their numbers; values that look like secrets are ``***``."""
    plain = [replace(run, params=redact(run.params), metrics=redact(run.metrics)) for run in runs]
    names = dict.fromkeys(name for run in plain for name in run.params)
    columns = job_table(plain, list(names), sweep_dir=folder).columns
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_text(cell) for cell in row] for row in zip(*columns.values(), strict=True))
    return out.getvalue()
