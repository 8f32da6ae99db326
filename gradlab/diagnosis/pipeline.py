"""A softmax cross-entropy as a row of stages, each of them sound; a model of a defect replaces one or two of them.

All is computed in the dtype of the logits, or in float64 where that is asked for, as the implementation under test
would: what overflows there overflows here. Nothing here is a bound or a truth; it is what a mistake would return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gradlab.problems.coefficients import coefficients_of, denominator_of
from gradlab.problems.coefficients import gradient_factors as own_gradient_factors
from gradlab.problems.coefficients import loss_factors as own_loss_factors
from gradlab.problems.mapping import RowSums, map_logits, row_terms
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem


@dataclass(eq=False)
class View:
    """One problem on its way through the stages; shape (N, K) unless said otherwise.

    x: logits, as the softmax gets them. m: what is subtracted, (N, 1) or broadcastable. d = x - m, e = exp(d). s: the
    sums, (N, 1) or broadcastable. p: probabilities. t: coefficients, of the loss first and of the gradient then.
    """

    problem: Problem
    x: Array
    m: Array
    d: Array
    e: Array
    s: Array
    p: Array
    t: Array

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.x.dtype


@dataclass(frozen=True, eq=False)
class Prediction:
    """What an implementation with a defect would return for one problem.

    loss: shape () or (N,); gradient: (N, K); float64. wild: rows (N,) in which a sum vanished or overflowed, so that
    what comes out depends on how the rest is written. refused: it would raise.
    """

    loss: Array
    gradient: Array
    wild: Array
    refused: bool = False


def sound_logits(problem: Problem) -> Array:
    """The logits as they are."""
    return problem.logits


def sound_targets(problem: Problem) -> Array:
    """The coefficients that the objective defines."""
    return _coefficients(problem)


def row_maximum(x: Array) -> Array:
    """The largest logit of each row; NaN where it is not finite."""
    largest = x.max(axis=1, keepdims=True)
    return np.asarray(np.where(np.isfinite(largest), largest, largest.dtype.type(np.nan)))


def difference(x: Array, m: Array) -> Array:
    """x - m."""
    return np.asarray(x - m)


def row_sums(view: View) -> Array:
    """The sum of each row, (N, 1); of half-precision terms in float32."""
    wide = np.float32 if view.e.dtype.itemsize == 2 else view.e.dtype
    return np.asarray(view.e.sum(axis=1, keepdims=True, dtype=wide).astype(view.dtype))


def quotients(view: View) -> Array:
    """e / s."""
    return np.asarray(view.e / view.s)


def log_sum_less_logit(view: View) -> Array:
    """sum_j t_j (log s - d_j), (N,); classes without a share do not count."""
    return weighted_sum(view, np.log(view.s) - view.d)


def mass_times_probabilities(view: View, t: Array | None = None) -> Array:
    """A p, A = sum_j t_j of the view's t or of another; 0 in an ignored row with A = 0, whatever its logits."""
    coefficient_sum = (view.t if t is None else t).sum(axis=1, keepdims=True)
    ignored = view.problem.ignored_rows[:, None] & (coefficient_sum == 0)
    return np.asarray(np.where(ignored, view.dtype.type(0), coefficient_sum * view.p))


def probabilities_less_targets(view: View) -> Array:
    """A p - t."""
    return np.asarray(mass_times_probabilities(view) - view.t)


def sound_image(x: Array, problem: Problem) -> Array:
    """What the objective's maps make of the logits."""
    return np.asarray(map_logits(problem.objective, x, x.dtype.type)[0])


def sound_slope(x: Array, problem: Problem) -> Array:
    """How fast that moves with each logit, (N, K) or one number."""
    return np.asarray(map_logits(problem.objective, x, x.dtype.type)[1])


def sound_loss_terms(view: View) -> Array:
    """What the objective's terms add to the rows' losses, (N,) or one number."""
    return loss_and_gradient_terms(view, view.problem.objective)[0]


def sound_gradient_terms(view: View) -> Array:
    """What they add to the rows' gradients, before the slope of the maps; (N, K) or one number."""
    return loss_and_gradient_terms(view, view.problem.objective)[1]


def loss_and_gradient_terms(view: View, objective: Objective, lse: Array | None = None) -> tuple[Array, Array]:
    """What an objective's terms add to the rows' losses and gradients; with another log sum exp, (N, 1), if given."""
    if not objective.real_options:
        return np.zeros(1, dtype=view.dtype), np.zeros((1, 1), dtype=view.dtype)
    own = view.m + np.log(view.s) if lse is None else lse
    m, coefficient_sum = (view.t * view.p).sum(axis=1, keepdims=True), view.t.sum(axis=1, keepdims=True)
    terms = row_terms(objective, RowSums(own, m, coefficient_sum), view.dtype.type)
    along = terms.along_lse * view.p + terms.along_target * view.p * (view.t - m)
    ignored = view.problem.ignored_rows
    return np.where(ignored, 0, np.broadcast_to(terms.value, m.shape)[:, 0]), np.where(ignored[:, None], 0, along)


