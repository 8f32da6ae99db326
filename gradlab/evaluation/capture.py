"""What is kept of what a call prints, and who looks at what it changes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gradlab.evaluation.process_state import WATCHES, Watch

MAX_KEPT = 1 << 20  # characters of what one call prints


def drop(text: str) -> None:
    """Nothing becomes of the text."""


def unwatched() -> None:
    """A sign of life for nobody."""


class Elsewhere:
    """What calls that were made in another process have printed there, and changed, until it is taken.

    cut_short: why no calls are made there any more, or "".
    """

    def __init__(self) -> None:
        self.cut_short = ""
        self._noise: list[str] = []
        self._changed: list[str] = []

    def add(self, noise: Iterable[str], changed: Iterable[str]) -> None:
        """A call has printed and changed this, as in `Answer`."""
        self._noise += noise
        self._changed += changed

    def take(self) -> tuple[list[str], list[str]]:
        """Noise and changes since they were last taken."""
        taken = self._noise, self._changed
        self._noise, self._changed = [], []
        return taken


@dataclass(frozen=True, eq=False)
class Capture:
    """Under what calls of an implementation are made.

    spill: is given what a call prints beyond MAX_KEPT characters. watches: what a call is to leave as it was; a worker
    counts the first, and has more of the second. sign: a sign of life before each call, for whoever watches a worker.
    elsewhere: where calls are made in another process, what they do there.
    """

    spill: Callable[[str], None] = drop
    watches: tuple[Watch, ...] = WATCHES
    sign: Callable[[], None] = unwatched
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
