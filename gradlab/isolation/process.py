"""One worker as its supervisor sees it: a process, the way to it, its journal, its output and its folder."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any

from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.journal import Journal, shared_memory
from gradlab.isolation.limits import last_words, memory_of
from gradlab.isolation.streams import fill_with_links

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

GRACE = 1.0  # seconds in which a process may say where it is before it is killed
MAX_READ = 1 << 16  # bytes of the end of what it wrote
_BOOT = (
    "import json, sys; given = json.loads(sys.argv.pop()); sys.path[:] = given['path'];"
    "from gradlab.isolation.worker_context import Setting; from gradlab.isolation.worker import main;"
    "main(given['connection'], Setting(**given['setting']))"
)


class WorkerProcess:
    """A process that does one task after another; it, and what it has started, end with `close`."""

    def __init__(self, here: str) -> None:
        self.connection, theirs = Pipe()
        journal = shared_memory()
        self.journal = Journal(journal)
        self._folder = tempfile.mkdtemp(prefix="gradlab-")
        fill_with_links(self._folder, here)
        self._output = _appended_file()
        setting = {"journal": journal, "parent": os.getpid(), "here": here, "folder": self._folder}
        path = [os.path.abspath(place) for place in sys.path]
        given = json.dumps({"path": path, "connection": theirs.fileno(), "setting": setting})
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, given],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(theirs.fileno(), journal),
            start_new_session=True,
        )
        os.close(journal)
        theirs.close()

    def give(self, task: Task, checkpoint: Checkpoint) -> None:
        """Has the worker begin a task. One that has ended already does not: `status` tells."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(pickle.dumps((task, checkpoint)))

    def received(self) -> tuple[str, Any] | None:
        """The next thing that the worker says, or None where there is nothing to read now, or never will be."""
        try:
            if not self.connection.poll():
                return None
            said: tuple[str, Any] = pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError, pickle.UnpicklingError):
            return None
        return said

    def status(self) -> int | None:
        """The return code, as subprocess gives it; None while the process runs."""
        return self._process.poll()

    def memory(self) -> int:
        """The bytes of memory in which it resides."""
        return memory_of(self._process.pid)

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

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the session is its own, and so is the group
        self._process.wait()


def _appended_file() -> int:
    """The descriptor of an empty file without a name, to which everything is appended."""
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    try:
        return os.open(name, os.O_RDWR | os.O_APPEND)
    finally:
        os.unlink(name)
