"""Right to a few units in the last place, in every entry and everywhere, in the precision of the logits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ._compensated import exponentials_of_difference, sum_of_losses, sum_of_pairs, two_difference, two_product
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
AWAY = 2.0**600  # from where numbers underflow
BLOCK = 2**19  # bytes at a time: what is computed on the way stays in the cache


# x - max x may overflow, or be -inf: its exp is the right 0; a loss beyond the largest float32 is inf
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def accurate(logits: npt.ArrayLike, labels: npt.ArrayLike, reduction: str = "mean") -> tuple[Any, Array]:
    """The softmax cross-entropy and its gradient, each entry right to a few ULP.

    logits (N, K), labels (N,); the gradient is (N, K), the loss a scalar or, with reduction "none", (N,), both in the
    dtype of the logits, within 5 ULP in float32 and 4 in float64 as far as searches found. Raises ValueError for an
    unknown reduction, and where `checked` does.
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
    gradient = np.empty(logits.shape, logits.dtype)
    step = min(max(BLOCK // (logits.shape[1] * logits.itemsize), 1), max(len(logits), 1))
    work = np.empty((3, step, logits.shape[1]), dtype=logits.dtype)
    for first in range(0, len(logits), step):
        rows = slice(first, first + step)
        block = work[:, : len(labels[rows])]
        losses[rows] = _of_rows((logits[rows], labels[rows], divisor), gradient[rows], block)
    if reduction == "none":
        return losses.astype(logits.dtype), gradient
    return logits.dtype.type(sum_of_losses(losses, divisor)), gradient


def _of_rows(some: tuple[Array, Array, float], gradient: Array, work: Array) -> Array:
    """The losses of some = (logits, labels, divisor), shape (n,), float64; the gradient (n, K) is written, divided.

    work: (3, n, K), overwritten.
    """
    logits, labels, divisor = some
    target = labels + np.arange(0, logits.size, logits.shape[1])  # its place among the entries of all rows
    largest, x_y = maximum(logits), logits.take(target)
    is_top = x_y == largest[:, 0]
    pairs = exponentials_of_difference(logits, largest, (work[0], work[1], work[2]))
    divided = _divided if logits.dtype == np.float64 else _divided_in_float64
    high, (targets, behind), (denominators, missing) = divided(pairs, (target, is_top, divisor), (gradient, work[1]))
    if np.minimum.reduce(high, initial=1) < _far(logits):
        far = is_top & (high < _far(logits))
        behind[far], high, low = _behind_in_parts(logits[far], labels[far], largest[far])
        targets[far] = (high + (low - missing[far] * high)) / denominators[far] / AWAY
    gradient.reshape(-1)[target] = -targets
    distance, error = two_difference(_wide(largest[:, 0]), _wide(x_y))
    if not np.maximum.reduce(distance, initial=0) < np.inf:
        error[~np.isfinite(distance)] = 0  # a difference that overflows
    losses: Array = distance + (error + np.log1p(behind))
    return losses


Where = tuple[Array, Array, float]  # the labels' places, whether they are the largest, the divisor
Divided = tuple[Array, tuple[Array, Array], tuple[Array, Array]]


def _divided(pairs: tuple[Array, Array], where: Where, to: tuple[Array, Array]) -> Divided:
    """The terms over S divisor, written to to[0], and what each row has one of, shape (n,), float64.

    pairs: the exponentials and their corrections, overwritten; to[1] is for work. S is the sum of all terms. Returns
    the sum of all but the label's; that over S divisor, and the sum of all but one of the largest; fl(S divisor), and
    by which part of itself it falls short.
    """
    (terms, corrections), (target, is_top, divisor) = pairs, where
    own, rest = terms.take(target), corrections.take(target)
    terms.reshape(-1)[target] = corrections.reshape(-1)[target] = 0
    high, low = sum_of_pairs(pairs, to[1])
    total, missed = two_difference(own, -high)
    rest = rest + low
    denominators, missing = total * divisor, (missed + rest) / total
    if math.frexp(divisor)[0] != 0.5:  # with a power of two nothing is lost
        denominators, error = two_product(total, np.array(divisor))
        missing = missing + error / denominators
    corrections -= np.multiply(terms, missing[:, None], out=to[1])
    terms += corrections
    np.divide(terms, denominators[:, None], out=to[0])
    behind = np.where(is_top, high + low, ((high - 1) + rest) + own)  # the largest has the exponential 1
    return high, ((high + (low - missing * high)) / denominators, behind), (denominators, missing)


def _divided_in_float64(pairs: tuple[Array, Array], where: Where, to: tuple[Array, Array]) -> Divided:
    """As `_divided`, for terms of less precision, which are corrected first: float64 takes their sums and quotients."""
    (terms, corrections), (target, is_top, divisor) = pairs, where
    terms += corrections
    own = terms.take(target).astype(np.float64)
    terms.reshape(-1)[target] = 0
    others = np.add.reduce(terms, axis=1, dtype=np.float64)
    denominators = (others + own) * divisor
    np.divide(terms, denominators[:, None], out=to[0], casting="same_kind")
    behind = np.where(is_top, others, (others - 1) + own)
    return others, (others / denominators, behind), (denominators, np.zeros_like(others))


def _behind_in_parts(logits: Array, labels: Array, largest: Array) -> tuple[Array, Array, Array]:
    """The sum B of exp(x_j - largest) without the label's, shape (n,), and AWAY B as a pair, which does not underflow.

    B = half^2 total, half^2 = exp(x_2 - largest) for the runner-up x_2, and total, about 1 or more, the sum of
    exp(x_j - x_2), with what the difference x_2 - largest lost to rounding.
    """
    others = logits.copy()
    others[np.arange(len(logits)), labels] = -np.inf
    second = others.max(axis=1, keepdims=True)
    second = np.where(second > -np.inf, second, largest)  # nothing behind: every term is 0
    difference, lost = two_difference(_wide(second), _wide(largest))
    half = np.exp(difference / 2)
    lost[half == 0] = 0
    terms, corrections = exponentials_of_difference(others, second, lost=lost)
    total, rest = sum_of_pairs((_wide(terms), _wide(corrections)), np.empty(terms.shape))
    half = half[:, 0]
    once, error = two_product(half * AWAY, total)
    error += half * AWAY * rest
    high, low = two_product(once, half)
    low += error * half
    return (high + low) / AWAY, high, low


def _wide(values: Array) -> Array:
    return values.astype(np.float64, copy=False)


def _far(logits: Array) -> float:
    """Below this the sum of exponentials of a row owes too much to those that are rounded as subnormal numbers."""
    far: float = 1024 * logits.shape[1] * SMALLEST_NORMAL.get(logits.dtype, 2.0**-126)
    return far
