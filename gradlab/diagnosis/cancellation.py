"""Digits that cancel: what an entry that is right only to the last place of 1, or of the margin, gives away.

A difference of numbers near 1 is a multiple of the spacing there, whatever its size; the exact value is none. What is
wrong by more than rounding gives nothing away.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gradlab.diagnosis.many_terms import OF_SUMS, OF_TARGET, OF_TERMS
from gradlab.diagnosis.probe import Probe, Side
from gradlab.problems.families.options import one_hot
from gradlab.problems.families.placing import rounds_to_one, spacing
from gradlab.problems.problem import Problem

MARGINS = (0.71, 0.76, 0.82)  # of the one from which p_y rounds to 1, at most 20: a few digits are left there
BEYOND = (1.1, 1.15)  # of the one from which p_y rounds to 1
WHOLE = 1e-5  # how near to a whole number of spacings: log of it is rounded once more


def one_subtracted(side: Side) -> str | None:
    """The target's entry is a multiple of u on confident rows: p_y - 1 with p_y next to 1."""
    u = side.problem.format.unit_roundoff
    counts = [-entry / u for _, entry in _confident(side, _below(side))]
    return "target_less_one" if _are_whole(counts) else None


def one_added(side: Side) -> str | None:
    """The loss is log of a multiple of 2 u above 1: log(1 + s), where 1 + s has been rounded."""
    u = side.problem.format.unit_roundoff
    counts = [math.expm1(loss) / (2 * u) for loss, _ in _confident(side, _below(side))]
    return "log_of_one_plus" if _are_whole(counts) else None


def margin_subtracted(side: Side) -> str | None:
    """The loss of two classes is a multiple of the last place of the margin: (M + exp(-M)) - M; but no log(1 + s)."""
    if one_added(side) is not None:
        return None  # which is 0 there as well
    if not all(loss for loss, _ in _confident(side, _below(side))):
        return None  # a small loss is cut off to 0, whatever the margin
    margins = [_round(side, share * rounds_to_one(side.problem.format)) for share in BEYOND]
    spacings = [spacing(side.problem.format, margin) for margin in margins]
    counts = [loss / space for (loss, _), space in zip(_confident(side, margins), spacings, strict=False)]
    return "added_and_subtracted" if _are_whole(counts) else None


def _are_whole(counts: list[float]) -> bool:
    return bool(counts) and all(math.isfinite(count) and abs(count - round(count)) <= WHOLE for count in counts)


def _confident(side: Side, margins: list[float]) -> list[tuple[float, float]]:
    """(loss, target's entry) on single rows of two classes with these margins; none where an answer is wrong."""
    found = []
    for margin in margins:
        dtype, objective = side.problem.logits.dtype, side.problem.objective
        row = np.array([[margin, 0.0]]).astype(dtype)
        problem = Problem(row, np.array([0]), replace(objective, targets="index"))
        problem = problem if objective.targets == "index" else one_hot(problem)
        answer = side.answer(problem)
        if answer.loss is None or answer.gradient is None or not side.is_right(problem):
            return []
        found.append((float(np.sum(answer.loss)), float(answer.gradient[0, 0])))
    return found


def _below(side: Side) -> list[float]:
    limit = min(rounds_to_one(side.problem.format), 20.0)
    return [_round(side, share * limit) for share in MARGINS]


def _round(side: Side, margin: float) -> float:
    return float(np.asarray(margin).astype(side.problem.logits.dtype).astype(np.float64))


PROBES: dict[str, tuple[Probe, ...]] = {
    "target_entry_within_a_few_ulp": (one_subtracted, *OF_TARGET, *OF_SUMS),
    "other_entries_within_a_few_ulp": (*OF_TERMS, *OF_SUMS),
    "rows_sum_to_zero_relative_to_largest": (one_subtracted, *OF_TARGET, *OF_SUMS),
    "loss_within_a_few_ulp": (one_added, margin_subtracted, *OF_SUMS),
}
