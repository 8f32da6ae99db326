"""Losses of rows that are another function of what they should be: focal ones, with a term more, cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.localisation.relations.fitting import medians
from gradlab.localisation.relations.relation import Relation, reduced, row_losses, softmax_over
from gradlab.localisation.trial import Outcome
from gradlab.problems.problem import Array

Term = Callable[[Outcome], Array]


def losses_of_rows(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Losses whose rows are another function of the right ones."""
    for words, term in _INSTEAD.items():
        yield Relation(f"is {words}", partial(_instead, term=term))
    single = [one for one in some if one.problem.n_rows == 1]
    for words, term in _TERMS.items():
        for value in medians([_read_off(one, term) for one in single]):
            yield Relation(f"is {value:+.4g} {words} off, row by row", partial(_with_term, term=term, value=value))
    for value in medians([_read_off_power(one) for one in single]):
        yield Relation(f"of a row is (1 - p_y)^{value:.4g} times what it should be", partial(_focal, power=value))


def _label(one: Outcome) -> Array:
    return np.asarray(np.exp(-row_losses(one)))


def _entropy(one: Outcome) -> Array:
    p = softmax_over(one.problem.mapped64, axis=1)
    with np.errstate(all="ignore"):
        return np.asarray(-np.where(p > 0, p * np.log(p), 0.0).sum(axis=1))


def _from_uniform(one: Outcome) -> Array:
    """The mean over the classes of -log p, less the right loss: what smoothing adds."""
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        top = x.max(axis=1, keepdims=True)
        lse = top[:, 0] + np.log(np.exp(x - top).sum(axis=1))
        return np.asarray(lse - x.mean(axis=1) - row_losses(one))


def _squared_lse(one: Outcome) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        top = x.max(axis=1)
        return np.asarray((top + np.log(np.exp(x - top[:, None]).sum(axis=1))) ** 2)


_TERMS: dict[str, Term] = {
    "(1 - p_y)": lambda one: 1 - _label(one),
    "times the entropy of p": _entropy,
    "times (the mean of -log p - what it should be)": _from_uniform,
    "(log sum exp x)^2": _squared_lse,
    "times sum p^2": lambda one: (softmax_over(one.problem.mapped64, axis=1) ** 2).sum(axis=1),
}

_INSTEAD: dict[str, Term] = {
    "1 - p_y, row by row": lambda one: 1 - _label(one),
    "the entropy of p, row by row": _entropy,
    "-p_y, row by row": lambda one: -_label(one),
    "the square of what it should be, row by row": lambda one: row_losses(one) ** 2,
    "the root of what it should be, row by row": lambda one: np.sqrt(row_losses(one)),
    "the sum of the squares of p - one_hot, row by row": lambda one: (
        1 - 2 * _label(one) + (softmax_over(one.problem.mapped64, axis=1) ** 2).sum(axis=1)
    ),
}


def _read_off(one: Outcome, term: Term) -> Array:
    with np.errstate(all="ignore"):
        return np.ravel((one.seen.loss - row_losses(one)) / term(one))


def _read_off_power(one: Outcome) -> Array:
    with np.errstate(all="ignore"):
        return np.ravel(np.log(one.seen.loss / row_losses(one)) / np.log1p(-_label(one)))


def _with_term(one: Outcome, term: Term, value: float) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, row_losses(one) + value * term(one))


def _instead(one: Outcome, term: Term) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, term(one))


def _focal(one: Outcome, power: float) -> Array:
    with np.errstate(all="ignore"):
        return reduced(one, row_losses(one) * (1 - _label(one)) ** power)
