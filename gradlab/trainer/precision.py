"""Whether a step is computed in fewer digits than the data have, found by moving the data a little, and less.

An error of the mathematics is smooth in the data: where they move by a 32nd as much, it changes by about a 32nd as
much. An error of rounding becomes another one as soon as the numbers that are rounded are others, and changes by as
much as before. Between the two lies the root of 32, in proportion. It is the median of several places that counts: an
error of the mathematics that jumps, as where a row is left out or not, does so at few of them.

Sound code's own rounding changes too: by no more than is proved for both places together, which is taken off first. And
an error is taken for rounding only up to what the coarsest format leaves with as many roundings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train
from gradlab.trainer.descent import end_of_descent
from gradlab.trainer.mistakes import Named
from gradlab.trainer.problem import TrainerProblem

NAME = "lower_precision"
WORST = "float16"
FAR = 2.0**-4  # relatively, each entry of X; a 32nd of it is 4 units roundoff of WORST: all entries round otherwise
FACTOR = 32
PLACES = 4


def lower_precision(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What is to be said of a training of one step whose error is one of rounding; None where it is not."""
    problem = problem.replace(n_steps=1)
    here = _error(trainer, problem)
    if here is None or not here.size > here.proved:
        return None
    near = list(_changes(trainer, problem, here, FAR / FACTOR))
    far = list(_changes(trainer, problem, here, FAR))
    if not len(near) == len(far) == PLACES or np.median(near) * math.sqrt(FACTOR) <= np.median(far):
        return None
    step = float(np.linalg.norm(end_of_descent(problem).parameters - problem.start64))
    bits = round(float(np.log2(step / here.size)))
    return Named(
        NAME,
        f"something in it is computed in fewer digits than the data have: about {bits} bits of a step are right, and"
        f" its error changes as much where the data are moved {FACTOR} times less, as one of the mathematics does not",
    )


@dataclass(frozen=True, eq=False)
class _Error:
    """How far a training of one step is from exact descent; proved: how far sound code may be, in the norm."""

    value: Array
    proved: float

    @property
    def size(self) -> float:
        return float(np.linalg.norm(self.value))


def _error(trainer: Trainer, problem: TrainerProblem) -> _Error | None:
    """None where nothing comes back, or more than WORST leaves with as many roundings.

    In one step the bound is as large as the unit roundoff makes it, so it is multiplied by as much.
    """
    trained = train(trainer, problem)
    if trained.fault:
        return None
    end = end_of_descent(problem)
    coarser = format_of(WORST).unit_roundoff / problem.format.unit_roundoff
    error = _Error(trained.parameters - end.parameters, end.proved + end.radius)
    return error if error.size <= coarser * error.proved else None


def _changes(trainer: Trainer, problem: TrainerProblem, here: _Error, far: float) -> Iterator[float]:
    """By how much the error changes at each of the places so far away, beyond what sound code's rounding may."""
    for place in range(PLACES):
        there = _error(trainer, _moved(problem, place, far))
        if there is not None:
            change = float(np.linalg.norm(there.value - here.value))
            yield max(change - here.proved - there.proved, 0.0)


def _moved(problem: TrainerProblem, place: int, far: float) -> TrainerProblem:
    """The problem with each entry of X moved, by so much of itself at most."""
    signs = np.random.default_rng(place + 1).uniform(-far, far, problem.features.shape)
    return problem.replace(features=(problem.features * (1 + signs)).astype(problem.features.dtype))
