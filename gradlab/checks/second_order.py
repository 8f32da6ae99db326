"""Other derivatives than the gradient: against the enclosure, by what holds for them alone, and by differences.

A row's Hessian H is symmetric, its rows sum to 0, and v.H v >= 0 for every v; H v is linear in v. The loss is linear in
the targets, so that two losses tell exactly what their derivative along the targets comes to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradlab.bounds import derivative_bound, first_order, second_order
from gradlab.bounds.conditioning import conditioning
from gradlab.checks.accuracy import derivative_within_bound
from gradlab.checks.check import Findings, entry, solve
from gradlab.evaluation.call import Implementation, answer
from gradlab.oracle.enclosure import enclose
from gradlab.problems.coefficients import denominator_of, gradient_factors
from gradlab.problems.formatting import SHOWN_ENTRIES
from gradlab.problems.objective import DERIVATIVES
from gradlab.problems.problem import Array, Problem
from gradlab.result import Fact, asking, at_least, within

STEP = 2.0**-16  # what moves a logit: logits that are multiples of it, below 2^36, are moved exactly in float64
FEW_VECTORS = 4
_UNIT = 2.0**-53  # of the sums that are made here, in float64
_BOTH = "forward error of both answers"


def returns_loss_and_derivative(implementation: Implementation, problem: Problem) -> Findings:
    """A call returns a loss of the reduction's shape, and the derivative that is claimed in its own shape."""
    fault = answer(implementation, problem).fault
    word = DERIVATIVES[problem.objective.derivative]
    return [Fact("the call", fault or f"returned a loss and a {word}", "", fault is None)]


