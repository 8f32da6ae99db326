"""What a task that runs in a worker has at hand: the way to its supervisor, and what earlier workers have left."""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from gradlab.evaluation.call import Call, Implementation, made_for
from gradlab.evaluation.capture import Capture
from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.journal import Journal
from gradlab.isolation.recorded_call import RecordedCall, Watched, key_of, name_key
from gradlab.isolation.streams import Streams

SECONDS_BETWEEN_NEWS = 0.2
KEEPING = 50  # a checkpoint is kept again after this many times the time that it took to keep it


@dataclass(frozen=True)
class Setting:
    """Where a worker runs: the journal's descriptor, the process that watches, the folders to start in and to go to."""

    journal: int
    parent: int
    here: str
    folder: str


@dataclass(eq=False)
class WorkerContext:
    """What a task has at hand in a worker.

    capture: under what calls are made here. memo: what tasks leave for later ones in this process. checkpoint: what
    earlier workers have left.
    """

    connection: Connection
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
        if time.monotonic() - self._last_news >= SECONDS_BETWEEN_NEWS:
            self._last_news = time.monotonic()
            self.connection.send_bytes(pickle.dumps(("progress", progress)))

    def keep(self, pack: Callable[[], bytes]) -> None:
        """Sends what the next worker would go on from, unless that was done so lately that it would cost too much."""
        now = time.monotonic()
        if now >= self._kept:
            self.connection.send_bytes(pickle.dumps(("kept", pack())))
            self._kept = time.monotonic() + KEEPING * (time.monotonic() - now)

    def record_calls(self, implementation: Implementation) -> Implementation:
        """The implementation with a function whose calls are written down; the process is in its own folder then."""
        os.chdir(self.setting.folder)
        function = RecordedCall(implementation.function, Watched(self.journal, self.streams.output, self.checkpoint))
        return replace(implementation, function=function, capture=self.capture)

    def is_known(self, call: Call) -> bool:
        """Whether a call is not made again, for what it did."""
        return key_of(call.logits, call.targets, call.keywords) in self.checkpoint.known

    def harm_of(self, name: str) -> str:
        """What `span` of this name did to the worker in which it was tried, or ""."""
        return self.checkpoint.known.get(name_key(name), "")

    @contextlib.contextmanager
    def span(self, name: str, purpose: str) -> Iterator[None]:
        """Something that runs foreign code and is no call is written down like one."""
        self.journal.begin(name_key(name), purpose)
        with made_for(purpose):
            yield
        self.journal.end(is_call=False)


Task = Callable[[WorkerContext], Any]
