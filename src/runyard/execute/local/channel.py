"""Messages between the controller and the template: pickles with their length in front, over a socket."""

from __future__ import annotations

import pickle
import select
import socket
import struct
from typing import Any

_HEADER = struct.Struct("!Q")
_CHUNK = 1 << 18


class Channel:
    """One end. ``send`` waits until the other side has room; ``receive`` never waits.

    While ``send`` waits it takes in what comes: two ends that send at once must not wait for each other for ever.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()
        self._held: list[bytes] = []
        self.is_closed = False

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._end.fileno()

    def send(self, message: Any) -> None:
        """Sends one message. Raises OSError (BrokenPipeError) when the other side is gone."""
        self.hold(message)
        self.flush()

    def flush(self) -> None:
        """Sends what is held back. Raises as ``send``."""
        view = memoryview(b"".join(self._held))
        self._held.clear()
        ready = select.poll()
        ready.register(self._end, select.POLLIN | select.POLLOUT)
        while view:
            try:
                view = view[self._end.send(view, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                if any(event & select.POLLIN for _, event in ready.poll()):
                    self._take()

    def hold(self, message: Any) -> None:
        """Keeps a message that is not worth waking the other side for; it goes with the next one, or by ``flush``."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._held += (_HEADER.pack(len(data)), data)

    @property
    def holds(self) -> bool:
        """Whether messages are held back."""
        return bool(self._held)

    @property
    def has_messages(self) -> bool:
        """Whether ``receive`` will give some even when the descriptor has nothing to read."""
        if len(self._buffer) < _HEADER.size:
            return False
        (length,) = _HEADER.unpack_from(self._buffer)
        return len(self._buffer) >= _HEADER.size + int(length)

    def receive(self) -> list[Any]:
        """The messages that are there. Sets ``is_closed`` when the other side is gone."""
        self._take()
        return self._messages()

    def _take(self) -> None:
        try:
            data = self._end.recv(_CHUNK, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.is_closed = True
        self._buffer += data

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
