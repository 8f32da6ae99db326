"""An output that is right to a few bits alone: rounded on the way to a dtype that is narrower than its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.localisation.layer.trial import LayerOutcome

MIN_BITS = 4  # bits: what is right to fewer is wrong otherwise
MORE = 2.0  # times as far off as the answers that are known, that others may be
SEVERAL = 6  # answers


@dataclass(frozen=True)
class Coarse:
    """An output that is off by at most a part of its largest entry."""

    output: str
    part: float

    @property
    def said(self) -> str:
        """What comes out, in words."""
        return f"right to {math.floor(-math.log2(self.part))} bits of its largest entry alone"

    def agrees(self, outcome: LayerOutcome) -> bool:
        """Whether the output is no further off."""
        return outcome.deviation(self.output) <= MORE * self.part


def coarse(output: str, outcomes: Sequence[LayerOutcome]) -> Coarse | None:
    """How far an output is off at most, where that is little in every wrong answer; None where it is not."""
    wrong = [one for one in outcomes if output in one.wrong and one.is_plain]
    part = max((one.deviation(output) for one in wrong), default=math.inf)
    return Coarse(output, part) if len(wrong) >= SEVERAL and part <= 2.0**-MIN_BITS else None
