"""Every bound that a check divides by, with its derivation and its source. Nothing here is picked or fitted.

Notation: u unit roundoff, eta smallest subnormal, n = K classes, d_j = x_j - max x, S = sum_j exp(d_j),
p_j = exp(d_j)/S, lse = max x + log S, t the coefficients of the objective (t = onehot(y) for a plain label),
A = sum_j t_j; loss = sum_j t_j (lse - x_j), gradient g_j = A p_j - t_j, per row. beta is the error of exp and log
in ULP (one ULP is at most 2u, relatively), BETA = 4 what level `stable` allows, a fair reading of what libraries
promise. First-order coefficients k are made rigorous as gamma(k) = k u/(1 - k u) [1, lemma 3.1].

[1] N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002.
[2] P. Blanchard, D. Higham, N. Higham, Accurately computing the log-sum-exp and softmax functions,
    IMA J. Numer. Anal. 41(4), 2021, doi 10.1093/imanum/draa038.
[3] L. N. Trefethen, Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Review 50(1), 2008, theorem 4.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.coefficients import coefficients_of, denominator_of
from gradlab.problems.problem import Array, Problem

BETA = 4.0
ACCURATE_BETA = 2.52  # what NumPy promises for exp in float32; the promise for float64 is smaller

_THIRD = 36 * math.sqrt(3)  # |f'''| h^2/6 <= h^2 A/_THIRD for a unit step along one coordinate

_FORWARD = "forward error of the shifted algorithm, u (n + 4 beta + 2 |x_j - max| + ...) p_j"
_ANY_FORM = "forward error of any correct form on moderate logits, shifted or not"
_ROW_SUM = "sum over the row of the forward error of each entry"
_TWICE = "forward error of both answers"


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What the bounds need to know of a problem, per row, in float64 (upper bounds need no certified digits).

    probabilities, distance = |x_j - max|, coefficients: shape (N, K). log_sum = log S, spread = sum p_j |d_j|,
    rescaled = sum p_j R_j (R_j: how often the running maximum rises after class j), losses, mass = A,
    largest = the largest |x_j|: shape (N,). Rows without a value (NaN, +inf, only -inf) hold 0.
    """

    probabilities: Array
    distance: Array
    coefficients: Array
    log_sum: Array
    spread: Array
    rescaled: Array
    losses: Array
    mass: Array
    largest: Array


