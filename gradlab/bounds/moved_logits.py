"""How far the softmax moves where the logits are computed, and so are off by some e_j each.

The odds of class j against all others are exp(z_j)/sum_{i != j} exp(z_i). Their logarithm moves by at most

    theta_j = e_j + log sum_{i != j} q_i exp(e_i),    q_i = p_i/(1 - p_j),

since each exp(z_i) moves by a factor of exp(e_i) at most, upwards by that of the sum, and downwards by no more, as
sum_i q_i exp(e_i) times sum_i q_i exp(-e_i) is at least 1. Odds that are exp(theta) times larger, or smaller, lead to
p' = p exp(theta)/(1 + p (exp(theta) - 1)), or the same with -theta, so that

    |p'_j - p_j| <= p_j (1 - p_j) (exp(theta_j) - 1),
    |log p'_j - log p_j| <= theta_j min(1, (1 - p_j) exp(theta_j)),

the latter because log p has the slope 1 - p along the logarithm of the odds, and 1 - p' is at most (1 - p) exp(theta).
In first order it is p_j (e_j + sum_i p_i e_i) less what is counted twice: of a class that is all but certain next to
nothing, whatever its logit is off by.
"""

from __future__ import annotations

import numpy as np

from gradlab.bounds.conditioning import moves_alone, softmax_parts
from gradlab.problems.caching import remember
from gradlab.problems.problem import Array, Problem

_FARTHEST = 300.0  # exp of twice that is a large float64; where logits are that far off nothing is known


def probability_errors(problem: Problem) -> Array:
    """How far each p_j moves, (N, K); zeros where the logits are given, or the options' own analysis has it."""
    if not moves_alone(problem):
        return np.zeros((1, 1))
    p, others, theta = _moved_odds(problem)
    return np.asarray(np.minimum(p * others * np.expm1(theta), 1.0))


def log_probability_errors(problem: Problem) -> Array:
    """How far each log p_j moves, (N, K), as `probability_errors`."""
    if not moves_alone(problem):
        return np.zeros((1, 1))
    _, others, theta = _moved_odds(problem)
    return np.asarray(theta * np.minimum(1.0, others * np.exp(theta)))


@remember(256)
@np.errstate(all="ignore")
def _moved_odds(problem: Problem) -> tuple[Array, Array, Array]:
    """p_j, 1 - p_j and theta_j, (N, K)."""
    assert problem.computed is not None
    p, others = softmax_parts(problem)
    errors = np.minimum(problem.computed.errors, _FARTHEST)
    growth = np.expm1(errors)
    places = (np.arange(len(p)), p.argmax(axis=1))
    own = p * growth
    at_top = own[places].copy()
    own[places] = 0.0
    without_top = own.sum(axis=1)
    moved = without_top[:, None] + at_top[:, None] - own
    moved[places] = without_top
    mean = np.where(others > 0, moved / np.where(others > 0, others, 1.0), growth.max(axis=1, keepdims=True))
    mean = np.minimum(mean, growth.max(axis=1, keepdims=True))  # a mean is no larger than the largest
    return p, others, errors + np.log1p(mean)
