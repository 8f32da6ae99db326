"""Frames between a worker and its supervisor: whole or not at all, and of a largest length; the length comes first.

Both ends run gradlab's own code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from socket import socket
from struct import Struct

MAX_BYTES = 1 << 28  # bytes of one frame: far more than a report and its cases have
AT_A_TIME = 1 << 20  # bytes
_LENGTH = Struct("=Q")


class FrameError(Exception):
    """What came through is no frame."""


class SupervisorEnd:
    """Neither reading nor writing ever waits: what there is no room for goes later, and half a frame is kept."""

    def __init__(self, end: socket) -> None:
        end.setblocking(False)
        self._end = end
        self._outgoing, self._incoming = bytearray(), bytearray()

    @property
    def has_to_send(self) -> bool:
        """Whether there is more to send."""
        return bool(self._outgoing)

    def fileno(self) -> int:
        """The descriptor, for whoever waits for it."""
        return self._end.fileno()

    def send(self, content: bytes) -> None:
        """Sends a frame, now or later. To an end that is closed nothing is sent."""
        self._outgoing += _LENGTH.pack(len(content)) + content
        self.flush()

    def flush(self) -> None:
        """Sends what there is room for."""
        try:
            while self._outgoing:
                del self._outgoing[: self._end.send(self._outgoing[:AT_A_TIME])]
        except BlockingIOError:
            pass
        except OSError:
            self._outgoing.clear()

    def received(self) -> bytes | None:
        """The next frame, or None where it has not come, or never will. Raises FrameError."""
        self.flush()
        while (content := self._first()) is None:
            try:
                came = self._end.recv(AT_A_TIME)
            except OSError:  # nothing now, or never again
                return None
            if not came:
                return None
            self._incoming += came
        return content

    def close(self) -> None:
        """Closes it."""
        self._end.close()

    def _first(self) -> bytes | None:
        if len(self._incoming) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._incoming)
        if length > MAX_BYTES:
            raise FrameError(f"a frame must have {MAX_BYTES} bytes at most, got {length}")
        if len(self._incoming) < _LENGTH.size + length:
            return None
        content = bytes(self._incoming[_LENGTH.size : _LENGTH.size + length])
        del self._incoming[: _LENGTH.size + length]
        return content


class WorkerEnd:
    """Reading and writing wait until all is done. Both raise OSError where the connection is gone."""

    def __init__(self, end: socket) -> None:
        self._end = end

    def send(self, content: bytes) -> None:
        """Sends a frame. Raises ValueError for one that is too long."""
        if len(content) > MAX_BYTES:
            raise ValueError(f"a frame must have {MAX_BYTES} bytes at most, got {len(content)}")
        self._end.sendall(_LENGTH.pack(len(content)) + content)

    def receive(self) -> bytes:
        """The next frame. Raises EOFError where there will be none."""
        head = self._exactly(_LENGTH.size)
        return self._exactly(_LENGTH.unpack(head)[0])

    def _exactly(self, n_bytes: int) -> bytes:
        content = bytearray()
        while len(content) < n_bytes:
            came = self._end.recv(min(n_bytes - len(content), AT_A_TIME))
            if not came:
                raise EOFError
            content += came
        return bytes(content)


def wait_for(ends: Iterable[SupervisorEnd], seconds: float) -> None:
    """Returns when one of the ends can be read or has room for what it has to send, or after so many seconds."""
    with DefaultSelector() as selector, contextlib.suppress(InterruptedError):
        for end in ends:
            selector.register(end, EVENT_READ | (EVENT_WRITE if end.has_to_send else 0))
        selector.select(seconds)
