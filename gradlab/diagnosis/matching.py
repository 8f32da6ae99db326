"""Whether what an implementation returned is what a model of a defect predicts, within the rounding of both.

A sound answer is within the forward error of `first_order`. Behind the softmax every stage is linear, so a stage that
multiplies by a factor multiplies that error by it; and what a model predicts carries a relative error of its own, from
as many roundings as the sound answer carries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.rounding_counts import BETA, base_roundings, gamma, sum_roundings, vanishes
from gradlab.diagnosis.pipeline import Prediction
from gradlab.evaluation.call import Answer
from gradlab.oracle.enclosure import enclose
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array, Problem


@dataclass(frozen=True, eq=False)
class Observation:
    """One problem and what an implementation returned for it, beside the truth.

    loss, gradient: as returned, float64; NaN where nothing usable was (faulty). true_loss, true_gradient: the
    enclosures' midpoints. loss_bound, gradient_bound: what a sound answer may be off; relative: what a prediction may.
    overflows: whether inf is a right loss.
    """

    problem: Problem
    faulty: bool
    loss: Array
    gradient: Array
    true_loss: Array
    true_gradient: Array
    loss_bound: Array
    gradient_bound: Array
    relative: float
    overflows: bool

    @property
    def wrong_loss(self) -> bool:
        close = _close(self.loss, self.true_loss, self.loss_bound) | (self.overflows & (self.loss == np.inf))
        return self.faulty or not close.all()

    @property
    def wrong_gradient(self) -> bool:
        return self.faulty or not _close(self.gradient, self.true_gradient, self.gradient_bound).all()

    @property
    def is_wrong(self) -> bool:
        return self.wrong_loss or self.wrong_gradient


def observe(problem: Problem, answer: Answer) -> Observation:
    """The observation of an answer to a problem."""
    truth = enclose(problem)
    losses = first_order.losses(problem)
    given = answer.loss is not None and answer.gradient is not None
    with np.errstate(invalid="ignore", over="ignore"):
        loss = answer.loss.astype(np.float64) if answer.loss is not None else np.full(truth.loss.shape, np.nan)
        gradient = np.full(truth.gradient.shape, np.nan)
        if answer.gradient is not None:
            gradient = answer.gradient.astype(np.float64)
    return Observation(
        problem,
        not given,
        loss,
        gradient,
        truth.loss.nearest(),
        truth.gradient.nearest(),
        first_order.reduced_loss(problem, losses)[0],
        first_order.gradient(problem)[0],
        _relative(problem),
        first_order.sum_overflows(problem) or bool((truth.loss.nearest() > problem.format.largest).any()),
    )


def matches_loss(seen: Observation, predicted: Prediction, coarse: str = "") -> bool:
    """Whether the loss is the predicted one; coarse: to the rounding of a narrower dtype.

    Wild rows need only be wrong.
    """
    if seen.faulty or predicted.refused:
        return seen.faulty and (predicted.refused or bool(predicted.wild.any()))
    room = _room(seen.loss_bound, seen.true_loss, predicted.loss, seen.relative, _coarser(seen, coarse))
    close = _close(seen.loss, predicted.loss, room) | (seen.overflows & (seen.loss == np.inf))
    wild = predicted.wild if seen.loss.ndim else predicted.wild.any()
    return bool((close | wild).all()) and (not predicted.wild.any() or seen.is_wrong)


def matches_gradient(seen: Observation, predicted: Prediction, coarse: str = "") -> bool:
    """Whether every entry of the gradient is the predicted one, as in `matches_loss`."""
    if seen.faulty or predicted.refused:
        return seen.faulty and (predicted.refused or bool(predicted.wild.any()))
    relative, coarser = seen.relative, _coarser(seen, coarse)
    room = _room(seen.gradient_bound, seen.true_gradient, predicted.gradient, relative, coarser)
    close = _close(seen.gradient, predicted.gradient, room)
    lost = ~seen.problem.rows_with_value  # NaN somewhere in the row: where, depends on how the rest is written
    lost &= np.isnan(seen.gradient).any(axis=1) & np.isnan(predicted.gradient).any(axis=1)
    close |= lost[:, None]
    return bool((close | predicted.wild[:, None]).all()) and (not predicted.wild.any() or seen.is_wrong)


def is_true(seen: Observation, predicted: Prediction) -> bool:
    """Whether a prediction is the truth, as far as rounding lets one see."""
    loss = _close(predicted.loss, seen.true_loss, 2 * seen.loss_bound).all()
    return bool(loss and _close(predicted.gradient, seen.true_gradient, 2 * seen.gradient_bound).all())


def is_contradicted(seen: Observation, predicted: Prediction) -> bool:
    """Whether an answer is right, in some entry, where the prediction is off by more than half of it."""
    loss = _contradictions(seen.loss, seen.true_loss, seen.loss_bound, predicted.loss)
    gradient = _contradictions(seen.gradient, seen.true_gradient, seen.gradient_bound, predicted.gradient)
    wild = predicted.wild if seen.loss.ndim else predicted.wild.any()
    return bool((loss & ~wild).any() or (gradient & ~predicted.wild[:, None]).any())


def _contradictions(values: Array, true: Array, bound: Array, foreseen: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(_close(values, true, bound) & (np.abs(foreseen - true) > np.abs(true) / 2 + 4 * bound))


def closer_to(seen: Observation, predicted: Prediction) -> tuple[int, int]:
    """Of the entries that are wrong: how many are at least four times as close to the prediction, and how many are."""
    loss = _closer(seen.loss, seen.true_loss, seen.loss_bound, predicted.loss)
    gradient = _closer(seen.gradient, seen.true_gradient, seen.gradient_bound, predicted.gradient)
    return loss[0] + gradient[0], loss[1] + gradient[1]


def _closer(values: Array, true: Array, bound: Array, foreseen: Array) -> tuple[int, int]:
    wrong = ~_close(values, true, bound)
    with np.errstate(invalid="ignore"):
        close = np.abs(values - foreseen) <= np.abs(values - true) / 4
    return int((wrong & close).sum()), int(wrong.sum())


def _coarser(seen: Observation, dtype: str) -> float:
    """How much coarser a dtype rounds than that of the problem."""
    return format_of(dtype).unit_roundoff / seen.problem.format.unit_roundoff if dtype else 1.0


def _room(bound: Array, true: Array, predicted: Array, relative: float, coarser: float) -> Array:
    """The bound, times how much larger than the truth the prediction is, and the prediction's own relative error.

    All of it times `coarser`; infinite where that overflows.
    """
    sizes = [float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in (predicted, true, bound)]
    reference = max(sizes[1], sizes[2])
    with np.errstate(invalid="ignore", over="ignore"):
        factor = max(1.0, np.float64(sizes[0]) / reference) if reference else 1.0
        own = relative * np.where(np.isfinite(predicted), np.abs(predicted), 0)
        return np.asarray((2 * factor * bound + own) * coarser)


def _relative(problem: Problem) -> float:
    """gamma of the roundings that an entry carries: the sum's, four of exp and log, the logits' and log S."""
    c, fmt = conditioning(problem), problem.format
    base = base_roundings(fmt)
    distance = float(np.minimum(c.distance, vanishes(fmt)).max(initial=0.0))
    log_sum = float(np.abs(c.log_sum).max(initial=0.0))
    k = sum_roundings(problem.n_classes, fmt) + 8 * BETA + (base + 2) * distance + (base + 9) * log_sum + 8
    k += float(np.max(c.moved, initial=0.0))
    return float(gamma(k, fmt))


def _close(seen: Array, wanted: Array, room: Array) -> Array:
    with np.errstate(invalid="ignore"):
        near = np.abs(seen - wanted) <= room
    return np.asarray(near | (seen == wanted) | (np.isnan(seen) & np.isnan(wanted)))
