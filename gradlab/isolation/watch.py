"""One worker's task watched over: what it takes too much of, time and silence among it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gradlab.isolation.limits import LOADING, MAX_OUTPUT, MAX_PROCESSES, Limits, spelled_bytes

if TYPE_CHECKING:
    from gradlab.isolation.child import Child
    from gradlab.isolation.journal import Entry
    from gradlab.isolation.process import WorkerProcess

SECONDS_BETWEEN_COUNTS = 1.0  # of the processes that a worker has started
IDLE = 0.05  # of the time: a process that uses less of a processor than this waits for something


class Appetite:
    """What a process takes too much of, of output, memory and processes; of the time a call takes nothing is said."""

    def __init__(self, child: Child, limits: Limits) -> None:
        self._child, self._limits = child, limits
        self._counted = 0.0

    def excess(self) -> str:
        """What it has too much of by itself, or now and then with all that it has started; or "" """
        if self._child.n_written() > MAX_OUTPUT:
            return f"wrote more than {spelled_bytes(MAX_OUTPUT)} to stdout and stderr"
        memory, n_processes, now = self._child.memory(), 1, time.monotonic()
        if memory <= self._limits.memory and now - self._counted > SECONDS_BETWEEN_COUNTS:
            usage, self._counted = self._child.usage(), now
            memory, n_processes = usage.memory, usage.n_processes
        if memory > self._limits.memory:
            return f"took more than {spelled_bytes(self._limits.memory)} of memory"
        return f"started more than {MAX_PROCESSES} processes" if n_processes > MAX_PROCESSES else ""


class Watch:
    """What a worker has too much of, from the beginning of a task on.

    is_silent_call: whether the last excess was a call that did not return.
    """

    def __init__(self, worker: WorkerProcess, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._alive = time.monotonic()  # the last sign of life
        self._used = worker.child.processor_seconds()  # until then
        self._appetite = Appetite(worker.child, limits)
        self.is_silent_call = False

    def excess(self) -> str:
        """What the worker has too much of, or "" """
        entry, limits = self._worker.journal.read(), self._limits
        seconds = limits.seconds_for(entry.purpose)
        self.is_silent_call = False
        if entry.is_open and time.monotonic() - entry.since > seconds and self._worker.journal.read() == entry:
            self.is_silent_call = entry.purpose != LOADING
            return f"did not return within {seconds:g} s"
        return self._appetite.excess() or self._silence(entry)

    def _silence(self, entry: Entry) -> str:
        """How long it has given no sign of life, if that is too long: foreign code may run between calls too."""
        if entry.alive > self._alive:
            self._alive, self._used = entry.alive, self._worker.child.processor_seconds()
            return ""
        quiet = time.monotonic() - self._alive
        if entry.is_open or quiet <= self._limits.silence(is_idle=True):
            return ""
        used = self._worker.child.processor_seconds() - self._used
        if used >= IDLE * quiet and used <= self._limits.silence(is_idle=False):
            return ""
        self.is_silent_call = True
        return f"gave no sign of life for {quiet:.0f} s"
