"""Tasks side by side, each in a worker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gradlab.isolation.limits import INTERRUPTED, STOPS, Limits
from gradlab.isolation.supervisor import TaskRunner, WorkerError
from gradlab.isolation.wire import wait_for

if TYPE_CHECKING:
    from gradlab.isolation.worker_context import Task

SECONDS_BETWEEN_LOOKS = 0.1


class Pool:
    """TaskRunner tasks side by side, at most `most` at one time, in the order in which they are given.

    new: makes what supervises one task after another. is_interrupted: whether the tasks were asked to conclude.
    """

    def __init__(self, most: int, new: Callable[[], TaskRunner]) -> None:
        self.most, self._new = most, new
        self.is_interrupted = False
        self._runners: list[TaskRunner] = []
        self._waiting: list[tuple[TaskRunner, Task]] = []
        self._working: list[TaskRunner] = []

    def start(self, task: Task, runner: TaskRunner | None = None) -> TaskRunner:
        """Whoever does the task, as soon as it is its turn: the runner, which has done others, or a new one."""
        if runner is None:
            runner = self.new_runner()
        runner.result = None
        self._waiting.append((runner, task))
        self._go_on()
        return runner

    def new_runner(self) -> TaskRunner:
        """One that has done nothing yet, and ends with the pool."""
        runner = self._new()
        self._runners.append(runner)
        return runner

    def result_of(self, runner: TaskRunner, watch: Callable[[Any], None] = lambda progress: None) -> Any:
        """The result of the runner's task; watch is told of its progress. Raises WorkerError."""
        while runner.result is None:
            wait_for([one.connection for one in self._working if one.connection], SECONDS_BETWEEN_LOOKS)
            for one in self._working:
                _step(one)
            if runner.progress is not None:
                watch(runner.progress)
                runner.progress = None
            self._go_on()
        if isinstance(runner.result, WorkerError):
            raise runner.result
        return runner.result

    def interrupt(self) -> None:
        """Has what is being done conclude soon, and what has not begun not begin: its result says so."""
        self.is_interrupted = True
        for runner in self._working:
            runner.interrupt()
        for runner, _ in self._waiting:
            runner.result = f"{STOPS[INTERRUPTED]} before it began"
        self._waiting.clear()

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
            _begin(runner, task)
            self._working.append(runner)


def pool_in(here: str, limits: Limits, most: int) -> closing[Pool]:
    """A pool for tasks that start in the folder `here`, under these limits; its workers end with the context."""
    return closing(Pool(most, lambda: TaskRunner(here, limits)))


def _begin(runner: TaskRunner, task: Task) -> None:
    try:
        runner.begin(task)
    except OSError as error:
        runner.result = WorkerError(f"no process can be started: {error}")


def _step(runner: TaskRunner) -> None:
    """One step; its error is its result, to be raised where that is asked for."""
    try:
        runner.step()
    except (WorkerError, OSError) as error:
        runner.result = error if isinstance(error, WorkerError) else WorkerError(f"no worker can go on: {error}")
        runner.close()
