"""What is kept of what a call prints, and who looks at what it changes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from gradlab.evaluation.process_state import WATCHES, Watch

MAX_KEPT = 1 << 20  # characters of what one call prints


def drop(text: str) -> None:
    """Nothing becomes of the text."""


def unwatched() -> None:
    """A sign of life for nobody."""


@dataclass(frozen=True, eq=False)
class Capture:
    """Under what calls of an implementation are made.

    spill: is given what a call prints beyond MAX_KEPT characters. watches: what a call is to leave as it was; a worker
    counts the first, and has more of the second. sign: a sign of life before each call, for whoever watches a worker.
    """

    spill: Callable[[str], None] = drop
    watches: tuple[Watch, ...] = WATCHES
    sign: Callable[[], None] = unwatched

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
