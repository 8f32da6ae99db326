"""The formula as the textbook prints it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked
from ._rows import mean

__all__ = ["textbook"]

CLAIMS = {
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}
EXPECTED = {"verdict": "unstable", "because": ["gradient_within_forward_error", "loss_within_forward_error"]}


def textbook(logits: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Any, Array]:
    """The mean of -log p_y, and its gradient (p - one_hot(y)) / N, with p = exp(x) / sum exp(x).

    logits (N, K), labels (N,); the loss is a scalar and the gradient (N, K), both in the dtype of the logits.

    Breaks: exp overflows from a logit of 88.73 in float32 and 709.79 in float64: that entry is NaN, and the loss if
    it is the target's. Where no logit of a row exceeds -103.98 or -745.14 every exp is 0 and the row NaN. Where p_y
    underflows, at a margin of -103.98 or -745.14, the loss is inf. The target's entry is p_y - 1: with two classes
    p_y rounds to 1 from a margin of 18 or 38, and loss and entry are 0, which is 100% wrong.
    """
    logits, labels = checked(logits, labels)
    rows = np.arange(len(logits))

    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = mean(-np.log(probabilities[rows, labels]))

    gradient = probabilities
    gradient[rows, labels] -= 1
    gradient /= max(len(logits), 1)
    return loss, gradient
