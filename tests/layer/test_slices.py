"""Sliced products: exact where few slices hold all, and within their radius of the exact product everywhere."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gradlab.layer.oracle.slices import (
    Plan,
    Product,
    Slices,
    add_double,
    multiply_slices,
    plan_slices,
    slice_rows,
    widen,
)
from gradlab.oracle.intervals import Array
from gradlab.problems.dtypes import format_of

FLOAT32 = format_of("float32")


def exact(left: list[Fraction], right: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def fractions(*parts: Array) -> list[list[Fraction]]:
    n_rows, n_columns = parts[0].shape
    return [[sum((Fraction(p[i, j]) for p in parts), Fraction(0)) for j in range(n_columns)] for i in range(n_rows)]


def value(product: Product, i: int, j: int) -> Fraction:
    return Fraction(float(product.high[i, j])) + Fraction(float(product.low[i, j]))


def matrix(rng: np.random.Generator, shape: tuple[int, int], spread: int) -> Array:
    return np.asarray(rng.standard_normal(shape) * np.exp2(rng.integers(-spread, spread + 1, shape)))


@pytest.mark.parametrize("n_terms", [1, 2, 7, 512, 4096, 2**20])
def test_sums_of_products_of_slices_fit_in_a_float64(n_terms: int) -> None:
    for fmt, wanted in ((FLOAT32, 95), (format_of("float64"), 108)):
        plan = plan_slices(n_terms, fmt)
        assert plan.n_slices * n_terms * 4**plan.bits <= 2**53
        assert plan.n_slices * plan.bits >= wanted


@pytest.mark.parametrize("spread", [0, 10, 60, 400])
def test_slices_and_their_rest_make_up_the_rows(spread: int) -> None:
    rng = np.random.default_rng(spread)
    high = matrix(rng, (5, 6), spread)
    low = high * rng.uniform(-1, 1, high.shape) * 2.0**-54
    slices = slice_rows(high, low, plan_slices(6, FLOAT32))
    for i, row in enumerate(fractions(high, low)):
        scale = Fraction(2) ** int(slices.exponent[i])
        for d, entry in enumerate(row):
            parts = [Fraction(float(s[i, d])) / 2 ** (slices.bits * (k + 1)) for k, s in enumerate(slices.integers)]
            assert abs(entry / scale - sum(parts)) <= Fraction(float(slices.rest[i]))


@pytest.mark.parametrize("spread", [0, 4, 30, 200])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_products_are_within_their_radius(dtype: str, spread: int) -> None:
    rng = np.random.default_rng([spread, int(dtype[1])])
    for n_terms in (1, 3, 40):
        largest = float(np.finfo(dtype).max)
        clipped = (np.clip(matrix(rng, (3, n_terms), spread), -largest, largest) for _ in range(2))
        left, right = (one.astype(dtype).astype("f8") for one in clipped)
        low = left * rng.uniform(-1, 1, left.shape) * 2.0**-54
        plan = plan_slices(n_terms, FLOAT32)
        found = multiply_slices(slice_rows(left, low, plan), slice_rows(right, None, plan), plan)
        a, b = fractions(left, low), fractions(right)
        for i, j in np.ndindex(3, 3):
            scale = Fraction(2) ** int(found.rows[i, 0] + found.columns[0, j])
            error = abs(value(found, i, j) - exact(a[i], b[j]) / scale)
            assert error <= Fraction(float(found.radius[i, j]))
            assert found.radius[i, j] <= (n_terms + 4) * 2.0**-93


def test_products_of_few_bits_are_exact() -> None:
    rng = np.random.default_rng(3)
    left, right = (rng.integers(-128, 128, (4, 9)).astype(float) for _ in range(2))
    plan = plan_slices(9, FLOAT32)
    found = multiply_slices(slice_rows(left, None, plan), slice_rows(right, None, plan), plan)
    assert not found.radius.any()
    assert (np.ldexp(found.high, found.rows + found.columns) == left @ right.T).all()


def test_rows_of_zeros_have_products_of_zero_whatever_the_radii() -> None:
    plan = plan_slices(2, FLOAT32)
    left = slice_rows(np.array([[0.0, 0.0], [1 / 3, 1.0]]), None, plan)
    right = slice_rows(np.array([[0.0, 0.0], [2 / 3, 1.0]]), None, plan)
    found = widen(multiply_slices(left, right, plan), np.array([1.0, 0.5]))
    assert (found.radius > 0).tolist() == [[False, True], [False, True]]
    assert found.radius[1, 1] >= 0.5 / 2


def test_too_few_slices_have_a_radius_that_says_so() -> None:
    rng = np.random.default_rng(5)
    left, right = rng.standard_normal((4, 8)), rng.standard_normal((4, 8))
    plan = Plan(20, 2)
    found = multiply_slices(slice_rows(left, None, plan), slice_rows(right, None, plan), plan)
    a, b = fractions(left), fractions(right)
    errors = []
    for i, j in np.ndindex(4, 4):
        scale = Fraction(2) ** int(found.rows[i, 0] + found.columns[0, j])
        errors.append(abs(value(found, i, j) - exact(a[i], b[j]) / scale))
        assert errors[-1] <= Fraction(float(found.radius[i, j]))
    assert max(errors) > 2.0**-50


def test_a_pair_and_a_number_are_added_within_the_bound() -> None:
    rng = np.random.default_rng(1)
    high, value = matrix(rng, (1, 500), 30), matrix(rng, (1, 500), 30)
    low = high * rng.uniform(-1, 1, high.shape) * 2.0**-54
    found = add_double((high, low), value)
    for h, rest, v, a, b in zip(*(one[0].tolist() for one in (high, low, value, *found)), strict=True):
        total = Fraction(h) + Fraction(rest) + Fraction(v)
        assert abs(Fraction(a) + Fraction(b) - total) <= abs(total) * Fraction(2.01) / 2**106


def test_slices_are_integers_of_few_bits() -> None:
    slices: Slices = slice_rows(matrix(np.random.default_rng(2), (3, 50), 5), None, Plan(12, 7))
    assert all((one == np.rint(one)).all() and np.abs(one).max() <= 2**12 for one in slices.integers)
