"""Relations of two terms: a number times what it should be, and another number times something else, fitted.

Both numbers are fitted to a few of the wrong answers; as any relation, they have to foretell the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.localisation.relations import relation as terms
from gradlab.localisation.relations.fitting import spelled
from gradlab.localisation.relations.relation import Relation, denominator, reduced, row_losses, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

FITTED = 12  # wrong answers that the numbers are fitted to, the smallest
LEAST = 4  # numbers that come out in these
NEAR = 1e-6  # how far a first fit may be off, beside the larger of what is seen and what it should be
TINY = 1e-7  # a number that is no term
MANY = 4096  # entries of one answer to which numbers are fitted, about; of more the rows are thinned out
HUGE = 1e30  # of what is more, no number is fitted
Term = Callable[[Outcome], Array]


@dataclass(frozen=True)
class Fit:
    """What is seen of an answer, and the two terms of which it may be made: one number each for the entries looked at.

    room: how far each entry may be off.
    """

    seen: Array
    true: Array
    other: Array
    room: Array


def gradients_of_two_terms(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Gradients that are the right one, and a term more."""
    few = _few(some)
    for words, term in _GRADIENT_TERMS.items():
        for times, more in _numbers([_gradient_fit(one, term) for one in few]):
            yield Relation(_words(times, more, words), partial(_gradient, term=term, times=times, more=more))


def losses_of_two_terms(some: Sequence[Outcome]) -> Iterator[Relation]:
    """Losses that are the right one, and a term more, row by row."""
    few = _few(some)
    for words, term in _LOSS_TERMS.items():
        for times, more in _numbers([_loss_fit(one, term) for one in few]):
            said = f"{_words(times, more, words)}, row by row"
            yield Relation(said, partial(_loss, term=term, times=times, more=more))


