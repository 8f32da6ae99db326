"""One worker as its supervisor sees it: a process, the way to it, its journal, its output and its folder."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import pickle
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from socket import socketpair
from typing import TYPE_CHECKING, Any

from gradlab.isolation import janitor
from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.janitor import MARK, end_processes
from gradlab.isolation.journal import Journal, shared_memory
from gradlab.isolation.limits import last_words
from gradlab.isolation.streams import fill_with_links
from gradlab.isolation.usage import Usage, memory_of, processor_seconds, usage_of
from gradlab.isolation.wire import TOKEN, FrameError, SupervisorEnd

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

GRACE = 1.0  # seconds in which a process may say where it is before it is killed
MAX_READ = 1 << 16  # bytes of the end of what it wrote
# The current folder is first on the path of `python -c`, and must stand in for no module of the standard library.
_BOOT = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; import json;"
    "given = json.loads(sys.argv.pop()); sys.path[:] = given['path'];"
    "from gradlab.isolation.worker_context import Setting; from gradlab.isolation.worker import main;"
    "main(given['connection'], Setting(**given['setting']))"
)


class WorkerProcess:
    """A process that does one task after another; it, and what it has started, end with `close`."""

    def __init__(self, here: str) -> None:
        self._mark = secrets.token_hex(8)
        token = secrets.token_bytes(TOKEN)
        ours, theirs = socketpair()
        self.connection = SupervisorEnd(ours, token)
        journal = shared_memory()
        self.journal = Journal(journal)
        self._folder = tempfile.mkdtemp(prefix="gradlab-")
        self._output = _appended_file()
        try:
            fill_with_links(self._folder, here)
            setting = {"journal": journal, "parent": os.getpid(), "here": here, "folder": self._folder}
            setting["token"] = token.hex()
            given = json.dumps({"path": _path(), "connection": theirs.fileno(), "setting": setting})
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, given],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(), journal),
                start_new_session=True,
                env={**os.environ, MARK: self._mark},
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        finally:
            os.close(journal)
            theirs.close()
        _tell_janitor(mark=self._mark, leader=self._process.pid, folder=self._folder)

    def give(self, task: Task, checkpoint: Checkpoint) -> None:
        """Has the worker begin a task. One that has ended already does not: `status` tells."""
        self.connection.send(pickle.dumps((task, checkpoint)))

    def received(self) -> tuple[str, Any] | None:
        """The next thing that the worker says, or None where there is nothing to read now, or never will be.

        Raises FrameError where something comes that the worker has not said, or not in a whole.
        """
        content = self.connection.received()
        if content is None:
            return None
        try:
            said: tuple[str, Any] = pickle.loads(content)
        except Exception as error:  # whatever a spoilt pickle brings about
            raise FrameError(f"it cannot be read: {type(error).__name__}") from error
        return said

    def status(self) -> int | None:
        """The return code, as subprocess gives it; None while the process runs."""
        return self._process.poll()

    def usage(self) -> Usage:
        """What it takes at present, with all that it has started."""
        return usage_of(self._process.pid)

    def memory(self) -> int:
        """The bytes of memory in which it resides, by itself."""
        return memory_of(self._process.pid)

    def processor_seconds(self) -> float:
        """The processor time that it has used, by itself."""
        return processor_seconds(self._process.pid)

    def n_written(self) -> int:
        """How many bytes it has written to stdout and stderr since that was last read, by itself."""
        return os.fstat(self._output).st_size

    def last_words(self) -> str:
        """Where the process, which has ended, was, and what it wrote last."""
        size = self.n_written()
        said = os.pread(self._output, MAX_READ, max(0, size - MAX_READ))
        return last_words(said.decode(errors="replace"))

    def abort(self) -> None:
        """Ends the process; it may say before where it is."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._kill()

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        self._kill()
        self.connection.close()
        os.close(self._output)
        shutil.rmtree(self._folder, ignore_errors=True)
        _tell_janitor(mark=self._mark, leader=0, folder="")

    def _kill(self) -> None:
        end_processes(self._process.pid, self._mark)  # the session is its own, and so is the group
        self._process.wait()


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
        text=True,
    )
    atexit.register(_end_janitor, process)
    return process


def _end_janitor(process: subprocess.Popen[str]) -> None:
    """Has it end in order; where a process that was forked from this one still holds the pipe, later."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)


def _tell_janitor(**told: Any) -> None:
    """Tells it of a worker that has begun, or has ended; without one, as little is tidied up as before."""
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
