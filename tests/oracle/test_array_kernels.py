"""The enclosures that the kernels write hold the exact values, and each term of their radii is needed for it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.double_double import ADD_ERROR, fast_two_sum
from gradlab.oracle.fast.array_kernels import COEFFICIENT_ERROR, FARTHEST, FARTHEST_ERROR, Scale, Terms, difference
from gradlab.oracle.fast.compiled import ARRAY_KERNELS
from gradlab.oracle.intervals import unwritten

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[Array, Array]
N = 2000
TWO = Fraction(2)


def pairs(seed: int, scale: float) -> Pair:
    """Normalised pairs, N of them, each from 1 to 2 times the scale."""
    rng = np.random.default_rng(seed)
    high = rng.uniform(1, 2, N) * scale
    return fast_two_sum(high, np.spacing(high) * rng.uniform(-0.5, 0.5, N))


def exact(pair: Pair) -> list[Fraction]:
    return [Fraction(high) + Fraction(low) for high, low in zip(pair[0].tolist(), pair[1].tolist(), strict=True)]


def largest_shares(product: Pair, t: Pair, off: tuple[Fraction, Fraction]) -> float:
    """The largest error of product - t over its bound, where both are off by these relative errors."""
    allowed = np.full(N, float(abs(off[0])))
    total, radius = difference(product, t, allowed)
    rows = zip(exact(total), exact(product), exact(t), radius.tolist(), strict=True)
    return max(float(abs(got - (p * (1 + off[0]) - q * (1 + off[1]))) / Fraction(bound)) for got, p, q, bound in rows)


NEEDED = {  # the operands at which one term of the bound is most of the error, the others next to nothing
    "the rounding of the addition": (pairs(1, 1.0), pairs(2, 2.0**-7), (Fraction(0), Fraction(0))),
    "the error of the product": (pairs(3, 1.0), pairs(4, 2.0**-40), (TWO**-89, Fraction(0))),
    "the error of the coefficient": (pairs(5, 2.0**-60), pairs(6, 1.0), (Fraction(0), Fraction(COEFFICIENT_ERROR))),
}


@pytest.mark.parametrize("term", NEEDED)
def test_a_difference_is_within_its_bound_and_comes_near_it_by_each_of_its_terms_alone(term: str) -> None:
    assert 1 / 8 < largest_shares(*NEEDED[term]) <= 1


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1.0, 2.0**-7), (2.0**-7, 1.0), (1.0, 2.0**-60), (2.0**-60, 1.0)])
def test_the_bound_of_a_difference_is_the_sum_of_its_three_terms(scales: tuple[float, float]) -> None:
    product, t = pairs(7, scales[0]), pairs(8, scales[1])
    error = np.full(N, 2.0**-103)
    total, radius = difference(product, t, error)
    terms = product[0] * 2.0**-103 + t[0] * COEFFICIENT_ERROR + np.abs(total[0]) * ADD_ERROR
    assert (radius >= terms).all()
    assert (radius <= 1.011 * terms).all()


def row_of(pair: tuple[float, float], exponent: int) -> Terms:
    return Terms(np.array([[pair[0]]]), np.array([[pair[1]]]), np.array([[exponent]], dtype=np.int64))


def difference_of(term: Terms, t: float) -> tuple[Fraction, Fraction]:
    """The middle and the radius of 1.9 times the term less t, as the kernel encloses it with no error of the 1.9."""
    scale = Scale(np.array([1.9]), np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(1))
    out = unwritten((1, 1))
    coefficients = (np.array([[t]]), np.zeros((1, 1)))
    ARRAY_KERNELS.differences(term, scale, coefficients, (out.high, out.low, out.radius, out.exponent))
    high, low, radius = (Fraction(float(part[0, 0])) for part in (out.high, out.low, out.radius))
    unit = TWO ** int(out.exponent[0, 0])
    return (high + low) * unit, radius * unit


@pytest.mark.parametrize("exponent", [FARTHEST + 1, FARTHEST, FARTHEST - 1, FARTHEST - 60, 4 * FARTHEST])
def test_a_product_far_below_its_coefficient_may_be_off_by_what_counting_its_exponent_as_the_farthest_costs(
    exponent: int,
) -> None:
    product = Fraction(1.9) * Fraction(2.0) * TWO**exponent
    middle, radius = difference_of(row_of((2.0, 0.0), exponent), 2.0**-880)
    assert abs(middle - (product - TWO**-880)) <= radius


def test_the_room_for_counting_an_exponent_as_the_farthest_is_what_the_largest_product_takes() -> None:
    largest = 2.001 * 2 * 2.0**FARTHEST  # an exponential's pair below 2.001, a scale below 2
    assert largest < FARTHEST_ERROR < 2 * largest
