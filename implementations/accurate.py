"""Right to a few units in the last place, in every entry and everywhere, in the precision of the logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._compensated import added, exponentials_of_difference, sum_of_losses, sum_of_terms, two_difference
from ._inputs import Array, checked
from ._rows import divisor_of, maximum

__all__ = ["accurate"]

CLAIMS = {
    "reduction": ["none", "mean", "sum"],
    "dtypes": ["float32", "float64"],
    "level": "accurate",
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}

SMALLEST_NORMAL = {np.dtype(np.float64): 2.0**-1022, np.dtype(np.float16): 2.0**-14}
BLOCK = 2**19  # bytes at a time: what is computed on the way stays in the cache


# x - max x may overflow, or be -inf: its exp is the right 0; a loss beyond the largest float32 is inf
@np.errstate(over="ignore", invalid="ignore")
def accurate(logits: npt.ArrayLike, labels: npt.ArrayLike, reduction: str = "mean") -> tuple[Any, Array]:
    """The softmax cross-entropy and its gradient, each entry within 5 ULP as far as searches found.

    logits (N, K), labels (N,); the gradient is (N, K), the loss a scalar or, with reduction "none", (N,), both in the
    dtype of the logits. Raises ValueError for an unknown reduction, and where `checked` does.
    Nothing is subtracted where digits could cancel: with e_j = exp(x_j - max x), of the exact difference,

        loss = (max x - x_y) + log1p(sum of e_j without the largest)
        g_y  = -(sum of e_j without the label's) / (sum of e_j) / N,    g_j = e_j / (sum of e_j) / N

    and where the label is far above all others, so that their sum underflows, it is exp(x_2 - max x) times the sum of
    exp(x_j - x_2), x_2 being the largest of the others. docs/accuracy.md has the proof.

    Breaks: where its assumptions do. A processor that flushes subnormal numbers to 0 loses the entries below the
    smallest normal number, and an exp that is further off than the machine's own takes every entry with it.
    """
    logits, labels = checked(logits, labels)
    divisor = divisor_of(reduction, len(logits))
    losses = np.empty(len(logits), dtype=np.float64)
    gradient = np.empty_like(logits, order="C", subok=False)
    step = min(max(BLOCK // (logits.shape[1] * logits.itemsize), 1), max(len(logits), 1))
    work = np.empty((3, step, logits.shape[1]), dtype=logits.dtype)
    for first in range(0, len(logits), step):
        rows = slice(first, first + step)
        block = work[:, : len(labels[rows])]
        losses[rows] = _of_rows((logits[rows], labels[rows], divisor), gradient[rows], block)
    loss = losses if reduction == "none" else sum_of_losses(losses, divisor)
    return loss.astype(logits.dtype), gradient


def _of_rows(some: tuple[Array, Array, float], gradient: Array, work: Array) -> Array:
    """The losses of some = (logits, labels, divisor), shape (n,), float64; the gradient (n, K) is written, divided.

    work: (3, n, K), overwritten.
    """
    logits, labels, divisor = some
    target = np.arange(len(logits)), labels
    largest, x_y = maximum(logits), logits[target]
    is_top = x_y == largest[:, 0]

    terms = exponentials_of_difference(logits, largest, (work[0], work[1], work[2]))
    own = terms[target].astype(np.float64)
    terms[target] = 0
    high, low = sum_of_terms(terms, work[1])  # of all but the label's
    others = high + low
    denominators = added(own, (high, low)) * divisor
    np.divide(terms, denominators[:, None], out=gradient, casting="same_kind")

    targets = others / denominators
    behind = np.where(is_top, others, ((high - 1) + low) + own)  # all but one of the largest, whose exponential is 1
    far = is_top & (others < _far(logits))
    if far.any():
        half, total = _behind_in_parts(logits[far], labels[far], largest[far])
        behind[far] = (half * total) * half
        targets[far] = (half * total / denominators[far]) * half
    gradient[target] = -targets
    distance, error = two_difference(largest[:, 0].astype(np.float64), x_y.astype(np.float64))
    if not np.maximum.reduce(distance, initial=0) < np.inf:
        error[~np.isfinite(distance)] = 0  # a difference that overflows
    losses: Array = distance + (error + np.log1p(behind))
    return losses


def _behind_in_parts(logits: Array, labels: Array, largest: Array) -> tuple[Array, Array]:
    """half and total, shape (n,), such that the sum of exp(x_j - largest) without the label's is half^2 total.

    Neither underflows: half^2 = exp(x_2 - largest) for the runner-up x_2, and total, about 1 or more, is the sum of
    exp(x_j - x_2), with what the difference x_2 - largest lost to rounding.
    """
    others = logits.copy()
    others[np.arange(len(logits)), labels] = -np.inf
    second = others.max(axis=1, keepdims=True)
    second = np.where(second > -np.inf, second, largest)  # nothing behind: every term is 0
    difference, lost = two_difference(second.astype(np.float64), largest.astype(np.float64))
    half = np.exp(difference / 2)
    lost[half == 0] = 0
    high, low = sum_of_terms(exponentials_of_difference(others, second, lost=lost))
    return half[:, 0], high + low


def _far(logits: Array) -> float:
    """Below this the sum of exponentials of a row owes too much to those that are rounded as subnormal numbers."""
    far: float = 1024 * logits.shape[1] * SMALLEST_NORMAL.get(logits.dtype, 2.0**-126)
    return far
