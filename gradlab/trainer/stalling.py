"""The step from which a trainer changes nothing, while exact descent goes on: floating point stalls, descent does not.

Where a step of sound code changes no parameter, neither does any after it: it carries nothing from step to step. So
the first of these is found from few trainings, between a step that changed something and the last. Exact descent goes
on where its gradient is not 0, which is proved at the weights that stay. There are two reasons for a stall:

    the steps of exact descent are shorter than half the spacing of the numbers at each parameter: they round away
    a label's p is 1 within the unit roundoff: it rounds to 1, and p - 1, the label's entry of the gradient, to 0

A stall is no mistake. One that comes earlier than the format's rounding allows is, and that is a finding of the laws.

On data that a plane parts, and without a penalty, the gradient of exact descent is never 0. Each row of X = I has a
weight of its own for each class, so that every entry of the gradient is seen in the weights. The margin is such at the
start that 1 - p is e u, e = 2.7..., u the unit roundoff; the rate is so large that p comes within u of 1 in 30 steps;
and a number that is added to all weights, which no probability depends on, makes their spacing so wide that steps round
away within some hundred, and not after 1/u of them as from zeros.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gradlab.layer.oracle.truth import enclose_layer
from gradlab.oracle.ends import ends_of
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained, Trainer, train
from gradlab.trainer.gradient import UPWARDS
from gradlab.trainer.optimum import layer_at
from gradlab.trainer.problem import TrainerProblem

N_CLASSES, LONGEST = 3, 512
FASTEST = 2.0**-4  # the rate, times the unit roundoff
SPACING = 2.0**-8  # of the weights at the start
SECONDS = 20.0  # for the trainings that find the first step; beyond them it is bounded

Place = Callable[[Array], Array]  # some of the parameters

REASONS = {
    "spacing": "steps round away",
    "saturation": "p rounds to 1, and p - 1, the label's entry of the gradient, to 0",
    "unknown": "steps do not round away, nor does p round to 1; why is not known",
}


@dataclass(frozen=True)
class Stall:
    """From which step on nothing changes of some parameters.

    step: the first that changes nothing, counted from 1; after: the last that is known to change something, which is
    the one before unless time was up. length: how long exact descent's step is there, at least (proved), in the norm.
    spacings: the longest part of it, of one parameter, over half the spacing of the numbers there, at most (proved).
    reason: of REASONS.
    """

    step: int
    after: int
    length: float
    spacings: float
    reason: str


@dataclass(frozen=True)
class Stalls:
    """Where a trainer stalls on data that a plane parts: its weights, and those of each row's label alone.

    n_steps: how many were asked for. None: not in as many.
    """

    dtype: str
    n_steps: int
    weights: Stall | None
    labels: Stall | None


def find_stall(trainer: Trainer, problem: TrainerProblem, trained: Trained) -> Stall | None:
    """Where a training stalls that came to `trained`; None where its last step changes something.

    None in batches too, whose steps are of other rows each, and where exact descent's gradient may be 0.
    """
    if problem.batch_size is not None or (trainer.way and trainer.way.repeats):
        return None
    return _stall(_Training(trainer, problem, trained.parameters), lambda parameters: parameters)


def find_stalls(trainer: Trainer, dtype: str) -> Stalls | None:
    """Where it stalls on data that a plane parts; None of a trainer that makes its own start."""
    if not trainer.takes("W") or (trainer.way and trainer.way.repeats):
        return None
    problem = separable_problem(trainer, dtype)
    trained = train(trainer, problem)
    if trained.fault:
        return None
    training = _Training(trainer, problem, trained.parameters)
    weights = _stall(training, lambda parameters: parameters[:N_CLASSES])
    labels = _stall(training, lambda parameters: np.diagonal(parameters[:N_CLASSES]))
    return Stalls(problem.format.name, problem.n_steps, weights, labels)


def encode_stalls(stall: Stall | None, stalls: Stalls | None) -> dict[str, Any]:
    """Where a training on data stalls, and where on data that a plane parts, as plain data: null where it does not.

    That is what was observed, of which a certificate proves nothing.
    """
    return {"stalls": {"data": stall and asdict(stall), "separable": stalls and asdict(stalls)}}


def separable_problem(trainer: Trainer, dtype: str) -> TrainerProblem:
    """A row for each class, X = I, from where descent has long been going, as the module says."""
    unit = np.eye(N_CLASSES, dtype=dtype)
    bias = np.zeros(N_CLASSES, dtype) if trainer.has_bias else None
    problem = TrainerProblem(unit, np.arange(N_CLASSES), unit, bias, 1.0, LONGEST, family="separable")
    roundoff = problem.format.unit_roundoff
    margin = math.log((N_CLASSES - 1) / roundoff) - 1
    wide = 1.5 * SPACING / (2 * roundoff)
    start = wide + margin * (unit.astype(np.float64) - 1 / N_CLASSES)
    bias = None if bias is None else bias - np.asarray(wide, dtype)  # so that logits, of both, are exact
    return problem.replace(weight=start.astype(dtype), bias=bias, learning_rate=FASTEST / roundoff)


class _Training:
    """A training whose iterates are asked for, each by a training of its own, and none twice."""

    def __init__(self, trainer: Trainer, problem: TrainerProblem, end: Array) -> None:
        self.trainer, self.problem = trainer, problem
        self.known = {problem.n_steps: end}
        self.until = time.monotonic() + SECONDS

    @property
    def has_time(self) -> bool:
        return time.monotonic() < self.until

    @property
    def end(self) -> Array:
        return self.known[self.problem.n_steps]

    def at(self, n_steps: int) -> Array | None:
        """The parameters after so many steps."""
        if n_steps not in self.known:
            trained = train(self.trainer, self.problem.replace(n_steps=n_steps))
            if trained.fault:
                return None
            self.known[n_steps] = trained.parameters
        return self.known[n_steps]

    def is_at_the_end(self, n_steps: int, place: Place) -> bool:
        found = self.at(n_steps)
        return found is not None and bool((place(found) == place(self.end)).all())


def _stall(training: _Training, place: Place) -> Stall | None:
    last = training.problem.n_steps
    if last < 1 or not training.is_at_the_end(last - 1, place):
        return None
    moving, still = -1, last - 1
    while still - moving > 1 and training.has_time:
        middle = (moving + still) // 2
        if training.is_at_the_end(middle, place):
            still = middle
        else:
            moving = middle
    parameters = training.at(still)
    assert parameters is not None  # it is at the end
    stall = _explained(training.problem, parameters, place)
    return stall and replace(stall, step=still + 1, after=moving + 1)


def _explained(problem: TrainerProblem, parameters: Array, place: Place) -> Stall | None:
    """The stall at these parameters, whatever step that is; None where exact descent may stay there too."""
    least, most = _exact_sizes(problem, parameters)
    length = problem.learning_rate * float(np.linalg.norm(place(least))) / UPWARDS
    if not length:
        return None
    half = _half_spacing(parameters, problem)
    spacings = float(place(problem.learning_rate * most / half).max()) * UPWARDS
    accurate = _accurate_errors(problem, parameters)
    n_others, unit = problem.n_classes - 1, problem.format.unit_roundoff
    rounded = np.where((accurate < 0) & (accurate >= -n_others * unit), 0, accurate)  # p, as a sum of n_others is 1
    reason = "unknown"
    if spacings <= 1 or not place(_moved(problem, parameters, accurate)).any():
        reason = "spacing"
    elif not place(_moved(problem, parameters, rounded)).any():
        reason = "saturation"
    return Stall(0, 0, length, spacings, reason)


def _exact_sizes(problem: TrainerProblem, parameters: Array) -> tuple[Array, Array]:
    """What the size of each entry of the exact gradient is between."""
    truth = enclose_layer(layer_at(problem, parameters))
    parts = [truth.dW] if problem.bias is None else [truth.dW, truth.db]
    low, high = (np.concatenate([np.atleast_2d(ends_of(part)[end]) for part in parts]) for end in (0, 1))
    most = np.maximum(np.abs(low), np.abs(high))
    return np.where(low * high > 0, np.minimum(np.abs(low), np.abs(high)), 0), most


def _half_spacing(parameters: Array, problem: TrainerProblem) -> Array:
    """Half the distance to the next number towards 0, in the problem's format."""
    values = np.abs(parameters).astype(problem.features.dtype)
    return np.asarray(np.spacing(np.nextafter(values, 0)).astype(np.float64) / 2)


def _accurate_errors(problem: TrainerProblem, parameters: Array) -> Array:
    """The gradient by the logits in the problem's format, (n_rows, K): a label's entry is the sum of the others'."""
    dtype = problem.features.dtype
    logits = problem.extended64.astype(dtype) @ parameters.astype(dtype)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    shares = problem.shares64.astype(dtype)
    others = np.where(shares == 1, 0, p)
    return np.asarray(np.where(shares == 1, -others.sum(axis=1, keepdims=True), p - shares))


def _moved(problem: TrainerProblem, parameters: Array, by_logits: Array) -> Array:
    """By how much each parameter moves in a step of the problem's format with this gradient by the logits."""
    dtype = problem.features.dtype
    current = parameters.astype(dtype)
    gradient = problem.extended64.astype(dtype).T @ (by_logits / dtype.type(problem.n_rows))
    gradient += problem.slopes.astype(dtype) * current
    return np.asarray(current - dtype.type(problem.learning_rate) * gradient - current)
