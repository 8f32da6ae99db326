"""Sound ways of computing a layer, in any dtype: orders of summation, blocks, forms, and a wider dtype inside.

Each takes a LayerProblem whose mean is over something, and returns a dictionary of its outputs. They work in the dtype
of the problem; half precision is added up in float32, as sound code does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.problems.coefficients import coefficients_of, denominator_of, gradient_factors, loss_factors
from gradlab.problems.mapping import RowSums, map_logits, row_terms
from gradlab.problems.objective import Objective

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = dict[str, Array]
Product = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Form:
    """How products are taken, in blocks of rows or classes, whether of A P and T apart, and where the mean divides.

    class_blocks: of how many blocks of classes maximum, sum and dX are put together, one after another. column: whether
    the bias is a row of the weight, the features having a column of ones.
    """

    name: str
    product: Product
    row_blocks: int = 1
    class_blocks: int = 1
    column: bool = False
    split: bool = False
    divide_last: bool = False
    inside: str | None = None


def wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that sums of this one are taken in."""
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def by_blas(a: Array, b: Array) -> Array:
    """a b as the library has it."""
    return np.asarray((a.astype(wide(a.dtype)) @ b.astype(wide(b.dtype))).astype(a.dtype))


def one_after_another(a: Array, b: Array) -> Array:
    """a b, each inner product from the first term to the last."""
    a, b, own = a.astype(wide(a.dtype)), b.astype(wide(b.dtype)), a.dtype
    total = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for k in range(a.shape[1]):
        total += a[:, k : k + 1] * b[k : k + 1]
    return np.asarray(total.astype(own))


def from_the_last(a: Array, b: Array) -> Array:
    """a b, each inner product from the last term to the first."""
    return one_after_another(a[:, ::-1], b[::-1])


def largest_first(a: Array, b: Array) -> Array:
    """a b, terms in the order of the sizes of a's columns."""
    order = np.argsort(-np.abs(a.astype(np.float64)).sum(axis=0))
    return one_after_another(a[:, order], b[order])


def in_blocks(a: Array, b: Array) -> Array:
    """a b, added up over blocks of seven terms, each by the library."""
    a, b, own = a.astype(wide(a.dtype)), b.astype(wide(b.dtype)), a.dtype
    total = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for start in range(0, a.shape[1], 7):
        total += a[:, start : start + 7] @ b[start : start + 7]
    return np.asarray(total.astype(own))


def by_einsum(a: Array, b: Array) -> Array:
    """a b as NumPy's loops have it."""
    return np.asarray(np.einsum("ik,kj->ij", a.astype(wide(a.dtype)), b.astype(wide(b.dtype))).astype(a.dtype))


def shuffled(a: Array, b: Array) -> Array:
    """a b, terms in an order at random, always the same one for a size."""
    order = np.random.default_rng(a.shape[1]).permutation(a.shape[1])
    return one_after_another(a[:, order], b[order])


def by_halves(a: Array, b: Array) -> Array:
    """a b, the terms added in pairs, and the pairs in pairs."""
    own = a.dtype
    terms = a.astype(wide(own))[:, :, None] * b.astype(wide(own))[None]
    while terms.shape[1] > 1:
        half = terms.shape[1] // 2
        rest = terms[:, 2 * half :]
        terms = np.concatenate([terms[:, :half] + terms[:, half : 2 * half], rest], axis=1)
    return np.asarray((terms[:, 0] if terms.shape[1] else np.zeros((len(a), b.shape[1]), wide(own))).astype(own))


FORMS = (
    Form("BLAS", by_blas),
    Form("one after another", one_after_another),
    Form("from the last", from_the_last),
    Form("largest first", largest_first),
    Form("in blocks", in_blocks),
    Form("by halves", by_halves),
    Form("einsum", by_einsum),
    Form("shuffled", shuffled),
    Form("online over classes", by_blas, class_blocks=4),
    Form("blocks of rows and classes", one_after_another, row_blocks=5, class_blocks=3, split=True),
    Form("bias as a column of ones", by_blas, column=True),
    Form("rows in blocks", by_blas, row_blocks=3),
    Form("one example at a time", by_blas, row_blocks=10**6),
    Form("bulk less the labels' rows", by_blas, split=True),
    Form("bulk less labels, in order", one_after_another, split=True, divide_last=True),
    Form("divided last", by_blas, divide_last=True),
    Form("float64 inside", by_blas, inside="float64"),
)


