"""Calculus: what ties a gradient to its loss beyond finite differences: complex step, path integral, monotonicity."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from gradlab.bounds import calculus, first_order, loss_bound
from gradlab.checks.check import Findings, solve
from gradlab.checks.flushing import flushed
from gradlab.checks.invariants import neighbour
from gradlab.evaluation.call import Call, Implementation, asked_together, perform
from gradlab.evaluation.foreign import array_of, pair_of
from gradlab.evaluation.keywords import keywords_of
from gradlab.problems.coefficients import coefficients_of, denominator_of
from gradlab.problems.problem import Array, Problem
from gradlab.result import Fact, asking, at_least, within

NODES = (4, 6, 8, 12, 16, 24)  # of the Gauss-Legendre rules to choose from
COMPLEX = {"float32": np.complex64, "float64": np.complex128}


def complex_step_gives_the_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """Im f(x + i h e_k)/h is the derivative, without cancellation, where the function takes complex logits.

    The third derivative along x_k is at most that of p_k, so that h^2 <= 2 u leaves a truncation of A p_k u/3, part
    of the bound of the entry; the rest is the forward error of loss and gradient. h is not smaller, and the logits
    half as large as moderate ones, so that h p_k p_y is a normal number of the format. Of a function that does not
    claim to take complex logits nothing is asked: what it drops of an imaginary part says nothing of its gradient.
    """
    step = 2.0 ** -(problem.format.precision // 2)
    _, gradient = solve(implementation, problem)
    slopes = np.empty(gradient.shape)
    for index in np.ndindex(*slopes.shape):
        value = _imaginary_part(implementation, problem, index, step)
        if value is None:
            return [Fact("the call with complex logits", "gives no complex loss", "a complex loss", False)]
        slopes[index] = value / step
    bound, source = first_order.any_form_gradient(problem)
    error = 2 * bound + flushed(implementation, problem, problem)
    return [within("gradient[{}, {}]", gradient, slopes, error, f"complex step, twice: {source}")]


def gradient_integrates_to_the_loss(implementation: Implementation, problem: Problem) -> Findings:
    """The integral of <gradient, y - x> along the segment from x to y is f(y) - f(x).

    Each node is rounded to the format; moving a row's logits by r moves <gradient, v> by at most A r sum |v_j|. The
    rule has as few nodes as keep its own error below that of the losses.
    """
    other = neighbour(problem)
    move = other.logits64 - problem.logits64
    coefficient_sum = coefficients_of(problem).sum(axis=1) / (denominator_of(problem) or 1.0)
    ends = float(np.sum(loss_bound(problem)[0] + loss_bound(other)[0] + flushed(implementation, problem, other)))
    count, rest = _rule(move, coefficient_sum, ends)
    integral, error = 0.0, ends + rest
    nodes, weights = _nodes(count)
    places = [problem.logits64 + node * move for node in nodes]
    all_between = [problem.replace(logits=place.astype(problem.logits.dtype)) for place in places]
    tasks = [partial(solve, implementation, one) for one in (*all_between, other)]
    *solved, (risen, _) = asked_together(implementation, tasks)
    for wanted, between, weight, (_, gradient) in zip(places, all_between, weights, solved, strict=True):
        rounded = np.abs(between.logits64 - wanted).max(axis=1, initial=0.0)
        integral += weight * float((gradient * move).sum())
        own = ((first_order.gradient(between)[0] + flushed(implementation, between)) * np.abs(move)).sum()
        error += weight * float(own + (coefficient_sum * rounded * np.abs(move).sum(axis=1)).sum())
    risen = np.sum(risen) - np.sum(solve(implementation, problem)[0])
    source = f"Gauss-Legendre with {count} nodes, forward error of both losses and each gradient"
    return asking(other, [within("integral of the gradient from x to y", integral, risen, error, source)])


def gradient_is_monotone(implementation: Implementation, problem: Problem) -> Findings:
    """<gradient(y) - gradient(x), y - x> >= 0 in every row: the gradient of a convex loss is monotone."""
    other = neighbour(problem)
    move = other.logits64 - problem.logits64
    _, first = solve(implementation, problem)
    _, second = solve(implementation, other)
    rise = ((second - first) * move).sum(axis=1)
    errors = first_order.gradient(problem)[0] + first_order.gradient(other)[0] + flushed(implementation, problem, other)
    bound = (errors * np.abs(move)).sum(axis=1)
    quantity = "<gradient(y) - gradient(x), y - x> in row {}"
    return asking(other, [at_least(quantity, rise, np.zeros(rise.shape), bound, "forward error of both gradients")])


def _rule(move: Array, coefficient_sum: Array, error: float) -> tuple[int, float]:
    """How many nodes keep the error of the quadrature below `error`, or the most there are, and that error."""
    widths = np.ptp(move, axis=1)
    for count in NODES:
        quadrature = sum(
            calculus.gauss_legendre(float(w), float(a), count) for w, a in zip(widths, coefficient_sum, strict=True)
        )
        if quadrature < error:
            break
    return count, quadrature


@cache
def _nodes(count: int) -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def _imaginary_part(implementation: Implementation, problem: Problem, index: tuple[int, ...], step: float) -> Any:
    """The imaginary part of the (summed) loss with i h added to one logit; None where nothing complex came back."""
    logits: Array = problem.logits.astype(COMPLEX[problem.format.name])
    logits[index] += 1j * step
    call = Call(logits, problem.targets.copy(), keywords_of(implementation.claims, problem))
    outcome = perform(implementation.function, call, implementation.capture)
    pair = pair_of(outcome.value)
    if outcome.error is not None or pair is None:
        return None
    loss, _ = array_of(pair[0], "loss")
    if loss is None or loss.dtype.kind != "c" or not np.isfinite(loss).all():
        return None
    return float(np.imag(loss).sum())
