"""Tasks in workers, in which gradlab's own code alone runs: what one takes too much of, or how it ends, is an error."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from gradlab.isolation.limits import INTERRUPTED, STOPS, Limits, spelled_end
from gradlab.isolation.process import WorkerProcess
from gradlab.isolation.watch import Watch
from gradlab.isolation.wire import FrameError

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

CONCLUDING = 60.0  # seconds in which a worker that is interrupted is to conclude


class WorkerError(RuntimeError):
    """A worker that cannot work: by an error of gradlab's own, or for want of memory."""


class TaskRunner:
    """One task after another in a worker.

    here: the folder in which the command was given. result: of the latest task, None until it is done.
    progress: what the task last told of itself. is_at_its_last: whether no other task follows.
    """

    def __init__(self, here: str, limits: Limits) -> None:
        self._here, self._limits = here, limits
        self._worker: WorkerProcess | None = None
        self._watch: Watch | None = None
        self._last_moment = inf  # at which it must have concluded
        self.result: Any = None
        self.progress: Any = None
        self.is_at_its_last = False

    @property
    def connection(self) -> Any:
        """What becomes readable when the worker says something or ends; None where there is no worker."""
        return self._worker.connection if self._worker else None

    def begin(self, task: Task) -> None:
        """Starts a task, in the worker that did the last one if there is one."""
        self.result = None
        if self._worker is None:
            self._worker = WorkerProcess(self._here)
        self._watch = Watch(self._worker.child, self._limits)
        self._worker.give(task)

    def interrupt(self) -> None:
        """Has the task conclude with what it has."""
        if self._worker is not None:
            self._last_moment = time.monotonic() + CONCLUDING
            self._worker.child.interrupt()

    def step(self) -> None:
        """Takes in what has happened, without waiting. Raises WorkerError."""
        worker, watch = self._worker, self._watch
        if worker is None or watch is None or self.result is not None:
            return
        status = worker.child.status()  # before what it said is read, not after
        try:
            if self._takes_in(worker, watch):
                return
        except FrameError as error:
            raise WorkerError(f"a worker said what is no frame: {error}") from None
        if status is not None:
            raise WorkerError(f"a worker {spelled_end(status)}{worker.child.last_words()}")
        if excess := watch.excess():
            worker.child.abort()
            raise WorkerError(f"a worker {excess}{worker.child.last_words()}")
        if time.monotonic() > self._last_moment:
            raise WorkerError("a worker did not conclude")

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _takes_in(self, worker: WorkerProcess, watch: Watch) -> bool:
        """Whether the task is at its end, by what the worker said. Raises FrameError, and WorkerError for an error."""
        while (said := worker.received()) is not None:
            watch.sign()
            kind, what = said
            if kind == "progress":
                self.progress = what if what is not None else self.progress
                continue
            if kind == "error" and self._last_moment == inf:
                error = WorkerError(what[0])
                error.add_note(what[1])
                raise error
            self.result = what if kind == "result" else STOPS[INTERRUPTED]
            return True
        return False
