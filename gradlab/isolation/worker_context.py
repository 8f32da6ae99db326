"""What a task that runs in a worker has at hand: the way to its supervisor, and what earlier workers have left."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pickle import dumps  # by their names here: a call may replace pickle.dumps, and time.monotonic
from time import monotonic
from typing import Any

from gradlab.evaluation.call import Arguments, Implementation, made_for
from gradlab.evaluation.capture import Capture
from gradlab.harness.scopes import scope_of
from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.journal import Journal
from gradlab.isolation.limits import STOPS
from gradlab.isolation.recorded_call import RecordedCall, Watched, key_of, name_key
from gradlab.isolation.streams import Streams
from gradlab.isolation.wire import WorkerEnd

SECONDS_BETWEEN_NEWS = 0.2
KEEPING = 50  # a checkpoint is kept again after this many times the time that it took to keep it


@dataclass(frozen=True)
class Setting:
    """Where a worker runs: the journal's descriptor, the process that watches, the folders to start in and to go to.

    token: what begins each frame, in hexadecimal.
    """

    journal: int
    parent: int
    here: str
    folder: str
    token: str


@dataclass(eq=False)
class WorkerContext:
    """What a task has at hand in a worker.

    capture: under what calls are made here. memo: what tasks leave for later ones in this process. checkpoint: what
    earlier workers have left.
    """

    connection: WorkerEnd
    journal: Journal
    setting: Setting
    streams: Streams
    capture: Capture
    memo: dict[str, Any] = field(default_factory=dict)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    _last_news: float = 0.0
    _kept: float = 0.0

    def watch(self, progress: Any) -> None:
        """Tells where the task is, now and then."""
        self.journal.sign()
        if monotonic() - self._last_news >= SECONDS_BETWEEN_NEWS:
            self._last_news = monotonic()
            self.connection.send(dumps(("progress", progress)))

    def keep(self, pack: Callable[[], bytes]) -> None:
        """Sends what the next worker would go on from, unless that was done so lately that it would cost too much."""
        if monotonic() >= self._kept:
            self.keep_now(pack)

    def keep_now(self, pack: Callable[[], bytes]) -> None:
        """Sends what the next worker would go on from, whatever it costs."""
        now = monotonic()
        self.connection.send(dumps(("kept", pack())))
        self._kept = monotonic() + KEEPING * (monotonic() - now)

    def reason_to_stop(self) -> str:
        """Why the task is to conclude with what it has, or ""."""
        return STOPS[self.journal.reason_to_stop]

    def record_calls(self, implementation: Implementation) -> Implementation:
        """The implementation with a function whose calls are written down; the process is in its own folder then."""
        os.chdir(self.setting.folder)
        with contextlib.suppress(Exception):
            self.streams.output()  # what loading has written is no call's
        watched = Watched(
            self.journal, self.streams.output, self.checkpoint, scope_of(implementation.claims).calls.keep
        )
        function = RecordedCall(implementation.function, watched)
        return replace(implementation, function=function, capture=self.capture)

    def is_known(self, call: Arguments) -> bool:
        """Whether a call is not made again, for what it did."""
        return key_of(call.arguments, call.keywords) in self.checkpoint.known

    def harm_of(self, name: str) -> str:
        """What `span` of this name did to the worker in which it was tried, or ""."""
        return self.checkpoint.known.get(name_key(name), "")

    @contextlib.contextmanager
    def span(self, name: str, purpose: str) -> Iterator[None]:
        """Something that runs foreign code and is no call is written down like one."""
        self.journal.begin(name_key(name), purpose)
        try:
            with made_for(purpose):
                yield
        finally:
            self.journal.end(is_call=False)


Task = Callable[[WorkerContext], Any]
