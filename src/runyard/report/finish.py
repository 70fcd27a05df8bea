"""The end of a sweep: makes every file that its results are read from."""

from __future__ import annotations

from pathlib import Path

from runyard.analyze import LoadedSweep, attempt, load_sweep, primary_metric, write_results
from runyard.base import UsageError
from runyard.record import SweepPaths
from runyard.report.figure import summary_figure
from runyard.report.notes import write_notes
from runyard.report.write import HTML, write_page


def finish_files(sweep_dir: Path, metric: str | None = None, *, page: bool = True) -> list[str]:
    """Writes results.csv, results.parquet, tables/, summary.csv, summary.png, notes.md and report.html.

    The page is made without drawing on paper, and takes a fifth of a second for a hundred jobs; it is 5 MB large, for
    plotly's JavaScript is in it. ``runyard report`` makes the rest of a report.

    Each is made from what is on disk, and replaced in one step when it is there already. A piece that cannot be
    made does not keep the others from being made.

    Args:
        sweep_dir: the sweep.
        metric: the metric of the figure and the notes; None, or one that no job reported, takes the primary one.
        page: make report.html.

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
    if page:
        messages += attempt(HTML, lambda: _page(loaded, sweep_dir / HTML, chosen))
    said = tuple(messages)
    messages += attempt(paths.notes.name, lambda: write_notes(loaded, paths.notes, said, chosen))
    return messages


def _figure(loaded: LoadedSweep, path: Path, metric: str | None) -> list[str]:
    message = summary_figure(loaded, path, metric)
    return [message] if message else []


def _page(loaded: LoadedSweep, path: Path, metric: str | None) -> list[str]:
    try:
        write_page(loaded, path, metric)
    except UsageError as error:  # jinja2 or plotly is not there
        return [f"{path.name} was not made: {error.what}; {error.todo}"]
    return []


def _metric(loaded: LoadedSweep, metric: str | None) -> tuple[str | None, list[str]]:
    """The metric to show, and what to say when it is not the one that was asked for."""
    try:
        primary_metric(loaded.table, metric)
    except UsageError as error:
        return None, [f"{error.what}: the figure and the notes show another ({error.todo})"]
    return metric, []
