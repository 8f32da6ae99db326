"""Losses of a batch that are another mean of its rows' losses, and gradients with the rows in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, row_losses
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

CHUNKS = (2, 3, 4, 5, 8, 10, 16, 32, 64, 100, 128, 256, 512, 1000, 1024)  # rows that are taken together
Mean = Callable[[Array], float]


def losses_of_batches() -> Iterator[Relation]:
    """Other means of the rows' losses, which are those of batches of more than one row."""
    for words, mean in _MEANS.items():
        yield Relation(f"is {words}", partial(_mean, mean=mean), domain=_is_mean)
    for words, count in _COUNTED.items():
        yield Relation(f"is the mean over {words}", partial(_counted, count=count), domain=_is_mean)


def gradients_of_counted_rows() -> Iterator[Relation]:
    """Gradients of the mean over some of the rows; the others get 0."""
    for words, count in _COUNTED.items():
        yield Relation(f"is that of the mean over {words}", partial(_gradient_counted, count=count), domain=_is_mean)


def gradients_of_orders() -> Iterator[Relation]:
    """The rows of the gradient in the order of something."""
    for words, key in _KEYS.items():
        yield Relation(f"has its rows in the order of {words}", partial(_ordered, key=key))


def gradients_centred() -> Iterator[Relation]:
    """Gradients less what their columns have in common, as some optimisers take them."""
    yield Relation("is less its mean over the rows", _centred)


def _centred(one: Outcome) -> Array:
    true = one.seen.true_gradient
    return np.asarray(true - true.mean(axis=0, keepdims=True))


def _is_mean(one: Outcome) -> Array:
    return np.full(one.problem.n_rows, one.problem.objective.reduction == "mean")


def _without(losses: Array, place: int) -> float:
    return float(np.delete(losses, place).sum() / max(1, len(losses) - 1))


def _mean_of_chunks(losses: Array, size: int) -> float:
    return float(np.mean([losses[at : at + size].mean() for at in range(0, len(losses), size)]))


def _over_whole_chunks(losses: Array, size: int) -> float:
    whole = len(losses) // size * size
    return float(losses[:whole].mean()) if whole else float(losses.mean())


_MEANS: dict[str, Mean] = {
    "the median of the rows' losses": lambda losses: float(np.median(losses)),
    "the mean without the largest of the rows' losses": lambda losses: _without(losses, int(losses.argmax())),
    "the mean without the smallest of the rows' losses": lambda losses: _without(losses, int(losses.argmin())),
    "the mean without the last row's loss": lambda losses: _without(losses, -1),
    "the mean without the first row's loss": lambda losses: _without(losses, 0),
    "the smallest of the rows' losses": lambda losses: float(losses.min()),
    "the root of the mean of the squares of the rows' losses": lambda losses: float(np.sqrt((losses**2).mean())),
    "the sum of the rows' losses over the root of N": lambda losses: float(losses.sum() / np.sqrt(len(losses))),
    "log of the mean of exp of the rows' losses": lambda losses: float(
        losses.max() + np.log(np.exp(losses - losses.max()).mean())
    ),
    **{f"the mean of the means of every {n} rows": partial(_mean_of_chunks, size=n) for n in CHUNKS},
    **{f"the mean over the whole blocks of {n} rows": partial(_over_whole_chunks, size=n) for n in CHUNKS},
}


def _first_of_label(one: Outcome) -> Array:
    _, first = np.unique(labels_of(one.problem), return_index=True)
    return np.isin(np.arange(one.problem.n_rows), first)


def _last_of_label(one: Outcome) -> Array:
    _, last = np.unique(labels_of(one.problem)[::-1], return_index=True)
    return np.isin(one.problem.n_rows - 1 - np.arange(one.problem.n_rows), last)


def _is_missed(one: Outcome) -> Array:
    return np.asarray(one.problem.logits64.argmax(axis=1) != labels_of(one.problem))


_COUNTED: dict[str, Callable[[Outcome], Array]] = {
    "the rows whose label is not the largest logit's class": _is_missed,
    "the rows whose label is the largest logit's class": lambda one: ~_is_missed(one),
    "the first row of each label": _first_of_label,
    "the last row of each label": _last_of_label,
    "the rows whose label is not 0": lambda one: labels_of(one.problem) != 0,
    "the rows whose label is not the last class": lambda one: labels_of(one.problem) != one.problem.n_classes - 1,
    "the rows whose loss is not 0": lambda one: row_losses(one) > 0,
    "every second row": lambda one: np.arange(one.problem.n_rows) % 2 == 0,
}


def _mean(one: Outcome, mean: Mean) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(mean(row_losses(one)))


def _counted(one: Outcome, count: Callable[[Outcome], Array]) -> Array:
    """Their mean; 0 where there are none."""
    marks, losses = count(one), row_losses(one)
    with np.errstate(all="ignore"):
        return np.asarray(losses[marks].sum() / max(1, marks.sum()))


def _gradient_counted(one: Outcome, count: Callable[[Outcome], Array]) -> Array:
    marks = count(one)
    share = one.problem.n_rows / max(1, marks.sum())
    if share > 1 and marks.any() and not one.wrong_rows[marks].any():  # the others alone are 0
        return np.full_like(one.seen.true_gradient, np.nan)
    return np.where(marks[:, None], share * one.seen.true_gradient, 0.0)


_KEYS: dict[str, Callable[[Outcome], Array]] = {
    "their labels": lambda one: labels_of(one.problem),
    "their losses": row_losses,
    "their losses, the largest first": lambda one: -row_losses(one),
    "their largest logits": lambda one: one.problem.mapped64.max(axis=1),
    "the place of their largest logit": lambda one: one.problem.mapped64.argmax(axis=1),
}


def _ordered(one: Outcome, key: Callable[[Outcome], Array]) -> Array:
    return np.asarray(one.seen.true_gradient[np.argsort(key(one), kind="stable")])
