"""Whether a step is computed in fewer digits than the data have, found by moving the data a little.

A mistake in the mathematics changes little where the data change little. An error of rounding becomes another one. So
what is counted as rounding is an error that sound code in a narrower format may have, and that is another one at each
of several places nearby.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train
from gradlab.trainer.descent import Iterate, distance_to, end_of_descent
from gradlab.trainer.mistakes import Named
from gradlab.trainer.problem import TrainerProblem

NAME = "lower_precision"
WORST = "float16"
MOVED = 2.0**-9  # relatively, each entry of X
PLACES = 4
CHANGED = 0.25  # of the error, from place to place, at least


def lower_precision(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What is to be said of a training of one step whose error is one of rounding; None where it is not."""
    problem = problem.replace(n_steps=1)
    errors = []
    for place in range(PLACES):
        moved = _moved(problem, place)
        trained = train(trainer, moved)
        if trained.fault:
            return None
        end = end_of_descent(moved)
        if not _is_of_a_narrower_format(moved, trained.parameters, end):
            return None
        errors.append(trained.parameters - end.parameters)
    changes = [float(np.linalg.norm(later - first)) for first, later in pairwise(errors)]
    sizes = [float(np.linalg.norm(error)) for error in errors]
    if min(changes) < CHANGED * max(sizes):
        return None
    step = float(np.linalg.norm(end_of_descent(problem).parameters - problem.start64))
    bits = round(float(np.log2(step / np.median(sizes))))
    return Named(
        NAME,
        f"something in it is computed in fewer digits than the data have: about {bits} bits of a step are right,"
        " and its error is another one where the data are moved a little",
    )


def _moved(problem: TrainerProblem, place: int) -> TrainerProblem:
    """The problem with each entry of X moved; at place 0 as it is."""
    if not place:
        return problem
    signs = np.random.default_rng(place).uniform(-MOVED, MOVED, problem.features.shape)
    return problem.replace(features=(problem.features * (1 + signs)).astype(problem.features.dtype))


def _is_of_a_narrower_format(problem: TrainerProblem, parameters: Array, end: Iterate) -> bool:
    """Whether the error is beyond that of sound code in this format, and not beyond that of as many roundings in WORST.

    In one step the bound is as large as the unit roundoff makes it, so it is multiplied by as much.
    """
    at_least, _ = distance_to(end, parameters)
    coarser = format_of(WORST).unit_roundoff / problem.format.unit_roundoff
    return end.proved < at_least <= coarser * end.proved
