"""How much one localisation does, counted in steps: so it finds the same on every machine, whatever runs beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MAX_STEPS = 8_000_000  # in one localisation; one takes about half a microsecond
MAX_SECONDS = 40.0  # of processor time: ten times what the steps take, so that it ends on any machine
MAX_WAITING = 90.0  # seconds by the clock, where a call sleeps or has threads of its own
STEPS_OF_A_CALL = 4_000  # the call, its truth, and what is read off its rows
ENTRIES = 1 << 12  # of one problem that each have a truth of their own: a larger one is made of few rows
STEPS_OF_A_RELATION = 100  # to write one down
STEPS_OF_A_COMPARISON = 60  # of what a relation foretells with one answer
ENTRIES_IN_A_STEP = 10  # that are compared, or drawn
STEPS_OF_A_ROW = 30  # that rules are looked for in
ROWS_IN_A_STEP = 90  # to tell each row from all others


class SearchEndedError(Exception):
    """The search for where an implementation is wrong took longer than it ever should, and has found nothing yet."""


@dataclass(eq=False)
class Work:
    """The steps that were made, and when it began, in seconds of processor time and by the clock.

    has_run_out: whether a limit in seconds ended it, so that more might be found with more time.
    """

    n_steps: int = 0
    began: float = field(default_factory=time.process_time)
    since: float = field(default_factory=time.monotonic)
    has_run_out: bool = False

    def call(self, n_entries: int) -> None:
        """A problem of so many entries is asked and judged."""
        self.n_steps += STEPS_OF_A_CALL + min(n_entries, ENTRIES) + n_entries // ENTRIES_IN_A_STEP

    def relation(self) -> None:
        """A relation is written down."""
        self.n_steps += STEPS_OF_A_RELATION

    def comparison(self, n_entries: int) -> None:
        """What a relation foretells is compared with an answer of so many entries."""
        self.n_steps += STEPS_OF_A_COMPARISON + n_entries // ENTRIES_IN_A_STEP

    def rules(self, n_rows: int) -> None:
        """Rules are looked for that tell so many rows apart."""
        self.n_steps += STEPS_OF_A_ROW * n_rows + n_rows**2 // ROWS_IN_A_STEP

    def is_beyond(self, share: float) -> bool:
        """Whether this share of all steps is made, or there is no time left."""
        seconds, waited = time.process_time() - self.began, time.monotonic() - self.since
        self.has_run_out = self.has_run_out or seconds > MAX_SECONDS or waited > MAX_WAITING
        return self.has_run_out or self.n_steps >= share * MAX_STEPS

    def give_back(self, share: float) -> None:
        """At least this share of all steps may be made from now on."""
        self.n_steps = min(self.n_steps, int((1 - share) * MAX_STEPS))

    def raise_if_ended(self) -> None:
        """Raises SearchEndedError where a limit in seconds ended it."""
        if self.has_run_out:
            limits = f"{MAX_SECONDS:g} s of processor time or {MAX_WAITING:g} s by the clock"
            raise SearchEndedError(f"the search was ended after {limits}, before anything was found")
