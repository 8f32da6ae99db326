"""Invariants: what holds for every softmax cross-entropy, whatever its values; no oracle is needed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gradlab.bounds import derivative_bound, first_order, loss_bound
from gradlab.bounds.bound import Bound
from gradlab.checks.check import Bounds, Findings, Values, agree, entry, solve
from gradlab.checks.flushing import flushed
from gradlab.evaluation.call import Implementation
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import coefficients_of, denominator_of
from gradlab.problems.dtypes import Format
from gradlab.problems.problem import Array, Problem, moderate_limit
from gradlab.result import asking, at_least, at_most, within


def rows_sum_to_zero(implementation: Implementation, problem: Problem) -> Findings:
    """Every row of the gradient sums to 0, since probabilities and targets have the same sum."""
    bound = first_order.row_sums(problem, first_order.gradient(problem))
    error = bound.error + problem.n_classes * flushed(implementation, problem)
    sums = _row_sums(implementation, problem)
    return [within("gradient[{}].sum()", sums, np.zeros(problem.n_rows), error, bound.source)]


def rows_sum_to_zero_relative_to_largest(implementation: Implementation, problem: Problem) -> Findings:
    """Every row sums to 0 relative to its largest entry: the target's entry cancels the others, however small.

    Entries right to q ULP leave a sum of at most q (2 u sum |g_j| + n eta).
    """
    _, gradient = solve(implementation, problem)
    fmt, q = problem.format, first_order.accurate_ulps(problem)
    bound = q * (2 * fmt.unit_roundoff * np.abs(gradient).sum(axis=1) + problem.n_classes * fmt.smallest_subnormal)
    bound = bound + problem.n_classes * flushed(implementation, problem)
    sums = _row_sums(implementation, problem)
    return [within("gradient[{}].sum()", sums, 0 * bound, bound, f"{q:.4g} ULP in each entry")]


def entries_have_the_right_sign_and_size(implementation: Implementation, problem: Problem) -> Findings:
    """Every entry lies between -t_j and A - t_j, over the denominator: at most 0 at a label, at least 0 elsewhere."""
    _, gradient = solve(implementation, problem)
    t = coefficients_of(problem)
    scale = denominator_of(problem) or 1.0
    bound = first_order.gradient(problem)
    return [
        at_most("gradient[{}, {}]", gradient, (t.sum(axis=1, keepdims=True) - t) / scale, *bound),
        at_least("gradient[{}, {}]", gradient, -t / scale, *bound),
    ]


def loss_is_not_negative(implementation: Implementation, problem: Problem) -> Findings:
    """The loss, a sum of -t_j log p_j with p_j <= 1, is at least 0."""
    loss, _ = solve(implementation, problem)
    return [at_least("loss" + "[{}]" * loss.ndim, loss, np.zeros(loss.shape), *loss_bound(problem))]


def adding_a_constant_changes_nothing(implementation: Implementation, problem: Problem) -> Findings:
    """Adding the same number to every logit changes neither loss nor gradient; the sums are exact here.

    The constant is a power of two, about half of the largest moderate logit.
    """
    limit = moderate_limit(problem.format, problem.n_classes)
    constant = 2.0 ** np.floor(np.log2(limit / 2))
    grid = _grid(problem.format, 2 * limit)
    base = np.clip(np.rint(problem.logits64 / grid) * grid, -constant, constant)
    return _shift_findings(implementation, problem, base, constant)


def adding_2_to_30_exactly_changes_nothing(implementation: Implementation, problem: Problem) -> Findings:
    """Adding 2^30 to logits that are multiples of its spacing there is exact, and changes nothing.

    `lse - x_y` fails: it keeps no digit of the loss. In float16, 2^13 stands for 2^30, which it cannot hold.
    """
    constant = 2.0 ** min(30, int(np.log2(problem.format.largest)) - 2)
    grid = _grid(problem.format, 2 * constant)
    size = max(1.0, float(np.abs(problem.logits64).max(initial=0.0)))
    steps = problem.logits64 / grid if grid < 1 else 2 * problem.logits64 / size
    return _shift_findings(implementation, problem, np.rint(steps) * grid, constant)


def permuting_rows_permutes_the_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """The rows in another order, weights with them, give the same loss and the gradient's rows in that order."""
    order = _generator(problem).permutation(problem.n_rows)
    moved = problem.rows(order)
    loss, gradient = solve(implementation, problem)
    wanted = Values(loss[order] if loss.ndim else loss, gradient[order])
    own = _bounds(implementation, problem, problem)  # what bounds a row does not depend on its place
    bounds = Bounds(own.loss[order] if loss.ndim else own.loss, own.derivative[order], own.source)
    return asking(moved, agree(solve(implementation, moved), wanted, bounds, moved))


