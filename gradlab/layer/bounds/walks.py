"""The partial sums of dW and db, sums over rows: how large the root of the sum of their squares is likely to be.

Each addition is off by u of the partial sum that it makes, so that independent errors come to lambda u
sqrt(sum_r P_r^2). No partial sum P_r is larger than the sum of the sizes, |X|^T |G|: sqrt(N) |X|^T |G| holds for every
order. In most orders they stay far below it. Two kinds of orders are meant, and the larger counts:

- that of the rows, from either end. Partial sums are known after each block of rows; within a block they are at
  most the sum of its sizes away.
- orders that have nothing to do with the values. There P_r is (r/N) T, T being the sum, and a bridge from 0 to 0:
  sqrt(N) (|T|/sqrt 3 + rate sqrt(N v)), v being the mean square of the terms. The root of the mean square of a Brownian
  bridge is beyond x with a probability of about exp(-pi^2 x^2/2), an independent normal number beyond y with one of
  exp(-y^2/2), and so their product beyond z with one of exp(-pi z), for the best of all x and y with x y = z. That is
  exp(-lambda^2/2) at z = lambda rate, rate = lambda/(2 pi): the distribution of bridges in place of that of the sums is
  what is taken for granted here.

Sums of blocks, of chunks, in lanes and in pairs have smaller partial sums. G may be summed in two parts, A p and t,
which have a walk each. Where a feature is the same in many rows, as the column of ones that db is the sum over, equal
terms x t are added, whose errors are not random: there n u |x|^T t is added with one sign, n being the number of t that
are not 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.probable import differ
from gradlab.bounds.rounding_counts import divisor
from gradlab.layer.bounds.computed import Sizes
from gradlab.problems.coefficients import gradient_factors
from gradlab.problems.problem import Array, Problem

_MIN_BLOCK = 64  # rows between two partial sums that are known
_MAX_BLOCKS = 64


class Walks(NamedTuple):
    """sqrt(sum_r P_r^2) as above, of which u is a random error, and what u is an error of one sign of; (D + 1, K).

    The rows are those of dW and, last, of db.
    """

    random: Array
    repeated: Array


def partial_sums(sizes: Sizes, rows: Problem, most: float) -> Walks:
    """The partial sums of dW and db; most: lambda."""
    features = np.concatenate([sizes.problem.features64, np.ones((sizes.problem.n_rows, 1))], axis=1)
    c = conditioning(rows)
    scale = np.where(sizes.in_range, gradient_factors(rows), 0.0)[:, None] / divisor(rows)
    product, target = scale * c.coefficient_sum[:, None] * c.probabilities, scale * c.coefficients
    repeats = _repeats(features)[:, None]
    of_target = np.where(repeats, 0.0, _walk(features, target, most))
    apart = np.hypot(_walk(features, product, most), of_target)
    count = (target != 0).sum(axis=0)
    repeated = np.where(repeats, count * (np.abs(features.T) @ np.abs(target)), 0.0)
    return Walks(np.maximum(_walk(features, product - target, most), apart), repeated)


def _repeats(features: Array) -> Array:
    """Which features are equal in many rows, as that of db is, so that terms x t are; boolean, (D + 1,)."""
    if len(features) < 2:
        return np.ones(features.shape[1], dtype=bool)
    return np.asarray([not differ(column[:, None], axis=0) for column in features.T])


def _walk(features: Array, entries: Array, most: float) -> Array:
    return np.minimum(
        np.maximum(_ordered(features, entries), _shuffled(features, entries, most)),
        math.sqrt(len(entries)) * (np.abs(features.T) @ np.abs(entries)),
    )


def _ordered(features: Array, entries: Array) -> Array:
    """The larger of the two roots, from the first row and from the last."""
    total = features.T @ entries
    before = np.zeros(total.shape)
    forwards, backwards = np.zeros(total.shape), np.zeros(total.shape)
    step = max(_MIN_BLOCK, -(-len(entries) // _MAX_BLOCKS))
    for start in range(0, len(entries), step):
        block = slice(start, start + step)
        size = np.abs(features[block].T) @ np.abs(entries[block])
        count = len(entries[block])
        forwards += count * (np.abs(before) + size) ** 2
        backwards += count * (np.abs(total - before) + size) ** 2
        before = before + features[block].T @ entries[block]
    return np.sqrt(np.maximum(forwards, backwards))


def _shuffled(features: Array, entries: Array, most: float) -> Array:
    total, squares = features.T @ entries, (features**2).T @ entries**2
    return np.asarray(
        math.sqrt(len(entries)) * (np.abs(total) / math.sqrt(3) + most / (2 * math.pi) * np.sqrt(squares))
    )
