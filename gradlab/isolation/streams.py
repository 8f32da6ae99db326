"""What only a process of its own can watch over: the standard streams below Python, and a folder of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from gradlab.isolation.limits import LOST_CONNECTION

MAX_SHOWN = 1 << 16  # bytes of the output of one call
CANARY = "gradlab-canary"  # a folder may have nothing else that could be missed
GONE = 0  # the time of a folder that is not there
MAX_LINKS = 1000  # each costs up to half a millisecond, for every process that follows another
TICK = 50_000_000  # nanoseconds: a change may go unseen in the time of a folder that was changed so lately before


class Streams:
    """The descriptors 0, 1 and 2, of which 1 and 2 are one file; with copies of them that no call knows.

    connection: another descriptor, without which the process cannot go on.
    """

    def __init__(self, connection: int) -> None:
        self._copies = [os.dup(descriptor) for descriptor in (0, 1, 2)]
        self._files = [_file_of(copy) for copy in self._copies]
        self._connection = connection
        self._descriptors = select.poll()
        for descriptor in (0, 1, 2, connection):
            self._descriptors.register(descriptor, 0)
        self._flush: Any = None
        with contextlib.suppress(OSError, AttributeError, TypeError):
            self._flush = ctypes.CDLL(None).fflush

    def output(self) -> str:
        """What was written to 1 and 2 since this was last asked. Ends the process where the connection is closed."""
        if self._connection in self._closed_descriptors():
            os._exit(LOST_CONNECTION)
        if self._flush is not None:
            self._flush(None)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None and not stream.closed:
                stream.flush()
        size = os.fstat(self._copies[1]).st_size
        if size == 0:
            return ""
        said = os.pread(self._copies[1], MAX_SHOWN, 0)
        os.ftruncate(self._copies[1], 0)
        return said.decode(errors="replace") + (f"\n... {size} bytes in all\n" if size > MAX_SHOWN else "")

    def spill(self, text: str) -> None:
        """Writes to what is counted as written, as if a call had written it to 1."""
        os.write(self._copies[1], text.encode(errors="replace"))

    def same_streams(self) -> Callable[[], str | None]:
        """Standard input, output and error are open and the same files, as Python's streams and below."""
        return self._changed

    def _changed(self) -> str | None:
        closed, names = self._closed_descriptors(), list(enumerate(_STREAMS.items()))
        closed_streams = [told for number, (name, told) in names if self._reopened(number in closed, number, name)]
        replaced = [told for number, (_, told) in names if self._put_back(number)]
        return " and ".join([*_state_of(closed_streams, "closed"), *_state_of(replaced, "another file")]) or None

    def _closed_descriptors(self) -> set[int]:
        """Which of the descriptors are closed."""
        return {descriptor for descriptor, event in self._descriptors.poll(0) if event & select.POLLNVAL}

    def _reopened(self, is_closed: bool, descriptor: int, name: str) -> bool:
        """Whether a descriptor, or Python's stream for it, was closed; it is opened again."""
        stream = getattr(sys, name)
        if is_closed:
            os.dup2(self._copies[descriptor], descriptor)
        if stream is None or not stream.closed:
            return is_closed
        setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", closefd=False))
        return True

    def _put_back(self, descriptor: int) -> bool:
        """Whether a descriptor leads to another file than it did; it leads there again."""
        if _file_of(descriptor) == self._files[descriptor]:
            return False
        os.dup2(self._copies[descriptor], descriptor)
        return True


def _file_of(descriptor: int) -> tuple[int, int]:
    """What identifies the file that a descriptor leads to."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _state_of(streams: list[str], state: str) -> list[str]:
    return [f"{' and '.join(streams)} {'is' if len(streams) == 1 else 'are'} {state}"] if streams else []


# By their names in sys, where stdout and stderr are others during a call.
_STREAMS = {"stdin": "standard input", "__stdout__": "standard output", "__stderr__": "standard error"}


class Folder:
    """A folder of the worker's own, with a link to all that was in the folder where the command was given."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._links = {name: os.readlink(os.path.join(path, name)) for name in os.listdir(path)}
        self._time = GONE  # not looked at yet

    def same_files(self) -> Callable[[], str | None]:
        """What was in the folder is there; nobody but calls changes it."""
        return self._gone

    def _gone(self) -> str | None:
        now = self._changed()
        if now == self._time != GONE and time.time_ns() - now > TICK:
            return None
        self._time = now
        there = set(os.listdir(self._path)) if now != GONE else set()
        gone = sorted(set(self._links) - there)
        if not gone:
            return None
        os.makedirs(self._path, exist_ok=True)
        for name in gone:
            os.symlink(self._links[name], os.path.join(self._path, name))
        os.chdir(self._path)  # the path may lead to another folder now
        shown = [name for name in gone if name != CANARY] or ["a file"]
        return f"files are missing from the current folder: {', '.join(shown[:3])}{', ...' if len(shown) > 3 else ''}"

    def _changed(self) -> int:
        try:
            return os.stat(self._path).st_mtime_ns
        except OSError:
            return GONE


def fill_with_links(folder: str, here: str) -> None:
    """Puts links to what is in the folder `here` into an empty folder: to all of it, or to MAX_LINKS entries."""
    for name in _entries_to_link(here):
        os.symlink(os.path.join(here, name), os.path.join(folder, name))
    if not os.path.lexists(os.path.join(folder, CANARY)):
        os.symlink(os.devnull, os.path.join(folder, CANARY))


def _entries_to_link(here: str) -> list[str]:
    """The names of all entries; of more than MAX_LINKS the folders, then the files of the rarest kinds."""
    with os.scandir(here) as found:
        kinds = {one.name: "" if one.is_dir() else os.path.splitext(one.name)[1] or "." for one in found}
    if len(kinds) <= MAX_LINKS:
        return list(kinds)
    counts = Counter(kinds.values())
    return sorted(kinds, key=lambda name: (kinds[name] != "", counts[kinds[name]], name))[:MAX_LINKS]
