"""exp as the compiled kernels have it: its polynomials, and its error against mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

pytest.importorskip("numba")

from numba import njit

from gradlab.implementations import _accurate_rows, _elementary

COEFFICIENTS = {"float32": _elementary.Q32, "float64": _elementary.Q64}
BOUND = 1.4  # ULP, proved by the scripts of proofs/
ERROR = {"float32": 2.0**-26, "float64": 2.0**-55}  # of exp(r) by the polynomial, relative


def q(r: Any) -> Any:
    """(exp(r) - 1 - r) / r^2."""
    return (mpmath.expm1(r) - r) / r**2 if abs(r) > 1e-12 else mpmath.mpf(1) / 2 + r / 6


@pytest.mark.parametrize("dtype", COEFFICIENTS)
def test_the_polynomial_is_what_chebyfit_makes(dtype: str) -> None:
    with mpmath.workdps(40):
        half = mpmath.log(2) / 2 * mpmath.mpf("1.0001")
        expected, error = mpmath.chebyfit(q, [-half, half], len(COEFFICIENTS[dtype]), error=True)
    number = np.dtype(dtype).type
    assert [number(c) for c in COEFFICIENTS[dtype]] == [number(float(c)) for c in expected]
    assert error * half**2 * mpmath.sqrt(2) < ERROR[dtype]


def test_a_function_at_full_width_says_so_to_llvm() -> None:
    @njit  # type: ignore[untyped-decorator]
    def doubled(values: Any) -> None:
        _elementary.full_width()
        for j in range(values.size):
            values[j] *= 2

    doubled(np.ones(8))
    (written,) = doubled.inspect_llvm().values()
    assert '"prefer-vector-width"="512"' in written


@njit  # type: ignore[untyped-decorator]
def exponentials(d: Any) -> Any:
    terms = np.empty_like(d)
    for j in range(d.size):
        terms[j] = _accurate_rows._exact_exponential(d[j], d.dtype.type(0))
    return terms


def test_float32_is_within_its_bound() -> None:
    bits = np.arange(0, 0x42D00000, 257, dtype=np.uint32)  # every 257th float32 in [-104, -0]
    d = -bits.view(np.float32)
    exact = np.exp(d.astype(np.float64))
    smallest = np.float32(2.0**-149)
    ulp = np.maximum(np.spacing(exact.astype(np.float32)), smallest).astype(np.float64)
    assert np.max(np.abs(exponentials(d) - exact) / ulp) < BOUND


def test_float64_is_within_its_bound(ulps: Any) -> None:
    rng = np.random.default_rng(0)
    d = -np.concatenate([rng.uniform(0, 745, 2000), np.exp(rng.uniform(-40, 5, 2000)), rng.uniform(700, 745, 1000)])
    with mpmath.workdps(40):
        errors = [ulps(value, mpmath.exp(mpmath.mpf(x))) for x, value in zip(d.tolist(), exponentials(d), strict=True)]
    assert max(errors) < BOUND


@pytest.mark.parametrize("dtype", COEFFICIENTS)
def test_its_ends(dtype: str) -> None:
    d = np.array([-0.0, 0.0, -1e4, -np.finfo(dtype).max, -np.inf, np.nan], dtype=dtype)
    assert np.array_equal(exponentials(d), np.array([1, 1, 0, 0, 0, np.nan], dtype=dtype), equal_nan=True)
