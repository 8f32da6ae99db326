"""What calls cost in the part on sizes, and what another one may be expected to cost."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gradlab.evaluation.capture import Elsewhere, Spent
from gradlab.isolation.usage import forget_most_memory, most_memory_of
from gradlab.problems.problem import Shape

LATEST = 40  # calls from which a time is reckoned
NEAR = 64  # times as many entries as those of a call from which a time is reckoned
NOTICEABLE = 1 << 25  # bytes, from which on it is reckoned how they grow
BYTES_OF_FEW_ARRAYS = 512  # for each entry: as code takes that holds a few arrays of the logits' shape


@dataclass(frozen=True)
class Cost:
    """What a call took: its shape, seconds, and bytes of memory that the process had never had before."""

    shape: Shape
    seconds: float
    n_bytes: int


@dataclass(eq=False)
class Costs:
    """What the calls so far took: the latest, those that took much memory, the seconds of all and of the longest."""

    latest: deque[Cost] = field(default_factory=lambda: deque(maxlen=LATEST))
    large: list[Cost] = field(default_factory=list)
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, cost: Cost) -> None:
        """One call more."""
        self.latest.append(cost)
        if cost.n_bytes > max(NOTICEABLE, BYTES_OF_FEW_ARRAYS * entries_of(cost.shape)):
            self.large.append(cost)
        self.seconds += cost.seconds
        self.longest = max(self.longest, cost.seconds)

    def add_all(self, shapes: Sequence[Shape], seconds: float, n_bytes: int) -> None:
        """Calls made together: of the time each has its share, all memory goes to the longest rows or columns.

        For memory that grows faster than the entries does so with one of these.
        """
        n_entries = sum(map(entries_of, shapes))
        longest = max(shapes, key=max, default=None)
        for shape in shapes:
            own = seconds * entries_of(shape) / max(1, n_entries)
            self.add(Cost(shape, own, n_bytes if shape == longest else 0))


def expected(costs: Costs, shape: Shape) -> tuple[float, float]:
    """Seconds and bytes of a call in this shape: a time that grows as the entries do, a memory that grows as squares.

    The time is the least that one of those lets expect that are not much smaller. The memory is the most; for code that
    takes no more than a few arrays of the logits' shape there is room in every profile, and nothing is reckoned.
    """
    times = ((cost, _times(shape, cost)) for cost in costs.latest if shape[0] <= 2 * NEAR * cost.shape[0])
    seconds = min((cost.seconds * more for cost, more in times if more <= NEAR), default=0.0)
    return seconds, max((cost.n_bytes * _times(shape, cost, least=1.0) ** 2 for cost in costs.large), default=0.0)


def entries_of(shape: Shape) -> int:
    """How many logits a shape has."""
    return shape[0] * shape[1]


def _times(shape: Shape, cost: Cost, least: float = 0.0) -> float:
    """How many times as many entries as in a call before; least: how much rows and classes count at least."""
    return max(shape[0] / cost.shape[0], least) * max(shape[1] / cost.shape[1], least)


class Meter:
    """Measures what is done inside, and for it in the process where calls are made.

    seconds: of the processors. n_bytes: memory that a process had never had before; this one, where that can be told,
    that it did not have when it began. For this one may have had all there is, and given it back.
    """

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self._elsewhere = elsewhere

    def __enter__(self) -> Meter:
        forget_most_memory()
        self._before = self._spent()
        return self

    def __exit__(self, *exception: object) -> None:
        taken = [
            Spent(after.seconds - before.seconds, after.n_bytes - before.n_bytes)
            for before, after in zip(self._before, self._spent(), strict=True)
        ]
        self.seconds = sum(max(0.0, one.seconds) for one in taken)  # of a process that has begun anew it is less
        self.n_bytes = max(one.n_bytes for one in taken)

    def _spent(self) -> list[Spent]:
        here = Spent(time.process_time(), _most_memory())
        return [here] if self._elsewhere is None else [here, self._elsewhere.spent()]


def _most_memory() -> int:
    """The most bytes in which this process has resided so far; 0 where that is not known."""
    if known := most_memory_of(os.getpid()):
        return known
    with contextlib.suppress(ImportError):  # not everywhere
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return 0
