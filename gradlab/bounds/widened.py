"""Bounds for logits in half precision where all is worked out in float32, as kernels do.

The problem with the same logits in float32 has the bound E of `first_order`. On top of it, what is kept or returned may
be rounded to the format of the logits, u and eta of which are meant from here on:

- S, so that log S is off by u, and p_j carries 1, as in torch;
- d_j and log S, or their difference, so that log p_j is off by u |log p_j|, and by as much again where both are; and
  p_j itself twice, as exp and as a quotient: together p_j carries 2 |log p_j| + 3;
- the difference A p_j - t_j, where t_j > 0 (elsewhere it is the product A p_j, rounded already);
- 1/N and the product by it, where N is no power of two;
- the loss of a row twice, as -log p_y and as itself; their reduction once, and by N as above.

Each of them costs eta where it is subnormal.
"""

from __future__ import annotations

import math

import numpy as np

from gradlab.bounds import first_order
from gradlab.bounds.bound import Bound
from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.rounding_counts import QUIET, divisor, gamma
from gradlab.problems.caching import remember
from gradlab.problems.problem import Problem

_INSIDE = "float32 inside, as recognised or claimed, and rounded to the logits' dtype"
_THROUGHOUT = "float32 inside and in what is returned"


@remember(256)
def in_float32(problem: Problem) -> Problem:
    """The problem with the same logits and targets in float32, which holds every number of half precision."""
    targets = problem.targets
    wide = targets.astype(np.float32) if problem.objective.targets == "probability" else targets
    return problem.replace(logits=problem.logits.astype(np.float32), targets=wide)


def is_covered(problem: Problem) -> bool:
    """Whether the bounds are for this problem: logits in half precision, moderate in float32, and no option."""
    if problem.format.precision >= 24 or problem.objective.options or not problem.is_finite:
        return False
    return in_float32(problem).is_moderate and bool(conditioning(in_float32(problem)).losses.max(initial=0) < 2**15)


def gradient_throughout(problem: Problem) -> Bound:
    """As `gradient`, where both answers come back in float32 or wider: nothing is rounded to the logits' dtype."""
    return Bound(first_order.gradient(in_float32(problem)).error, _THROUGHOUT)


def loss_throughout(problem: Problem) -> Bound:
    """As `gradient_throughout`, of the loss."""
    return Bound(first_order.loss(in_float32(problem)).error, _THROUGHOUT)


@QUIET
def gradient(problem: Problem) -> Bound:
    """The largest error of an entry of the gradient that comes back in the logits' dtype, shape (N, K)."""
    wide = in_float32(problem)
    inside = first_order.gradient(wide).error
    c, fmt, scale = conditioning(wide), problem.format, divisor(problem)
    mass = c.coefficient_sum[:, None]
    probability = gamma(3 + 2 * (c.log_sum[:, None] + c.distance), fmt) * mass * c.probabilities
    difference = np.where(c.coefficients > 0, gamma(1.0, fmt) * np.abs(mass * c.probabilities - c.coefficients), 0.0)
    size = np.abs(mass * c.probabilities - c.coefficients) + probability
    error = probability * (1 + gamma(1.0, fmt)) + difference + gamma(_division(problem), fmt) * size
    eta = fmt.smallest_subnormal
    return Bound((error + 2 * (mass + 1) * eta) / scale + 2 * eta + 2 * inside, _INSIDE)


@QUIET
def loss(problem: Problem) -> Bound:
    """The largest error of the loss that comes back in the logits' dtype, shape () or (N,)."""
    wide = in_float32(problem)
    inside = first_order.loss(wide).error
    c, fmt = conditioning(wide), problem.format
    reduces = problem.objective.reduction != "none"
    rows, masses = c.losses / divisor(problem), c.coefficient_sum / divisor(problem)
    size, mass = (np.asarray(one.sum() if reduces else one) for one in (rows, masses))
    roundings = 2 + (1 + _division(problem) if reduces else 0)
    kept = gamma(1.0, fmt) * mass
    underflow = (3 + (problem.n_rows / divisor(problem) if reduces else 0)) * fmt.smallest_subnormal
    return Bound(gamma(roundings, fmt) * (size + kept) + kept + underflow + 2 * inside, _INSIDE)


def _division(problem: Problem) -> float:
    """Roundings of 1/N and of the product by it: none where N is a power of two."""
    return 0.0 if math.frexp(divisor(problem))[0] == 0.5 else 2.0