@np.errstate(all="ignore")
def compute(form: Form, problem: LayerProblem) -> Outputs:
    """The outputs of a form, in the problem's dtype."""
    dtype = np.dtype(form.inside) if form.inside else problem.features.dtype
    X, W = problem.features.astype(dtype), problem.weight.astype(dtype)
    b = problem.bias64.astype(dtype)
    rows = problem.at_logits(np.zeros((problem.n_rows, problem.n_classes)))
    t, scale = coefficients_of(rows).astype(dtype), dtype.type(denominator_of(rows))
    kept = np.where(rows.ignored_rows, 0.0, 1.0)
    of_loss, of_gradient = ((kept * f(rows))[:, None].astype(dtype) for f in (loss_factors, gradient_factors))
    dX, losses = np.zeros_like(X), np.zeros((problem.n_rows, 1), dtype)
    dW, db = np.zeros(W.shape, wide(dtype)), np.zeros((1, problem.n_classes), wide(dtype))
    for block in _blocks(problem.n_rows, form.row_blocks):
        own = _row_answers(problem.objective, _logits(form, X[block], W, b), t[block], form.class_blocks)
        losses[block] = own.losses
        product, target = own.product * of_gradient[block], own.target * of_gradient[block]
        for part in [product, -target] if form.split else [product - target]:
            G = part if form.divide_last else part / scale
            for classes in _blocks(problem.n_classes, form.class_blocks):
                dX[block] += form.product(G[:, classes], np.ascontiguousarray(W[:, classes].T))
            dW += form.product(np.ascontiguousarray(X[block].T), G)
            db += form.product(np.ones((1, len(G)), dtype), G)
    if form.divide_last:
        dX, dW, db = dX / scale, dW / scale.astype(dW.dtype), db / scale.astype(db.dtype)
    losses = np.where(of_loss == 0, dtype.type(0), losses * of_loss)
    found = {"loss": losses[:, 0], "dX": dX, "dW": dW.astype(dtype), "db": db[0].astype(dtype)}
    if problem.objective.reduction != "none":
        found["loss"] = losses.sum(dtype=wide(dtype)).astype(dtype) / scale
    return {name: one.astype(problem.features.dtype) for name, one in _penalise(problem, found, W, b).items()}


def _blocks(count: int, n_blocks: int) -> list[slice]:
    step = max(1, -(-count // n_blocks))
    return [slice(start, start + step) for start in range(0, count, step)]


def _logits(form: Form, X: Array, W: Array, b: Array) -> Array:
    if not form.column or not np.isfinite(b.astype(np.float64)).all():
        return form.product(X, W) + b
    return form.product(np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1), np.concatenate([W, b[None]]))


class _RowAnswers(NamedTuple):
    """The losses (N, 1), and the two parts of the gradient by the logits, product - target, (N, K)."""

    losses: Array
    product: Array
    target: Array


def _row_answers(objective: Objective, Z: Array, t: Array, class_blocks: int) -> _RowAnswers:
    dtype = Z.dtype
    Z, slope = map_logits(objective, Z, dtype.type)
    p, lse, losses = _softmax(Z, t, class_blocks)
    mass, m = (one.sum(axis=1, keepdims=True, dtype=wide(dtype)).astype(dtype) for one in (t, (t * p).astype(dtype)))
    if not objective.real_options:
        return _RowAnswers(losses, mass * p, t)
    terms = row_terms(objective, RowSums(lse, m, mass), dtype.type)
    product = mass * p + (terms.along_lse * p + terms.along_target * (p * (t - m)))
    return _RowAnswers(losses + terms.value, slope * product, slope * t)


def _softmax(Z: Array, t: Array, class_blocks: int) -> tuple[Array, Array, Array]:
    """Softmax, lse and losses; maximum and sum are put together over blocks of classes, the sum scaled each time."""
    highest, total = np.full((len(Z), 1), -np.inf, Z.dtype), np.zeros((len(Z), 1), wide(Z.dtype))
    for block in _blocks(Z.shape[1], class_blocks):
        higher = np.maximum(highest, Z[:, block].max(axis=1, keepdims=True))
        scale = np.where(np.isfinite(highest), np.exp(highest - higher), Z.dtype.type(0))
        shifted = np.where(np.isfinite(higher), Z[:, block] - higher, Z[:, block])
        total = total * scale + np.exp(shifted).sum(axis=1, keepdims=True, dtype=total.dtype)
        highest = higher
    d = Z - highest
    e, total = np.exp(d), total.astype(Z.dtype)
    terms = np.where(t == 0, 0, t * (np.log(total) - d)).astype(e.dtype)
    losses = terms.sum(axis=1, keepdims=True, dtype=wide(e.dtype)).astype(e.dtype)
    return e / total, highest + np.log(total), losses


def _penalise(problem: LayerProblem, found: Outputs, W: Array, b: Array) -> Outputs:
    penalty, dtype = problem.penalty, W.dtype
    if not penalty.is_on:
        return found
    strength = dtype.type(penalty.strength)
    squares = (W * W).sum(dtype=wide(dtype)).astype(dtype)
    slope = strength if penalty.halved else dtype.type(2) * strength
    found["dW"] = found["dW"] + slope * W
    if penalty.takes_bias:
        squares = squares + (b * b).sum(dtype=wide(dtype)).astype(dtype)
        found["db"] = found["db"] + slope * b
    found["loss"] = found["loss"] + (dtype.type(0.5) if penalty.halved else dtype.type(1)) * strength * squares
    return found
