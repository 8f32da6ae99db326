"""A function under test in a worker: each call is written down before it is made, and its output is read after it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.evaluation.call import CallFaultError, GivenArguments, current_purpose, settle
from gradlab.evaluation.foreign import ForeignError, inert
from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.harm import refusal
from gradlab.isolation.journal import KEY, Journal


@dataclass(frozen=True, eq=False)
class Watched:
    """What calls are made under.

    journal: where each is written down. output: what was written to stdout and stderr below Python since it was last
    asked. checkpoint: what calls have done, which are not made again. keep: makes plain data of what they return.
    """

    journal: Journal
    output: Callable[[], str]
    checkpoint: Checkpoint
    keep: Callable[[Any], Any] = inert


class RecordedCall:
    """The function, with its signature. A call that is not made, for what it did, raises CallFaultError."""

    def __init__(self, function: Any, watched: Watched) -> None:
        self.__wrapped__ = function
        self._watched = watched
        self._process = os.getpid()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        key = key_of(arguments, keywords)
        purpose, checkpoint = current_purpose.get(), self._watched.checkpoint
        if reason := refusal(checkpoint.known, checkpoint.given_up, key, purpose):
            raise CallFaultError(reason)
        if checkpoint.cut_short:
            raise CallFaultError("is not made: the run was cut short")
        self._watched.journal.begin(key, purpose)
        try:
            return settle(self.__wrapped__, GivenArguments(arguments, keywords), self._watched.keep)
        except KeyboardInterrupt:
            raise ForeignError("RuntimeError", "RuntimeError: it raised KeyboardInterrupt by itself") from None
        finally:
            self._after()

    def _after(self) -> None:
        if os.getpid() != self._process:
            os._exit(0)  # a child that the call has forked, and that came back here
        with contextlib.suppress(Exception):  # whatever has become of sys.stdout
            if said := self._watched.output():
                print(said, end="")
        self._watched.journal.end(is_call=True)


def key_of(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bytes:
    """What identifies a call: the bits of its arguments and how they lie in memory."""
    digest = hashlib.sha256()  # half of BLAKE2's time where the processor has instructions for it
    for name, value in (*enumerate(arguments), *sorted(keywords.items())):
        if isinstance(value, np.ndarray):
            kind, flags = value.dtype, value.flags
            digest.update(f"{name} {kind.str}{value.shape}{value.strides}{flags.num}".encode())
            digest.update(value.data if flags.c_contiguous and kind.kind in "fiu" else value.tobytes())
        else:
            digest.update(f"{name} {value!r}".encode())
    return digest.digest()[:KEY]


def name_key(name: str) -> bytes:
    """What identifies a span that is no call."""
    return hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=KEY).digest()
