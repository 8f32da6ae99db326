"""The steps that several implementations share: the largest logit of a row, and what is made of the rows' losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._inputs import Array, checked_reduction


def maximum(logits: Array) -> Array:
    """The largest logit of each row, shape (N, 1); NaN where it is not finite.

    It is finite exactly where the row has a loss: not with NaN, not with +inf, not with nothing but -inf.
    """
    largest: Array = logits.max(axis=1, keepdims=True)
    largest[~np.isfinite(largest)] = np.nan
    return largest


def sum_over(values: Array, denominator: Any) -> Any:
    """sum(values) / denominator for values >= 0, a scalar of their dtype; NaN for 0 / 0.

    Where the sum overflows a power of two is taken out first: the quotient may be finite all the same. To be called
    where overflow is ignored.
    """
    total = np.add.reduce(values)
    if total < np.inf and denominator > 0:
        return total / total.dtype.type(denominator)
    exponent = np.frexp(values.max(initial=0))[1]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.ldexp(np.ldexp(values, -exponent).sum() / denominator, exponent).astype(values.dtype)[()]


def mean(losses: Array) -> Any:
    """The mean of losses >= 0, a scalar of their dtype; NaN of none."""
    return sum_over(losses, losses.size)


def divisor_of(reduction: str, n_rows: int) -> float:
    """What each row's loss and gradient is divided by: N for the mean, else 1. Raises ValueError for no reduction."""
    return float(n_rows) if checked_reduction(reduction) == "mean" else 1.0
