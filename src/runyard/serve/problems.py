"""Problems: what a client is told when something is wrong, in the form of RFC 9457; never a traceback."""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from runyard.base import RecordError, RunyardError, SweepBusy, UsageError
from runyard.record import redact_text

MEDIA_TYPE = "application/problem+json"
#: of what an application printed, characters that a client is shown.
_MOST_CHARACTERS = 1500


class NotFound(UsageError):
    """There is no such run, job, figure or file."""


class Refused(UsageError):
    """The operator does not allow it."""


class TooMany(UsageError):
    """A limit of the server is reached; later it may go."""


def status_of(error: RunyardError) -> int:
    """The HTTP status of an error."""
    for kind, status in ((NotFound, 404), (Refused, 403), (TooMany, 429), (SweepBusy, 409), (UsageError, 400)):
        if isinstance(error, kind):
            return status
    return 500


def words_of(error: RunyardError) -> str:
    """An error's message as a client may see it: without secrets, and cut where it is long."""
    text = redact_text(str(error))
    return text if len(text) <= _MOST_CHARACTERS else "…" + text[-_MOST_CHARACTERS:]


def problem(status: int, title: str, detail: str = "", **more: Any) -> JSONResponse:
    """An answer that tells what is wrong."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def add_problems(application: FastAPI) -> None:
    """Turns every error of an application into a problem."""
    application.add_exception_handler(RunyardError, _ours)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(HTTPException, _plain)
    application.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, UsageError):
        detail = words_of(UsageError(error.what, where=error.where, todo=error.todo))
        return problem(status_of(error), redact_text(error.what).splitlines()[0][:200], detail)
    if isinstance(error, RecordError):
        return problem(500, "a record cannot be read", words_of(error))
    return problem(500, "it did not work", words_of(error if isinstance(error, RunyardError) else RunyardError()))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    told = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in found]
    return problem(422, "the request is not what is asked for", "; ".join(_line(one) for one in told), errors=told)


def _line(one: dict[str, str]) -> str:
    return f"{one['where']}: {one['what']}"


def _plain(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = problem(status, str(getattr(error, "detail", "")) or "error")
    answer.headers.update(headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """What nobody thought of: the traceback goes to the server's own output, under a name that the client gets."""
    name = secrets.token_hex(4)
    told = "".join(traceback.format_exception(error))
    sys.stderr.write(f"runyard serve: error {name} at {request.method} {request.url.path}\n{redact_text(told)}\n")
    return problem(500, "the server made a mistake", f"its operator finds it in the server's output as {name}")
