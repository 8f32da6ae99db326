"""Memory that two processes share: arrays are put there one behind the other, and copied out."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile

import numpy as np

from gradlab.problems.problem import Array

SIZE = 1 << 34  # bytes of addresses; memory is taken for what is written alone
KEPT = 1 << 24  # bytes that stay taken between calls
UNIT = 64  # bytes: where an array may begin


class ArenaError(ValueError):
    """What does not fit, or lies outside."""


class Arena:
    """One process writes, another one reads, and neither frees what the other reads: it is of a fixed size.

    descriptor: of the memory.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)
        self._bytes = np.frombuffer(self._memory, np.uint8)
        self._used = 0

    def clear(self) -> None:
        """Begins from the start; memory of what was large is given back."""
        if self._used > KEPT and hasattr(mmap, "MADV_REMOVE"):
            with contextlib.suppress(OSError):
                self._memory.madvise(mmap.MADV_REMOVE, KEPT, SIZE - KEPT)
        self._used = 0

    @property
    def has_much(self) -> bool:
        """Whether more was put there than stays taken."""
        return self._used > KEPT

    def put(self, content: Array) -> int:
        """Where a copy of the content, an array of uint8, begins. Raises ArenaError where there is no room."""
        begin, end = self._used, self._used + content.size
        if end > SIZE:
            raise ArenaError(f"all arrays of a call must have {SIZE} bytes at most, got {end}")
        self._bytes[begin:end] = content
        self._used = -(-end // UNIT) * UNIT
        return begin

    def view(self, begin: int, size: int) -> Array:
        """The bytes there, as they are now and as they may change. Raises ArenaError outside."""
        if begin < 0 or size < 0 or begin + size > SIZE:
            raise ArenaError(f"bytes {begin} to {begin + size} lie outside the memory that is shared")
        return self._bytes[begin : begin + size]


def shared_memory() -> int:
    """The descriptor of memory for an arena; on Linux nobody can change its size any more."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("arrays", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return descriptor
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    os.ftruncate(descriptor, SIZE)
    return descriptor
