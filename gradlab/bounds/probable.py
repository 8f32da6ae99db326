"""Bounds that hold with a probability: n roundings of a sum, if each is as likely up as down, carry about sqrt(n).

The proved count of a sum is its number of terms n, for any order of additions and any rounding errors. Where each
rounding error is independent of the others and zero on average, the product of n factors 1 + delta_i carries
lambda sqrt(n) + n u/(1 - u) at most, but for a probability of 2 exp(-lambda^2 (1 - u)^2/2) [1, theorem 2.4]. A sum has
such a product for each term. A run tries at most TERMS terms in all in the problems that these bounds are for, so that

    lambda = sqrt(2 log(2 TERMS/FAILURE))/(1 - u)

leaves a probability of FAILURE that sound code with such errors fails once in a whole run. All else in the bounds is
as proved in `first_order`.

Rounding errors are not like that in every sum: of equal terms each is the last one again, and terms far below the sum
are all lost. The bounds are asked for where terms differ and none is small beside the sum: `has_random_sums`.

[1] N. Higham, T. Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41(5), 2019,
    doi 10.1137/18M1226312. I. Ipsen, H. Zhou, Probabilistic error analysis for inner products, SIAM J. Matrix Anal.
    Appl. 41(4), 2020, doi 10.1137/19M1270434, has martingales in place of independence.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.rounding_counts import sum_roundings
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem

FAILURE = 2.0**-40  # of a whole run
TERMS = 2.0**24
MIN_TERMS = 512  # terms, from which sqrt(n) is so far from n that it is worth a bound of its own
SPREAD = 4.0  # of the logits of a row: no term is below e^-4 of another

_SOURCE = "probable: no order of additions is likely to be this far off, 2^-40 in a whole run"


def probable_sum_roundings(count: int, fmt: Format) -> float:
    """What a sum of `count` terms of one sign carries but for FAILURE in a run; never more than is proved."""
    u = fmt.unit_roundoff
    factor = math.sqrt(2 * math.log(2 * TERMS / FAILURE)) / (1 - u)
    return min(sum_roundings(count, fmt), factor * math.sqrt(count) + count * u / (1 - u))


def gradient(problem: Problem) -> Bound:
    """How far sound code is likely to be off in each entry of the gradient, shape (N, K); for moderate logits."""
    return Bound(first_order.any_form_gradient(problem, probable_sum_roundings).error, _SOURCE)


def loss(problem: Problem) -> Bound:
    """How far sound code is likely to be off in the loss as it is returned, shape () or (N,); for moderate logits."""
    rows = first_order.any_form_losses(problem, sums=probable_sum_roundings)
    return Bound(first_order.reduced_loss(problem, rows, sums=probable_sum_roundings).error, _SOURCE)


def has_random_sums(problem: Problem) -> bool:
    """Whether the problem has a long sum whose terms are of one size and differ, so that their errors may be random.

    Of labels, without options, in float32 or float64: sums of half-precision terms are expected in float32.
    """
    if problem.format.precision < 24 or problem.objective.targets != "index" or problem.objective.options:
        return False
    x = problem.logits64
    if not problem.is_moderate or not x.size or max(x.shape) < MIN_TERMS or float(np.ptp(x)) > SPREAD:
        return False
    return differ(x, axis=1) if x.shape[1] >= MIN_TERMS else differ(x, axis=0)


def differ(x: Array, axis: int) -> bool:
    """Whether few of the numbers along the axis are equal to another one."""
    steps = np.diff(np.sort(x, axis=axis), axis=axis)
    return bool((steps == 0).mean() < 1 / 8)
