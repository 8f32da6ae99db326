"""The target's entry as minus the sum of the others: nothing is subtracted from 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked
from ._rows import maximum, mean

__all__ = ["complement"]

CLAIMS = {
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}


@np.errstate(over="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def complement(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Any, Array]:
    """The mean loss and its gradient (p - one_hot(y)) / N, from the sum of exp(d_j) over all classes but the label's.

    d_j = x_j - max x; logits (N, K), labels (N,); the loss is a scalar and the gradient (N, K), both in the dtype of
    the logits. With o that sum: the loss is log1p(o) where the label has the largest logit, -d_y + log(o + exp(d_y))
    elsewhere, and p_y - 1 = -o / (o + exp(d_y)). Both keep their digits for as long as they are normal numbers: up to a
    margin of 87 in float32 and 708 in float64.

    Breaks: d_j is rounded, and exp(d_j) with it: off by up to 64 ULP from abs(d_j) = 64 on in float32, by up to 512
    from 512 on in float64. On confident rows the loss and the target's entry are off by as much.
    """
    logits, labels = checked(logits, labels)
    target = np.arange(len(logits)), labels

    largest = maximum(logits)
    gradient = np.exp(logits - largest)
    own = gradient[target]
    gradient[target] = 0
    others = gradient.sum(axis=1)
    sums = others + own
    behind = largest[:, 0] - logits[target]
    loss = mean(np.where(behind == 0, np.log1p(others), behind + np.log(sums)))

    gradient /= sums[:, None]
    p = own / sums
    gradient[target] = np.where(p > 0.5, -(others / sums), p - 1)  # below 1/2 the difference costs one rounding less
    gradient /= max(len(logits), 1)
    return loss, gradient
