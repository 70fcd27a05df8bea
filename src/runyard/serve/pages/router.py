"""Routes requests for pages to templates. Whoever includes the router checks tokens and hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from runyard.base import TERMINAL, RecordError, UsageError
from runyard.compare import compare, side_of
from runyard.record import SweepPaths, count_states, read_runs, read_sweep
from runyard.report import causes_of
from runyard.serve.pages import reading

PAGE_ROWS = 50
CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
STATIC = {
    "icon.svg": "image/svg+xml",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "htmx.min.js": "text/javascript",
}
_HERE = Path(__file__).parent


def make_router(root: Path) -> APIRouter:
    """The pages over the sweeps below ``root``: ``/``, ``/sweeps/<id>``, ``/sweeps/<id>/jobs/<n>``, ``/compare``."""
    router = APIRouter(include_in_schema=False)
    pages = _Pages(root)
    router.add_api_route("/", pages.sweeps, methods=["GET"])
    router.add_api_route("/sweeps/{sweep_id}", pages.sweep, methods=["GET"])
    router.add_api_route("/sweeps/{sweep_id}/jobs/{number}", pages.job, methods=["GET"])
    router.add_api_route("/sweeps/{sweep_id}/figures/{name}", pages.figure, methods=["GET"])
    router.add_api_route("/compare", pages.compare, methods=["GET"])
    router.add_api_route("/static/{name}", _static, methods=["GET"])
    return router


def _static(name: str) -> Response:
    if name not in STATIC:
        return Response("not found", status_code=404, media_type="text/plain")
    return FileResponse(_HERE / "static" / name, media_type=STATIC[name])


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class _Pages:
    """What the routes share: the root and the templates. Plain functions, so that reading is done in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        loader = PackageLoader("runyard.serve.pages", "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._templates.filters["number"] = _number

    def _page(self, name: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(name).render(**values)
        headers = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return HTMLResponse(text, status_code=status, headers=headers)

    def _missing(self, problem: UsageError | RecordError) -> Response:
        """What is not there is 404; what is there and cannot be read is 500, in words."""
        if isinstance(problem, RecordError):
            return self._page("missing.html.j2", 500, title="A record cannot be read", problem=str(problem))
        return self._page("missing.html.j2", 404, title="Not found", problem=str(problem))

    def sweeps(self, q: str = "", page: int = 1) -> Response:
        rows = reading.sweep_rows(self._root, q)
        last = max(1, -(-len(rows) // PAGE_ROWS))
        page = min(max(page, 1), last)
        shown = rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        for row in shown:
            try:
                row["counts"] = count_states(read_runs(Path(row["path"])))
            except RecordError:  # the sweep's own page tells what is wrong
                row["counts"] = {}
        return self._page("sweeps.html.j2", rows=shown, q=q, page=page, last=last, total=len(rows))

    def sweep(self, sweep_id: str) -> Response:
        try:
            folder = reading.sweep_dir_of(self._root, sweep_id)
            record, runs = read_sweep(folder), read_runs(folder)
        except (UsageError, RecordError) as exc:
            return self._missing(exc)
        notes = SweepPaths(folder).notes
        return self._page(
            "sweep.html.j2",
            sweep=record,
            runs=runs,
            counts=count_states(runs),
            params=reading.columns_of(runs, "params", 8),
            metrics=reading.columns_of(runs, "metrics", 6),
            failures=causes_of(runs),
            figures=reading.pictures(folder),
            notes=notes.read_text(encoding="utf-8", errors="replace") if notes.is_file() else "",
        )

    def job(self, sweep_id: str, number: int) -> Response:
        try:
            run = reading.job_of(reading.sweep_dir_of(self._root, sweep_id), number)
        except (UsageError, RecordError) as exc:
            return self._missing(exc)
        return self._page(
            "job.html.j2", sweep_id=sweep_id, run=run, ended=run.state in TERMINAL, log=reading.log_tail(run)
        )

    def compare(self, sweep: Annotated[list[str], Query(default_factory=list)]) -> Response:
        try:
            sides = [side_of(name, reading.sweep_dir_of(self._root, name)) for name in reversed(sweep)]
            found = compare(sides)
        except (UsageError, RecordError) as exc:
            return self._page("missing.html.j2", 400, title="These cannot be compared", problem=str(exc))
        return self._page("compare.html.j2", found=found)

    def figure(self, sweep_id: str, name: str) -> Response:
        try:
            path = reading.picture_path(reading.sweep_dir_of(self._root, sweep_id), name)
        except UsageError as exc:
            return self._missing(exc)
        return FileResponse(path, media_type="image/png", headers={"X-Content-Type-Options": "nosniff"})
