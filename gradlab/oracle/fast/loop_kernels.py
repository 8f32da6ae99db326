"""The work on every entry of a block of rows, as loops that numba compiles; see `array_kernels` for what they do.

Slow where they are not compiled. Every arithmetic operation is one of the functions that `array_kernels` calls too, so
the proofs of their bounds hold for both; what differs is written once more in `compiled`: moves of bits, no rounding.
"""

from __future__ import annotations

import numpy as np

from gradlab.oracle.double_double import Pair, add_nonnegative, multiply, two_sum
from gradlab.oracle.fast.array_kernels import FARTHEST, FARTHEST_ERROR, NOT_A_TERM, Parts, Scale, Terms, difference
from gradlab.oracle.fast.exponential import LOWEST_ARGUMENT, Constants, exp_with
from gradlab.oracle.intervals import Array, normalised_parts, power_of_two


def exponentials(logits: Array, top: Array, constants: Constants, terms: Terms, negligible: Array) -> None:
    """As `array_kernels.exponentials`."""
    high, low, exponent = terms
    n_rows, n_classes = logits.shape
    for i in range(n_rows):
        highest = logits[i, top[i]]
        for j in range(n_classes):
            d = two_sum(logits[i, j], -highest)
            left_out = d[0] < LOWEST_ARGUMENT
            negligible[i, j] = left_out
            if left_out or j == top[i]:
                high[i, j], low[i, j], exponent[i, j] = 0.0, 0.0, NOT_A_TERM
            else:
                high[i, j], low[i, j], exponent[i, j] = exp_with(d, constants)


def scaled_sums(terms: Terms, scale: Array, width: int) -> Pair:
    """As `array_kernels.scaled_sums`."""
    n_rows, n_classes = terms.exponent.shape
    totals = (np.empty(n_rows), np.empty(n_rows))
    row = (np.empty(n_classes), np.empty(n_classes))
    for i in range(n_rows):
        for j in range(n_classes):
            factor = power_of_two(np.maximum(terms.exponent[i, j] - scale[i], FARTHEST))
            row[0][j], row[1][j] = terms.high[i, j] * factor, terms.low[i, j] * factor
        totals[0][i], totals[1][i] = row_sum(row, width)
    return totals


def products(terms: Terms, scale: Scale, out: Parts) -> None:
    """As `array_kernels.products`."""
    n_rows, n_classes = terms.high.shape
    for i in range(n_rows):
        c = (scale.high[i], scale.low[i])
        for j in range(n_classes):
            high, low = multiply((terms.high[i, j], terms.low[i, j]), c)
            exponent = terms.exponent[i, j] + scale.exponent[i]
            found = normalised_parts(high, low, high * scale.error[i], exponent)
            out[0][i, j], out[1][i, j], out[2][i, j], out[3][i, j] = found


def costs(t: Pair, logits: Array, highest: Array, width: int) -> Pair:
    """As `array_kernels.costs`."""
    n_rows, n_classes = logits.shape
    totals = (np.empty(n_rows), np.empty(n_rows))
    row = (np.empty(n_classes), np.empty(n_classes))
    for i in range(n_rows):
        for j in range(n_classes):
            row[0][j], row[1][j] = 0.0, 0.0
            if t[0][i, j] != 0:
                distance = two_sum(highest[i], -logits[i, j])
                row[0][j], row[1][j] = multiply((t[0][i, j], t[1][i, j]), distance)
        totals[0][i], totals[1][i] = row_sum(row, width)
    return totals


def differences(terms: Terms, scale: Scale, t: Pair, out: Parts) -> None:
    """As `array_kernels.differences`."""
    n_rows, n_classes = terms.high.shape
    for i in range(n_rows):
        c, error = (scale.high[i], scale.low[i]), scale.error[i]
        for j in range(n_classes):
            high, low = multiply((terms.high[i, j], terms.low[i, j]), c)
            exponent = terms.exponent[i, j] + scale.exponent[i]
            target = (t[0][i, j], t[1][i, j])
            active = target[0] != 0
            factor = power_of_two(np.maximum(exponent, FARTHEST)) if active else 1.0
            total, radius = difference((high * factor, low * factor), target, error)
            if active:
                radius, exponent = radius + FARTHEST_ERROR, np.int64(0)
            found = normalised_parts(total[0], total[1], radius, exponent)
            out[0][i, j], out[1][i, j], out[2][i, j], out[3][i, j] = found


def row_sum(terms: Pair, width: int) -> Pair:
    """The sum of the terms (n,) in the order of `block_sums.summed`; overwrites them."""
    high, low = terms
    n = len(high)
    for start in range(width, n, width):
        for j in range(start, min(start + width, n)):
            high[j - start], low[j - start] = add_nonnegative((high[j - start], low[j - start]), (high[j], low[j]))
    length = min(width, n)
    while length > 1:
        half = (length + 1) // 2
        for j in range(length - half):
            high[j], low[j] = add_nonnegative((high[j], low[j]), (high[half + j], low[half + j]))
        length = half
    return high[0], low[0]
