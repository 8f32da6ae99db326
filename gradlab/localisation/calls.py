"""Calls one after the other: what is said of them, and the problems that they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem, Shape


@dataclass(frozen=True)
class Repeats:
    """What calls do to each other, in words; n_foretold of n_fresh further calls went as it says."""

    said: str
    n_foretold: int
    n_fresh: int


def problems_of_shape(like: Problem, shape: Shape, count: int, seed: int = 0) -> Iterator[Problem]:
    """Problems of one shape with different logits, in the dtype and with the reduction of another."""
    rng = np.random.default_rng((count, seed))
    for _ in range(count):
        x = rng.uniform(-1, 1, shape).astype(like.logits.dtype)
        yield Problem(x, rng.integers(0, shape[1], shape[0]), Objective(reduction=like.objective.reduction))
