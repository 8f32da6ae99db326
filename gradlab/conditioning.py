"""What the bounds on rounding errors need to know of a problem, row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Sizes that bounds are made of, in float64 (they need no certified digits); d_j = x_j - max x, S = sum exp(d_j).

    At a radius r each but the coefficients bounds what it names for all logits within r of the problem's.
    probabilities, distance = |d_j|, rises (how often the running maximum rises after class j), coefficients t_j:
    shape (N, K). log_sum = log S, losses, mass = A = sum t_j: shape (N,). largest, of the same shape: the largest |x_j|
    of the batch, since a form may shift all rows alike.
    Rows without a value (NaN, +inf, only -inf) and ignored rows hold the sizes of equal logits, with t = 0.
    """

    probabilities: Array
    distance: Array
    rises: Array
    coefficients: Array
    log_sum: Array
    losses: Array
    mass: Array
    largest: Array


@lru_cache(maxsize=1024)
def conditioning(problem: Problem, radius: float = 0.0) -> Conditioning:
    """The conditioning of each row, for all logits within `radius` of the problem's.

    Where each logit moves by at most r: the maximum, lse and max |x| move by at most r, so |d_j|, log S and
    lse - x_j by at most 2 r, and p_j = exp(x_j - lse) grows by a factor of exp(2 r) at most.
    """
    valid = problem.rows_with_value & ~problem.ignored_rows
    x = np.where(valid[:, None], problem.logits64, 0.0)
    t = np.where(valid[:, None], coefficients_of(problem), 0.0)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        d = x - x.max(axis=1, keepdims=True, initial=-np.inf)
        e = np.exp(d)
        s = e.sum(axis=1)
        p = np.minimum(e / s[:, None] * math.exp(min(2 * radius, 700.0)), 1.0)
        log_sum = np.log(s)
        losses = np.where(t > 0, t * (log_sum[:, None] - d + 2 * radius), 0.0).sum(axis=1)
    largest = np.full(len(x), np.where(np.isfinite(x), np.abs(x), 0.0).max(initial=0.0) + radius)
    return Conditioning(p, 2 * radius - d, _rises(x, radius), t, log_sum + 2 * radius, losses, t.sum(axis=1), largest)


def _rises(x: Array, radius: float) -> Array:
    """How often the running maximum can rise after each class, shape (N, K): where x_k > the maximum so far - 2 r."""
    highest = np.maximum.accumulate(x, axis=1)
    rise = np.zeros(x.shape)
    rise[:, 1:] = x[:, 1:] > highest[:, :-1] - 2 * radius
    after = np.zeros(x.shape)
    after[:, :-1] = rise[:, :0:-1].cumsum(axis=1)[:, ::-1]
    return after