def _few(some: Sequence[Outcome]) -> list[Outcome]:
    """The first wrong answers of which every number is finite, of different shapes if there are."""
    finite = [one for one in some if np.isfinite(one.seen.loss).all() and np.isfinite(one.seen.gradient).all()]
    finite.sort(key=lambda one: not one.problem.is_moderate)
    shapes = {one.problem.logits.shape: one for one in finite}
    return [*list(shapes.values())[: FITTED // 2], *finite[: FITTED // 2]]


def _words(times: float, more: float, words: str) -> str:
    what = "what it should be" if times == 1 else f"{spelled(times)} times what it should be"
    return f"is {what} {'+' if more > 0 else '-'} {abs(more):.5g} times {words}"


def _numbers(fits: Sequence[Fit]) -> Iterator[tuple[float, float]]:
    """The two numbers that fit best, if they fit well, to ever more digits; none where one of them is nothing."""
    parts = [np.concatenate([getattr(one, name) for one in fits] or [np.zeros(0)]) for name in _PARTS]
    seen, true, other, room = (np.asarray(part) for part in parts)
    known = (np.abs(np.stack([seen, true, other])) < HUGE).all(axis=0) & (room > 0) & (room < HUGE)
    if known.sum() < LEAST:
        return
    least = np.maximum(NEAR * np.maximum(np.abs(seen[known]), np.abs(true[known])), 1 / HUGE)
    weights = 1 / np.maximum(room[known], least)
    both = np.stack([true[known], other[known]], axis=1) * weights[:, None]
    fitted, _, rank, _ = np.linalg.lstsq(both, seen[known] * weights, rcond=None)
    if rank < 2 or not np.isfinite(fitted).all() or min(abs(fitted)) < TINY:
        return
    off = np.abs(both @ fitted - seen[known] * weights)
    if np.quantile(off, 0.8) > 1 + 1 / NEAR**0.5:
        return
    for digits in (2, 3, 5, 17):
        yield float(f"{fitted[0]:.{digits}g}"), float(f"{fitted[1]:.{digits}g}")


_PARTS = ("seen", "true", "other", "room")


def _gradient_fit(one: Outcome, term: Term) -> Fit:
    rows = np.flatnonzero(one.wrong_rows)
    rows = rows[:: 1 + len(rows) * one.problem.n_classes // MANY]
    with np.errstate(all="ignore"):
        other = np.broadcast_to(term(one), one.seen.gradient.shape)[rows]
    seen = one.seen
    return Fit(seen.gradient[rows].ravel(), seen.true_gradient[rows].ravel(), other.ravel(), _room(one)[rows].ravel())


def _room(one: Outcome) -> Array:
    return np.asarray(np.broadcast_to(one.seen.gradient_bound, one.seen.gradient.shape))


def _loss_fit(one: Outcome, term: Term) -> Fit:
    with np.errstate(all="ignore"):
        other = reduced(one, np.broadcast_to(term(one), (one.problem.n_rows,)))
    seen = one.seen
    return Fit(*(np.ravel(values) for values in (seen.loss, seen.true_loss, other, seen.loss_bound)))


def _gradient(one: Outcome, term: Term, times: float, more: float) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(times * one.seen.true_gradient + more * term(one))


def _loss(one: Outcome, term: Term, times: float, more: float) -> Array:
    with np.errstate(all="ignore"):
        rows = np.broadcast_to(term(one), (one.problem.n_rows,))
        return np.asarray(reduced(one, times * row_losses(one) + more * rows))


def _p(one: Outcome) -> Array:
    return terms.softmax_over(one.problem.mapped64, axis=1)


def _log_p(one: Outcome) -> Array:
    x = one.problem.mapped64
    top = x.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        return np.asarray((x - top) - np.log(np.exp(x - top).sum(axis=1, keepdims=True)))


def _p_log_p(one: Outcome) -> Array:
    p = _p(one)
    return np.where(p > 0, p * _log_p(one), 0.0)


def _lse(one: Outcome) -> Array:
    x = one.problem.mapped64
    top = x.max(axis=1)
    with np.errstate(all="ignore"):
        return np.asarray(top + np.log(np.exp(x - top[:, None]).sum(axis=1)))


def _label(one: Outcome) -> Array:
    return np.exp(-row_losses(one))


def _at_label(one: Outcome) -> Array:
    x, labels = one.problem.mapped64, np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    return np.asarray(x[np.arange(len(x)), labels])


def _others_loss(one: Outcome) -> Array:
    """The mean of -log p over the classes but the label's."""
    return np.asarray((-_log_p(one).sum(axis=1) - row_losses(one)) / max(1, one.problem.n_classes - 1))


def _entropy_slope(one: Outcome) -> Array:
    """The gradient of the entropy, over N."""
    less = _p_log_p(one)
    return np.asarray(-(less - _p(one) * less.sum(axis=1, keepdims=True)) / denominator(one))


def _smoothing(one: Outcome) -> Array:
    return shares(one, labels_of(one.problem)) - 1 / (denominator(one) * one.problem.n_classes)


_GRADIENT_TERMS: Mapping[str, Term] = {
    "p/N": lambda one: _p(one) / denominator(one),
    "one_hot/N": lambda one: shares(one, labels_of(one.problem)),
    "(one_hot - 1/K)/N": _smoothing,
    "1/(N K)": lambda one: np.asarray(1 / (denominator(one) * one.problem.n_classes)),
    "1/N": lambda one: np.asarray(1 / denominator(one)),
    "1/K": lambda one: np.asarray(1 / one.problem.n_classes),
    "x": lambda one: one.problem.mapped64,
    "x/N": lambda one: one.problem.mapped64 / denominator(one),
    "(x - the mean of the row)/N": lambda one: (
        (one.problem.mapped64 - one.problem.mapped64.mean(axis=1, keepdims=True)) / denominator(one)
    ),
    "the mean over the rows of the batch": lambda one: one.seen.true_gradient.mean(axis=0, keepdims=True),
    "the mean of the row's entries": lambda one: one.seen.true_gradient.mean(axis=1, keepdims=True),
    "that of the row before": lambda one: np.roll(one.seen.true_gradient, 1, axis=0),
    "that of the next row": lambda one: np.roll(one.seen.true_gradient, -1, axis=0),
    "p_y times what it should be": lambda one: _label(one)[:, None] * one.seen.true_gradient,
    "the row's loss times what it should be": lambda one: row_losses(one)[:, None] * one.seen.true_gradient,
    "p^2/N": lambda one: _p(one) ** 2 / denominator(one),
    "p (1 - p)/N": lambda one: _p(one) * (1 - _p(one)) / denominator(one),
    "log sum exp(x) p/N": lambda one: _lse(one)[:, None] * _p(one) / denominator(one),
    "the gradient of the entropy of p": _entropy_slope,
    "the sign of x": lambda one: np.sign(one.problem.mapped64),
    "the sign of what it should be": lambda one: np.sign(one.seen.true_gradient),
}

_LOSS_TERMS: Mapping[str, Term] = {
    "1": lambda one: np.asarray(1.0),
    "the mean of -log p": lambda one: -_log_p(one).mean(axis=1),
    "the mean of -log p of the other classes": _others_loss,
    "the sum of -log p": lambda one: -_log_p(one).sum(axis=1),
    "-log(1 - p_y)": lambda one: -np.log1p(-_label(one)),
    "the sum of -log(1 - p)": lambda one: -np.log1p(-_p(one)).sum(axis=1),
    "the sum of -log(1 - p) of the other classes": lambda one: (
        -np.where(terms.hot(one, labels_of(one.problem)), 0.0, np.log1p(-_p(one))).sum(axis=1)
    ),
    "the entropy of p": lambda one: -_p_log_p(one).sum(axis=1),
    "log sum exp(x)": _lse,
    "(log sum exp(x))^2": lambda one: _lse(one) ** 2,
    "p_y": _label,
    "sum p^2": lambda one: (_p(one) ** 2).sum(axis=1),
    "the largest p": lambda one: _p(one).max(axis=1),
    "the largest logit": lambda one: one.problem.mapped64.max(axis=1),
    "the label's logit": _at_label,
    "the mean of the logits": lambda one: one.problem.mapped64.mean(axis=1),
    "the sum of x^2": lambda one: (one.problem.mapped64**2).sum(axis=1),
    "the mean of x^2": lambda one: (one.problem.mapped64**2).mean(axis=1),
    "the sum of |x|": lambda one: np.abs(one.problem.mapped64).sum(axis=1),
    "log K": lambda one: np.asarray(np.log(one.problem.n_classes)),
    "the loss of the row before": lambda one: np.roll(row_losses(one), 1),
    "p_y times what it should be": lambda one: _label(one) * row_losses(one),
    "its square": lambda one: row_losses(one) ** 2,
}
