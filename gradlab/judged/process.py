"""The judged process as the one that judges sees it: a question is answered in time and in form, or it ends."""

from __future__ import annotations

import os
import secrets
import select
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import socketpair
from typing import Any

from gradlab.evaluation.capture import Spent
from gradlab.isolation.child import Child
from gradlab.isolation.limits import FOREIGN_FRAME, Limits, spelled_end
from gradlab.isolation.sandbox import PARENT, Sandbox
from gradlab.isolation.watch import Appetite
from gradlab.judged.arena import Arena, shared_memory
from gradlab.judged.forbidden import mapped
from gradlab.judged.frames import AT_A_TIME, NUMBER, Frame, FrameError, Incoming, pack_question

MILLISECONDS_BETWEEN_LOOKS = 100


class EndedError(Exception):
    """How the process ended, or was ended, over a question. is_silent: whether it did not answer in time."""

    def __init__(self, how: str, is_silent: bool = False) -> None:
        super().__init__(how)
        self.is_silent = is_silent


@dataclass(frozen=True)
class Place:
    """Where judged processes run, and under what limits.

    here: the folder in which targets are given. forbidden: packages that may not be used.
    """

    here: str
    limits: Limits
    forbidden: tuple[str, ...] = ()

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox in which they run, or None."""
        return Sandbox(self.limits.memory) if self.limits.in_sandbox else None


class JudgedProcess:
    """A process that answers one question after another; others can be sent while it is at one.

    given, answered: the memory that is shared, which outlives it. After it has raised EndedError, or whatever comes in
    between, such as KeyboardInterrupt, it can be closed alone.
    """

    def __init__(self, place: Place) -> None:
        memory = [shared_memory(), shared_memory()]
        self._ours, theirs = socketpair()
        self._ours.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._ours, select.POLLIN)
        self._expected = deque[Incoming]()
        self._outgoing, self._behind = b"", b""  # of questions, what is not sent; of answers, what is not read
        parent = PARENT if place.sandbox else os.getpid()
        setting = {"connection": theirs.fileno(), "memory": memory, "parent": parent, "here": place.here}
        try:
            self.given, self.answered = map(Arena, memory)
            descriptors = (theirs.fileno(), *memory)
            self._child = Child("gradlab.judged.confined_host", place.here, setting, descriptors, place.sandbox)
        except BaseException:
            self._ours.close()
            raise
        finally:
            theirs.close()
            for descriptor in memory:
                os.close(descriptor)
        self._appetite = Appetite(self._child, place.limits)

    def send(self, kind: int, content: dict[str, Any]) -> None:
        """Sends a question, or what there is room for. Raises EndedError where something has come unasked."""
        if not self._expected:
            self._refuse_what_came_unasked()
        number = secrets.token_bytes(NUMBER)
        self._expected.append(Incoming(kind, number))
        self._outgoing += pack_question(Frame(kind, number, content))
        self._push()

    def receive(self, seconds: float) -> dict[str, Any]:
        """The answer to the first question that has none, as plain data.

        Raises EndedError after these seconds, or where there will be none.
        """
        incoming, end = self._expected[0], time.monotonic() + seconds
        self._take_in(incoming, self._behind)
        while not incoming.is_whole:
            self._push()
            if self._poll.poll(MILLISECONDS_BETWEEN_LOOKS):
                self._receive(incoming)
            else:
                self._refuse_excess(end, seconds)
        self._expected.popleft()
        if self._behind and not self._expected:
            raise self.ended(FOREIGN_FRAME)
        try:
            return incoming.frame().content
        except FrameError:
            raise self.ended(FOREIGN_FRAME) from None

    def spent(self) -> Spent:
        """What it has taken so far."""
        return Spent(self._child.processor_seconds(), self._child.most_memory())

    def mapped(self, names: Sequence[str]) -> list[str]:
        """What of these packages is in its memory, in a few words each."""
        return mapped(self._child.number, names)

    def ended(self, how: str, is_silent: bool = False) -> EndedError:
        """Ends the process, which may say before where it is, and tells how it ended."""
        self._child.abort()
        return EndedError(how + self._child.last_words(), is_silent)

    def close(self) -> None:
        """Ends the process and all that it has started, and removes its folder."""
        self._child.close()
        self._ours.close()

    def _push(self) -> None:
        """Sends what there is room for. Where nobody listens any more, that shows where nothing comes."""
        if self._outgoing:
            with suppress(OSError):  # BlockingIOError among them
                self._outgoing = self._outgoing[self._ours.send(self._outgoing) :]

    def _receive(self, incoming: Incoming) -> None:
        """Takes in what has come."""
        try:
            came = self._ours.recv(AT_A_TIME)
        except OSError:
            came = b""
        if not came:
            raise self._gone()
        self._take_in(incoming, came)

    def _take_in(self, incoming: Incoming, came: bytes) -> None:
        try:
            self._behind = incoming.add(came)
        except FrameError:
            raise self.ended(FOREIGN_FRAME) from None

    def _gone(self) -> EndedError:
        """How the process ended, whose connection is closed."""
        status = self._child.wait()
        return self.ended("closed file descriptors that were gradlab's" if status is None else spelled_end(status))

    def _refuse_what_came_unasked(self) -> None:
        try:
            if self._ours.recv(1):
                raise self.ended(FOREIGN_FRAME)
        except BlockingIOError:
            return
        except OSError:
            pass
        raise self._gone()

    def _refuse_excess(self, end: float, seconds: float) -> None:
        if time.monotonic() > end:
            raise self.ended(f"did not return within {seconds:g} s", is_silent=True)
        if excess := self._appetite.excess():
            raise self.ended(excess)
