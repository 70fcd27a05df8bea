"""Messages between the controller and the template: pickles with their length in front, over a socket."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any

_HEADER = struct.Struct("!Q")
_CHUNK = 1 << 18


class Channel:
    """One end. ``send`` waits until the other side has room; ``receive`` never waits."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()
        self.is_closed = False

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._end.fileno()

    def send(self, message: Any) -> None:
        """Sends one message. Raises OSError (BrokenPipeError) when the other side is gone."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._end.sendall(_HEADER.pack(len(data)) + data)

    def receive(self) -> list[Any]:
        """The messages that are there. Sets ``is_closed`` when the other side is gone."""
        try:
            data = self._end.recv(_CHUNK, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return self._messages()
        except OSError:
            data = b""
        if not data:
            self.is_closed = True
        self._buffer += data
        return self._messages()

    def _messages(self) -> list[Any]:
        found = []
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if len(self._buffer) < _HEADER.size + length:
                break
            found.append(pickle.loads(bytes(self._buffer[_HEADER.size : _HEADER.size + length])))
            del self._buffer[: _HEADER.size + length]
        return found

    def close(self) -> None:
        """Closes this end."""
        self._end.close()


def channel_pair() -> tuple[Channel, Channel]:
    """Two ends of a new connection."""
    left, right = socket.socketpair()
    return Channel(left), Channel(right)
