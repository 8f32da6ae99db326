"""What a worker is doing, in memory that it shares with the process that watches it; readable after it has died."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import time
from dataclasses import dataclass

KEY, PURPOSE = 16, 96  # bytes
_RECORD = struct.Struct(f"=QQQd{KEY}s{PURPOSE}s")
_COUNTS = struct.Struct("=QQQ")
_REST = struct.Struct(f"=d{KEY}s{PURPOSE}s")


@dataclass(frozen=True)
class Entry:
    """How many spans were begun, ended, and how many of those were calls that returned; and of the last one: when it
    began (time.monotonic), what identifies it, and what it was for.
    """

    begun: int
    ended: int
    returned: int
    since: float
    key: bytes
    purpose: str

    @property
    def is_open(self) -> bool:
        """Whether the last span has not come to its end."""
        return self.begun > self.ended


class Journal:
    """One entry, written in place. A span is written before it begins, so that what ends the process has a name."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _RECORD.size)
        self._counts = list(_COUNTS.unpack_from(self._memory, 0))

    def begin(self, key: bytes, purpose: str) -> None:
        """A span begins; the count of those begun is written last, so that a reader never sees half an entry."""
        _REST.pack_into(self._memory, _COUNTS.size, time.monotonic(), key, purpose.encode()[:PURPOSE])
        self._counts[0] += 1
        _COUNTS.pack_into(self._memory, 0, *self._counts)

    def end(self, is_call: bool) -> None:
        """The span has ended."""
        self._counts[1] = self._counts[0]
        self._counts[2] += is_call
        _COUNTS.pack_into(self._memory, 0, *self._counts)

    def read(self) -> Entry:
        """The entry as it is now."""
        begun, ended, returned, since, key, purpose = _RECORD.unpack_from(self._memory, 0)
        return Entry(begun, ended, returned, since, key, purpose.rstrip(b"\0").decode(errors="replace"))


def shared_memory() -> int:
    """The descriptor of a file without a name, large enough for a journal."""
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    os.ftruncate(descriptor, _RECORD.size)
    return descriptor
