"""The pages that only show: lists, one sweep, one job, comparisons, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Query
from fastapi.responses import FileResponse, Response

from runyard.base import TERMINAL, RunyardError
from runyard.compare import compare, side_of
from runyard.record import SweepPaths
from runyard.report import causes_of
from runyard.serve.answers import attempts_of, config_of
from runyard.serve.pages.rendering import Rendering
from runyard.serve.pages.views import jobs_view, share
from runyard.serve.pictures import Pictures
from runyard.serve.problems import NotFound
from runyard.serve.sweeps import Sweeps, log_of, sweep_log_of
from runyard.serve.tails import log_tail

PAGE_ROWS = 50
_REPORT_CSP = "sandbox allow-scripts allow-downloads; default-src 'unsafe-inline' data: blob:"
_FAILED = ("FAILED", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED", "LOST", "CANCELLED")
_SHOWN_LINES = 200


class Looking:
    """Plain functions, so that reading is done in threads."""

    def __init__(self, rendering: Rendering, sweeps: Sweeps, pictures: Pictures) -> None:
        self._rendering, self._sweeps, self._pictures = rendering, sweeps, pictures

    def sweeps(self, q: str = "", page: int = 1) -> Response:
        """The list, filtered by words, 50 to a page."""
        words = q.lower().split()
        rows = [row for row in self._sweeps.rows() if all(word in _text(row) for word in words)]
        last = max(1, -(-len(rows) // PAGE_ROWS))
        page = min(max(page, 1), last)
        shown = rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        return self._rendering.page("sweeps", rows=shown, q=q, page=page, last=last, total=len(rows))

    def sweep(self, run_id: str, sort: str = "job", state: str = "", page: int = 1) -> Response:
        """One sweep or single run."""
        try:
            folder, now = self._sweeps.dir_of(run_id), self._sweeps.standing(run_id)
            figures = self._pictures.names(run_id)
        except RunyardError as error:
            return self._rendering.problem(error)
        notes = SweepPaths(folder).notes
        counts = dict(now.record.counts)
        return self._rendering.page(
            "sweep",
            sweep=now.record,
            at_work=now.controller is not None,
            counts=counts,
            done=share(counts, ["COMPLETED"]),
            bad=share(counts, _FAILED),
            view=jobs_view(now.runs, sort=sort, state=state, page=page),
            failures=causes_of(now.runs),
            figures=figures,
            has_report=report_of(folder).is_file(),
            notes=notes.read_text(encoding="utf-8", errors="replace") if notes.is_file() else "",
            log=self._sweep_log(folder),
        )

    def _sweep_log(self, folder: Path) -> str:
        try:
            return log_tail(self._sweeps.inside(sweep_log_of(folder)), 40)
        except NotFound:
            return ""

    def job(self, run_id: str, number: int) -> Response:
        """One job."""
        try:
            run = self._sweeps.job(run_id, number)
            log = log_tail(self._sweeps.inside(log_of(run)), _SHOWN_LINES)
        except RunyardError as error:
            return self._rendering.problem(error)
        return self._rendering.page(
            "job",
            run_id=run_id,
            run=run,
            ended=run.state in TERMINAL,
            attempts=attempts_of(run),
            config=config_of(run),
            log=log,
        )

    def compare(self, sweep: Annotated[list[str], Query(default_factory=list)]) -> Response:
        """Chosen sweeps; the last is the baseline."""
        try:
            sides = [side_of(name, self._sweeps.dir_of(name)) for name in reversed(sweep)]
            found = compare(sides)
        except RunyardError as error:
            return self._rendering.problem(error)
        return self._rendering.page("compare", found=found)

    def figure(self, run_id: str, name: str) -> Response:
        """A figure as PNG."""
        try:
            data = self._pictures.png(run_id, name)
        except RunyardError as error:
            return self._rendering.problem(error)
        return Response(data, media_type="image/png", headers={"Cache-Control": "no-cache"})

    def report(self, run_id: str) -> Response:
        """The sweep's report as it lies on disk, in a sandbox: its scripts reach neither the API nor the cookie."""
        try:
            path = self._sweeps.inside(report_of(self._sweeps.dir_of(run_id)))
            if not path.is_file():
                raise NotFound(f"the run {run_id!r} has no report", todo="'runyard report' makes one")
        except RunyardError as error:
            return self._rendering.problem(error)
        headers = {"Content-Security-Policy": _REPORT_CSP, "Cache-Control": "no-cache"}
        return FileResponse(path, media_type="text/html", headers=headers)


def report_of(folder: Path) -> Path:
    """Where a sweep's report lies."""
    return folder / "report.html"


def _text(row: dict[str, object]) -> str:
    """What the filter looks at."""
    return f"{row['sweep_id']} {row['experiment']} {row['state']} {row['note']} {row['tags']}".lower()
