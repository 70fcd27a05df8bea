"""The guard at the door: hosts, origins, sizes and tokens are looked at before any route is called.

What it holds against: pages of other sites that a browser shows (DNS rebinding, forged forms), other users of the
machine (the token), bodies without end.
"""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runyard.serve.problems import problem
from runyard.serve.settings import ServeSettings
from runyard.serve.tokens import is_same

COOKIE = "runyard_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = ("/login", "/static/")
#: within how many seconds a body must be there.
_BODY_S = 15.0
HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),  # with no-referrer, browsers send "Origin: null" with our own forms
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
)


class Guard:
    """Wraps an ``application``."""

    def __init__(self, application: ASGIApp, settings: ServeSettings) -> None:
        self.application, self._settings = application, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers by itself what is refused; hands on the rest."""
        if scope["type"] == "lifespan":
            await self.application(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here
        send = _with_headers(send)
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        body = await self._body(headers, receive)
        if isinstance(body, Response):
            await body(scope, receive, send)
            return
        await self.application(scope, _replayed(body, receive), send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.getlist("host")
        if len(host) != 1 or _name(host[0]) not in self._settings.host_names:
            return problem(421, "this host is not served here", "the operator can add its name with --allow-host")
        origin = headers.get("origin")
        if origin is not None and not _is_same_origin(origin, host[0]):
            return problem(403, "the request comes from another site")
        path = str(scope["path"])
        if self._settings.token is None or path.startswith(_OPEN):
            return None
        return self._without_token(scope, headers, self._settings.token, path, origin)

    def _without_token(
        self, scope: Scope, headers: Headers, token: str, path: str, origin: str | None
    ) -> Response | None:
        """What is answered to those who do not show the token; None to those who do."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_same(bearer.strip(), token):
            return None
        if is_same(_cookie(headers), token):
            if scope["method"] in _SAFE or origin is not None:
                return None
            return problem(403, "a form without an origin", "send the token as 'Authorization: Bearer'")
        if path.startswith("/api") or path == "/openapi.json" or scope["method"] != "GET":
            answer = problem(401, "no token, or a wrong one", "send it as 'Authorization: Bearer TOKEN'")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return RedirectResponse("/login", status_code=303)

    async def _body(self, headers: Headers, receive: Receive) -> list[Message] | Response:
        """The whole body as messages, or the refusal of one that is too large or does not come."""
        most = self._settings.most_body_bytes
        too_large = problem(413, "the body is too large", f"{most} bytes are the most")
        told = headers.get("content-length", "0")
        if not told.isascii() or not told.isdigit() or int(told) > most:
            return too_large
        try:
            return await asyncio.wait_for(_read(receive, most), _BODY_S) or too_large
        except asyncio.TimeoutError:
            return problem(408, "the body did not come in time")


async def _read(receive: Receive, most: int) -> list[Message] | None:
    """The messages of a body; None when there are more than ``most`` bytes."""
    messages: list[Message] = []
    length = 0
    while True:
        message = await receive()
        messages.append(message)
        length += len(message.get("body", b""))
        if length > most:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        for message in waiting:
            return message
        return await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name for name, _ in message.get("headers", ())}
            more = [(name.encode(), value.encode()) for name, value in HEADERS if name.encode() not in have]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


def _name(host: str) -> str:
    """A Host header without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _is_same_origin(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and found.netloc.lower() == host.lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
