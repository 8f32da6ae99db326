"""The same calls in a process where nothing is of gradlab: code that is right only where it is judged shows there.

There, no module of gradlab is loaded, the command, the environment, the folders and the file names do not bear its
name, and the parent is a process of no name either. Some calls of a run, which nobody can foretell, are made there too.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from gradlab.evaluation.call import GivenArguments, current_purpose
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import Described, ForeignError, pair_of
from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.evaluation.text import one_line
from gradlab.isolation.limits import LOADING
from gradlab.isolation.orphans import end_orphans, note_end, note_start
from gradlab.isolation.streams import CANARY, fill_with_links
from gradlab.judged import confined_program, confinement, plain_caller
from gradlab.judged.blocks import name_of
from gradlab.judged.plain_caller import ERROR, HEAD, UNKNOWN, VALUES
from gradlab.judged.process import Place
from gradlab.problems.problem import Array
from gradlab.targets.callables import is_path
from gradlab.targets.prefixes import LAYER, split_prefix

MAX_TEXT = 1000  # bytes of why a call has no answer
AT_A_TIME = 1 << 20
PROGRAMS = {"launch.py": confined_program, "confinement.py": confinement, "main.py": plain_caller}
OFTEN, UNTIL, SELDOM = 2, 8, 8  # one call of so many is made again; up to so many; then one of so many
SENT = "biufV"  # kinds of dtypes; the last one has those of ml_dtypes
SLACK = 8  # units in the last place of the largest entry, for additions in another order
WHERE = "where nothing is gradlab's, in another process,"

Call = Callable[[tuple[Any, ...], Mapping[str, Any]], Any]


class PlainError(Exception):
    """Why a call has no answer there."""


class Chance:
    """Which calls are made again: in each group of so many one, nobody knows which."""

    def __init__(self) -> None:
        self._left, self._chosen, self._n_chosen = 0, 0, 0

    def falls_on_this_call(self) -> bool:
        """Whether the next call is made again."""
        if self._left == 0:
            self._left = OFTEN if self._n_chosen < UNTIL else SELDOM
            self._chosen = 1 + secrets.randbelow(self._left)
        is_chosen = self._left == self._chosen
        self._n_chosen += is_chosen
        self._left -= 1
        return is_chosen


@dataclass(frozen=True)
class Reference:
    """Where a function is: the path of a file or the name of a module, and the path of attributes in it."""

    module: str
    attribute: str


class PlainProcess:
    """A process that calls one function, of a file or a module; it ends with `close`.

    here: the folder in which targets are given.
    """

    def __init__(self, reference: Reference, claims: Claims, here: str) -> None:
        self._claims = claims
        self._folder = tempfile.mkdtemp(prefix="tmp")
        self._ours, theirs = socket.socketpair()
        try:
            self._process = self._start(theirs, here)
        except BaseException:
            self._ours.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
        note_start(self._process.pid)
        self._ours.setblocking(False)
        bound = {name: values[0] for name, values in _ruled(claims).items() if len(values) == 1}
        setting = {"path": [place for place in sys.path if place], "folder": str(self._calls), "bound": bound}
        self._question = json.dumps({**setting, **asdict(reference)}).encode() + b"\n"

    def ask(self, given: GivenArguments, n_numbers: int, seconds: float) -> Array | None:
        """The so many numbers of the loss and of the gradient in float64; None where it cannot be called so.

        Raises PlainError where there are none.
        """
        logits, targets = given.arguments
        if self._claims.one_hot:
            targets = one_hot_rows(targets, logits.shape, logits.dtype)
        content: list[bytes] = []
        told = {
            "arguments": [_written(one, content) for one in (logits, targets)],
            "keywords": {name: _written(one, content) for name, one in given.keywords.items()},
        }
        self._question += json.dumps(told).encode() + b"\n" + b"".join(content)
        end = time.monotonic() + seconds
        kind, length = HEAD.unpack(self._receive(HEAD.size, end))
        if kind == VALUES and length == 8 * n_numbers:
            return np.frombuffer(self._receive(length, end), np.float64)
        if kind == UNKNOWN and length == 0:
            return None
        if kind == ERROR:
            raise PlainError(self._receive(min(length, MAX_TEXT), end).decode(errors="replace"))
        raise PlainError("it returns something else")

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        note_end(self._process.pid)
        end_orphans()
        self._ours.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, theirs: socket.socket, here: str) -> subprocess.Popen[bytes]:
        self._calls = Path(self._folder) / "files"
        temporary = Path(self._folder) / "tmp"
        self._calls.mkdir()
        temporary.mkdir()
        fill_with_links(str(self._calls), here)
        for name in (CANARY, ".gradlab"):
            (self._calls / name).unlink(missing_ok=True)
        for name, module in PROGRAMS.items():
            assert module.__file__ is not None
            shutil.copy(module.__file__, Path(self._folder) / name)
        launch, program = (str(Path(self._folder) / name) for name in ("launch.py", "main.py"))
        kept = {name: value for name, value in os.environ.items() if name != "_" and "gradlab" not in name.lower()}
        return subprocess.Popen(
            [sys.executable, launch, program, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            cwd=here,
            env={**kept, "TMPDIR": str(temporary)},
        )

    def _receive(self, length: int, end: float) -> bytes:
        """So many bytes, while the question is sent. Raises PlainError where they do not come."""
        content = bytearray()
        while len(content) < length:
            wanted = [self._ours] if self._question else []
            readable, writable, _ = select.select([self._ours], wanted, [], max(0.0, end - time.monotonic()))
            if not (readable or writable):
                raise PlainError("it does not return")
            try:
                if writable:
                    self._question = self._question[self._ours.send(self._question[:AT_A_TIME]) :]
                if readable:
                    came = self._ours.recv(min(AT_A_TIME, length - len(content)))
                    if not came:
                        raise PlainError("it ends its process")
                    content += came
            except OSError:
                raise PlainError("it ends its process") from None
        return bytes(content)


class Plainly:
    """Calls of a function of a target, some of which are made again in a plain process of its own.

    name: of the function, where the target is a file. A target that needs an adapter, or that ships with gradlab, is
    never asked again.
    """

    def __init__(self, target: str, name: str, claims: Claims, place: Place) -> None:
        self._reference = _reference_of(target, name) if claims.layer is None else None
        self._claims, self._place = claims, place
        self._chance = Chance()
        self._process: PlainProcess | None = None

    def around(self, call: Call) -> Call:
        """The call, some of which are made again: where the answer is another one, that is what is returned.

        Raises ForeignError where there is none.
        """

        def called(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
            again = self._copied(arguments, keywords)
            value = call(arguments, keywords)
            return value if again is None else self._compared(value, again)

        return called if self._reference is not None else call

    def close(self) -> None:
        """Ends the process; another call has it begin again."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _copied(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> GivenArguments | None:
        """The arguments of a call that is to be made again, before anybody changes them; None for any other."""
        if self._process is None and self._reference is not None:
            self._process = PlainProcess(self._reference, self._claims, self._place.here)
        if current_purpose.get() or not _can_be_sent(arguments, keywords) or not self._chance.falls_on_this_call():
            return None
        return GivenArguments(
            tuple(one.copy() for one in arguments),
            {name: one.copy() if isinstance(one, np.ndarray) else one for name, one in keywords.items()},
        )

    def _compared(self, value: Any, given: GivenArguments) -> Any:
        """The value, or that of the same call there where that is another. Raises ForeignError where there is none."""
        parts = _numeric(value)
        if parts is None or self._process is None:
            return value
        seconds = self._place.limits.seconds_for("") + self._place.limits.seconds_for(LOADING)
        try:
            numbers = self._process.ask(given, sum(part.size for part in parts), seconds)
        except PlainError as error:
            self.close()
            raise ForeignError("RuntimeError", f"{WHERE} {one_line(str(error))}") from None
        if numbers is None:
            return value
        others = np.split(numbers, [parts[0].size])
        if not any(_differ(own.reshape(-1), other) for own, other in zip(parts, others, strict=True)):
            return value
        return tuple(other.astype(own.dtype).reshape(own.shape) for own, other in zip(parts, others, strict=True))


