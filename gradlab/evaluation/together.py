"""Tasks that ask other processes: while one waits for its answer the others go on, so that many questions are out.

Only one of them runs at a time, and they take turns where they wait: first asked, first to go on. Their order, and with
it the order of all that they ask, is the same in every run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from greenlet import greenlet

T = TypeVar("T")


class Turns:
    """Who waits for a turn, in the order in which they began to wait."""

    def __init__(self, between: greenlet) -> None:
        self._between, self._waiting = between, deque["greenlet"]()

    def wait(self, one: greenlet) -> None:
        """One waits, and the others have their turns."""
        self._waiting.append(one)
        self._between.switch()

    def give(self) -> None:
        """Everybody who waits has a turn, and another one where it waits again."""
        while self._waiting:
            self._waiting.popleft().switch()


_turns: ContextVar[Turns | None] = ContextVar("turns", default=None)


def done_together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What the tasks return, in their order; each begins when those before it are done or wait.

    What one raises ends all. Where this is part of such a task itself, the others go on once all of these have begun.
    """
    from greenlet import getcurrent, greenlet

    turns, results = Turns(getcurrent()), dict[int, T]()

    def keep(number: int, task: Callable[[], T]) -> None:
        results[number] = task()

    begun: list[greenlet] = []
    try:
        for number, task in enumerate(tasks):
            begun.append(greenlet(keep))
            begun[-1].gr_context = context = copy_context()
            context.run(_turns.set, turns)
            begun[-1].switch(number, task)
        let_others_go_on()
        turns.give()
    finally:
        for one in begun:
            if not one.dead:  # most are done
                with suppress(KeyboardInterrupt):
                    one.throw(KeyboardInterrupt)
    return [results[number] for number in range(len(tasks))]


def let_others_go_on() -> None:
    """Where a task has asked something, those that are done together with it go on before it reads the answer."""
    turns = _turns.get()
    if turns is not None:
        from greenlet import getcurrent

        turns.wait(getcurrent())
