"""What a task that runs in a worker has at hand: the way to its supervisor, and what earlier tasks have left."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from pickle import dumps
from typing import Any

from gradlab.isolation.limits import STOPS, TIME_IS_UP
from gradlab.isolation.wire import WorkerEnd

SECONDS_BETWEEN_NEWS = 0.2


@dataclass(eq=False)
class WorkerContext:
    """What a task has at hand in a worker.

    memo: what tasks leave for later ones in this process. end: the moment of time.monotonic after which no calls of
    code under test are made any more.
    """

    connection: WorkerEnd
    memo: dict[str, Any] = field(default_factory=dict)
    end: float = inf
    _last_news: float = 0.0

    def watch(self, progress: Any) -> None:
        """Tells where the task is, now and then; a sign of life."""
        if time.monotonic() - self._last_news >= SECONDS_BETWEEN_NEWS:
            self._last_news = time.monotonic()
            with interrupt_put_off():
                self.connection.send(dumps(("progress", progress)))

    def sign(self) -> None:
        """A sign of life, now and then."""
        self.watch(None)

    def reason_to_stop(self) -> str:
        """Why no calls are made any more, or ""; a sign of life."""
        self.sign()
        return STOPS[TIME_IS_UP] if time.monotonic() > self.end else ""


@contextlib.contextmanager
def interrupt_put_off() -> Iterator[None]:
    """A context that no interrupt breaks off: it is raised at the end."""
    came: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *given: came.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


Task = Callable[[WorkerContext], Any]