@lru_cache(maxsize=1024)
def conditioning(problem: Problem) -> Conditioning:
    """The conditioning of each row of a problem."""
    valid = problem.rows_with_value & ~problem.ignored_rows
    x = np.where(valid[:, None], problem.logits64, 0.0)
    t = np.where(valid[:, None], coefficients_of(problem), 0.0)
    cap = math.log(2) * (problem.format.precision - problem.format.min_exponent + 2)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        d = x - x.max(axis=1, keepdims=True, initial=-np.inf)
        e = np.exp(d)
        s = e.sum(axis=1)
        p = e / s[:, None]
        log_sum = np.log(s)
        losses = np.where(t > 0, t * (log_sum[:, None] - d), 0.0).sum(axis=1)
    distance = np.minimum(-d, cap)  # beyond the cap exp is 0 in this dtype, and its error at most eta
    largest = np.where(np.isfinite(x), np.abs(x), 0.0).max(axis=1, initial=0.0)
    rises = (np.diff(np.maximum.accumulate(x, axis=1), axis=1) > 0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    rescaled = (p[:, :-1] * rises).sum(axis=1)
    return Conditioning(p, distance, t, log_sum, (p * distance).sum(axis=1), rescaled, losses, t.sum(axis=1), largest)


@lru_cache(maxsize=1024)
def forward_gradient(problem: Problem) -> tuple[Array, str]:
    """The largest error of an entry of the gradient that the standard algorithm can have, shape (N, K).

    An e_j = exp(fl(x_j - max)) carries u |d_j| + 2 beta u; the sum n - 1 roundings and the p-weighted mean of the
    former, spread = sum p_j |d_j| <= log n; the quotient one more. As exp(d_j - log S) it carries
    (2 beta + 1) u log S + u |d_j| in its place. A one-pass sum rescales term j R_j times, (2 beta + 2) u each. So
        k_j = n + 4 beta + 2 |d_j| + spread + (2 beta + 1) log S + (2 beta + 2) sum p_i R_i + 3,
    an extension to entries of [2, theorem 4.3], which is normwise and takes exp as correctly rounded. Then
    A p_j - t_j adds |g_j| (twice: the division by N), and the same written as a sum over the other classes,
    -t_j sum_{i != j} p_i, 2 n t_j (1 - p_j). Underflow costs at most (beta + 1) eta in any p_j, n times that in
    such a sum, and eta in the division; one eta more because errors are held in float64. Sums of half-precision
    terms are expected in float32 at least.
    """
    c = conditioning(problem)
    return _gradient_error(problem, _relative_error(problem, c)), _FORWARD


@lru_cache(maxsize=1024)
def any_form_gradient(problem: Problem) -> tuple[Array, str]:
    """As forward_gradient, with room for the forms without a shift; only meaningful on moderate logits.

    exp(x_j - lse) carries u |x_j - lse| + u |lse| (1 + 2 beta): (2 beta + 2)(|lse| + max |x|) in all [2, 3.3, 4.4].
    """
    c = conditioning(problem)
    return _gradient_error(problem, _relative_error(problem, c) + _unshifted(c)[:, None]), _ANY_FORM


def forward_losses(problem: Problem) -> tuple[Array, str]:
    """The largest error of each row's own loss, shape (N,): sum_j t_j k_j + (2 beta + 1) loss, times u, plus eta.

    log S carries the relative error of S, that is n + 2 beta + spread, and 2 beta log S of its own; d_y carries
    |d_y|; -log p_y the relative error k_y of p_y and 2 beta |loss|. k_y covers them all, see forward_gradient.
    """
    return _loss_error(problem, _relative_error(problem, conditioning(problem))), _FORWARD


def any_form_losses(problem: Problem, radius: float = 0.0) -> tuple[Array, str]:
    """As forward_losses, with room for the forms without a shift, for all logits within `radius` of these.

    Moving each logit by at most r moves |d_j|, spread, log S, |lse| and max |x| by at most 2 r each, a loss by 2 r A.
    """
    c = conditioning(problem)
    relative = _relative_error(problem, c) + _unshifted(c)[:, None] + radius * 2 * (3 + 4 * (2 * BETA + 2))
    u = problem.format.unit_roundoff
    return _loss_error(problem, relative) + u * (2 * BETA + 2) * 2 * radius * c.mass, _ANY_FORM


def reduced_loss(problem: Problem, rows: tuple[Array, str]) -> tuple[Array, str]:
    """The error of the loss as it is returned, from the errors of the rows' losses: shape () or (N,).

    A sum of N terms in any order adds gamma(N) sum |loss_i|, the denominator (a sum of N weights) as much again,
    and the division u [1, section 4.2]. Where the sum itself is beyond the largest number, inf is a right answer.
    """
    if problem.objective.reduction == "none":
        return rows
    c, fmt = conditioning(problem), problem.format
    with np.errstate(over="ignore"):
        total = np.abs(c.losses).sum()
        roundings = (2 if problem.objective.class_weights else 1) * problem.n_rows + 2
        error = rows[0].sum() + _gamma(roundings * _accumulation(problem), fmt.unit_roundoff) * total
    if total > fmt.largest:
        return np.asarray(np.inf), rows[1]
    return np.asarray(error / _divisor(problem) + fmt.smallest_subnormal), f"{rows[1]}, and the sum over the batch"


def gradient(problem: Problem) -> tuple[Array, str]:
    """The bound that the mathematics is judged by: any form's on moderate logits, the shifted algorithm's elsewhere."""
    return any_form_gradient(problem) if problem.is_moderate else forward_gradient(problem)


def losses(problem: Problem) -> tuple[Array, str]:
    """As `gradient`, for the rows' losses, shape (N,)."""
    return any_form_losses(problem) if problem.is_moderate else forward_losses(problem)


@lru_cache(maxsize=1024)
def loss(problem: Problem) -> tuple[Array, str]:
    """As `gradient`, for the loss as it is returned, shape () or (N,)."""
    return reduced_loss(problem, losses(problem))


def flushed(problem: Problem) -> float:
    """What flushing subnormals to 0 can cost an entry: the smallest normal number in each term of a sum, and in it."""
    return (problem.n_classes + 2) * problem.format.smallest_normal


def row_sums(problem: Problem, entries: tuple[Array, str]) -> tuple[Array, str]:
    """How far a row of the gradient may sum from 0: the sum of its entries' errors, shape (N,).

    The exact row sums to A (sum p_j) - A = 0, so what is left is at most the sum of the entries' errors.
    """
    return entries[0].sum(axis=1), _ROW_SUM


def both(first: tuple[Array, str], second: tuple[Array, str]) -> tuple[Array, str]:
    """The largest distance of two computed values whose exact values are equal: the sum of their errors."""
    return first[0] + second[0], f"{_TWICE}: {first[1]}" if not first[1].startswith(_TWICE) else first[1]


def accurate_ulps(problem: Problem) -> float:
    """How many ULP an entry may be off at level `accurate`: 6 beta + 3, the accurate algorithm's bound, + 1.

    beta is ACCURATE_BETA; the 1 is the division by N. Independent of the number of classes, range and margin.
    """
    return 6 * ACCURATE_BETA + 4


def accurate_loss_ulps(problem: Problem) -> float:
    """As accurate_ulps, for the returned loss: N - 1 additions of non-negative losses add at most one ULP each."""
    extra = 0 if problem.objective.reduction == "none" else max(problem.n_rows - 1, 0)
    return accurate_ulps(problem) + extra


def best_step(error: float, curvature: float) -> float:
    """The power of two nearest to the step that minimises central_difference, at most 1.

    h^2 c/(36 sqrt 3) + error/h is least at h^3 = 18 sqrt(3) error/c.
    """
    return math.ldexp(1.0, min(0, round(math.log2(18 * math.sqrt(3) * error / curvature) / 3)))


def central_difference(error: Array | float, curvature: Array | float, step: float) -> tuple[Array, str]:
    """How far (f(x + h v) - f(x - h v))/(2h) may be from the derivative of f along v.

    error bounds the error of f at both points; roundoff is then at most 2 error/(2h). The third derivative of lse
    along v is the third central moment of the value v_I of a random class I ~ p, at most (max v - min v)^3/(6 sqrt 3)
    in size (reached by a two-point distribution), so truncation is at most h^2/6 times that.
    curvature: A (max v - min v)^3, summed over the rows and divided as f is. x +- h v must be exact.
    """
    truncation = np.asarray(curvature) * step**2 / _THIRD
    return truncation + np.asarray(error) / step, "central difference: h^2 A/(36 sqrt 3) + error of the loss/h"


def probability_of_missing(tolerance: float, error_norm: float, n_directions: int) -> float:
    """The chance that a gradient wrong by a matrix of Frobenius norm `error_norm` passes all Gaussian directions.

    The error along a Gaussian direction is normal with that standard deviation; it is missed only where it is below
    twice the tolerance, with probability erf(2 tolerance/(sqrt 2 error_norm)); directions are independent.
    """
    return float(math.erf(math.sqrt(2) * tolerance / error_norm) ** n_directions) if error_norm > 0 else 1.0


def gauss_legendre(width: float, mass: float, n_nodes: int) -> float:
    """The largest error of n-point Gauss-Legendre for the integral over s in [0, 1] of the derivative along v.

    phi(s) = A sum p_j(x + s v) v_j is analytic where sum exp(x_j + s v_j) is not 0; for |Im s| <= pi/(2 width) all
    terms lie within an angle of pi/2, so |phi| <= A (width/2) sqrt 2 after a constant is taken from v (exact for
    the rule). On [-1, 1] that is an ellipse of parameter rho = b + sqrt(b^2 + 1), b = pi/width; then [3]:
    error <= (1/2)(64/15) max|phi| rho^(-2(n - 1))/(1 - rho^-2).
    """
    if width == 0:
        return 0.0
    b = math.pi / width
    rho = b + math.sqrt(b * b + 1)
    largest = mass * width / math.sqrt(2)
    return 32 / 15 * largest * math.exp(-2 * (n_nodes - 1) * math.log(rho)) / (1 - rho**-2)


def _relative_error(problem: Problem, c: Conditioning) -> Array:
    """k_j of forward_gradient, shape (N, K), in units of u."""
    n = problem.n_classes * _accumulation(problem)
    row = n + 4 * BETA + c.spread + (2 * BETA + 1) * c.log_sum + (2 * BETA + 2) * c.rescaled + 3
    return np.asarray(row[:, None] + 2 * c.distance)


def _unshifted(c: Conditioning) -> Array:
    return np.asarray((2 * BETA + 2) * (2 * c.largest + c.log_sum))


def _gradient_error(problem: Problem, relative: Array) -> Array:
    c, fmt = conditioning(problem), problem.format
    p, t, mass, n = c.probabilities, c.coefficients, c.mass[:, None], problem.n_classes
    size = np.abs(mass * p - t)
    own = _gamma(relative + _mass_roundings(problem), fmt.unit_roundoff) * mass * p
    rest = (2 * n * _accumulation(problem) * (1 - p) + _option_roundings(problem)) * t + _scalings(problem) * size
    divisor, eta = _divisor(problem), fmt.smallest_subnormal
    underflow = eta * ((BETA + 1) * (mass + n * t) / divisor + 2)
    return np.asarray((own + _gamma(rest, fmt.unit_roundoff)) / divisor + underflow)


def _loss_error(problem: Problem, relative: Array) -> Array:
    c, fmt = conditioning(problem), problem.format
    k = relative + _mass_roundings(problem) + _option_roundings(problem)
    own = (_gamma(k, fmt.unit_roundoff) * c.coefficients).sum(axis=1)
    final = _gamma(2 * BETA + 1 + _mass_roundings(problem) + _option_roundings(problem), fmt.unit_roundoff)
    return np.asarray(own + final * c.losses + problem.format.smallest_subnormal * (BETA + 1) * (1 + c.mass))


def _gamma(k: Array | float, u: float) -> Array:
    """k u/(1 - k u) for each k, and 2 k u at most: where k u > 1/2 a relative bound says nothing more anyway."""
    ku = np.asarray(k) * u
    return np.asarray(ku / (1 - np.minimum(ku, 0.5)))


def _accumulation(problem: Problem) -> float:
    """The unit roundoff of a sum over that of the format: 1, or 2^-24/u where terms are half precision."""
    return min(1.0, 2.0**-24 / problem.format.unit_roundoff)


def _mass_roundings(problem: Problem) -> float:
    """Roundings in A = sum_j t_j and in a sum over t: n where t is not one-hot, else 0."""
    objective = problem.objective
    soft = objective.targets == "probability" or objective.label_smoothing > 0
    return float(problem.n_classes) * _accumulation(problem) if soft else 0.0


def _option_roundings(problem: Problem) -> float:
    """Roundings in t itself: 1 - eps, its product, eps/K, the sum, the weight and its conversion, six at most."""
    objective = problem.objective
    return 6.0 if objective.label_smoothing > 0 or objective.class_weights else 0.0


def _scalings(problem: Problem) -> float:
    """Roundings that scale a finished entry: subtraction and division; with weights the N of the denominator too."""
    weighted = problem.objective.class_weights is not None and problem.objective.reduction == "mean"
    return 3.0 + (problem.n_rows if weighted else 0)


def _divisor(problem: Problem) -> float:
    """What a row's gradient is divided by; 1 where nothing is, or where the mean is over nothing."""
    denominator = denominator_of(problem)
    return denominator if denominator > 0 else 1.0
