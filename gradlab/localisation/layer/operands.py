"""Readings of the logits, and of what is multiplied to make dX and dW."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.layer.parts import Parts, log_softmax
from gradlab.localisation.layer.reading import GRADIENTS, Reading
from gradlab.problems.problem import Array

Change = Callable[[Array], Array]


def readings_of_logits() -> Iterator[Reading]:
    changes: dict[str, Callable[[LayerProblem], Array]] = {
        "the bias is left out of the logits": lambda one: one.features64 @ one.weight64,
        "the bias is subtracted": lambda one: one.features64 @ one.weight64 - one.bias64,
        "the bias is added twice": lambda one: one.float64_logits + one.bias64,
        "the logits are divided by the root of D": lambda one: one.float64_logits / np.sqrt(one.n_features),
        "the product is divided by the root of D": lambda one: _product(one) / np.sqrt(one.n_features) + one.bias64,
        "the logits are divided by D": lambda one: one.float64_logits / one.n_features,
        "the logits are negated": lambda one: -one.float64_logits,
        "the logits are doubled": lambda one: 2 * one.float64_logits,
        "the logits are halved": lambda one: one.float64_logits / 2,
        "negative logits are 0": lambda one: np.maximum(one.float64_logits, 0),
        "the features are centred": lambda one: _affine(one, _centred(one.features64)),
        "the features of each row are centred": lambda one: _affine(one, _centred(one.features64.T).T),
        "the weight is transposed where it is square": lambda one: _affine_by(one, turned_if_square(one.weight64)),
    }
    for said, logits in changes.items():
        yield Reading(said, lambda parts, logits=logits: parts.with_logits(logits(parts.problem)))  # type: ignore[misc]
    for digits in range(2, 7):
        yield Reading(
            f"the probabilities are rounded to {digits} decimals",
            lambda parts, digits=digits: _rounded(parts, digits),  # type: ignore[misc]
            GRADIENTS,
        )
    yield Reading("the softmax is over the rows", lambda parts: _softmax_over(parts, 0))
    yield Reading("the softmax is over the whole batch", lambda parts: _softmax_over(parts, None))
    yield Reading("sigmoids are in the place of the softmax", _sigmoids)


def readings_of_residuals() -> Iterator[Reading]:
    """Something else in the place of P - T, the gradient of each row by its logits."""
    changes: dict[str, Callable[[Array, Parts], Array]] = {
        "the logits' gradient is without its signs": lambda g, parts: np.abs(g),
        "the logits' gradient is squared": lambda g, parts: np.square(g),
        "the logits' gradient is its signs": lambda g, parts: np.sign(g),
        "negative entries of the logits' gradient are 0": lambda g, parts: np.maximum(g, 0),
        "positive entries of the logits' gradient are 0": lambda g, parts: np.minimum(g, 0),
        "entries of the logits' gradient beside the label's are 0": lambda g, parts: g * (parts.targets > 0),
        "the label's entries of the logits' gradient are 0": lambda g, parts: g * (parts.targets == 0),
        "the logits' gradient is multiplied by p": lambda g, parts: g * np.exp(parts.log_probabilities),
        "the logits' gradient is multiplied by p (1 - p)": lambda g, parts: g * _slope(parts),
        "the logits' gradient goes through the softmax once more": _through_softmax,
        "each row of the logits' gradient has the norm 1": lambda g, parts: g / np.linalg.norm(g, axis=1)[:, None],
        "rows whose label has the largest logit have no gradient": _misclassified_rows,
    }
    for said, change in changes.items():
        yield Reading(said, lambda parts, change=change: replace(parts, change_residual=change), GRADIENTS)  # type: ignore[misc]
    rows: dict[str, Change] = {
        "each row counts as much as its features sum to": lambda x: x.sum(axis=1),
        "each row counts as much as the mean of its features": lambda x: x.mean(axis=1),
        "each row counts as much as its first feature": lambda x: x[:, 0],
        "each row counts as much as the norm of its features": lambda x: np.linalg.norm(x, axis=1),
    }
    for said, shares in rows.items():
        yield Reading(said, partial(_with_shares, shares=shares), ("db",))


def _with_shares(parts: Parts, shares: Change) -> Parts:
    return replace(parts, shares=parts.shares * shares(parts.features))


def _slope(parts: Parts) -> Array:
    p = np.exp(parts.log_probabilities)
    return np.asarray(p * (1 - p))


def _through_softmax(g: Array, parts: Parts) -> Array:
    p = np.exp(parts.log_probabilities)
    return np.asarray(p * (g - (p * g).sum(axis=1, keepdims=True)))


def _misclassified_rows(g: Array, parts: Parts) -> Array:
    is_right = parts.log_probabilities.argmax(axis=1) == parts.targets.argmax(axis=1)
    return np.where(is_right[:, None], 0.0, g)


def _product(problem: LayerProblem) -> Array:
    return np.asarray(problem.features64 @ problem.weight64)


def _affine(problem: LayerProblem, features: Array) -> Array:
    return np.asarray(features @ problem.weight64 + problem.bias64)


def _affine_by(problem: LayerProblem, weight: Array) -> Array:
    return np.asarray(problem.features64 @ weight + problem.bias64)


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=0))


def turned_if_square(values: Array) -> Array:
    """The transposed matrix where it has as many rows as columns, else the matrix."""
    return values.T if values.ndim == 2 and values.shape[0] == values.shape[1] else values


def _softmax_over(parts: Parts, axis: int | None) -> Parts:
    return replace(parts, log_probabilities=log_softmax(parts.problem.float64_logits, axis))


@np.errstate(all="ignore")
def _rounded(parts: Parts, digits: int) -> Parts:
    return replace(parts, log_probabilities=np.log(np.round(np.exp(parts.log_probabilities), digits)))


@np.errstate(all="ignore")
def _sigmoids(parts: Parts) -> Parts:
    return replace(parts, log_probabilities=-np.log1p(np.exp(-parts.problem.float64_logits)))


def readings_of_operands() -> Iterator[Reading]:
    rows: dict[str, Change] = {
        "its features are those of the row before": lambda x: np.roll(x, 1, axis=0),
        "its features are those of the row after": lambda x: np.roll(x, -1, axis=0),
        "its features are in reverse order of the rows": lambda x: x[::-1],
        "its features are without their sign": np.abs,
        "its features are centred": _centred,
        "its features are squared": np.square,
        "its features are those of the first row": lambda x: np.broadcast_to(x[:1], x.shape),
    }
    yield from _with_changed("features", rows, ("dW",))
    weights: dict[str, Change] = {
        "its weight is transposed where it is square": turned_if_square,
        "its weight is without its sign": np.abs,
        "its weight is centred": _centred,
        "its weight is in reverse order of the classes": lambda w: w[:, ::-1],
    }
    yield from _with_changed("weight", weights, ("dX",))
    finishes: dict[str, Change] = {
        "it is transposed where it is square": turned_if_square,
        "its rows are in reverse order": lambda term: term[::-1],
        "it is the mean of its entries everywhere": lambda term: np.full(term.shape, term.mean() if term.size else 0.0),
        "it is the sum of its entries everywhere": lambda term: np.full(term.shape, term.sum()),
    }
    for said, finish in finishes.items():
        yield Reading(said, lambda parts, finish=finish: _finished(parts, finish), GRADIENTS)  # type: ignore[misc]


def readings_of_penalties() -> Iterator[Reading]:
    """Weights that have no penalty, or another one."""
    changes: dict[str, Change] = {
        "the penalty leaves out the weights of the first feature": lambda w: _without(w, np.s_[:1]),
        "the penalty leaves out the weights of the last feature": lambda w: _without(w, np.s_[-1:]),
        "the penalty leaves out the weights of the first class": lambda w: _without(w, np.s_[:, :1]),
        "the penalty leaves out the weights of the last class": lambda w: _without(w, np.s_[:, -1:]),
        "the penalty takes the weights' signs": np.sign,
        "the penalty takes the weights without their signs": np.abs,
        "the penalty takes the transposed weight where it is square": turned_if_square,
    }
    yield from _with_changed("penalised", changes, ("loss", "dW"))


def _with_changed(name: str, changes: Mapping[str, Change], outputs: tuple[str, ...]) -> Iterator[Reading]:
    """Readings of these outputs with one array of the parts, by its name, changed; the changes by their words."""
    for said, change in changes.items():
        yield Reading(said, partial(_changed, name=name, change=change), outputs)


def _changed(parts: Parts, name: str, change: Change) -> Parts:
    changed: dict[str, Any] = {name: change(getattr(parts, name))}
    return replace(parts, **changed)


def _without(weight: Array, places: Any) -> Array:
    left = weight.copy()
    left[places] = 0
    return left


def _finished(parts: Parts, finish: Callable[[Array], Array]) -> Parts:
    return replace(parts, finish=lambda output, term: finish(term))
