"""exp(x_j - max x) of some rows in double-double, and the sum over all classes but the largest.

The largest logit's own exponential is 1 exactly; it is kept out, so that S = 1 + s is a pair that loses nothing when s
is far below 1. The exponentials keep an exponent of their own, so neither they nor s underflow.

Bounds. e_j: EXP_ERROR, since x_j - max is split exactly by two_sum. s: that, plus `sum_error`, plus what scaling costs:
the terms are added at the scale 2^F of the largest of them, those below 2^(F - 900) are counted as if they were at
2^(F - 900), which is off by less than n 2^(F - 898), where s >= 0.999 2^F. That is less than n 2^-897 of s, for which
the factor 1.01 of the others has room, as 0.01 EXP_ERROR > 2^-97: a float64 sum of the three would be the same number.
Arguments below -2048 (and -inf) are left out; each is less than 2^-2954, and that times their number is added to the
enclosure of s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb

from gradlab.oracle.exact.conversion import balls_of_pairs
from gradlab.oracle.fast.array_kernels import Terms, unwritten_terms
from gradlab.oracle.fast.block_sums import block_width, summed_error
from gradlab.oracle.fast.compiled import Kernels, kernels_for
from gradlab.oracle.fast.exponential import EXP_ERROR, constants
from gradlab.oracle.intervals import Array

ROW_BLOCK_ENTRIES = 32768  # entries of the rows that are worked on together; the last steps of their sums are shared
NEGLIGIBLE_EXPONENT = -2954  # exp(-2048) < 2^-2954


class Exponentials(NamedTuple):
    """exp(x_j - max x) of R rows, as terms of shape (R, K); entries left out hold 0.

    Left out are the class `top` (R,), which holds a largest logit, and `negligible` (R, K), those below exp(-2048).
    others: s as a ball per row; highest (R,): the largest logits; kernels: what works on the terms.
    """

    terms: Terms
    negligible: Array
    top: Array
    highest: Array
    others: list[arb]
    kernels: Kernels


def exponentials(logits: Array, top: Array) -> Exponentials:
    """The exponentials of rows of float64 logits (R, K); -inf is allowed, at most 2^1020 in size otherwise.

    top: for each row the class of a largest logit. To be called at the working precision wanted for `others`.
    """
    shape, kernels = logits.shape, kernels_for(logits.size)
    terms, negligible = unwritten_terms(shape), np.empty(shape, bool)
    kernels.exponentials(logits, top, constants(), terms, negligible)
    others = _sums(terms, negligible.sum(1), kernels)
    return Exponentials(terms, negligible, top, logits[np.arange(len(top)), top], others, kernels)


def _sums(terms: Terms, n_negligible: Array, kernels: Kernels) -> list[arb]:
    n_rows, n_classes = terms.high.shape
    scale = terms.exponent.max(axis=1)
    totals = kernels.scaled_sums(terms, scale, block_width(n_rows))
    error = 1.01 * (EXP_ERROR + summed_error(n_rows, n_classes))
    sums = balls_of_pairs(totals[0].tolist(), totals[1].tolist(), scale.tolist(), error)
    for place in np.flatnonzero(n_negligible).tolist():
        sums[place] += arb(0, (int(n_negligible[place]), NEGLIGIBLE_EXPONENT))
    return sums
