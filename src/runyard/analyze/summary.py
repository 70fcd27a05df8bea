"""The summary: a row per combination of swept values, its statistics over seeds. Pure."""

from __future__ import annotations

import numpy as np

from runyard.analyze.cells import Cell, Columns, is_nan
from runyard.analyze.groups import Bools, Floats, Ints, group_index, is_completed, moments
from runyard.analyze.jobtable import JobTable, numbers
from runyard.analyze.mixture import MISSING_STATES

COUNTS = ("n", "missing", "failed")
#: the column of summary.csv that tells what a row's runs mix.
MIXED = "mixed"


def summary_columns(table: JobTable) -> Columns:
    """The summary of a sweep's jobs.

    Columns: the swept names but for seeds (``params.<name>`` where a name is one of the counts); ``n`` jobs that
    COMPLETED, ``missing`` that are PENDING, RUNNING or CANCELLED, ``failed`` that ended otherwise; then for each
    metric ``<m>_mean``, ``<m>_std`` (n - 1) and ``<m>_ci95``, the half width of Student's 95 % interval of the mean.
    Only finite values of COMPLETED jobs are averaged. The others are counted apart, in ``<m>_nan`` those that are NaN,
    in ``<m>_inf`` the infinite, in ``<m>_absent`` jobs that did not report the metric; these three columns are there
    only when they count something.
    Cells are empty where there is nothing to average, and ``std`` and ``ci95`` with fewer than two values.

    Returns:
        A row per combination, in the order in which jobs first have them. Without a swept seed each has n <= 1.
    """
    by = [name for name in table.names if not table.is_seed(name)]
    keys, index = group_index(table, by)
    columns: Columns = {_free(name): [key[i] for key in keys] for i, name in enumerate(by)}
    columns |= _counts(table, index, len(keys))
    for metric in table.metrics:
        columns |= _statistics(table, metric, index, len(keys))
    return columns


def _free(name: str) -> str:
    return f"params.{name}" if name in (*COUNTS, MIXED) else name


def _counts(table: JobTable, index: Ints, size: int) -> Columns:
    completed = is_completed(table)
    missing = np.array([state in MISSING_STATES for state in table.columns["state"]], dtype=bool)
    masks = (completed, missing, ~completed & ~missing)
    return {
        name: [int(k) for k in np.bincount(index[mask], minlength=size)]
        for name, mask in zip(COUNTS, masks, strict=True)
    }


def _statistics(table: JobTable, metric: str, index: Ints, size: int) -> Columns:
    cells = table.columns[metric]
    completed = is_completed(table)
    values = numbers(cells)
    used = completed & np.isfinite(values)
    found = moments(values[used], index[used], size)
    columns: Columns = {
        f"{metric}_mean": _cells(found.mean, found.n > 0),
        f"{metric}_std": _cells(found.std, found.n > 1),
        f"{metric}_ci95": _cells(found.ci95, found.n > 1),
    }
    for suffix, mask in (
        ("nan", np.array([is_nan(cell) for cell in cells], dtype=bool)),
        ("inf", np.isinf(values)),
        ("absent", np.array([cell is None for cell in cells], dtype=bool)),
    ):
        counted = np.bincount(index[completed & mask], minlength=size)
        if counted.any():
            columns[f"{metric}_{suffix}"] = [int(k) for k in counted]
    return columns


def _cells(values: Floats, there: Bools) -> list[Cell]:
    return [float(value) if ok else None for value, ok in zip(values, there, strict=True)]
