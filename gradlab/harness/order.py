"""In which order failures are told: the most costly first."""

from __future__ import annotations

from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict

UNDERMINING = (
    "returns_loss_and_gradient",
    "returns_loss_and_derivative",
    "leaves_the_process_as_it_was",
    "same_call_gives_same_bits",
)
TELLING = ("accuracy", "stability", "calculus", "options", "domain", "invariants", "sizes", "contract")


def cost(line: Line) -> tuple[int, bool, int]:
    """What sorts failures: the most costly first, then what makes every other one doubtful (no answer at all, or
    another one each time), then the groups that tell most by a value.
    """
    return list(Verdict).index(line.verdict), line.check.name not in UNDERMINING, TELLING.index(line.check.group)
