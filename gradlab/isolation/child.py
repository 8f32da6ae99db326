"""A child process of gradlab's own: in a session and a folder of its own; it ends with all that it has started."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradlab.isolation import janitor
from gradlab.isolation.janitor import MARK, end_processes
from gradlab.isolation.limits import last_words
from gradlab.isolation.orphans import end_orphans, note_end, note_start
from gradlab.isolation.sandbox import ProcessGroup, Sandbox, process_inside
from gradlab.isolation.streams import fill_with_links
from gradlab.isolation.usage import Usage, memory_of, most_memory_of, processor_seconds, usage_of

GRACE = 1.0  # seconds in which a process may say where it is before it is killed
MAX_READ = 1 << 16  # bytes of the end of what it wrote
# The current folder is first on the path of `python -c`, and must stand in for no module of the standard library.
_BOOT = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; import json;"
    "given = json.loads(sys.argv.pop()); sys.path[:] = given.pop('path');"
    "from importlib import import_module; import_module(given.pop('module')).start(**given)"
)

_living: set[int] = set()  # the processes that have not been closed


class Child:
    """A process that runs `start` of a module of gradlab; it, and what it has started, end with `close`.

    module: its name; its `start` is called with `setting`, as plain data, and folder: the process's own. here: the
    folder whose entries are linked there. descriptors: what the process has open, under the same numbers. Its temporary
    files are in a folder of its own too. sandbox: in which it runs, or None.
    """

    def __init__(
        self,
        module: str,
        here: str,
        setting: Mapping[str, Any],
        descriptors: Sequence[int],
        sandbox: Sandbox | None = None,
    ) -> None:
        self._sandbox, self._inside = sandbox, 0
        self._group = ProcessGroup() if sandbox else None
        self._mark = secrets.token_hex(8)
        self._folder = tempfile.mkdtemp(prefix="gradlab-")
        self._output = _appended_file()
        calls, temporary = (os.path.join(self._folder, name) for name in ("calls", "temporary"))
        try:
            os.mkdir(calls)
            os.mkdir(temporary)
            fill_with_links(calls, here)
            self._process = subprocess.Popen(
                self._command(command_of(module, {"folder": calls, **setting})),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=tuple(descriptors),
                start_new_session=True,
                env={**os.environ, MARK: self._mark, "TMPDIR": temporary},
            )
        except BaseException:
            os.close(self._output)
            self._remove()
            raise
        note_start(self._process.pid)
        _living.add(self._process.pid)
        tell_janitor(mark=self._mark, leader=self._process.pid, folder=self._folder)

    @property
    def number(self) -> int:
        """Of the process; of the one in the sandbox, as soon as it is there."""
        if self._sandbox is None:
            return self._process.pid
        self._inside = self._inside or process_inside(self._process.pid) or 0
        return self._inside or self._process.pid

    def status(self) -> int | None:
        """The return code, as subprocess gives it; None while the process runs."""
        return self._code(self._process.poll())

    def wait(self) -> int | None:
        """The return code of a process that is about to end; None where it goes on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._code(self._process.wait(GRACE))
        return None

    def usage(self) -> Usage:
        """What it takes at present, with all that it has started."""
        return usage_of(self._process.pid)

    def memory(self) -> int:
        """The bytes of memory in which it resides, by itself."""
        return memory_of(self.number)

    def most_memory(self) -> int:
        """The most bytes of memory in which it has resided so far, by itself."""
        return most_memory_of(self._process.pid)

    def processor_seconds(self) -> float:
        """The processor time that it has used, by itself."""
        return processor_seconds(self.number)

    def n_written(self) -> int:
        """How many bytes it has written to stdout and stderr since that was last read, by itself."""
        return os.fstat(self._output).st_size

    def last_words(self) -> str:
        """Where the process, which has ended, was, and what it wrote last."""
        size = self.n_written()
        said = os.pread(self._output, MAX_READ, max(0, size - MAX_READ))
        return last_words(said.decode(errors="replace"))

    def interrupt(self) -> None:
        """Interrupts what it is doing."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGINT)

    def abort(self) -> None:
        """Ends the process; it may say before where it is."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.number, signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._kill()

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        self._kill()
        _living.discard(self._process.pid)
        note_end(self._process.pid)
        if not _living:  # no other worker's, which may be of use to it
            end_orphans()
        os.close(self._output)
        self._remove()
        tell_janitor(mark=self._mark, leader=0, folder="")

    def _command(self, command: list[str]) -> list[str]:
        """The command, in the sandbox and in the group of processes if there is one."""
        if self._sandbox is None or self._group is None:
            return command
        return [*self._group.enter, *self._sandbox.command(command, self._folder)]

    def _code(self, status: int | None) -> int | None:
        """A return code as without a sandbox, which tells of a signal by a number above 128."""
        return 128 - status if self._sandbox is not None and status is not None and status > 128 else status

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._group is not None:
            self._group.close()

    def _kill(self) -> None:
        end_processes(self._process.pid, self._mark)  # the session is its own, and so is the group
        self._process.wait()


def command_of(module: str, setting: Mapping[str, Any]) -> list[str]:
    """The command that runs `start` of a module with a setting of plain data; it finds modules as this one does."""
    return [sys.executable, "-c", _BOOT, json.dumps({"path": _path(), "module": module, **setting})]


def _path() -> list[str]:
    """Where the worker looks for modules: where this process does, the current folder behind all that is installed."""
    places = [os.path.abspath(place) for place in sys.path]
    current = os.getcwd()
    return [place for place in places if place != current] + [place for place in places if place == current]


@functools.cache
def _janitor() -> subprocess.Popen[str]:
    """The process that ends workers and removes their folders when this one is gone; one is enough."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(janitor.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if name != MARK},  # it outlives a worker's own end
        text=True,
    )
    note_start(process.pid)
    atexit.register(_end_janitor, process)
    return process


def _end_janitor(process: subprocess.Popen[str]) -> None:
    """Has it end in order; where a process that was forked from this one still holds the pipe, later."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)


def tell_janitor(**told: Any) -> None:
    """Tells it of a process that has begun, or has ended; without one, as little is tidied up as before.

    told: mark, by which the process is known; leader, its number, or 0 where it has ended; folder, its own.
    """
    with contextlib.suppress(OSError):
        end = _janitor().stdin
        assert end is not None
        end.write(json.dumps(told) + "\n")
        end.flush()


def _appended_file() -> int:
    """The descriptor of an empty file without a name, to which everything is appended."""
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    try:
        return os.open(name, os.O_RDWR | os.O_APPEND)
    finally:
        os.unlink(name)
