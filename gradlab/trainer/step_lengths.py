"""How long each step is, found by experiment, where no known mistake explains several steps and the first is right.

From what comes back for t steps to that for t + 1 is a step: where weight and bias each go along the gradient at the
weights before, what the lengths are multiplied by is read off. Rates that fall by any rule are found so, and parts
that are updated now and then.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train
from gradlab.trainer.descent import end_of_descent
from gradlab.trainer.gradient import batch_of, step_gradient
from gradlab.trainer.mistakes import Named
from gradlab.trainer.problem import TrainerProblem

N_STEPS = 9


def explain_step_lengths(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What the lengths of the first steps are multiplied by, where they are not all as asked for."""
    iterates = [train(trainer, problem.replace(n_steps=count)) for count in range(N_STEPS + 1)]
    if any(one.fault for one in iterates):
        return None
    places = [one.parameters for one in iterates]
    found = [_factors(problem, here, there) for here, there in pairwise(places)]
    factors = [one for one in found if one is not None]
    if len(factors) < N_STEPS:
        return None
    weights, biases = ([_shortened(one[part]) for one in factors] for part in (0, -1))
    if weights == biases:
        return _named("steps_of_other_lengths", "steps", weights)
    if set(weights) == {1.0}:
        return _named("bias_steps_of_other_lengths", "the bias's steps", biases)
    return _named("weight_steps_of_other_lengths", "the weight's steps", weights)


def _named(name: str, words: str, factors: list[float]) -> Named | None:
    if set(factors) == {1.0}:
        return None
    said = ", ".join(f"{one:g}" for one in factors)
    return Named(name, f"{words}, from the first on, are {said} times as long as they are to be")


def _factors(problem: TrainerProblem, here: Array, there: Array) -> Array | None:
    """What a step's length is multiplied by, of the weight and of the bias; None where it goes elsewhere."""
    batch = batch_of(problem.extended64, problem.shares64, slice(None))
    right = -problem.learning_rate * step_gradient(batch, here, problem.slopes).value
    split = problem.n_features
    dtype, bias = problem.features.dtype, None if problem.bias is None else here[-1]
    at = problem.replace(
        weight=here[:split].astype(dtype), bias=None if bias is None else bias.astype(dtype), n_steps=1
    )
    end = end_of_descent(at)
    room = end.proved + end.radius
    factors = []
    for part in (slice(None, split), slice(split, None)):
        own, step = right[part], (there - here)[part]
        if not own.size:
            continue
        factor = float((own * step).sum() / np.square(own).sum())
        if np.linalg.norm(step - factor * own) > room * (1 + abs(factor)):
            return None
        factors.append(factor)
    return np.array(factors)


def _shortened(value: float) -> float:
    """The number to three digits."""
    return float(f"{value:.3g}") + 0.0