def permuting_classes_permutes_the_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """The classes in another order, labels and weights with them, give the gradient's columns in that order."""
    order = _generator(problem).permutation(problem.n_classes)
    targets = problem.targets[:, order] if problem.targets.ndim == 2 else _moved_labels(problem, order)
    weights = problem.objective.class_weights
    moved_weights = None if weights is None else tuple(weights[j] for j in order)
    objective = replace(problem.objective, class_weights=moved_weights)
    vector = None if problem.vector is None else problem.vector[:, order]
    moved = problem.replace(logits=problem.logits[:, order], targets=targets, objective=objective, vector=vector)
    loss, gradient = solve(implementation, problem)
    own, other = derivative_bound(problem), derivative_bound(moved)
    more = flushed(implementation, problem, moved)
    error = _with_classes(own.error, order) + other.error + more
    bounds = Bounds(first_order.loss_of_either(problem, moved) + more, error, own.source)
    wanted = Values(loss, _with_classes(gradient, order))
    return asking(moved, agree(solve(implementation, moved), wanted, bounds, moved))


def rows_are_independent(implementation: Implementation, problem: Problem) -> Findings:
    """Changing the logits of every row but the first leaves the first row's loss and gradient alone."""
    generator = _generator(problem)
    limit = max(moderate_limit(problem.format, problem.n_classes), 1.0)
    logits: Array = np.asarray(generator.uniform(-limit, limit, problem.logits.shape)).astype(problem.logits.dtype)
    logits[0] = problem.logits[0]
    changed = problem.replace(logits=logits)
    loss, gradient = solve(implementation, problem)
    other_loss, other_gradient = solve(implementation, changed)
    allowed, source = first_order.both(derivative_bound(problem), _bound_of_first_row(problem, changed))
    name, more = entry(problem).replace("{}", "0", 1), flushed(implementation, problem, changed)
    findings = _either_way(name, other_gradient[0], gradient[0], Bound(allowed[0] + more, source), changed)
    if loss.ndim:
        loss_bound_of_both = Bound(first_order.loss_of_either(problem, changed)[0] + more, source)
        findings += _either_way("loss[0]", other_loss[0], loss[0], loss_bound_of_both, changed)
    return findings


def _either_way(quantity: str, seen: Array, wanted: Array, bound: Bound, asked: Problem) -> Findings:
    """The finding that an answer to the problem asked and one to the problem at hand agree, with what is at fault seen.

    Where the latter alone has no number, it is that which was observed.
    """
    if np.isfinite(seen).all() and not np.isfinite(wanted).all():
        return [within(quantity, wanted, seen, *bound)]
    return asking(asked, [within(quantity, seen, wanted, *bound)])


def _bound_of_first_row(problem: Problem, changed: Problem) -> Bound:
    """A bound whose first row is that of the changed problem, whose first row is this one's.

    Only on moderate logits does a row's bound depend on the others: a form may shift all alike.
    """
    depends = problem.is_moderate or changed.is_moderate or not problem.objective.is_first_order
    return derivative_bound(changed if depends else problem)


def batch_is_additive(implementation: Implementation, problem: Problem) -> Findings:
    """A batch with its first row repeated at the end is the sum of the two parts, each weighted by its denominator.

    An uneven split, so that a mean of means, a missing or a double division by N shows.
    """
    first = problem.rows(slice(1))
    whole = problem.rows(np.append(np.arange(problem.n_rows), 0))
    scales = [denominator_of(p) for p in (problem, first, whole)]
    parts = [solve(implementation, p) for p in (problem, first, whole)]
    more = [flushed(implementation, p) for p in (problem, first, whole)]
    of_losses = [loss_bound(p)[0] + m for p, m in zip((problem, first, whole), more, strict=True)]
    derivatives = [derivative_bound(p) for p in (problem, first, whole)]
    losses = [s * loss for s, (loss, _) in zip(scales, parts, strict=True)]
    loss_bounds = [s * b for s, b in zip(scales, of_losses, strict=True)]
    gradients = [s * g for s, (_, g) in zip(scales, parts, strict=True)]
    gradient_bounds = [s * (b.error + m) for s, b, m in zip(scales, derivatives, more, strict=True)]
    joined = np.concatenate(losses[:2]) if losses[0].ndim else losses[0] + losses[1]
    joined_bound = np.concatenate(loss_bounds[:2]) if losses[0].ndim else loss_bounds[0] + loss_bounds[1]
    gradient_bound = np.concatenate(gradient_bounds[:2]) + gradient_bounds[2]
    allowed = Bounds(joined_bound + loss_bounds[2], gradient_bound, derivatives[0].source)
    wanted = Values(joined, np.concatenate(gradients[:2]))
    return asking(whole, agree(Values(losses[2], gradients[2]), wanted, allowed, whole))


