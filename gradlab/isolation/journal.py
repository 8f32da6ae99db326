"""What a worker is doing, in memory that it shares with the process that watches it; readable after it has died."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import tempfile
from dataclasses import dataclass
from time import monotonic  # by its name here: a call may replace time.monotonic

KEY, PURPOSE = 16, 96  # bytes
_COUNTS = struct.Struct("=QQQ")
_REST = struct.Struct(f"=d{KEY}s{PURPOSE}s")
_ALIVE = struct.Struct("=d")
_STOP = struct.Struct("=B")
_AT_REST = _COUNTS.size
_AT_ALIVE = _AT_REST + _REST.size
_AT_STOP = _AT_ALIVE + _ALIVE.size
_SIZE = _AT_STOP + _STOP.size
F_SEAL_FUTURE_WRITE = 0x0010  # of <linux/fcntl.h>: who has mapped the memory may write, nobody else


@dataclass(frozen=True)
class Entry:
    """How many spans were begun, ended, and how many of those were calls that returned; and of the last one: when it
    began (time.monotonic), what identifies it, and what it was for. alive: when the worker last gave a sign of life.
    """

    begun: int
    ended: int
    returned: int
    since: float
    key: bytes
    purpose: str
    alive: float

    @property
    def is_open(self) -> bool:
        """Whether the last span has not come to its end."""
        return self.begun > self.ended


class Journal:
    """One entry, written in place. A span is written before it begins, so that what ends the process has a name."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _SIZE)
        self._counts = list(_COUNTS.unpack_from(self._memory, 0))

    def begin(self, key: bytes, purpose: str) -> None:
        """A span begins; the count of those begun is written last, so that a reader never sees half an entry."""
        now = monotonic()
        _REST.pack_into(self._memory, _AT_REST, now, key, purpose.encode(errors="replace")[:PURPOSE])
        _ALIVE.pack_into(self._memory, _AT_ALIVE, now)
        self._counts[0] += 1
        _COUNTS.pack_into(self._memory, 0, *self._counts)

    def end(self, is_call: bool) -> None:
        """The span has ended."""
        self._counts[1] = self._counts[0]
        self._counts[2] += is_call
        _COUNTS.pack_into(self._memory, 0, *self._counts)
        self.sign()

    def sign(self) -> None:
        """A sign of life."""
        _ALIVE.pack_into(self._memory, _AT_ALIVE, monotonic())

    def read(self) -> Entry:
        """The entry as it is now."""
        begun, ended, returned = _COUNTS.unpack_from(self._memory, 0)
        since, key, purpose = _REST.unpack_from(self._memory, _AT_REST)
        (alive,) = _ALIVE.unpack_from(self._memory, _AT_ALIVE)
        return Entry(begun, ended, returned, since, key, purpose.rstrip(b"\0").decode(errors="replace"), alive)

    def ask_to_stop(self, reason: int) -> None:
        """Has the worker conclude, for a reason other than 0."""
        _STOP.pack_into(self._memory, _AT_STOP, reason)

    @property
    def reason_to_stop(self) -> int:
        """Why the worker is to conclude, 0 unless it is."""
        return int(_STOP.unpack_from(self._memory, _AT_STOP)[0])


def shared_memory() -> int:
    """The descriptor of a file without a name, large enough for a journal; of one that cannot shrink on Linux."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("gradlab-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return descriptor
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    os.ftruncate(descriptor, _SIZE)
    return descriptor


def seal(descriptor: int) -> None:
    """Lets nobody write who has not mapped the memory yet, where that can be (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, F_SEAL_FUTURE_WRITE)
