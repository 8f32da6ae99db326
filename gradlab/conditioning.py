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


def conditioning(problem: Problem, radius: float = 0.0) -> Conditioning:
    """The conditioning of each row, for all logits within `radius` of the problem's; remembered.

    Where each logit moves by at most r: the maximum, lse and max |x| move by at most r, so |d_j|, log S and
    lse - x_j by at most 2 r, and p_j = exp(x_j - lse) grows by a factor of exp(2 r) at most.
    """
    return _conditioning(problem, radius)


@lru_cache(maxsize=1024)
def _conditioning(problem: Problem, radius: float) -> Conditioning:
    x, d, t = _parts(problem)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        p = np.exp(d)
        s = p.sum(axis=1)
        log_sum = np.log(s)
        p *= (math.exp(min(2 * radius, 700.0)) / s)[:, None]
        np.minimum(p, 1.0, out=p)
        losses = np.where(t > 0, t * (log_sum[:, None] - d + 2 * radius), 0.0).sum(axis=1)
    largest = np.full(len(x), np.where(np.isfinite(x), np.abs(x), 0.0).max(initial=0.0) + radius)
    return Conditioning(p, 2 * radius - d, _rises(x, radius), t, log_sum + 2 * radius, losses, t.sum(axis=1), largest)


@lru_cache(maxsize=256)
def _parts(problem: Problem) -> tuple[Array, Array, Array]:
    """The logits, less their maximum, and the coefficients, float64, shape (N, K); 0 in rows that have no loss."""
    valid = (problem.rows_with_value & ~problem.ignored_rows)[:, None]
    x, t = problem.logits64, coefficients_of(problem)
    if not valid.all():
        x, t = np.where(valid, x, 0.0), np.where(valid, t, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return x, x - x.max(axis=1, keepdims=True, initial=-np.inf), t


def _rises(x: Array, radius: float) -> Array:
    """How often the running maximum can rise after each class, shape (N, K): where x_k > the maximum so far - 2 r."""
    highest = np.maximum.accumulate(x, axis=1)
    rise = np.zeros(x.shape, dtype=bool)
    np.greater(x[:, 1:], highest[:, :-1] - 2 * radius, out=rise[:, 1:])
    so_far = rise.cumsum(axis=1, dtype=np.float64)
    return np.asarray(so_far[:, -1:] - so_far)