def sound_loss(losses: Array, problem: Problem) -> Array:
    """The reduction that the objective defines."""
    if problem.objective.reduction == "none":
        return losses
    shares = losses / np.float64(_denominator(problem))  # a sum of losses may overflow where their mean does not
    return np.asarray(shares.sum())


def sound_gradient(gradient: Array, problem: Problem) -> Array:
    """The gradient over the denominator that the objective defines."""
    return np.asarray(gradient / np.float64(_denominator(problem) or 1.0))


def weighted_sum(view: View, terms: Array) -> Array:
    """sum_j t_j terms_j, (N,), without the classes whose share is 0."""
    return np.asarray(np.where(view.t != 0, view.t * terms, 0).sum(axis=1))


_coefficients = lru_cache(maxsize=256)(coefficients_of)
_denominator = lru_cache(maxsize=256)(denominator_of)


@dataclass(frozen=True)
class Stages:
    """The stages, in the order in which they are taken; each sound unless it is replaced."""

    logits: Callable[[Problem], Array] = sound_logits
    image: Callable[[Array, Problem], Array] = sound_image
    loss_targets: Callable[[Problem], Array] = sound_targets
    gradient_targets: Callable[[Problem], Array] = sound_targets
    shift: Callable[[Array], Array] = row_maximum
    below: Callable[[Array, Array], Array] = difference
    sums: Callable[[View], Array] = row_sums
    probabilities: Callable[[View], Array] = quotients
    losses: Callable[[View], Array] = log_sum_less_logit
    loss_terms: Callable[[View], Array] = sound_loss_terms
    gradient: Callable[[View], Array] = probabilities_less_targets
    gradient_terms: Callable[[View], Array] = sound_gradient_terms
    slope: Callable[[Array, Problem], Array] = sound_slope
    loss_factors: Callable[[Problem], Array] = own_loss_factors
    gradient_factors: Callable[[Problem], Array] = own_gradient_factors
    loss: Callable[[Array, Problem], Array] = sound_loss
    scaled: Callable[[Array, Problem], Array] = sound_gradient


SOUND = Stages()
LOSS_STAGES = frozenset({"loss_targets", "losses", "loss_terms", "loss_factors", "loss"})
GRADIENT_STAGES = frozenset({"gradient_targets", "gradient", "gradient_terms", "slope", "gradient_factors", "scaled"})

Changes = Mapping[str, Callable[..., Array]]


def simulate(problem: Problem, stages: Stages, inside: str = "") -> Prediction:
    """What these stages return. inside: the dtype to compute in, if not the logits' own."""
    n_rows, n_classes = problem.logits.shape
    try:
        with np.errstate(all="ignore"):
            view, losses, gradient = _through(problem, stages, inside)
            wild = _wild(view, problem)
            losses = losses.astype(np.float64) * stages.loss_factors(problem)
            gradient = gradient[:, :n_classes].astype(np.float64) * stages.gradient_factors(problem)[:, None]
            loss = np.asarray(stages.loss(losses, problem), dtype=np.float64)
            scaled = stages.scaled(gradient, problem)
    except (ValueError, IndexError):
        shape = (n_rows,) if problem.objective.reduction == "none" else ()
        return Prediction(np.full(shape, np.nan), np.full((n_rows, n_classes), np.nan), np.ones(n_rows, bool), True)
    return Prediction(loss, np.asarray(scaled, dtype=np.float64), wild)


def _through(problem: Problem, stages: Stages, inside: str) -> tuple[View, Array, Array]:
    given = stages.logits(problem)
    given = given.astype(inside) if inside else given
    x = stages.image(given, problem)
    m = stages.shift(x)
    d = stages.below(x, m)
    if d.shape != x.shape:
        raise ValueError(f"the shift must leave the shape {x.shape} alone, got {d.shape}")
    empty = np.zeros(0, dtype=x.dtype)
    view = View(problem, x, m, d, np.exp(d), empty, empty, empty)
    view.s = stages.sums(view)
    view.p = stages.probabilities(view)
    view.t = _fit(stages.loss_targets(problem), x)
    losses = stages.losses(view) + stages.loss_terms(view)
    view.t = _fit(stages.gradient_targets(problem), x)
    gradient = stages.gradient(view)
    return view, losses, (gradient + stages.gradient_terms(view)) * stages.slope(given, problem)


def _fit(t: Array, x: Array) -> Array:
    """The coefficients in the dtype of the logits, with 0 for classes that padding has added."""
    added = x.shape[1] - t.shape[1]
    return np.asarray(np.pad(t, ((0, 0), (0, added))).astype(x.dtype) if added else t.astype(x.dtype))


def _wild(view: View, problem: Problem) -> Array:
    """Rows that have a value, but whose sum vanished, overflowed or is NaN."""
    s = np.broadcast_to(view.s, (problem.n_rows, view.s.shape[-1])).astype(np.float64)
    lost = (~np.isfinite(s) | (s == 0)).any(axis=1) | (view.e == np.inf).any(axis=1)
    return np.asarray(lost & problem.rows_with_value & ~np.isnan(view.x).any(axis=1))
