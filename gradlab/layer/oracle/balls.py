"""A layer's answers by ball arithmetic, precision doubled until they are narrow: any range, and every option.

Features, weight and bias are exact balls. The logits are a product of matrices of balls (flint's arb_mat), each row's
loss and gradient come from the generated complement form, as at the level of the logits (`exact.balls`), and the
gradients are products again. Every enclosure is flint's own, so that it holds at any precision.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from flint import arb, arb_mat, ctx

from gradlab.layer.oracle.answers import Answers, Skeleton
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.exact.balls import answer_of_row, starting_precision
from gradlab.oracle.exact.canonical import (
    class_coefficients,
    gradient_share,
    reduce_losses,
    row_coefficients,
    row_factors,
)
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Array, Enclosures
from gradlab.oracle.ulp import is_narrow

_GUARD_BITS = 24  # of products whose terms cancel, and of one more product
_HIGHEST_PRECISION = 2**17  # more than any problem needs; reached only if the enclosures are broken


class _Rows(NamedTuple):
    """The rows' own losses, of those that count, and the gradient by the logits of all rows, (N, K)."""

    losses: list[arb]
    gradient: arb_mat


def answer_by_balls(skeleton: Skeleton) -> Answers:
    """Narrow enclosures: below 2^-20 ULP of the problem's dtype. Raises ArithmeticError if that does not end."""
    problem, frame = skeleton.finite, skeleton.frame
    precision = starting_precision(problem.at_logits(problem.float64_logits)) + _GUARD_BITS
    precision += max(problem.n_features, problem.n_rows).bit_length()
    while precision <= _HIGHEST_PRECISION:
        with ctx.workprec(precision):
            rows = _answer_rows(skeleton)
            losses = rows.losses[: len(skeleton.kinds.regular)]
            answers = Answers(losses, _penalty(problem), *_gradients(problem, rows.gradient))
            found = [answers.dX, answers.dW, answers.db, to_enclosures(losses)]
            if skeleton.has_loss and frame.objective.reduction != "none":
                found.append(to_enclosures([reduce_losses(frame, losses) + answers.penalty]))
        if all(is_narrow(values, problem.format).all() for values in found):
            return answers
        precision *= 2
    raise ArithmeticError(f"no narrow enclosure at {_HIGHEST_PRECISION} bits: the enclosures are wrong")


def _answer_rows(skeleton: Skeleton) -> _Rows:
    problem, frame, kinds = skeleton.finite, skeleton.frame, skeleton.kinds
    rows = [*kinds.regular.tolist(), *kinds.infinite.tolist()]
    logits = (_matrix(problem.features64[rows]) * _matrix(problem.weight64)).tolist()
    bias = [arb(one) for one in problem.bias64.tolist()]
    share, classes = gradient_share(frame), class_coefficients(frame)
    losses: list[arb] = []
    gradient = [[arb(0)] * problem.n_classes for _ in range(problem.n_rows)]
    for row, products in zip(rows, logits, strict=True):
        own = [b if b == -math.inf else z + b for z, b in zip(products, bias, strict=True)]
        loss, entries = answer_of_row(frame.objective, own, row_coefficients(frame, row, classes))
        of_loss, of_gradient = row_factors(frame, row)
        losses.append(of_loss * loss)
        gradient[row] = [share * of_gradient * entry for entry in entries]
    return _Rows(losses, arb_mat(problem.n_rows, problem.n_classes, [entry for row in gradient for entry in row]))


def _gradients(problem: LayerProblem, gradient: arb_mat) -> tuple[Enclosures, Enclosures, Enclosures]:
    """dX, dW and db with the penalty's part."""
    weight = _matrix(problem.weight64)
    slope = _slope(problem)
    by_weight = _matrix(problem.features64).transpose() * gradient
    ones = arb_mat(1, problem.n_rows, [arb(1)] * problem.n_rows)
    by_bias = (ones * gradient).entries()
    if problem.penalty.is_on:
        by_weight += weight * slope
    if problem.penalty.takes_bias:
        by_bias = [entry + slope * arb(b) for entry, b in zip(by_bias, problem.bias64.tolist(), strict=True)]
    by_features = _enclosures(gradient * weight.transpose(), problem.features.shape)
    return by_features, _enclosures(by_weight, problem.weight.shape), to_enclosures(by_bias)


def _penalty(problem: LayerProblem) -> arb:
    if not problem.penalty.is_on:
        return arb(0)
    parameters = problem.weight64.ravel().tolist() + (problem.bias64.tolist() if problem.penalty.takes_bias else [])
    return _slope(problem) / 2 * sum((arb(one) ** 2 for one in parameters), arb(0))


def _slope(problem: LayerProblem) -> arb:
    return arb(problem.penalty.strength) * (1 if problem.penalty.halved else 2)


def _matrix(values: Array) -> arb_mat:
    n_rows, n_columns = values.shape
    return arb_mat(n_rows, n_columns, [arb(one) for one in values.ravel().tolist()])


def _enclosures(matrix: arb_mat, shape: tuple[int, ...]) -> Enclosures:
    found = to_enclosures(matrix.entries())
    return Enclosures(*(part.reshape(shape) for part in (found.high, found.low, found.radius, found.exponent)))
