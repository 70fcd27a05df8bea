"""Renders templates into answers, with the headers that keep a page from loading anything from elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from runyard.base import RecordError, RunyardError, UsageError
from runyard.record import is_secret, redact_override, redact_text
from runyard.serve.problems import status_of, words_of

CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
_TITLES = {404: "Not found", 403: "Not allowed", 429: "Not now", 409: "At work already"}


class Rendering:
    """The templates. ``can_start`` and ``asks_token`` say what the navigation offers."""

    def __init__(self, *, can_start: bool, asks_token: bool) -> None:
        loader = PackageLoader("runyard.serve.pages", "templates")
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters |= {"number": _number, "override": redact_override, "plain": redact_text}
        self._templates.globals |= {"can_start": can_start, "asks_token": asks_token, "value": _value}

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """A page from a template."""
        text = self._templates.get_template(f"{name}.html.j2").render(**values)
        headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store"}
        return HTMLResponse(text, status_code=status, headers=headers)

    def problem(self, error: RunyardError) -> Response:
        """A page that says what is wrong: what is not there is 404, what cannot be read 500, in words."""
        status = status_of(error)
        titles = {404: "Not found", 403: "Not allowed", 429: "Not now", 409: "At work already"}
        title = (
            "A record cannot be read" if isinstance(error, RecordError) else titles.get(status, "This cannot be done")
        )
        told = words_of(UsageError(error.what, todo=error.todo) if isinstance(error, UsageError) else error)
        return self.page("problem", status, title=title, problem=told)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _value(values: dict[str, Any], name: str) -> str:
    """A value of a table's cell; one that looks like a secret is not shown."""
    return "***" if is_secret(name) and values.get(name) is not None else _number(values.get(name))
