"""The Mann-Whitney test: known distributions, ties, and how often it is wrong."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from gradlab.measure.rank_test import doubled_ranks, mann_whitney_p, ways_to_draw


@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 5), (4, 7), (25, 25)])
def test_two_samples_apart_have_the_smallest_p(m: int, n: int) -> None:
    apart = [float(i) for i in range(m)], [100.0 + i for i in range(n)]
    assert mann_whitney_p(*apart) == pytest.approx(2 / comb(m + n, m), rel=1e-12)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert doubled_ranks([5.0, 1.0, 5.0, 9.0]) == [5, 2, 5, 8]


@pytest.mark.parametrize("seed", range(5))
def test_p_is_the_share_of_all_deals_that_are_as_far_apart_ties_too(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 5, 9).astype(float).tolist()
    ranks = doubled_ranks(values)
    sums = [sum(ranks[place] for place in places) for places in combinations(range(9), 4)]
    mean = 4 * sum(ranks) / 9
    as_far = [abs(one - mean) >= abs(sum(ranks[:4]) - mean) for one in sums]
    assert mann_whitney_p(values[:4], values[4:]) == pytest.approx(np.mean(as_far), rel=1e-12)


def test_every_deal_is_counted_once() -> None:
    assert ways_to_draw(range(2, 102, 2), 25).sum() == comb(50, 25)


def test_samples_that_are_all_equal_are_no_evidence() -> None:
    assert mann_whitney_p([1.0] * 6, [1.0] * 8) == 1


def test_the_order_of_the_samples_does_not_matter() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 9)).tolist()
    assert mann_whitney_p(first, second) == mann_whitney_p(second, first)


def test_a_level_of_five_percent_is_passed_by_at_most_that_share_of_pairs_of_equal_samples() -> None:
    rng = np.random.default_rng(2)
    pairs = np.exp(rng.normal(0, 0.3, (1000, 2, 15))).tolist()
    wrong = sum(mann_whitney_p(first, second) < 0.05 for first, second in pairs)
    assert 25 <= wrong <= 75  # 50 expected, with a standard deviation of 7


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([1.0], [float("nan")])])
def test_a_sample_without_values_or_with_nan_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="both samples must have values, none of them NaN"):
        mann_whitney_p(first, second)
