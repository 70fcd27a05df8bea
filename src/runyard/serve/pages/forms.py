"""The forms: login, start, cancel, resume. Each calls one function and sends the browser on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from runyard.base import RunyardError, UsageError
from runyard.serve.guard import COOKIE
from runyard.serve.launches import Launches, Order
from runyard.serve.pages.rendering import Rendering
from runyard.serve.problems import status_of, words_of
from runyard.serve.settings import ServeSettings
from runyard.serve.sweeps import Sweeps
from runyard.serve.tokens import is_same

_LAUNCHERS = ("local", "slurm")
Text = Annotated[str, Form(max_length=20_000)]


class Forms:
    """Plain functions: starting and resuming wait for a process, in a thread."""

    def __init__(self, rendering: Rendering, settings: ServeSettings, launches: Launches, sweeps: Sweeps) -> None:
        self._rendering, self._settings, self._launches, self._sweeps = rendering, settings, launches, sweeps

    def login_page(self, request: Request, token: str = "") -> Response:
        """The form; or, with the token in the address as it was printed, the cookie."""
        return self._let_in(request, token) if token else self._rendering.page("login", wrong=False)

    def login(self, request: Request, token: Text = "") -> Response:
        """Gives the browser its cookie."""
        return self._let_in(request, token)

    def _let_in(self, request: Request, given: str) -> Response:
        token = self._settings.token
        if token is not None and not is_same(given.strip(), token):
            return self._rendering.page("login", 401, wrong=True)
        answer = RedirectResponse("/", status_code=303)
        if token is not None:
            is_https = request.url.scheme == "https"
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=is_https, max_age=30 * 24 * 3600)
        return answer

    def logout(self) -> Response:
        """Takes the cookie away."""
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def start_page(self) -> Response:
        """The form for a start."""
        return self._start_page({}, "", 200)

    def _start_page(self, given: dict[str, str], problem: str, status: int) -> Response:
        names = [name for name in self._settings.fields.names if name != "tag"]
        empty = dict.fromkeys(("overrides", "experiment", "tag", "launcher", "seeds", *names), "")
        return self._rendering.page(
            "start", status, given={**empty, **given}, fields=names, problem=problem, app=self._settings.app
        )

    async def start(self, request: Request) -> Response:
        """Starts what the form says; shows the form again with what is wrong."""
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            folder = await run_in_threadpool(self._launches.start, self._order(form))
        except RunyardError as error:
            return self._start_page(form, words_of(error), status_of(error))
        now = await run_in_threadpool(self._sweeps.look_at, folder)
        return RedirectResponse(f"/sweeps/{quote(now.record.sweep_id, safe='')}", status_code=303)

    def _order(self, form: dict[str, str]) -> Order:
        given = {name: text.strip() for name, text in form.items() if text.strip()}
        launcher = given.get("launcher")
        if launcher is not None and launcher not in _LAUNCHERS:
            raise UsageError(f"there is no launcher {launcher!r}", todo=f"choose of {', '.join(_LAUNCHERS)}")
        return Order(
            overrides=[line.strip() for line in given.get("overrides", "").splitlines() if line.strip()],
            experiment=given.get("experiment"),
            tag=given.get("tag"),
            launcher=launcher,
            seeds=_seeds(given.get("seeds")),
            fields={name: _typed(text) for name, text in given.items() if name in self._settings.fields.names},
        )

    def cancel(self, run_id: str) -> Response:
        """Stops a sweep, and shows it."""
        return self._acted(run_id, lambda: self._launches.cancel(run_id))

    def resume(self, run_id: str) -> Response:
        """Takes a sweep up again, and shows it."""

        def act() -> str:
            self._launches.resume(run_id)
            return "It goes on."

        return self._acted(run_id, act)

    def _acted(self, run_id: str, act: Callable[[], str]) -> Response:
        try:
            act()
        except RunyardError as error:
            return self._rendering.problem(error)
        return RedirectResponse(f"/sweeps/{quote(run_id, safe='')}", status_code=303)


def _seeds(text: str | None) -> int | list[int] | None:
    """``5`` is a number of seeds, ``1,2,3`` are seeds."""
    if text is None:
        return None
    try:
        return [int(one) for one in text.split(",")] if "," in text else int(text)
    except ValueError:
        raise UsageError(f"{text!r} are no seeds", todo="give how many, such as 5, or which, such as 1,2,3") from None


def _typed(text: str) -> int | float | str:
    """A field's text as a number, where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
