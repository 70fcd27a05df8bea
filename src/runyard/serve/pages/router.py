"""Which address is which page. Whoever includes the router puts the guard before it."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from runyard.serve.launches import Launches
from runyard.serve.pages.forms import Forms
from runyard.serve.pages.looking import Looking
from runyard.serve.pages.rendering import Rendering
from runyard.serve.pictures import Pictures
from runyard.serve.settings import ServeSettings
from runyard.serve.sweeps import Sweeps

STATIC = {
    "icon.svg": "image/svg+xml",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "htmx.min.js": "text/javascript",
}
_HERE = Path(__file__).parent


def make_pages(settings: ServeSettings, sweeps: Sweeps, launches: Launches, pictures: Pictures) -> APIRouter:
    """The pages over one set of roots."""
    rendering = Rendering(can_start=launches.can_start, asks_token=settings.token is not None)
    looking, forms = Looking(rendering, sweeps, pictures), Forms(rendering, settings, launches, sweeps)
    router = APIRouter(include_in_schema=False)
    for path, page in (
        ("/", looking.sweeps),
        ("/sweeps/{run_id}", looking.sweep),
        ("/sweeps/{run_id}/jobs/{number}", looking.job),
        ("/sweeps/{run_id}/figures/{name}", looking.figure),
        ("/sweeps/{run_id}/report", looking.report),
        ("/compare", looking.compare),
        ("/start", forms.start_page),
        ("/login", forms.login_page),
        ("/static/{name}", _static),
    ):
        router.add_api_route(path, page, methods=["GET"], response_class=Response)
    for path, form in (
        ("/start", forms.start),
        ("/login", forms.login),
        ("/logout", forms.logout),
        ("/sweeps/{run_id}/cancel", forms.cancel),
        ("/sweeps/{run_id}/resume", forms.resume),
    ):
        router.add_api_route(path, form, methods=["POST"], response_class=Response)
    return router


def _static(name: str) -> Response:
    if name not in STATIC:
        return Response("not found", status_code=404, media_type="text/plain")
    return FileResponse(_HERE / "static" / name, media_type=STATIC[name])
