"""A process in which nothing is of gradlab, and a function of a file or a module is called; as it is seen from here."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.isolation.child import tell_janitor
from gradlab.isolation.janitor import MARK
from gradlab.isolation.orphans import end_orphans, note_end, note_start
from gradlab.isolation.sandbox import ProcessGroup
from gradlab.isolation.streams import CANARY, fill_with_links
from gradlab.judged import confined_program, confinement, plain_caller
from gradlab.judged.blocks import name_of
from gradlab.judged.plain_caller import ERROR, HEAD, UNKNOWN, VALUES
from gradlab.judged.process import Place
from gradlab.problems.problem import Array

MAX_TEXT = 1000  # bytes of why a call has no answer
AT_A_TIME = 1 << 20
MAX_SKIPPED = 1 << 26  # bytes of an answer that nobody wants
PROGRAMS = {"launch.py": confined_program, "confinement.py": confinement, "main.py": plain_caller}


class PlainError(Exception):
    """Why a call has no answer there."""


@dataclass(frozen=True)
class Reference:
    """Where a function is: the path of a file or the name of a module, and the path of attributes in it."""

    module: str
    attribute: str


class PlainProcess:
    """A process that calls one function, of a file or a module; it ends with `close`.

    place: where, and under what limits.
    """

    def __init__(self, reference: Reference, claims: Claims, place: Place) -> None:
        self._claims, self.is_closed = claims, False
        self._folder = tempfile.mkdtemp(prefix="tmp", dir=_temporary())
        self._group = ProcessGroup() if place.sandbox else None
        self._ours, theirs = socket.socketpair()
        try:
            self._process = self._start(theirs, place)
        except BaseException:
            self._ours.close()
            self._remove()
            raise
        finally:
            theirs.close()
        note_start(self._process.pid)
        tell_janitor(mark=self._folder, leader=self._process.pid, folder=self._folder)
        self._ours.setblocking(False)
        bound = {name: values[0] for name, values in _ruled(claims).items() if len(values) == 1}
        setting = {"path": [place for place in sys.path if place], "folder": str(self._calls), "bound": bound}
        self._question = json.dumps({**setting, **asdict(reference)}).encode() + b"\n"

    def send(self, arguments: Sequence[Array], keywords: Mapping[str, Any]) -> None:
        """Asks for a call. The answer is to be received before the next one is asked for."""
        logits, targets = arguments
        if self._claims.one_hot:
            targets = one_hot_rows(targets, logits.shape, logits.dtype)
        content: list[bytes] = []
        told = {
            "arguments": [_written(one, content) for one in (logits, targets)],
            "keywords": {name: _written(one, content) for name, one in keywords.items()},
        }
        self._question += json.dumps(told).encode() + b"\n" + b"".join(content)
        self._push()

    def receive(self, n_numbers: int, seconds: float) -> Array | None:
        """The so many numbers of the loss and of the gradient in float64; None where it cannot be called so.

        Raises PlainError where there are none.
        """
        end = time.monotonic() + seconds
        kind, length = HEAD.unpack(self._receive(HEAD.size, end))
        if kind == VALUES and length == 8 * n_numbers:
            return np.frombuffer(self._receive(length, end), np.float64)
        if kind == UNKNOWN and length == 0:
            return None
        if kind == ERROR:
            raise PlainError(self._receive(min(length, MAX_TEXT), end).decode(errors="replace"))
        raise PlainError("it returns something else")

    def skip(self, seconds: float) -> None:
        """The answer is passed over. Raises PlainError where there is none, or a long one."""
        end = time.monotonic() + seconds
        _, length = HEAD.unpack(self._receive(HEAD.size, end))
        if length > MAX_SKIPPED:
            raise PlainError("it returns something else")
        self._receive(length, end)

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        if self.is_closed:
            return
        self.is_closed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        note_end(self._process.pid)
        end_orphans()
        self._ours.close()
        self._remove()
        tell_janitor(mark=self._folder, leader=0, folder="")

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._group is not None:
            self._group.close()

    def _start(self, theirs: socket.socket, place: Place) -> subprocess.Popen[bytes]:
        self._calls = Path(self._folder) / "files"
        temporary = Path(self._folder) / "tmp"
        self._calls.mkdir()
        temporary.mkdir()
        fill_with_links(str(self._calls), place.here)
        for name in (CANARY, ".gradlab"):
            (self._calls / name).unlink(missing_ok=True)
        for name, module in PROGRAMS.items():
            assert module.__file__ is not None
            shutil.copy(module.__file__, Path(self._folder) / name)
        launch, program = (str(Path(self._folder) / name) for name in ("launch.py", "main.py"))
        kept = {name: value for name, value in os.environ.items() if name != "_" and "gradlab" not in name.lower()}
        command = [sys.executable, launch, program, str(theirs.fileno())]
        if place.sandbox is not None and self._group is not None:
            command = [*self._group.enter, *place.sandbox.command(command, self._folder)]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            cwd=place.here,
            env={**kept, "TMPDIR": str(temporary)},
        )

    def _receive(self, length: int, end: float) -> bytes:
        """So many bytes, while the question is sent. Raises PlainError where they do not come."""
        content = bytearray()
        if self.is_closed:
            raise PlainError("it has no process")
        while len(content) < length:
            wanted = [self._ours] if self._question else []
            readable, writable, _ = select.select([self._ours], wanted, [], max(0.0, end - time.monotonic()))
            if not (readable or writable):
                raise PlainError("it does not return")
            try:
                if writable:
                    self._push()
                if readable:
                    came = self._ours.recv(min(AT_A_TIME, length - len(content)))
                    if not came:
                        raise PlainError("it ends its process")
                    content += came
            except OSError:
                raise PlainError("it ends its process") from None
        return bytes(content)

    def _push(self) -> None:
        """Sends what there is room for."""
        with suppress(OSError):  # where nobody listens any more, that shows where nothing comes
            self._question = self._question[self._ours.send(self._question[:AT_A_TIME]) :]


def _temporary() -> Path:
    """Where temporary files go; in a worker, where they go outside of its folder, which bears gradlab's name."""
    own = Path(tempfile.gettempdir())
    return own.parents[1] if MARK in os.environ else own


def _ruled(claims: Claims) -> dict[str, tuple[str, ...]]:
    return {"reduction": claims.reduction, "mean_over": claims.mean_over}


def _written(one: Any, content: list[bytes]) -> Any:
    """A plain value, or what an array is, whose bytes are added to the content."""
    if not isinstance(one, np.ndarray):
        return one
    content.append(np.ascontiguousarray(one).tobytes())
    return {"dtype": name_of(one.dtype), "shape": list(one.shape)}
