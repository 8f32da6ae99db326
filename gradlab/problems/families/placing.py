"""Where a format's thresholds lie, and how a problem is placed on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem


def make_problem(fmt: Format, logits: Sequence[Sequence[float]] | Array, labels: Sequence[int] | Array) -> Problem:
    """A problem with these logits, rounded to the format, and these labels."""
    return Problem(round_to(fmt, np.asarray(logits, dtype=np.float64)), np.asarray(labels, dtype=np.int64))


def round_to(fmt: Format, values: Array) -> Array:
    """The values in the dtype of the format; finite ones are first clipped to its range."""
    clipped = np.where(np.isfinite(values), np.clip(values, -fmt.largest, fmt.largest), values)
    with np.errstate(invalid="ignore"):  # NaN, on its way to another format
        return clipped.astype(fmt.dtype)


def rounds_to_one(fmt: Format) -> float:
    """The margin from which 1 + exp(-margin) is 1, and p_y of two classes too: 16.6 in float32, 36.7 in float64."""
    return fmt.precision * math.log(2)


def leaves_normal(fmt: Format) -> float:
    """The d from which exp(-d) is no longer a normal number: 87.3 in float32, 708.4 in float64."""
    return -fmt.min_exponent * math.log(2)


def underflows(fmt: Format) -> float:
    """The d from which exp(-d) rounds to 0: 103.97 in float32, 745.13 in float64."""
    return math.log(2) - math.log(fmt.smallest_subnormal)


def overflows(fmt: Format) -> float:
    """The x from which exp(x) is beyond the largest number: 88.72 in float32, 709.78 in float64."""
    return math.log(fmt.largest)


def spacing(fmt: Format, value: float) -> float:
    """The distance from a normal number to the next one further from 0."""
    return math.ldexp(1.0, math.frexp(value)[1] - fmt.precision)
