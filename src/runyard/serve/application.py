"""The application: guard, API and pages over one set of roots."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from runyard import __version__
from runyard.serve.api import add_problem_schema, make_api
from runyard.serve.facts import facts_of
from runyard.serve.guard import Guard
from runyard.serve.launches import Launches
from runyard.serve.pages import make_pages
from runyard.serve.pictures import Pictures
from runyard.serve.problems import add_problems
from runyard.serve.settings import ServeSettings
from runyard.serve.sweeps import Sweeps

_ABOUT = "Starts sweeps and single runs, and tells how they stand. Every request shows the server's token."


def create_app(settings: ServeSettings) -> ASGIApp:
    """The whole service as an ASGI application.

    Raises:
        UsageError: the application that is to be started cannot be; in its own words.
    """
    facts = facts_of(settings.app, settings.cwd) if settings.app is not None else None
    sweeps = Sweeps(tuple(settings.cwd / root for root in settings.roots))
    launches, pictures = Launches(settings, facts, sweeps), Pictures(sweeps)
    application = FastAPI(title="Runyard", version=__version__, description=_ABOUT, docs_url=None, redoc_url=None)
    application.include_router(make_api(settings, sweeps, launches, pictures))
    application.include_router(make_pages(settings, sweeps, launches, pictures))
    add_problems(application)
    _document(application)
    return Guard(application, settings)


def _document(application: FastAPI) -> None:
    """The OpenAPI document: made once, with the token and the form of problems in it."""

    def openapi() -> dict[str, Any]:
        if application.openapi_schema is None:
            document = get_openapi(
                title=application.title,
                version=application.version,
                description=application.description,
                routes=application.routes,
            )
            add_problem_schema(document)
            document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
            application.openapi_schema = document
        return application.openapi_schema

    application.openapi = openapi  # type: ignore[method-assign]
