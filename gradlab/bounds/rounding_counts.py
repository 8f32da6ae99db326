"""What computed values carry: counts of roundings, from which every bound of `first_order` is put together.

u is the unit roundoff, eta the smallest subnormal, beta the error of exp and log in ULP; one ULP is at most 2u,
relatively. A computed value is said to carry k when |log(computed/exact)| <= k v, with v = u/(1 - 8 beta u). Then its
relative error is at most gamma(k) = exp(k v) - 1, and a product or quotient carries the sum of what its parts carry. A
rounding carries 1 and exp or log 2 beta, since |log(1 + e)| <= |e|/(1 - |e|); v rather than u leaves room for products
of up to 8 beta of these. It is lemma 3.1 of N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM
2002, for k u of any size. An absolute error of k v in a logarithm is the same as a k.

Bounds are computed in float64 themselves, which loses at most (K + 750) 2^-52 of one: K roundings in sums over classes,
and 745 in the largest exp(d_j) that is not 0. There is room for that: each k counts a rounding more than there is, as a
sum of n terms takes n - 1, and k is below 4 (K + 750), so that 1/k is more than what is lost, for K up to 2^24. What is
left of a subtraction (|A p_j - t_j|, t_j - m, the sum of the other p_i) may be off by 2^-52 of what went in; it is only
multiplied by a gamma, and the bound holds that gamma times what went in as well, of which 1/k is far more.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradlab.problems.coefficients import denominator_of
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem

QUIET = np.errstate(all="ignore")  # what float64 does not hold is infinite, and so is the bound
BETA = 4.0  # the error of exp and log in ULP that level `stable` allows, a fair reading of what libraries promise

# What level `accurate` takes for granted, in ULP. exp in float32: the largest error of any build that was asked
# for all 2^32 arguments (`measure/function_errors.json`), 2.5408 at -0x1.f03c6ep+5, rounded up to the next 0.05; the
# comment in NumPy's source says 2.52 of the same argument. In float64, where nobody can ask for all, searches came to
# no more than 0.9, and 1 leaves room for what they missed.
ACCURATE_BETA = 2.55
ASSUMED_BY_ACCURATE = {("exp", "float32"): ACCURATE_BETA, ("exp", "float64"): 1.0, ("log1p", "float64"): 1.0}


def unit(fmt: Format) -> float:
    """v = u/(1 - 8 beta u)."""
    return fmt.unit_roundoff / (1 - 8 * BETA * fmt.unit_roundoff)


def gamma(k: Array | float, fmt: Format) -> Array:
    """exp(k v) - 1, the relative error of what carries k; cut off where it is beyond every number."""
    carried = np.asarray(np.multiply(k, unit(fmt)))
    np.minimum(carried, 700.0, out=carried)  # in place: of a large problem the bounds are a good part of a check's time
    np.expm1(carried, out=carried)
    return carried


def sum_roundings(count: int, fmt: Format) -> float:
    """What a sum of `count` terms of one sign carries, in any order: a rounding each.

    Sums of half-precision terms are expected in float32 at least, and to be rounded once.
    """
    return float(count) if fmt.precision >= 24 else count * 2.0**-24 / fmt.unit_roundoff + 1


Sums = Callable[[int, Format], float]  # what a sum of so many terms carries, as `sum_roundings` has it


def base_roundings(fmt: Format) -> float:
    """What a change of base, b^(d log_b e) for exp(d), carries for each unit of d: the product's and the constant's.

    As with sums, it is expected to be made in float32 at least.
    """
    return 2.0 if fmt.precision >= 24 else 2.0**-23 / fmt.unit_roundoff


def coefficient_sum_roundings(problem: Problem) -> float:
    """What A = sum_j t_j, or another sum with the weights t, carries: of n terms where t is not one-hot, else 0."""
    objective = problem.objective
    soft = objective.targets == "probability" or objective.label_smoothing > 0
    return sum_roundings(problem.n_classes, problem.format) if soft else 0.0


def division_roundings(problem: Problem) -> float:
    """What the division by the denominator carries: N in the format, a reciprocal and a product; a sum of weights.

    With sample weights two more, for their conversion to the format and their product by the labels' weights. A
    reciprocal that is subnormal is off by eta/2, which is D times the smallest normal number in roundings of 1/D.
    """
    objective = problem.objective
    if objective.reduction != "mean":
        return 0.0
    quotient = 2 + max(1.0, divisor(problem) * problem.format.smallest_normal)
    sampled, by_class = objective.sample_weights is not None, objective.class_weights is not None
    if objective.mean_over != "sum_of_weights" or not (sampled or (by_class and objective.targets == "index")):
        return quotient
    return quotient + sum_roundings(problem.n_rows, problem.format) + 1 + (2 if sampled else 0)


def factor_roundings(problem: Problem) -> float:
    """What a row's factors carry: each its conversion to the format and a product."""
    return 2.0 * len(problem.objective.per_row_options)


def divisor(problem: Problem) -> float:
    """What a row's gradient is divided by; 1 where nothing is, the mean is over nothing, or float64 has no such sum."""
    denominator = denominator_of(problem)
    return denominator if 0 < denominator < math.inf else 1.0


def vanishes(fmt: Format) -> float:
    """A distance from which exp(-distance) is 0 in the format; beyond it, the error of exp grows no further."""
    return math.log(2) * (fmt.precision - fmt.min_exponent + 2)
