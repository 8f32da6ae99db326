"""What a run has found so far, and what it is not to do any more."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from gradlab.evaluation.call import AnyAnswer, Implementation
from gradlab.harness.sizes import SizesTried
from gradlab.harness.tally import Tally
from gradlab.isolation.limits import STOPS, TIME_IS_UP
from gradlab.problems.problem import AnyProblem


@dataclass(eq=False)
class Done:
    """What a run has found so far.

    tally: of all problems. earlier: some of the first problems and their answers. sizes: how far the part on sizes has
    come, which lies between the two turns. stopped: why the run concludes before its end, or "".
    """

    tally: Tally
    earlier: list[tuple[AnyProblem, AnyAnswer]] = field(default_factory=list)
    sizes: SizesTried = field(default_factory=SizesTried)
    stopped: str = ""


class Course:
    """How long a run on an implementation goes on, and what it leaves out.

    minutes: after which it is to conclude. left_out: what is not tried, such as "diagnosis".
    """

    def __init__(self, implementation: Implementation, minutes: float, left_out: Collection[str] = ()) -> None:
        self._elsewhere, self._left_out = implementation.capture.elsewhere, left_out
        self._end = time.monotonic() + 60 * minutes

    @property
    def given_up(self) -> Collection[str]:
        """What is not tried any more: checks by name, "shrinking CHECK", "diagnosis"."""
        return self._left_out if self._elsewhere is None else {*self._left_out, *self._elsewhere.given_up}

    @property
    def harm(self) -> str:
        """Why no calls are made any more for what earlier ones did, "" unless so."""
        return "" if self._elsewhere is None else self._elsewhere.cut_short

    def reason_to_stop(self) -> str:
        """Why the run is to conclude, "" unless it is."""
        return STOPS[TIME_IS_UP] if time.monotonic() > self._end else self.harm