def derivative_is_right(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry lies within the bound of any correct form on moderate logits, of the shifted one elsewhere."""
    return derivative_within_bound(implementation, problem)


def derivative_is_the_slope_of_the_exact_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """Central differences of the exact gradient, as the oracle encloses it, give the second derivative.

    A class's probability along a direction v is the mean of its indicator under tilted p; its third derivative is the
    joint cumulant E[X Y Y Y] - 3 E[X Y] E[Y Y] of the centred indicator X and value Y of v, of width w: |X| <= 1,
    |Y| <= w, variances at most 1/4 and w^2/4, so at most (1/4 + 3/16) w^3 = 7/16 w^3. So the difference is off by at
    most h^2/6 7/16 w^3 A, and by u |g|/h as the gradients are rounded to float64. Logits are multiples of h.
    """
    exact = _on_grid(problem)
    derivative = exact.objective.derivative
    moves = exact.vector.astype(np.float64)[None] if exact.vector is not None else _units(exact)
    slopes, rounding = _slopes(exact, moves)
    widths = np.ptp(moves, axis=2)[..., None]
    scale = gradient_factors(exact)[None, :, None] / denominator_of(exact)
    missed = 7 / 96 * STEP**2 * widths**3 * conditioning(exact).coefficient_sum[None, :, None]
    slopes, error = slopes * scale, (missed + rounding) * scale
    if derivative == "hessian":
        slopes, error = slopes.transpose(1, 2, 0), error.transpose(1, 2, 0)
    elif derivative == "hessian_diagonal":
        slopes, error = (np.einsum("jij->ij", part) for part in (slopes, error))
    else:
        slopes, error = slopes[0], error[0]
    _, seen = solve(implementation, exact)
    bound = error + derivative_bound(exact)[0]
    source = f"central difference of the exact gradient, h = {STEP:g}, and forward error"
    return asking(exact, [within(entry(exact), seen, slopes, bound, source)])


def hessian_is_symmetric(implementation: Implementation, problem: Problem) -> Findings:
    """The Hessian's entries i, j and j, i are the same."""
    _, seen = solve(implementation, problem)
    error = second_order.hessian(problem)[0]
    mirrored = seen.transpose(0, 2, 1)
    return [within(entry(problem), seen, mirrored, error + error.transpose(0, 2, 1), f"{_BOTH} entries")]


def hessian_rows_sum_to_zero(implementation: Implementation, problem: Problem) -> Findings:
    """Every row of the Hessian sums to 0, since a constant added to all logits of a row changes no gradient."""
    _, seen = solve(implementation, problem)
    error = second_order.hessian(problem)[0].sum(axis=2) + _summing(np.abs(seen), 2)
    source = "sum over the row of the forward error of each entry"
    return [within("hessian[{}, {}].sum()", seen.sum(axis=2), np.zeros(error.shape), error, source)]


def hessian_is_not_negative(implementation: Implementation, problem: Problem) -> Findings:
    """The diagonal is at least 0, and so is v.H v, A times the variance of v under p; for a few v of each row."""
    _, seen = solve(implementation, problem)
    error, source = derivative_bound(problem)
    if seen.ndim == 2:
        return [at_least(entry(problem), seen, np.zeros(seen.shape), error, source)]
    diagonal, own = (np.einsum("nii->ni", part) for part in (seen, error))
    found: Findings = [at_least("hessian[{0}, {1}, {1}]", diagonal, np.zeros(diagonal.shape), own, source)]
    for _, v in zip(range(FEW_VECTORS), _whole_numbers(problem), strict=False):
        sizes = np.abs(v)
        bound = np.einsum("ni,nij,nj->n", sizes, error, sizes)
        bound += _summing(sizes[:, :, None] * np.abs(seen) * sizes[:, None], 1, 2)
        value = np.einsum("ni,nij,nj->n", v, seen, v)
        shown = f", v = {v.tolist()}[{{0}}]" if v.size <= SHOWN_ENTRIES else ""
        found.append(at_least(f"v.H v of row {{0}}{shown}", value, 0 * bound, bound, source))
    return found


def product_is_linear(implementation: Implementation, problem: Problem) -> Findings:
    """H(u + w) is H u + H w, for u and w of small whole numbers, whose sum is exact."""
    u, w = _two_vectors(problem)
    whole = _with(problem, u + w)
    parts = [_with(problem, v) for v in (u, w)]
    sums = sum(solve(implementation, part)[1] for part in parts)
    bound = sum(second_order.product(part)[0] for part in (*parts, whole))
    seen = solve(implementation, whole)[1]
    return asking(whole, [within(entry(problem), seen, sums, bound, f"{_BOTH}, for u + w, u and w")])


def product_is_symmetric(implementation: Implementation, problem: Problem) -> Findings:
    """u.H w is w.H u in each row, for u and w of small whole numbers."""
    u, w = _two_vectors(problem)
    sides, bound = [], np.zeros(problem.n_rows)
    for left, right in ((u, w), (w, u)):
        asked = _with(problem, right)
        terms = left * solve(implementation, asked)[1]
        sides.append(terms.sum(axis=1))
        bound = bound + (np.abs(left) * second_order.product(asked)[0]).sum(axis=1) + _summing(np.abs(terms), 1)
    return asking(asked, [within("w.H u of row {}", sides[1], sides[0], bound, f"{_BOTH}; expected: u.H w")])


def product_of_a_constant_vector_is_zero(implementation: Implementation, problem: Problem) -> Findings:
    """H v is 0 where v has the same value for every class."""
    asked = _with(problem, np.full(problem.logits.shape, 3.0))
    seen = solve(implementation, asked)[1]
    return asking(asked, [within(entry(problem), seen, np.zeros(seen.shape), *second_order.product(asked))])


def loss_is_linear_in_the_targets(implementation: Implementation, problem: Problem) -> Findings:
    """The losses at two targets differ by the target gradient times their difference, exactly; it is that of both."""
    other = problem.replace(targets=_other_targets(implementation, problem))
    moved = other.targets.astype(np.float64) - problem.targets.astype(np.float64)
    (loss, gradient), (other_loss, other_gradient) = (solve(implementation, one) for one in (problem, other))
    error, source = derivative_bound(problem)
    axes = (1,) if loss.ndim else (0, 1)
    rise = (gradient * moved).sum(axis=axes)
    bound = first_order.loss_of_either(problem, other) + (error * np.abs(moved)).sum(axis=axes)
    bound = bound + _summing(np.abs(gradient * moved), *axes)
    quantity = "derivative at t times s - t" + ", row {}" * loss.ndim
    both = error + derivative_bound(other).error
    return asking(
        other,
        [
            within(quantity, rise, other_loss - loss, bound, f"{source}, and of both losses"),
            within(entry(problem), other_gradient, gradient, both, _BOTH),
        ],
    )


def _slopes(problem: Problem, moves: Array) -> tuple[Array, Array]:
    """Central differences of the rows' exact gradients along moves, (D, N, K): entries of shape (D, N, K), and what
    rounding the gradients to float64 costs them. No row is weighted.
    """
    objective = replace(problem.objective, reduction="none", derivative="gradient", sample_weights=None)
    both = np.concatenate([problem.logits64 + STEP * moves, problem.logits64 - STEP * moves])
    targets = problem.targets.astype(np.float64) if problem.targets.ndim == 2 else problem.targets
    copies = np.concatenate([targets] * len(both))
    stacked = Problem(both.reshape(-1, problem.n_classes), copies, objective)
    gradient = enclose(stacked).gradient.nearest().reshape(2, *moves.shape)
    return (gradient[0] - gradient[1]) / (2 * STEP), _UNIT * np.abs(gradient).sum(axis=0) / STEP


def _units(problem: Problem) -> Array:
    """The unit vector of each class, for every row: shape (K, N, K)."""
    return np.repeat(np.eye(problem.n_classes)[:, None], problem.n_rows, axis=1)


def _on_grid(problem: Problem) -> Problem:
    """The problem with logits that are multiples of STEP, exact in its dtype; and a vector of small whole numbers.

    Rounded towards 0, so that what is moderate stays so.
    """
    largest = max(1.0, float(np.abs(problem.logits64).max(initial=0.0)))
    grid = max(STEP, float(2.0 ** (np.floor(np.log2(largest)) + 2 - problem.format.precision)))
    logits = (np.trunc(problem.logits64 / grid) * grid).astype(problem.logits.dtype)
    exact = problem.replace(logits=logits)
    return exact if problem.vector is None else _with(exact, next(_whole_numbers(problem)))


def _with(problem: Problem, vector: Array) -> Problem:
    return problem.replace(vector=vector.astype(problem.logits.dtype))


def _two_vectors(problem: Problem) -> tuple[Array, Array]:
    drawn = _whole_numbers(problem)
    return next(drawn), next(drawn)


def _other_targets(implementation: Implementation, problem: Problem) -> Array:
    """Other targets, quarters of whole numbers; where they have to sum to 1, a class of each row."""
    if implementation.claims.normalised_targets:
        chosen = _generator(problem).integers(0, problem.n_classes, problem.n_rows)
        return np.eye(problem.n_classes)[chosen].astype(problem.logits.dtype)
    quarters = _generator(problem).integers(0, 5, problem.logits.shape) / 4
    return np.asarray(quarters).astype(problem.logits.dtype)


def _whole_numbers(problem: Problem) -> Iterator[Array]:
    """Vectors of whole numbers from -3 to 3, float64, shape (N, K), without end; the same every time."""
    generator = _generator(problem)
    while True:
        yield np.asarray(generator.integers(-3, 4, problem.logits.shape), dtype=np.float64)


def _generator(problem: Problem) -> np.random.Generator:
    return np.random.default_rng(int(problem.digest, 16))


def _summing(sizes: Array, *axes: int) -> Array:
    """What the products and the sum of terms of these sizes, made here in float64, may be off by."""
    count = math.prod(sizes.shape[axis] for axis in axes) + 2
    return np.asarray(2 * count * _UNIT * sizes.sum(axis=axes) + count * 2.0**-1074)
