"""Listens: binds the address, tells where the page is, and serves until it is told to end. Ends no sweep."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from runyard.base import UsageError
from runyard.serve.application import create_app
from runyard.serve.settings import ServeSettings

#: how long answers that follow a log may go on when the server ends, in seconds.
_GRACE_S = 2


def run_server(settings: ServeSettings, say: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        settings: what is served.
        say: is called once, with the address, when the server listens.

    Raises:
        UsageError: the address cannot be had, or the application cannot be started.
    """
    application = create_app(settings)
    with _bound(settings.host, settings.port) as listening:
        config = uvicorn.Config(
            application,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        say(_address(settings.host, listening.getsockname()[1]))
        uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens: connections that come before the server is ready wait."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as exc:
        listening.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on ({exc.strerror or exc})",
            where="--host, --port",
            todo="choose another port, or 0 for a free one",
        ) from exc
    return listening


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
