"""Whether two samples are from one distribution, from the ranks alone: one wild sample is no more than the largest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p of the Mann-Whitney U test, exact with ties too.

    That is how often the rank sum of a sample is as far from its mean as it is here, over all ways to deal the ranks to
    two samples of these sizes; equal values share the mean of their ranks.
    Raises ValueError for an empty sample or NaN. Source: H. B. Mann, D. R. Whitney, Ann. Math. Statist. 18 (1947) 50.
    """
    if not first or not second or any(value != value for value in [*first, *second]):
        raise ValueError(f"both samples must have values, none of them NaN, got {list(first)} and {list(second)}")
    ranks = doubled_ranks([*first, *second])
    ways = ways_to_draw(ranks, len(first))
    twice_mean = len(first) * sum(ranks) / len(ranks)
    distance = abs(sum(ranks[: len(first)]) - twice_mean)
    is_as_far = np.abs(np.arange(len(ways)) - twice_mean) >= distance
    return float(ways[is_as_far].sum() / ways.sum())


def doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that a mean of ranks is a whole number too."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    below = 0
    for _, group in groupby(order, key=values.__getitem__):
        equal = list(group)
        for place in equal:
            ranks[place] = 2 * below + len(equal) + 1
        below += len(equal)
    return ranks


def ways_to_draw(ranks: Sequence[int], size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """For each sum, how many of the sets of `size` of these ranks have it; in float64, exact up to 2^53."""
    ways = np.zeros((size + 1, sum(ranks) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return np.asarray(ways[size])
