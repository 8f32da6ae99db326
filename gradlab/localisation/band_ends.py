"""The ends of a band, bisected."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.localisation.bands import Band, with_entry
from gradlab.localisation.numbers import roundest_between
from gradlab.localisation.trial import Trial
from gradlab.localisation.varying import Rng
from gradlab.problems.problem import Problem

ATTEMPTS = 40  # at a row with one entry at a value, and no other near to it
STEPS = 11  # of a bisection
NEAR = 2.0**-9  # how near its two ends are brought, relatively


def single_row(like: Problem, band: Band, value: float, rng: Rng) -> Trial | None:
    """One row of few classes with an entry at a value, and no other one in the band or just beside it."""
    around = replace(
        band,
        low=band.beyond_low if math.isfinite(band.beyond_low) else band.low,
        high=band.beyond_high if math.isfinite(band.beyond_high) else band.high,
    )
    for _ in range(ATTEMPTS):
        k = int(rng.integers(2, 6))
        x = rng.normal(0.0, float(rng.choice([1.0, 3.0, 8.0])), (1, k)).astype(like.logits.dtype)
        plain = replace(like.objective, ignore_index=None)
        trial = Trial(Problem(x, np.array([int(rng.integers(k))]), plain))
        trial = with_entry(trial, band.measure, value, rng)
        if around.marks(trial.problem).sum() == 1:
            return trial
    return None


def narrowed(band: Band, is_wrong: Callable[[float], bool | None]) -> Band | None:
    """The band with its ends bisected; None where what lies in it is right."""
    middle = band.low if band.low == band.high else (band.low + band.high) / 2
    if is_wrong(middle) is not True:
        return None
    low, beyond_low = _end(min(band.low, middle), band.beyond_low, is_wrong)
    high, beyond_high = _end(max(band.high, middle), band.beyond_high, is_wrong)
    return replace(band, low=low, high=high, beyond_low=beyond_low, beyond_high=beyond_high)


def _end(wrong: float, right: float, is_wrong: Callable[[float], bool | None]) -> tuple[float, float]:
    """A wrong value and a right one brought together: the roundest between them, and the right one."""
    if not math.isfinite(right):
        return wrong, right
    for _ in range(STEPS):
        if abs(wrong - right) <= NEAR * max(abs(wrong), abs(right)):
            break
        middle = (wrong + right) / 2
        found = is_wrong(middle)
        if found is None:
            break
        wrong, right = (middle, right) if found else (wrong, middle)
    sign = 1 if right < wrong else -1
    return sign * roundest_between(sign * right, sign * wrong), right