def loss_is_convex(implementation: Implementation, problem: Problem) -> Findings:
    """f(y) >= f(x) + <g(x), y - x>, row by row where the rows' losses are there, else in all."""
    other = neighbour(problem)
    difference = other.logits64 - problem.logits64
    loss, gradient = solve(implementation, problem)
    other_loss, _ = solve(implementation, other)
    axes = (1,) if loss.ndim else (0, 1)
    tangent = loss + (gradient * difference).sum(axis=axes)
    errors = first_order.gradient(problem)[0] + flushed(implementation, problem)
    slope_error = (errors * np.abs(difference)).sum(axis=axes)
    bound = loss_bound(problem)[0] + loss_bound(other)[0] + slope_error + flushed(implementation, problem, other)
    source = "forward error of both losses and of the slope"
    quantity = "loss(y)" + "[{}]" * loss.ndim
    return asking(other, [at_least(quantity, other_loss, tangent, bound, f"{source}; y near x; tangent at x")])


def gradient_is_lipschitz(implementation: Implementation, problem: Problem) -> Findings:
    """Row by row, the gradient moves by at most A/2 of what the logits move: p p^T makes the Hessian at most A/2."""
    other = neighbour(problem)
    _, first = solve(implementation, problem)
    _, second = solve(implementation, other)
    scale = denominator_of(problem) or 1.0
    distance = np.linalg.norm(other.logits64 - problem.logits64, axis=1)
    limit = coefficients_of(problem).sum(axis=1) / 2 / scale * distance
    errors = first_order.gradient(problem)[0] + first_order.gradient(other)[0] + flushed(implementation, problem, other)
    bound = np.linalg.norm(errors, axis=1)
    moved = np.linalg.norm(second - first, axis=1)
    quantity = "norm of gradient(y)[{0}] - gradient(x)[{0}]"
    return asking(other, [at_most(quantity, moved, limit, bound, "forward error of both; limit |y - x| A/2")])


def neighbour(problem: Problem) -> Problem:
    """A second problem, moderate where the first is, at a distance of about 1 in each logit; the same every time."""
    step = _generator(problem).uniform(-1, 1, problem.logits.shape)
    limit = max(moderate_limit(problem.format, problem.n_classes), float(np.abs(problem.logits64).max(initial=0.0)))
    moved = np.clip(problem.logits64 + step, -limit, limit)
    return problem.replace(logits=moved.astype(problem.logits.dtype))


def _shift_findings(implementation: Implementation, problem: Problem, logits: Array, constant: float) -> Findings:
    dtype = problem.logits.dtype
    before = problem.replace(logits=logits.astype(dtype))
    after = problem.replace(logits=(logits + constant).astype(dtype))
    seen, wanted = solve(implementation, after), solve(implementation, before)
    return asking(after, agree(seen, wanted, _bounds(implementation, before, after), after))


def _bounds(implementation: Implementation, first: Problem, second: Problem) -> Bounds:
    derivative, more = (
        first_order.both(derivative_bound(first), derivative_bound(second)),
        flushed(implementation, first, second),
    )
    return Bounds(first_order.loss_of_either(first, second) + more, derivative.error + more, derivative.source)


def _with_classes(values: Array, order: Array) -> Array:
    """A derivative with its classes in this order, on both axes of a Hessian."""
    return values[:, order] if values.ndim == 2 else values[:, order][:, :, order]


def _grid(fmt: Format, largest: float) -> float:
    """The spacing of the numbers of a format up to `largest`: multiples of it that stay below are exact."""
    return float(2.0 ** (np.floor(np.log2(largest)) + 1 - fmt.precision))


@remember(16)
def _row_sums(implementation: Implementation, problem: Problem) -> Array:
    """The sum of each row of the gradient, rounded once: the entries of a float64 one leave no room for more errors."""
    _, gradient = solve(implementation, problem)
    finite = np.asarray(np.isfinite(gradient).all(axis=1, keepdims=True))
    known = np.where(finite, gradient, 0.0)
    with np.errstate(over="ignore"):
        sums = known.sum(axis=1) if known.shape[1] <= 2 else [_exact_sum(row) for row in known.tolist()]
    return np.where(finite[:, 0], sums, math.nan)


def _moved_labels(problem: Problem, order: Array) -> Array:
    place = np.argsort(order)
    kept = ~problem.ignored_rows
    labels = problem.targets.copy()
    labels[kept] = place[problem.targets[kept]]
    return labels


def _generator(problem: Problem) -> np.random.Generator:
    return np.random.default_rng(int(problem.digest, 16))


def _exact_sum(values: list[float]) -> float:
    """The sum, rounded once; infinite where a partial sum is beyond float64, which no gradient comes near."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf
