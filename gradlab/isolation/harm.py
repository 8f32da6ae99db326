"""What calls have done to the processes in which they were made, and which calls are not made for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gradlab.isolation.limits import LOADING

MAX_ENDS = 20  # of processes; then nothing new is tried
MAX_SILENT = 5  # of those for a call that did not return in time
MAX_AT_FIRST = 5  # while no call has returned at all
MAX_OF_ONE_KIND = 3  # in calls that are made for the same thing, such as one check: it is not tried any more


class Harm:
    """known: what calls did, by their keys. given_up: the purposes that no calls are made for any more, and what the
    last one did. cut_short: why nothing new is tried, or "". has_returned: whether any call ever did.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, str] = {}
        self.given_up: dict[str, str] = {}
        self.cut_short = ""
        self.has_returned = False
        self._ends = Counter[str]()
        self._silent = 0

    @property
    def count(self) -> int:
        """How many calls have ended their processes."""
        return sum(self._ends.values()) - self._ends[LOADING]

    def add(self, key: bytes, purpose: str, how: str, is_silent: bool) -> None:
        """A call, or loading, has ended its process; is_silent: it did not come back."""
        self.known[key] = how
        self._ends[purpose] += 1
        self._silent += is_silent
        if purpose and self._ends[purpose] >= MAX_OF_ONE_KIND:
            self.given_up[purpose] = how
        if not self.cut_short:
            self.cut_short = self._enough(how)

    def _enough(self, how: str) -> str:
        """Why enough is enough, or "" where it is not."""
        if self._silent >= MAX_SILENT:
            return f"{self._silent} calls took too long, the last of which {how}"
        if self.count >= MAX_ENDS:
            return f"{self.count} calls did harm, the last of which {how}"
        if self.count >= MAX_AT_FIRST and not self.has_returned:
            return f"no call has returned, and the last of {self.count} {how}"
        return ""


def refusal(known: Mapping[bytes, str], given_up: Mapping[str, str], key: bytes, purpose: str) -> str:
    """Why a call is not made, or "" where it may be."""
    if key in known:
        return known[key]
    return f"is not made: an earlier one like it {given_up[purpose]}" if purpose in given_up else ""
