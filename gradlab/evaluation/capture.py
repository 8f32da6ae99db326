"""What is kept of what a call prints, and who looks at what it changes."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from gradlab.evaluation.process_state import WATCHES, Watch

MAX_KEPT = 1 << 20  # characters of what one call prints


def drop(text: str) -> None:
    """Nothing becomes of the text."""


@dataclass(frozen=True)
class Said:
    """What calls have printed and changed in another process; as in `Answer`."""

    noise: list[str]
    changed: list[str]


_said: ContextVar[Said | None] = ContextVar("said", default=None)  # of several tasks each has its own


@dataclass(frozen=True)
class Spent:
    """What a process has taken so far: processor seconds, and the most bytes of memory that it ever had."""

    seconds: float = 0.0
    n_bytes: int = 0


class Elsewhere:
    """Calls that are made in another process, where they print, and leave something changed.

    spent: what that process has taken. given_up: the purposes that no calls are made for there any more. cut_short: why
    none are made at all, or "".
    """

    def __init__(self, spent: Callable[[], Spent] = Spent, given_up: Collection[str] = ()) -> None:
        self.spent, self.given_up, self.cut_short = spent, given_up, ""

    @contextmanager
    def listening(self) -> Iterator[Said]:
        """What the calls inside say."""
        token = _said.set(said := Said([], []))
        try:
            yield said
        finally:
            _said.reset(token)

    def add(self, noise: Iterable[str], changed: Iterable[str]) -> None:
        """A call has printed and changed this; where nobody listens, it is nobody's."""
        if (said := _said.get()) is not None:
            said.noise.extend(noise)
            said.changed.extend(changed)


@dataclass(frozen=True, eq=False)
class Capture:
    """Under what calls of an implementation are made.

    spill: is given what a call prints beyond MAX_KEPT characters. watches: what a call is to leave as it was; a judged
    process counts the first, and has more of the second. elsewhere: where calls are made in another process, what they
    do there.
    """

    spill: Callable[[str], None] = drop
    watches: tuple[Watch, ...] = WATCHES
    elsewhere: Elsewhere | None = None

    def __reduce__(self) -> tuple[Callable[[], Capture], tuple[()]]:
        """What is sent to another process has calls made there as that process makes them."""
        return _in_process, ()


IN_PROCESS = Capture()


def _in_process() -> Capture:
    return IN_PROCESS


class Printed(io.StringIO):
    """What is printed: kept up to MAX_KEPT characters, and given to `spill` from there on."""

    def __init__(self, spill: Callable[[str], None]) -> None:
        super().__init__()
        self._spill = spill

    def write(self, text: str, /) -> int:
        kept = text[: max(0, MAX_KEPT - self.tell())]
        super().write(kept)
        if len(kept) < len(text):
            self._spill(text[len(kept) :])
        return len(text)
