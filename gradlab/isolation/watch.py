"""Processes watched over: what they take too much of, and how long a worker gives no sign of life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gradlab.isolation.limits import MAX_OUTPUT, MAX_PROCESSES, Limits, spelled_bytes

if TYPE_CHECKING:
    from gradlab.isolation.child import Child

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
    """What a worker has too much of, silence too, from the beginning of a task on."""

    def __init__(self, child: Child, limits: Limits) -> None:
        self._child, self._limits = child, limits
        self._appetite = Appetite(child, limits)
        self.sign()

    def sign(self) -> None:
        """The worker has given a sign of life."""
        self._alive, self._used = time.monotonic(), self._child.processor_seconds()

    def excess(self) -> str:
        """What the worker has too much of, or "" """
        return self._appetite.excess() or self._silence()

    def _silence(self) -> str:
        """How long it has given no sign of life, if that is too long."""
        quiet = time.monotonic() - self._alive
        if quiet <= self._limits.silence(is_idle=True):
            return ""
        used = self._child.processor_seconds() - self._used
        if used >= IDLE * quiet and used <= self._limits.silence(is_idle=False):
            return ""
        return f"gave no sign of life for {quiet:.0f} s"
