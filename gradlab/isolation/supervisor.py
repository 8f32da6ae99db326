"""Tasks in workers: what ends a worker, hangs or fills it is written down, and another one goes on from there."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.harm import MAX_ENDS, MAX_OF_ONE_KIND, Harm
from gradlab.isolation.limits import FOREIGN_FRAME, LEFT_UNUSABLE, STOPS, TIME_IS_UP, Limits, spelled_end
from gradlab.isolation.process import WorkerProcess
from gradlab.isolation.watch import Watch
from gradlab.isolation.wire import FrameError

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

MAX_WITHOUT_A_CALL = 3
MAX_GRACE = 30.0  # seconds in which a worker that is asked to conclude may do so by itself; at most those of a call
GRACE_OF_INTERRUPTED = 2.0  # the same where somebody waits
CONCLUDING = 60.0  # seconds in which a worker concludes that runs no foreign code


class WorkerError(RuntimeError):
    """A worker that cannot work.

    is_foreign: whether code under test has run in it, or in one before it, and may be the reason.
    """

    is_foreign = False


class TaskRunner:
    """One task after another on the same things, in workers that follow each other.

    here: the folder in which the command was given. result: of the latest task, None until it is done.
    progress: what the task last told of itself. is_at_its_last: whether no other task follows.
    is_own: whether what the tasks run is no code under test but gradlab's own.
    """

    def __init__(self, here: str, limits: Limits) -> None:
        self._here, self._limits = here, limits
        self._worker: WorkerProcess | None = None
        self._watch: Watch | None = None
        self._task: Task | None = None
        self._harm = Harm()
        self._began, self._seconds, self._last_moment = 0.0, inf, inf
        self._without_a_call = 0
        self._is_foreign = False
        self._kept = b""
        self._stop = 0  # why it is to conclude, a number of STOPS
        self.result: Any = None
        self.progress: Any = None
        self.is_at_its_last = False
        self.is_own = False

    @property
    def connection(self) -> Any:
        """What becomes readable when the worker says something or ends; None where there is no worker."""
        return self._worker.connection if self._worker else None

    def begin(self, task: Task, seconds: float = inf) -> None:
        """Starts a task, in the worker that did the last one if it lives; it is to conclude after so many seconds."""
        self._task, self.result, self._began, self._seconds = task, None, time.monotonic(), seconds
        self._give()

    def stop(self, reason: int) -> None:
        """Has the task conclude with what it has, for one of the STOPS: by itself, or without any foreign code."""
        if self._stop:
            return
        grace = min(self._limits.call_seconds, MAX_GRACE) if reason == TIME_IS_UP else GRACE_OF_INTERRUPTED
        self._stop, self._last_moment = reason, time.monotonic() + grace
        if self._worker is not None:
            self._worker.journal.ask_to_stop(reason)

    def step(self) -> None:
        """Takes in what has happened, without waiting. Raises WorkerError."""
        if self._worker is None or self._watch is None or self.result is not None:
            return
        status = self._worker.child.status()  # before what it said is read, not after
        try:
            if self._takes_in(self._worker):
                return
        except FrameError:
            self._abort(self._worker, FOREIGN_FRAME, is_silent=False)
            return
        if status is not None:
            self._ended(self._worker, spelled_end(status))
        elif excess := self._watch.excess():
            self._abort(self._worker, excess, self._watch.is_silent_call)
        else:
            self._keep_time(self._worker)

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _give(self) -> None:
        assert self._task is not None
        if self._worker is None:
            self._worker = WorkerProcess(self._here)
        self._watch = Watch(self._worker, self._limits)
        harm, stops = self._harm, bool(self._stop)
        checkpoint = Checkpoint(harm.known, harm.given_up, harm.cut_short, stops, self._kept, self._began)
        self._worker.give(self._task, checkpoint)

    def _takes_in(self, worker: WorkerProcess) -> bool:
        """Whether the task is at its end, or the worker is, by what it said. Raises FrameError and WorkerError."""
        while (said := worker.received()) is not None:
            kind, what = said
            if kind == "progress":
                self.progress = what
            elif kind == "kept":
                self._kept = what
            elif kind == "result":
                self.result = what
                return True
            else:
                self._failed(worker, *what)
                return True
        return False

    def _failed(self, worker: WorkerProcess, said: str, trace: str) -> None:
        """An error in a worker is laid to the foreign code that ran in it last, if any did."""
        if self.is_own or worker.journal.read().begun == 0:
            raise self._error(said, trace)
        self._ended(worker, f"{LEFT_UNUSABLE}: {said}")

    def _error(self, said: str, trace: str = "") -> WorkerError:
        error = WorkerError(said)
        error.is_foreign = self._is_foreign and not self.is_own
        if trace:
            error.add_note(trace)
        return error

    def _keep_time(self, worker: WorkerProcess) -> None:
        """Has the task conclude in time; another worker does it where this one does not."""
        now = time.monotonic()
        if not self._stop and now - self._began > self._seconds:
            self.stop(TIME_IS_UP)
        elif now > self._last_moment + CONCLUDING:
            raise self._error("a worker did not conclude")
        elif now > self._last_moment and not self._harm.cut_short:
            self._is_foreign |= worker.journal.read().begun > 0
            self._harm.cut_short = STOPS[self._stop]
            self.close()
            self._give()

    def _abort(self, worker: WorkerProcess, how: str, is_silent: bool) -> None:
        worker.child.abort()
        self._ended(worker, how, is_silent)

    def _ended(self, worker: WorkerProcess, how: str, is_silent: bool = False) -> None:
        """Writes down what ended the worker, and has another one go on."""
        entry, said = worker.journal.read(), worker.child.last_words()
        self.close()
        self._harm.has_returned |= entry.returned > 0
        self._is_foreign |= entry.begun > 0
        if entry.begun == 0:
            self._without_a_call += 1
            if self._without_a_call == MAX_WITHOUT_A_CALL:
                raise self._error(f"a worker {how}{said}, before it called anything")
        else:
            how += ("" if entry.is_open else ", after it had returned") + said
            was_cut_short = bool(self._harm.cut_short)
            self._harm.add(entry.key, entry.purpose, how, is_silent)
            if was_cut_short and self._harm.count > MAX_ENDS + MAX_OF_ONE_KIND:
                raise self._error(f"a worker {how}, although it called nothing any more")
        if self._stop and not self._harm.cut_short:
            self._harm.cut_short = STOPS[self._stop]
        self._give()
