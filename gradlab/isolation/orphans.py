"""Processes whose parents are gone: they become children of this process, where it asks for that, and are ended.

So nothing that a worker has started is left, whatever session it is in and whatever its environment says. For a process
that starts no others meanwhile but those that are noted here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator

from gradlab.isolation.usage import parents_of_all

PR_SET_CHILD_SUBREAPER = 36  # of <linux/prctl.h>
MAX_ROUNDS = 200  # of ending children: what starts new ones faster than they end is given up
BETWEEN_ROUNDS = 0.002  # seconds

_started: set[int] = set()  # the children that this process has started itself, and has not waited for
_adopting: set[int] = set()  # this process, while orphans become its children


def note_start(process: int) -> None:
    """A child that is no orphan."""
    _started.add(process)


def note_end(process: int) -> None:
    """A child that has ended, and was waited for."""
    _started.discard(process)


@contextlib.contextmanager
def orphans_adopted() -> Iterator[None]:
    """Whatever descends from this process becomes its child when its parent ends; at the end it is ended (Linux)."""
    libc = None
    with contextlib.suppress(OSError, TypeError):
        libc = ctypes.CDLL(None)
    if libc is None or not hasattr(libc, "prctl") or libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        yield
        return
    _adopting.add(os.getpid())
    before = children()
    _started.update(before)
    try:
        yield
    finally:
        end_orphans()
        _adopting.clear()
        _started.difference_update(before)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def end_orphans() -> None:
    """Ends all children that this process has not started; nothing where it adopts none."""
    if os.getpid() not in _adopting:
        return
    for _ in range(MAX_ROUNDS):
        found = children() - _started
        for process in found:
            _end(process)
        if not found:
            return
        time.sleep(BETWEEN_ROUNDS)


def children() -> set[int]:
    """The children of this process, those that have ended and were not waited for too."""
    return {process for process, parent in parents_of_all().items() if parent == os.getpid()}


def _end(process: int) -> None:
    """Ends a child, and takes note of its end where it has come to it already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)
