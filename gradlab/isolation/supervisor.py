"""Tasks in workers: what ends a worker, hangs or fills it is written down, and another one goes on from there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from gradlab.isolation.checkpoint import Checkpoint
from gradlab.isolation.limits import LOADING, MAX_OUTPUT, Limits, spelled_bytes, spelled_end
from gradlab.isolation.process import WorkerProcess

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

MAX_ENDS = 20  # of workers in one task; then nothing new is tried
MAX_SILENT = 5  # of those for a call that did not return in time
MAX_AT_FIRST = 5  # while no call has returned at all
MAX_OF_ONE_KIND = 3  # in calls that are made for the same thing, such as one check: it is not tried any more
MAX_WITHOUT_A_CALL = 3
SECONDS_BETWEEN_LOOKS = 0.1


class WorkerError(RuntimeError):
    """An error of gradlab's own in a worker, or a worker that cannot work at all."""


class TaskRunner:
    """One task after another on the same things, in workers that follow each other.

    here: the folder in which the command was given. result: of the latest task, None until it is done.
    progress: what the task last told of itself. is_at_its_last: whether no other task follows.
    """

    def __init__(self, here: str, limits: Limits) -> None:
        self._here, self._limits = here, limits
        self._worker: WorkerProcess | None = None
        self._task: Task | None = None
        self._known: dict[bytes, str] = {}
        self._ends = Counter[str]()  # by what the call was made for
        self._given_up: dict[str, str] = {}
        self._began = 0.0
        self._silent = self._without_a_call = 0
        self._returned = False
        self._cut_short, self._kept = "", b""
        self.result: Any = None
        self.progress: Any = None
        self.is_at_its_last = False

    @property
    def connection(self) -> Any:
        """What becomes readable when the worker says something or ends; None where there is no worker."""
        return self._worker.connection if self._worker else None

    def begin(self, task: Task) -> None:
        """Starts a task, in the worker that did the last one if it still lives."""
        self._task, self.result, self._began = task, None, time.monotonic()
        self._give()

    def step(self) -> None:
        """Takes in what has happened, without waiting. Raises WorkerError."""
        if self._worker is None or self.result is not None:
            return
        status = self._worker.status()  # before what it said is read, not after
        self._take_in(self._worker)
        if self.result is not None:
            return
        if status is not None:
            self._ended(self._worker, spelled_end(status))
        elif excess := self._excess(self._worker):
            self._worker.abort()
            self._ended(self._worker, excess)

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _give(self) -> None:
        assert self._task is not None
        if self._worker is None:
            self._worker = WorkerProcess(self._here)
        checkpoint = Checkpoint(self._known, self._given_up, self._cut_short, self._kept, self._began)
        self._worker.give(self._task, checkpoint)

    def _take_in(self, worker: WorkerProcess) -> None:
        while self.result is None and (said := worker.received()) is not None:
            kind, what = said
            if kind == "progress":
                self.progress = what
            elif kind == "kept":
                self._kept = what
            elif kind == "result":
                self.result = what
            else:
                error = WorkerError(what[0])
                error.add_note(what[1])
                raise error

    def _excess(self, worker: WorkerProcess) -> str:
        """What the worker has too much of, or "" """
        entry, limits = worker.journal.read(), self._limits
        seconds = limits.seconds_for(entry.purpose)
        if entry.is_open and time.monotonic() - entry.since > seconds and worker.journal.read() == entry:
            self._silent += entry.purpose != LOADING
            return f"did not return within {seconds:g} s"
        if worker.memory() > limits.memory:
            return f"took more than {spelled_bytes(limits.memory)} of memory"
        if worker.n_written() > MAX_OUTPUT:
            return f"wrote more than {spelled_bytes(MAX_OUTPUT)} to stdout and stderr"
        return ""

    def _ended(self, worker: WorkerProcess, how: str) -> None:
        """Writes down what ended the worker, and has another one go on."""
        entry, said = worker.journal.read(), worker.last_words()
        self.close()
        self._returned |= entry.returned > 0
        if entry.begun == 0:
            self._without_a_call += 1
            if self._without_a_call == MAX_WITHOUT_A_CALL:
                raise WorkerError(f"a worker {how}{said}, before it called anything")
        else:
            how += ("" if entry.is_open else ", after it had returned") + said
            self._known[entry.key] = how
            self._ends[entry.purpose] += 1
            if entry.purpose and self._ends[entry.purpose] >= MAX_OF_ONE_KIND:
                self._given_up[entry.purpose] = how
            self._limit_the_number(how)
        self._give()

    def _limit_the_number(self, how: str) -> None:
        """Cuts the task short where enough is enough."""
        count = sum(self._ends.values()) - self._ends[LOADING]
        if self._cut_short and count > MAX_ENDS + MAX_OF_ONE_KIND:
            raise WorkerError(f"a worker {how}, although it called nothing any more")
        if self._cut_short:
            return
        if self._silent >= MAX_SILENT:
            self._cut_short = f"{self._silent} calls took too long, the last of which {how}"
        elif count >= MAX_ENDS:
            self._cut_short = f"{count} calls did harm, the last of which {how}"
        elif count >= MAX_AT_FIRST and not self._returned:
            self._cut_short = f"no call has returned, and the last of {count} {how}"


class Pool:
    """TaskRunner tasks side by side, at most `most` at one time, in the order in which they are given.

    new: makes what supervises one task after another.
    """

    def __init__(self, most: int, new: Callable[[], TaskRunner]) -> None:
        self.most, self._new = most, new
        self._runners: list[TaskRunner] = []
        self._waiting: list[tuple[TaskRunner, Task]] = []
        self._working: list[TaskRunner] = []

    def start(self, task: Task, runner: TaskRunner | None = None, is_last: bool = False) -> TaskRunner:
        """Whoever does the task, as soon as it is its turn: the runner, which has done others, or a new one.

        is_last: its worker ends with this task, and does not wait for the result to be taken.
        """
        if runner is None:
            runner = self._new()
            self._runners.append(runner)
        runner.result = None
        runner.is_at_its_last = is_last
        self._waiting.append((runner, task))
        self._go_on()
        return runner

    def result_of(self, runner: TaskRunner, watch: Callable[[Any], None] = lambda progress: None) -> Any:
        """The result of the runner's task; watch is told of its progress. Raises WorkerError."""
        while runner.result is None:
            wait([one.connection for one in self._working if one.connection], SECONDS_BETWEEN_LOOKS)
            for one in self._working:
                _step(one)
            if runner.progress is not None:
                watch(runner.progress)
                runner.progress = None
            self._go_on()
        if isinstance(runner.result, WorkerError):
            raise runner.result
        return runner.result

    def close(self) -> None:
        """Ends all workers."""
        for runner in self._runners:
            runner.close()

    def _go_on(self) -> None:
        for one in self._working:
            if one.result is not None and one.is_at_its_last:
                one.close()
        self._working = [one for one in self._working if one.result is None]
        while self._waiting and len(self._working) < self.most:
            runner, task = self._waiting.pop(0)
            runner.begin(task)
            self._working.append(runner)


def pool_in(here: str, limits: Limits, most: int) -> closing[Pool]:
    """A pool for tasks that start in the folder `here`, under these limits; its workers end with the context."""
    return closing(Pool(most, lambda: TaskRunner(here, limits)))


def _step(runner: TaskRunner) -> None:
    """One step; its error is its result, to be raised where that is asked for."""
    try:
        runner.step()
    except WorkerError as error:
        runner.result = error
        runner.close()
