"""What gradient descent comes to with a mistake, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import NamedTuple

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.mistakes import Mistake
from gradlab.trainer.problem import TrainerProblem


def descend_with(problem: TrainerProblem, mistake: Mistake) -> Array:
    """What descent with the mistake comes to after all steps, (n_parameters, n_classes)."""
    walk = _Walk(problem, mistake)
    current = _start(problem, mistake)
    seen = [current]
    with np.errstate(all="ignore"):
        for step in range(_n_steps(problem, mistake)):
            current = walk.following(current, step)
            seen.append(current)
    if mistake.averaging:
        return _moving_average(seen, mistake.averaging)
    if mistake.average:
        kept = seen if mistake.average == "all" else seen[1:] or seen
        return np.asarray(np.mean(kept, axis=0))
    return current


def _moving_average(iterates: list[Array], keeping: float) -> Array:
    average = iterates[0]
    for one in iterates[1:]:
        average = keeping * average + (1 - keeping) * one
    return average


class _Rows(NamedTuple):
    """The numbers of the rows that a step takes the features of, and those that it takes the labels of."""

    features: Array
    labels: Array


class _Walk:
    """The state of a descent: velocity, the gradient of the step before, an epoch's start, an optimizer's moments."""

    def __init__(self, problem: TrainerProblem, mistake: Mistake) -> None:
        self.problem, self.mistake = problem, mistake
        self.features = FEATURES[mistake.features](problem)
        self.shares = _shares(problem, mistake)
        self.turns = _turns(problem, mistake)
        self.velocity = np.zeros(problem.start64.shape)
        self.before: Array | None = None
        self.epoch_start = problem.start64
        self.moments = (np.zeros(problem.start64.shape), np.zeros(problem.start64.shape))

    def following(self, current: Array, step: int) -> Array:
        """The parameters after a step; step counts from 0."""
        mistake, rows = self.mistake, next(self.turns)
        rate = mistake.rate * self.problem.learning_rate * _schedule(mistake, step, self.problem.n_steps)
        at = current - rate * mistake.momentum * self.velocity if mistake.looks_ahead else current
        if step % self.problem.n_batches == 0:
            self.epoch_start = current
        at = self.epoch_start if mistake.epoch_start else at
        own = self._gradient(at, rows)
        gradient = own if self.before is None or not mistake.stale else self.before
        self.before = own
        gradient = SCALES[mistake.scale](self, _clipped(gradient, mistake), step)
        self.velocity = mistake.momentum * self.velocity + (1 - mistake.momentum * mistake.is_damped) * gradient
        found = current - rate * self.velocity
        if mistake.new_weight and self.problem.bias is not None:
            halfway = np.concatenate([found[:-1], current[-1:]])
            found[-1] = current[-1] - rate * self._gradient(halfway, rows)[-1]
        if mistake.new_bias and self.problem.bias is not None:
            halfway = np.concatenate([current[:-1], found[-1:]])
            found[:-1] = current[:-1] - rate * self._gradient(halfway, rows)[:-1]
        return found.astype(mistake.rounds_to).astype(np.float64) if mistake.rounds_to else found

    def _gradient(self, parameters: Array, rows: _Rows) -> Array:
        """The whole gradient."""
        problem, mistake = self.problem, self.mistake
        features, shares = self.features[rows.features], self.shares[rows.labels]
        sums = features.T @ LOSSES[mistake.loss](features @ parameters, shares)
        divisors = np.full((len(sums), 1), _divisor(mistake.divisor, problem, len(shares)))
        factors = np.full((len(sums), 1), mistake.weight_rate)
        slopes, decays = problem.slopes * mistake.penalty, np.full((len(sums), 1), mistake.decay)
        if problem.bias is not None:
            divisors[-1] = _divisor(mistake.bias_divisor or mistake.divisor, problem, len(shares))
            factors[-1] = mistake.bias_rate
            slopes[-1] = problem.penalty.slope * mistake.penalty if mistake.bias_penalty else slopes[-1]
            decays[-1] *= mistake.decays_bias
        return np.asarray((sums / divisors + slopes * parameters) * factors + decays * parameters)


def _start(problem: TrainerProblem, mistake: Mistake) -> Array:
    found = problem.start64.copy()
    if mistake.start in ("all", "weight"):
        found[: problem.n_features] = 0
    if mistake.start in ("all", "bias"):
        found[problem.n_features :] = 0
    return found


def _schedule(mistake: Mistake, step: int, n_steps: int) -> float:
    """What the rate is multiplied by in a step, counted from 0."""
    share = step / n_steps
    over_all = {"": 1.0, "linear": 1 - share, "cosine": (1 + math.cos(math.pi * share)) / 2}[mistake.schedule]
    falling = mistake.geometric**step / (step + 1) ** mistake.falling / (1 + mistake.shrinking * step)
    warmed = min(1.0, (step + mistake.counts_from) / mistake.warming) if mistake.warming else 1.0
    return float(over_all * falling * warmed)


def _clipped(gradient: Array, mistake: Mistake) -> Array:
    norm = float(np.linalg.norm(gradient))
    shortened = gradient * min(1.0, mistake.max_norm / norm) if norm else gradient
    return np.asarray(np.clip(shortened, -mistake.max_entry, mistake.max_entry))


def _divisor(name: str, problem: TrainerProblem, n_rows: int) -> float:
    values = {
        "rows": n_rows,
        "none": 1,
        "classes": problem.n_classes,
        "features": problem.n_features,
        "entries": n_rows * problem.n_classes,
        "rows less 1": max(n_rows - 1, 1),
        "rows and 1": n_rows + 1,
        "batch size": problem.batch_size or problem.n_rows,
        "all rows": problem.n_rows,
    }
    return float(values[name])


def _n_steps(problem: TrainerProblem, mistake: Mistake) -> int:
    """As many as asked for; as many epochs where these have fewer batches."""
    if mistake.turns != "full batches of epochs":
        return problem.n_steps
    return problem.n_steps // problem.n_batches * (problem.n_rows // (problem.batch_size or problem.n_rows))


def _shares(problem: TrainerProblem, mistake: Mistake) -> Array:
    shares = np.roll(problem.shares64, mistake.label_shift, axis=1)
    return np.asarray((1 - mistake.smoothing) * shares + mistake.smoothing / problem.n_classes)


APART = {"rows, then labels": (1, 0), "labels, then rows": (0, 1)}  # which of two epochs' orders is that of the labels


def _turns(problem: TrainerProblem, mistake: Mistake) -> Iterator[_Rows]:
    """The rows of each step."""
    every = np.arange(problem.n_rows)
    batches = [every[rows] for rows in problem.batches]
    if mistake.turns == "one row":
        batches = [every[row : row + 1] for row in every]
    if mistake.turns == "all rows":
        batches = [every]
    if mistake.turns == "all but the last row":
        batches = [rows[:-1] if len(rows) > 1 else rows for rows in batches]
    if mistake.turns == "all but the first row":
        batches = [rows[1:] if len(rows) > 1 else rows for rows in batches]
    if mistake.turns == "the first batch":
        batches = batches[:1]
    if mistake.turns.startswith("full batches"):
        batches = [rows for rows in batches if len(rows) == len(batches[0])]
    labels = batches
    if mistake.turns == "labels as they were":
        sizes = [len(rows) for rows in batches]
        starts = [sum(sizes[: n % problem.n_batches]) for n in range(problem.n_batches)]
        labels = [
            (starts[n % problem.n_batches] + np.arange(len(rows))) % problem.n_rows for n, rows in enumerate(batches)
        ]
    if mistake.turns in APART:
        labels, batches = (_epochs(batches, problem.n_batches, first) for first in APART[mistake.turns])
    return cycle(map(_Rows, batches, labels))


def _epochs(batches: list[Array], n_batches: int, first: int) -> list[Array]:
    """The batches of every second epoch; all where there is but one."""
    return [batch for place, batch in enumerate(batches) if place // n_batches % 2 == first] or batches


def _softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def _perceptron(logits: Array, shares: Array) -> Array:
    return np.asarray((logits == logits.max(axis=1, keepdims=True)) - shares)


def _square_error(logits: Array, shares: Array) -> Array:
    p = _softmax(logits)
    return _through_softmax(p, p - shares)


def _softmax_twice(logits: Array, shares: Array) -> Array:
    p = _softmax(logits)
    return _through_softmax(p, _softmax(p) - shares)


def _through_softmax(p: Array, by_p: Array) -> Array:
    """The gradient by the logits out of that by the probabilities."""
    apart = p * by_p
    return np.asarray(apart - p * apart.sum(axis=1, keepdims=True))


# The gradients by the logits of losses that stand for the cross-entropy, a row each.
LOSSES: Mapping[str, Callable[[Array, Array], Array]] = {
    "softmax": lambda logits, shares: _softmax(logits) - shares,
    "sigmoid": lambda logits, shares: 1 / (1 + np.exp(-logits)) - shares,
    "square": _square_error,
    "softmax twice": _softmax_twice,
    "probability": lambda logits, shares: _through_softmax(_softmax(logits), -shares),
    "perceptron": _perceptron,
    "linear": lambda logits, shares: logits - shares,
}


def _with_features(problem: TrainerProblem, features: Array) -> Array:
    return np.asarray(np.concatenate([features, problem.extended64[:, problem.n_features :]], axis=1))


def _centred(problem: TrainerProblem) -> Array:
    features = problem.features.astype(np.float64)
    return np.asarray(features - features.mean(axis=0))


def _ranged(problem: TrainerProblem) -> Array:
    features = problem.features.astype(np.float64)
    return np.asarray((features - features.min(axis=0)) / np.ptp(features, axis=0))


# What is done to the features first; X~ of it.
FEATURES: Mapping[str, Callable[[TrainerProblem], Array]] = {
    "": lambda problem: problem.extended64,
    "centred": lambda problem: _with_features(problem, _centred(problem)),
    "standardised": lambda problem: _with_features(problem, _centred(problem) / _centred(problem).std(axis=0)),
    "unit rows": lambda problem: _with_features(
        problem, problem.features / np.linalg.norm(problem.features.astype(np.float64), axis=1, keepdims=True)
    ),
    "range": lambda problem: _with_features(problem, _ranged(problem)),
}


def _unit(gradient: Array) -> Array:
    norm = float(np.linalg.norm(gradient))
    return gradient / norm if norm else gradient


def _by_parts(walk: _Walk, gradient: Array, step: int) -> Array:
    split = walk.problem.n_features
    return np.concatenate([_unit(gradient[:split]), _unit(gradient[split:])])


def _adagrad(walk: _Walk, gradient: Array, step: int) -> Array:
    walk.moments[1][:] += gradient**2
    return np.asarray(gradient / (np.sqrt(walk.moments[1]) + 1e-8))


def _rmsprop(keeping: float) -> Callable[[_Walk, Array, int], Array]:
    def scale(walk: _Walk, gradient: Array, step: int) -> Array:
        walk.moments[1][:] = keeping * walk.moments[1] + (1 - keeping) * gradient**2
        return np.asarray(gradient / (np.sqrt(walk.moments[1]) + 1e-8))

    return scale


def _adam(walk: _Walk, gradient: Array, step: int) -> Array:
    first, second = walk.moments
    first[:] = 0.9 * first + 0.1 * gradient
    second[:] = 0.999 * second + 0.001 * gradient**2
    return np.asarray(first / (1 - 0.9 ** (step + 1)) / (np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8))


# How a gradient is scaled by an optimizer that was not asked for.
SCALES: Mapping[str, Callable[[_Walk, Array, int], Array]] = {
    "": lambda walk, gradient, step: gradient,
    "unit": lambda walk, gradient, step: _unit(gradient),
    "parts": _by_parts,
    "sign": lambda walk, gradient, step: np.sign(gradient),
    "adagrad": _adagrad,
    "rmsprop 0.9": _rmsprop(0.9),
    "rmsprop 0.99": _rmsprop(0.99),
    "adam": _adam,
}
