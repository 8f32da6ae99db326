"""A conversation with another process through pipes, which cannot hang: whatever it does is an answer or an error."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

PATIENCE = 30.0  # seconds for one answer
CHUNK = 1 << 16
LONGEST_LINE = 1 << 16


class ProgramError(RuntimeError):
    """A program under test died, was silent, or broke the protocol."""


class Conversation:
    """One process, started when it is first asked something and kept open; a new one after it has failed.

    A program that was silent for too long once is not asked again.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.command = list(command)
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[Any] | None = None  # its standard error
        self._read = bytearray()
        self._to_write = memoryview(b"")
        self._asked = False  # whether an answer is still to come
        self._deadline = 0.0
        self._silent = False

    def ask(self, question: bytes) -> None:
        """Sends the question while its answer is read. Raises ProgramError where the program cannot be started."""
        if self._silent:
            raise ProgramError(f"must answer within {PATIENCE:g} s, and did not do so before")
        if self._process is None or self._process.poll() is not None or self._asked:
            self._start()  # too after an interrupt, which left an answer unread
        self._asked, self._to_write = True, memoryview(question)
        self._deadline = time.monotonic() + PATIENCE

    def line(self) -> bytes:
        """The next line of the answer, with its end. Raises ProgramError where none comes."""
        while b"\n" not in self._read:
            if len(self._read) > LONGEST_LINE:
                raise self.broken(f"an answer must begin with a line, got {len(self._read)} bytes without its end")
            self._more("a line")
        return self.exactly(self._read.index(b"\n") + 1)

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes of the answer. Raises ProgramError where fewer come."""
        while len(self._read) < size:
            self._more(f"{size} bytes after the first line")
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def end_of_answer(self) -> None:
        """Raises ProgramError where there is more, or where the question was not read to its end."""
        if self._read:
            raise self.broken(f"an answer must end after the gradient, got {len(self._read)} bytes more")
        while self._to_write:
            self._more("once it has read the whole question")
        self._asked = False

    def broken(self, reason: str) -> ProgramError:
        """The error for a broken rule; the process is ended, since nothing that it says can be trusted any more."""
        said = self._last_words()
        self.close()
        return ProgramError(reason + said)

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            self._finish()
        self._process, self._asked, self._read, self._to_write = None, False, bytearray(), memoryview(b"")

    def _start(self) -> None:
        self.close()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, bufsize=0, stdin=pipe, stdout=pipe, stderr=self._said
            )
        except OSError as error:
            self._said.close()
            raise ProgramError(f"{self.command[0]} must be a program that starts: {error.strerror}") from error
        os.set_blocking(_descriptor(self._process.stdin), False)
        self._finish = weakref.finalize(self, _end, self._process, self._said)

    def _more(self, wanted: str) -> None:
        """Writes what can be written and reads what can be read, once."""
        assert self._process is not None
        with selectors.DefaultSelector() as selector:
            selector.register(_descriptor(self._process.stdout), selectors.EVENT_READ)
            if self._to_write:
                selector.register(_descriptor(self._process.stdin), selectors.EVENT_WRITE)
            ready = [key.fd for key, _ in selector.select(max(0.0, self._deadline - time.monotonic()))]
        if not ready:
            self._silent = True
            raise self.broken(f"must answer {wanted} within {PATIENCE:g} s, gave {len(self._read)} bytes")
        if _descriptor(self._process.stdout) in ready:
            self._take(wanted)
        elif self._to_write:
            self._give()

    def _take(self, wanted: str) -> None:
        assert self._process is not None
        chunk = os.read(_descriptor(self._process.stdout), CHUNK)
        if not chunk:
            raise self.broken(f"must answer {wanted}, ended after {len(self._read)} bytes{self._status()}")
        self._read += chunk

    def _give(self) -> None:
        assert self._process is not None
        try:
            written = os.write(_descriptor(self._process.stdin), self._to_write[:CHUNK])
        except BrokenPipeError:  # it reads no more; what it still says is read to its end
            written = len(self._to_write)
        self._to_write = self._to_write[written:]

    def _status(self) -> str:
        """How the process has ended; it has closed its output, and mostly ends at once."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(1.0)
            return f", by signal {-status}" if status < 0 else f", with exit status {status}"
        return ", though it still runs"

    def _last_words(self) -> str:
        """The last line that it wrote to its standard error."""
        if self._said is None or self._said.closed:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode(errors="backslashreplace").strip().splitlines()
        return f"; its last words: {lines[-1][:200]}" if lines else ""


def _descriptor(pipe: IO[bytes] | None) -> int:
    assert pipe is not None
    return pipe.fileno()


def _end(process: subprocess.Popen[bytes], said: IO[Any]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.kill()
    process.wait()
    said.close()
