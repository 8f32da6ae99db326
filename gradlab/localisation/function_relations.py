"""What comes out where another function is used for exp, as relations of the gradient and of the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.functions import MATCHED, TINY, Measured
from gradlab.localisation.relations.relation import Relation, denominator, reduced, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

NAMED = 0.9  # of the places measured, at which a function that is named has to be the one measured


def gradient_with(function: Measured) -> Relation:
    """The gradient with a function in the place of exp."""
    return Relation(
        f"is that of {_words(function)}",
        partial(_gradient, function=function),
        partial(_off_by, function=function),
        MATCHED,
        partial(_is_measured, function=function),
    )


def loss_with(function: Measured) -> Sequence[Relation]:
    """The loss, log sum E - d_y, or -log p_y, with a function in the place of exp."""
    words = _words(function)
    return (
        Relation(
            f"is log of the sum, less x_y - max x, of {words}",
            partial(_loss, function=function),
            partial(_off_by, function=function),
            MATCHED,
            partial(_is_measured, function=function),
        ),
        Relation(
            f"is -log p_y of {words}",
            partial(_log_p, function=function),
            partial(_off_by, function=function),
            MATCHED,
            partial(_is_measured, function=function),
        ),
    )


def _is_measured(one: Outcome, function: Measured) -> Array:
    """For which rows the function was measured at every x - max x, boolean, (N,)."""
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        lowest = (x - x.max(axis=1, keepdims=True)).min(axis=1)
        return np.asarray((lowest >= function.places[0]) & np.isfinite(lowest))


def _words(function: Measured) -> str:
    """Which function it is, where it is one that has a name, and how far it is off."""
    some = np.isfinite(function.more) & function.seen
    d, more = function.places[some], function.more[some]
    for words, other in _NAMED.items():
        with np.errstate(all="ignore"):
            off, more_off = np.abs(other(d) / np.exp(d + more) - 1), np.abs(np.expm1(more))
            near, wrong = off <= np.maximum(0.01 * more_off, TINY), more_off > 0
            if wrong.any() and near.mean() >= NAMED and near[wrong].mean() >= NAMED:  # not only where exp is right
                return words
    most, place = function.largest
    zero = function.places[function.more == -np.inf]
    finite = np.abs(np.expm1(more)).max(initial=0.0)
    if zero.size and finite < 1e-9:
        return f"exp(x - max x) that is 0 from {zero.max():.4g} down"
    off = f"{100 * most:.2g}% off" if most <= 1 else f"{1 + most:.2g} times too large"
    return f"another function of x - max x in the place of exp, up to {off}, as at {place:.4g}"


def _in(dtype: str, values: Array) -> Array:
    return np.asarray(values.astype(as_dtype(dtype)).astype(np.float64))


_NAMED: dict[str, Callable[[Array], Array]] = {
    **{
        f"exp(x - max x) rounded to {name}": partial(lambda n, d: _in(n, np.exp(d)), name)
        for name in ("float16", "bfloat16", "float32")
    },
    **{
        f"x - max x rounded to {name} before exp": partial(lambda n, d: np.exp(_in(n, d)), name)
        for name in ("float16", "bfloat16", "float32")
    },
    **{
        f"(1 + d/{n})^{n} in the place of exp(d), d = x - max x": partial(lambda n, d: np.maximum(1 + d / n, 0) ** n, n)
        for n in (2**i for i in range(2, 17))
    },
    "2^(x - max x) in the place of exp(x - max x)": np.exp2,
}


def _exponentials(one: Outcome, function: Measured) -> Array:
    d = _distances(one, function)
    with np.errstate(all="ignore"):
        return np.asarray(function.scale * np.exp(d + function(d)))


def _distances(one: Outcome, function: Measured) -> Array:
    """x - max x, no further down than the last place measured."""
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(np.maximum(x - x.max(axis=1, keepdims=True), function.places[0]))


def _off_by(one: Outcome, function: Measured) -> Array:
    """By how much the probabilities of each row may be off, relatively, (N, 1)."""
    d = _distances(one, function)
    with np.errstate(all="ignore"):
        e = np.exp(d + function(d))
        own = function.off_by(d)
        return np.asarray(own + (own * e).sum(axis=1, keepdims=True) / e.sum(axis=1, keepdims=True))


def _probabilities(one: Outcome, function: Measured) -> Array:
    e = _exponentials(one, function)
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _gradient(one: Outcome, function: Measured) -> Array:
    return np.asarray(_probabilities(one, function) / denominator(one) - shares(one, labels_of(one.problem)))


def _at_labels(one: Outcome, values: Array) -> Array:
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    return np.asarray(values[np.arange(len(labels)), labels])


def _loss(one: Outcome, function: Measured) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return reduced(one, np.log(_exponentials(one, function).sum(axis=1)) + (x.max(axis=1) - _at_labels(one, x)))


def _log_p(one: Outcome, function: Measured) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, -np.log(_at_labels(one, _probabilities(one, function))))
