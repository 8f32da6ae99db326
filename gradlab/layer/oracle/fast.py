"""A layer's answers by sliced products: the logits, the softmax at enclosed logits, and the gradients.

dX = G W^T, and dW = X^T G with db in its last row, for features with a column of ones; G is the gradient by the logits,
which `moved_softmax` encloses. Where an entry of G is off by r_ij, one of dX is off by sum_j r_ij |w_jd| at most, and
one of dW by sum_i |x_id| r_ij: the radii of a row, or of a column, added, times the other factor's largest entry.
The penalty's slope times a weight is a pair without an error, which `add` adds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb, ctx

from gradlab.layer.oracle.answers import Answers, Skeleton, is_narrow_beside
from gradlab.layer.oracle.logits import Plain, enclose_logits, masked_classes, to_plain
from gradlab.layer.oracle.moved_softmax import answer_rows_nearby, balls_of
from gradlab.layer.oracle.slices import UPWARDS, Product, multiply_slices, plan_slices, slice_rows, widen
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.double_double import ADD_ERROR, add, two_product
from gradlab.oracle.intervals import Array, Enclosures, normalise
from gradlab.problems.dtypes import Format

_PRECISION = 320  # bits of the balls of losses and of the penalty
_PLAIN = 2.0**400  # sizes of |slope w| between its reciprocal and this, or 0, whose product has an exact error


class _Gradients(NamedTuple):
    """dX (N, D), dW (D, K) and db (K,), enclosed."""

    features: Enclosures
    weight: Enclosures
    bias: Enclosures


@np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore")
def answer_by_slices(skeleton: Skeleton) -> Answers | None:
    """Narrow enclosures, or None where float64 cannot decide, or a mean is over nothing."""
    problem = skeleton.finite
    if not skeleton.has_mean:
        return None
    logits = enclose_logits(problem)
    if logits is None or not _penalty_is_plain(problem):
        return None
    rounded = problem.at_logits(np.where(masked_classes(problem), -np.inf, logits.high))
    rows = answer_rows_nearby(rounded, logits)
    if rows is None or not np.isfinite(rows.gradient.radius).all():
        return None
    gradients = _enclose_gradients(problem, rows.gradient)
    if gradients is None:
        return None
    losses = [rows.losses[row] for row in skeleton.kinds.regular.tolist()]
    return Answers(losses, _penalty(problem), *gradients)


def _enclose_gradients(problem: LayerProblem, gradient: Plain) -> _Gradients | None:
    """The gradients, or None where one of them is not narrow."""
    by_features = _gradient_product(gradient, problem.weight64, problem.format)
    columns = Plain(*(np.ascontiguousarray(part.T) for part in gradient))
    ones = np.ones((1, problem.n_rows))
    both = _gradient_product(columns, np.concatenate([problem.features64.T, ones]), problem.format)
    slopes = np.full((problem.n_features + 1, 1), problem.penalty.slope)
    slopes[-1] *= problem.penalty.takes_bias
    parameters = np.concatenate([problem.weight64, np.where(masked_classes(problem), 0.0, problem.bias64)[None]])
    transposed = _add_penalty(both, slopes.T, parameters.T)
    if transposed is None:
        return None
    by_parameters = _transpose(transposed)
    found = _Gradients(_normalised(by_features), by_parameters[:-1], by_parameters[-1])
    size, fmt = np.abs(gradient.high), problem.format
    sizes = (
        size @ np.abs(problem.weight64.T),
        np.abs(problem.features64.T) @ size + np.abs(slopes[:-1] * problem.weight64),
        size.sum(axis=0) + np.abs(slopes[-1] * parameters[-1]),
    )
    narrow = all(is_narrow_beside(values, beside, fmt) for values, beside in zip(found, sizes, strict=True))
    return found if narrow else None


def _gradient_product(gradient: Plain, other: Array, fmt: Format) -> Product:
    """The rows of a gradient (R, n), with radii, times those of another matrix (C, n); shape (R, C)."""
    plan = plan_slices(max(other.shape[1], 1), fmt)
    left = slice_rows(gradient.high, gradient.low, plan)
    product = multiply_slices(left, slice_rows(other, None, plan), plan)
    return widen(product, gradient.radius.sum(axis=1) * UPWARDS)


def _add_penalty(product: Product, slopes: Array, parameters: Array) -> Enclosures | None:
    """The product and slope times parameter, entry by entry; None where the two are of too different scales."""
    if not slopes.any():
        return _normalised(product)
    plain = to_plain(product)
    if plain is None:
        return None
    high, low = add((plain.high, plain.low), two_product(np.broadcast_to(slopes, parameters.shape), parameters))
    radius = (plain.radius + ADD_ERROR * np.abs(high)) * UPWARDS
    return normalise(high, low, radius, np.zeros(high.shape, dtype=np.int64))


def _transpose(values: Enclosures) -> Enclosures:
    parts = (values.high, values.low, values.radius, values.exponent)
    return Enclosures(*(np.ascontiguousarray(part.T) for part in parts))


def _normalised(product: Product) -> Enclosures:
    return normalise(product.high, product.low, product.radius, product.rows + product.columns)


def _penalised(problem: LayerProblem) -> Array:
    """The parameters whose squares are in the penalty, in one row, (1, n); none where it is off."""
    if not problem.penalty.is_on:
        return np.zeros((1, 0))
    bias = problem.bias64 if problem.penalty.takes_bias else np.zeros(0)
    return np.concatenate([problem.weight64.ravel(), bias])[None]


def _penalty_is_plain(problem: LayerProblem) -> bool:
    sizes = np.abs(problem.penalty.slope * _penalised(problem))
    return bool(((sizes == 0) | ((sizes > 1 / _PLAIN) & (sizes < _PLAIN))).all()) and problem.penalty.slope < _PLAIN


def _penalty(problem: LayerProblem) -> arb:
    """The penalty as a ball: the slope's half times the sum of the squares."""
    parameters = _penalised(problem)
    if not parameters.any():
        return arb(0)
    plan = plan_slices(parameters.size, problem.format)
    slices = slice_rows(parameters, None, plan)
    squares = _normalised(multiply_slices(slices, slices, plan))
    with ctx.workprec(_PRECISION):
        return arb(problem.penalty.slope) / 2 * balls_of(squares[0])[0]