def _reference_of(target: str, name: str) -> Reference | None:
    """Where a target's function can be found without gradlab; None where it cannot."""
    if split_prefix(target)[0] or target.startswith(LAYER):
        return None
    head, _, attribute = target.rpartition(":")
    if not head:
        head, attribute = target, name
    is_file = is_path(head)
    if not all(part.isidentifier() for part in attribute.split(".")) or (is_file and not head.endswith(".py")):
        return None
    return None if not (is_file or ":" in target) else Reference(head, attribute)


def _can_be_sent(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    """Whether a call has nothing but two plain arrays, and keywords that are arrays or plain values."""
    arrays = [*arguments, *(one for one in keywords.values() if isinstance(one, np.ndarray))]
    others = [one for one in keywords.values() if not isinstance(one, np.ndarray)]
    return (
        len(arguments) == 2
        and all(isinstance(one, np.ndarray) and one.dtype.kind in SENT for one in arrays)
        and all(isinstance(one, str | int | float | None) for one in others)
    )


def _numeric(value: Any) -> list[Array] | None:
    """The loss and the gradient as arrays; None where they are no real numbers."""
    pair = pair_of(value)
    if pair is None or any(isinstance(part, Described | str | bytes) or part is None for part in pair):
        return None
    parts = [np.asarray(part) for part in pair]
    return parts if all(part.dtype.kind in SENT for part in parts) else None


def _differ(own: Array, other: Array) -> bool:
    wide = own.astype(np.float64)
    finite = np.isfinite(wide)
    if not (
        np.array_equal(finite, np.isfinite(other)) and np.array_equal(wide[~finite], other[~finite], equal_nan=True)
    ):
        return True
    if not finite.any() or own.dtype.kind in "iub":
        return not np.array_equal(wide, other, equal_nan=True)
    finfo: Any = ml_dtypes.finfo
    unit = float(finfo(own.dtype).eps) * float(np.abs(wide[finite]).max())
    return bool((np.abs(wide[finite] - other[finite]) > SLACK * unit).any())


def _ruled(claims: Claims) -> dict[str, tuple[str, ...]]:
    return {"reduction": claims.reduction, "mean_over": claims.mean_over}


def _written(one: Any, content: list[bytes]) -> Any:
    """A plain value, or what an array is, whose bytes are added to the content."""
    if not isinstance(one, np.ndarray):
        return one
    content.append(np.ascontiguousarray(one).tobytes())
    return {"dtype": name_of(one.dtype), "shape": list(one.shape)}
