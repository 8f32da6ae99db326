"""Right to a few units in the last place, in every entry and everywhere, in float64 without anything wider."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

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

SMALLEST_NORMAL = 2.0**-1022
AWAY = 2.0**600  # from where numbers underflow
BLOCK = 2**19  # bytes at a time: what is computed on the way stays in the cache


# x - max x may overflow, or be -inf: its exp is the right 0; a loss beyond the largest float32 is inf
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def accurate(logits: npt.ArrayLike, labels: npt.ArrayLike, reduction: str = "mean") -> tuple[Any, Array]:
    """The softmax cross-entropy and its gradient, each entry right to a few ULP.

    logits (N, K), labels (N,); the gradient is (N, K), the loss a scalar or, with reduction "none", (N,), both in the
    dtype of the logits, within 4 ULP in float64 as far as searches found. float32 logits are computed in float64, for
    np.exp in float32 is off by up to 2.54 ULP, and come out within 0.51. Raises ValueError for an unknown reduction,
    and where `checked` does.
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
    answer, arrays = (_losses, 3) if logits.dtype == np.float64 else (_losses_in_float64, 1)
    step = min(max(BLOCK // (logits.shape[1] * 8), 1), max(len(logits), 1))
    work = np.empty((arrays, step, logits.shape[1]))
    for first in range(0, len(logits), step):
        rows = slice(first, first + step)
        block = _block(logits[rows], labels[rows], divisor)
        losses[rows] = answer(block, gradient[rows], work[:, : len(block.labels)])
    if reduction == "none":
        return losses.astype(logits.dtype), gradient
    return logits.dtype.type(sum_of_losses(losses, divisor)), gradient


class Block(NamedTuple):
    """Some rows of a batch: logits (n, K), labels (n,), their places among all entries, and the rows' largest (n, 1).

    x_y (n,) are the labels' logits, is_top whether each is the largest of its row. divisor: N or 1.
    """

    logits: Array
    labels: Array
    places: Array
    largest: Array
    x_y: Array
    is_top: Array
    divisor: float


class Sums(NamedTuple):
    """What each row has one of, shape (n,): the letters of docs/accuracy.md.

    others: O, the sum of all terms but the label's. target: O / (S N). smaller: B, the sum of all but one of the
    largest. denominator: D = fl(S N), and rho, by which part of itself it falls short.
    """

    others: Array
    target: Array
    smaller: Array
    denominator: Array
    rho: Array


def _block(logits: Array, labels: Array, divisor: float) -> Block:
    places = labels + np.arange(0, logits.size, logits.shape[1])
    largest, x_y = maximum(logits), logits.take(places)
    return Block(logits, labels, places, largest, x_y, x_y == largest[:, 0], divisor)


def _losses_in_float64(block: Block, gradient: Array, work: Array) -> Array:
    """The losses of float32 rows, shape (n,), float64; their gradient (n, K) is written, divided, and rounded but once.

    float64 holds all terms that float32 can show, and what rounding takes from differences and sums does not show.
    work: (1, n, K), float64, overwritten.
    """
    terms = np.subtract(block.logits, block.largest, out=work[0], dtype=np.float64)
    np.exp(terms, out=terms)
    term = terms.take(block.places)
    terms.reshape(-1)[block.places] = 0
    others = np.add.reduce(terms, axis=1)
    denominator = (others + term) * block.divisor
    np.divide(terms, denominator[:, None], out=gradient, casting="same_kind")
    gradient.reshape(-1)[block.places] = -(others / denominator)
    smaller = np.where(block.is_top, others, (others - 1) + term)  # the largest has the exponential 1
    losses: Array = np.subtract(block.largest[:, 0], block.x_y, dtype=np.float64) + np.log1p(smaller)
    return losses


def _losses(block: Block, gradient: Array, work: Array) -> Array:
    """The losses of float64 rows, shape (n,); their gradient (n, K) is written, divided.

    work: (3, n, K), overwritten.
    """
    largest, is_top = block.largest, block.is_top
    terms, corrections = exponentials_of_difference(block.logits, largest, (work[0], work[1], work[2]))
    sums = _divide(terms, corrections, block, gradient, work[1])
    far = 1024 * block.logits.shape[1] * SMALLEST_NORMAL  # below it a sum owes too much to terms that are subnormal
    if np.fmin.reduce(sums.others, initial=1) < far:  # of rows that have a value
        rows = is_top & (sums.others < far)
        sums.smaller[rows], high, low = _sum_of_far(block.logits[rows], block.labels[rows], largest[rows])
        sums.target[rows] = (high + (low - sums.rho[rows] * high)) / sums.denominator[rows] / AWAY
    gradient.reshape(-1)[block.places] = -sums.target
    distance, error = two_difference(largest[:, 0], block.x_y)
    if not np.maximum.reduce(distance, initial=0) < np.inf:
        error[~np.isfinite(distance)] = 0  # a difference that overflows
    losses: Array = distance + (error + np.log1p(sums.smaller))
    return losses


def _divide(terms: Array, corrections: Array, block: Block, quotients: Array, work: Array) -> Sums:
    """Writes the terms over S N to quotients, S being the sum of all of them.

    terms: the exponentials E, corrections: C; both (n, K), and overwritten.
    """
    term, correction = terms.take(block.places), corrections.take(block.places)
    terms.reshape(-1)[block.places] = corrections.reshape(-1)[block.places] = 0
    high, low = sum_of_pairs(terms, corrections, work)
    total, error = two_difference(term, -high)
    remainder = correction + low
    denominator, rho = total * block.divisor, (error + remainder) / total
    if math.frexp(block.divisor)[0] != 0.5:  # with a power of two nothing is lost
        denominator, error = two_product(total, np.array(block.divisor))
        rho = rho + error / denominator
    corrections -= np.multiply(terms, rho[:, None], out=work)
    terms += corrections
    np.divide(terms, denominator[:, None], out=quotients)
    smaller = np.where(block.is_top, high, ((high - 1) + remainder) + term)  # the largest has the exponential 1
    return Sums(high, (high + (low - rho * high)) / denominator, smaller, denominator, rho)


def _sum_of_far(logits: Array, labels: Array, largest: Array) -> tuple[Array, Array, Array]:
    """The sum B of exp(x_j - largest) without the label's, shape (n,), and AWAY B as a pair, which does not underflow.

    B = half^2 total, half^2 = exp(x_2 - largest) for the runner-up x_2, and total, about 1 or more, the sum of
    exp(x_j - x_2), with what the difference x_2 - largest lost to rounding.
    """
    others = logits.copy()
    others[np.arange(len(logits)), labels] = -np.inf
    second = others.max(axis=1, keepdims=True)
    second = np.where(second > -np.inf, second, largest)  # no other class: every term is 0
    difference, lost = two_difference(second, largest)
    half = np.exp(difference / 2)
    lost[half == 0] = 0
    terms, corrections = exponentials_of_difference(others, second, lost=lost)
    total, remainder = sum_of_pairs(terms, corrections, np.empty(terms.shape))
    half = half[:, 0]
    once, error = two_product(half * AWAY, total)
    error += half * AWAY * remainder
    high, low = two_product(once, half)
    low += error * half
    return (high + low) / AWAY, high, low
