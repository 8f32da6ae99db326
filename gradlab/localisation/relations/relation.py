"""A relation between what comes out and the truth, and the terms of which relations are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.coefficients import denominator_of
from gradlab.problems.problem import Array

Predict = Callable[[Outcome], Array]


@dataclass(frozen=True, eq=False)
class Relation:
    """What comes out in the place of the truth.

    said: in words, behind "the gradient" or "the loss". predict: that for one outcome, from its problem and its truth.
    coarse: the unit roundoff of what it is rounded to, by which it may be off, or what says by how much, row by row,
    relatively; 0 otherwise.
    matched: the share of the entries of a gradient that it has to foretell. domain: of which rows it says something at
    all, boolean, (N,); of every row where it is None. twin: what the loss is where the gradient is this, mostly.
    """

    said: str
    predict: Predict
    coarse: float | Predict = 0.0
    matched: float = 1.0
    domain: Predict | None = None
    twin: Relation | None = None

    def covers(self, one: Outcome) -> Array:
        """Of which rows it says something, boolean, (N,)."""
        return np.ones(one.problem.n_rows, dtype=bool) if self.domain is None else self.domain(one)

    def off_by(self, one: Outcome) -> Array:
        """By how much what is foretold may be off, relatively: one number, or one for each row, (N, 1)."""
        return np.asarray(self.coarse(one) if callable(self.coarse) else self.coarse)


def hot(one: Outcome, labels: Array) -> Array:
    marks = np.zeros(one.problem.logits.shape, dtype=bool)
    marks[np.arange(one.problem.n_rows), np.clip(labels, 0, one.problem.n_classes - 1)] = True
    return marks


def denominator(one: Outcome) -> np.float64:
    """What the mean divides by, such as the number of rows that are not ignored; 0 where no row counts."""
    return np.float64(denominator_of(one.problem))


def shares(one: Outcome, labels: Array) -> Array:
    """One-hot rows over the denominator."""
    return hot(one, labels) / denominator(one)


def row_losses(one: Outcome, labels: Array | None = None, logits: Array | None = None) -> Array:
    """-log p of the labels, or of others, row by row in float64; of other logits, if given."""
    x = one.problem.mapped64 if logits is None else logits
    labels = labels_of(one.problem) if labels is None else labels
    top = x.max(axis=1)
    with np.errstate(all="ignore"):
        log_sum = np.log(np.exp(x - top[:, None]).sum(axis=1))
        return np.asarray(log_sum + (top - x[np.arange(len(x)), np.clip(labels, 0, x.shape[1] - 1)]))


def over(one: Outcome, losses: Array) -> Array:
    return np.asarray(losses.sum() / denominator(one))


def reduced(one: Outcome, losses: Array) -> Array:
    return losses if one.problem.objective.reduction == "none" else over(one, losses)


def softmax_over(logits: Array, axis: int) -> Array:
    """The softmax in float64, of rows (axis 1) or of columns (axis 0)."""
    with np.errstate(all="ignore"):
        e = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return np.asarray(e / e.sum(axis=axis, keepdims=True))


def gradient_by_logits(one: Outcome, logits: Array) -> Array:
    """The gradient in float64 for other logits."""
    with np.errstate(all="ignore"):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / (e.sum(axis=1, keepdims=True) * denominator(one))
    return np.asarray(p - shares(one, labels_of(one.problem)))
