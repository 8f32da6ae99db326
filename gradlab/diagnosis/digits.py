"""Digits that cancel: what an entry that is right only to the last place of 1, or of the margin, gives away.

A difference of numbers near 1 is a multiple of the spacing there, whatever its size; the exact value is none.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gradlab.diagnosis.side import Probe, Side
from gradlab.problems.families.options import one_hot
from gradlab.problems.families.placing import spacing
from gradlab.problems.problem import Problem

MARGINS = (0.71, 0.76, 0.82)  # of the one from which p_y rounds to 1: what is left has a few digits
BEYOND = (1.1, 1.15)
WHOLE = 1e-5  # how near to a whole number of spacings: log of it is rounded once more


def one_subtracted(side: Side) -> str | None:
    """The target's entry is a multiple of u on confident rows: p_y - 1 with p_y next to 1."""
    u = side.problem.format.unit_roundoff
    counts = [-entry / u for _, entry in _confident(side, MARGINS)]
    return "target_less_one" if _are_whole(counts) else None


def one_added(side: Side) -> str | None:
    """The loss is log of a multiple of 2 u above 1: log(1 + s), where 1 + s has been rounded."""
    u = side.problem.format.unit_roundoff
    counts = [math.expm1(loss) / (2 * u) for loss, _ in _confident(side, MARGINS)]
    return "log_of_one_plus" if _are_whole(counts) else None


def margin_subtracted(side: Side) -> str | None:
    """The loss of two classes is a multiple of the last place of the margin: (M + exp(-M)) - M."""
    spacings = [spacing(side.problem.format, _margin(side, share)) for share in BEYOND]
    counts = [loss / space for (loss, _), space in zip(_confident(side, BEYOND), spacings, strict=False)]
    return "added_and_subtracted" if _are_whole(counts) else None


def _are_whole(counts: list[float]) -> bool:
    return bool(counts) and all(math.isfinite(count) and abs(count - round(count)) <= WHOLE for count in counts)


def _confident(side: Side, shares: tuple[float, ...]) -> list[tuple[float, float]]:
    """(loss, target's entry) on single rows of two classes with these margins; none where one is not answered."""
    found = []
    for share in shares:
        dtype, objective = side.problem.logits.dtype, side.problem.objective
        row = np.array([[_margin(side, share), 0.0]]).astype(dtype)
        problem = Problem(row, np.array([0]), replace(objective, targets="index"))
        answer = side.answer(problem if objective.targets == "index" else one_hot(problem))
        if answer.loss is None or answer.gradient is None:
            return []
        found.append((float(np.sum(answer.loss)), float(answer.gradient[0, 0])))
    return found


def _margin(side: Side, share: float) -> float:
    fmt = side.problem.format
    return float(np.asarray(share * fmt.precision * math.log(2)).astype(fmt.dtype).astype(np.float64))


PROBES: dict[str, tuple[Probe, ...]] = {
    "target_entry_within_a_few_ulp": (one_subtracted,),
    "rows_sum_to_zero_relative_to_largest": (one_subtracted,),
    "loss_within_a_few_ulp": (one_added, margin_subtracted),
}
