"""The end of a sweep: makes every file that its results are read from."""

from __future__ import annotations

from pathlib import Path

from runyard.analyze import LoadedSweep, attempt, load_sweep, primary_metric, write_results
from runyard.base import UsageError
from runyard.record import SweepPaths
from runyard.report.figure import summary_figure
from runyard.report.notes import write_notes


def finish_files(sweep_dir: Path, metric: str | None = None) -> list[str]:
    """Writes results.csv, results.parquet, tables/, summary.csv, summary.png and notes.md.

    Each is made from what is on disk, and replaced in one step when it is there already. A piece that cannot be
    made does not keep the others from being made.

    Args:
        sweep_dir: the sweep.
        metric: the metric of the figure and the notes; None, or one that no job reported, takes the primary one.

    Returns:
        A sentence for everything that could not be read or made; empty when all is well.

    Raises:
        RecordError: the directory has neither a sweep record nor a run.
    """
    loaded = load_sweep(sweep_dir)
    paths = SweepPaths(sweep_dir)
    messages = write_results(sweep_dir, loaded=loaded)
    chosen, problems = _metric(loaded, metric)
    messages += problems
    messages += attempt(paths.summary_png.name, lambda: _figure(loaded, paths.summary_png, chosen))
    said = tuple(messages)
    messages += attempt(paths.notes.name, lambda: write_notes(loaded, paths.notes, said, chosen))
    return messages


def _figure(loaded: LoadedSweep, path: Path, metric: str | None) -> list[str]:
    message = summary_figure(loaded, path, metric)
    return [message] if message else []


def _metric(loaded: LoadedSweep, metric: str | None) -> tuple[str | None, list[str]]:
    """The metric to show, and what to say when it is not the one that was asked for."""
    try:
        primary_metric(loaded.table, metric)
    except UsageError as error:
        return None, [f"{error.what}: the figure and the notes show another ({error.todo})"]
    return metric, []
