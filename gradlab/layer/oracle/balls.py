"""A layer's answers by ball arithmetic, precision doubled until they are narrow: any range, and every option.

Features, weight and bias are exact balls. The logits, the gradients and the penalty are generated code for flint's
matrices of balls (`reference.layer_balls`), and each row's loss and gradient by its logits come from the generated
complement form, as at the level of the logits (`exact.balls`). Every enclosure is flint's own, so that it holds at any
precision.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat, ctx

from gradlab.layer.oracle.answers import Answers, Skeleton
from gradlab.layer.oracle.logits import masked_classes
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
from gradlab.reference import layer_balls

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
    finite = layer_balls.logits(_matrix(problem.features64[rows]), _matrix(problem.weight64), _bias(problem)).tolist()
    masked = masked_classes(problem).tolist()
    share, classes = gradient_share(frame), class_coefficients(frame)
    losses: list[arb] = []
    gradient = [[arb(0)] * problem.n_classes for _ in range(problem.n_rows)]
    for row, logits in zip(rows, finite, strict=True):
        own = [arb(-math.inf) if mask else z for z, mask in zip(logits, masked, strict=True)]
        loss, entries = answer_of_row(frame.objective, own, row_coefficients(frame, row, classes))
        of_loss, of_gradient = row_factors(frame, row)
        losses.append(of_loss * loss)
        gradient[row] = [share * of_gradient * entry for entry in entries]
    return _Rows(losses, arb_mat(problem.n_rows, problem.n_classes, [entry for row in gradient for entry in row]))


def _gradients(problem: LayerProblem, gradient: arb_mat) -> tuple[Enclosures, Enclosures, Enclosures]:
    """dX, dW and db with the penalty's part."""
    weight, (slope, bias_slope) = _matrix(problem.weight64), _slopes(problem)
    by_features = layer_balls.by_features(weight, gradient)
    by_weight = layer_balls.by_weight(_matrix(problem.features64), weight, gradient, slope)
    by_bias = layer_balls.by_bias(_bias(problem), gradient, bias_slope)
    return (
        _enclosures(by_features, problem.features.shape),
        _enclosures(by_weight, problem.weight.shape),
        _enclosures(by_bias, (problem.n_classes,)),
    )


def _penalty(problem: LayerProblem) -> arb:
    if not problem.penalty.is_on:
        return arb(0)
    return layer_balls.penalty(_matrix(problem.weight64), _bias(problem), *_slopes(problem))


def _slopes(problem: LayerProblem) -> tuple[arb, arb]:
    """What the penalty's derivative has for each weight, and for each entry of the bias."""
    slope = arb(problem.penalty.strength) * (1 if problem.penalty.halved else 2)
    return slope, slope if problem.penalty.takes_bias else arb(0)


def _bias(problem: LayerProblem) -> arb_mat:
    """The bias as a matrix of one row, with 0 where it masks a class."""
    return _matrix(np.where(masked_classes(problem), 0.0, problem.bias64)[None])


def _matrix(values: Array) -> arb_mat:
    n_rows, n_columns = values.shape
    return arb_mat(n_rows, n_columns, [arb(one) for one in values.ravel().tolist()])


def _enclosures(matrix: arb_mat, shape: tuple[int, ...]) -> Enclosures:
    found = to_enclosures(matrix.entries())
    return Enclosures(*(part.reshape(shape) for part in (found.high, found.low, found.radius, found.exponent)))
