"""The totals of rows with many active classes hold the exact ones, and are as wide as their proof says."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from gradlab.oracle.double_double import MULTIPLY_ERROR
from gradlab.oracle.fast.array_kernels import COEFFICIENT_ERROR
from gradlab.oracle.fast.block_sums import summed_error
from gradlab.oracle.fast.row_softmax import exponentials
from gradlab.oracle.fast.soft_targets import SoftRows, _row_totals

Array = np.ndarray[Any, np.dtype[Any]]
TWO = Fraction(2)
RNG = np.random.default_rng(8)


def exact(value: arb) -> Fraction:
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * TWO ** int(exponent)


def middle_and_radius(ball: arb) -> tuple[Fraction, Fraction]:
    return exact(ball.mid()), exact(ball.rad())


def totals(logits: Array, t: Array) -> list[tuple[Fraction, Fraction]]:
    """t_top, the sum of the other t_j, and sum_j t_j (max - x_j) of one row, each as middle and radius."""
    rows = SoftRows(logits[None], t[None].copy(), np.zeros((1, len(t))))
    with ctx.workprec(320):
        found = _row_totals(exponentials(rows.logits, rows.logits.argmax(1)), rows)
        return [middle_and_radius(column[0]) for column in found]


def exact_totals(logits: Array, t: Array) -> list[Fraction]:
    top = int(logits.argmax())
    shares = [Fraction(one) for one in t.tolist()]
    distances = [Fraction(float(logits[top])) - Fraction(x) if share else Fraction(0)
                 for x, share in zip(logits.tolist(), shares, strict=True)]  # fmt: skip
    costs = sum((share * d for share, d in zip(shares, distances, strict=True)), Fraction(0))
    return [shares[top], sum(shares, Fraction(0)) - shares[top], costs]


ROWS = {
    "ordinary": (RNG.normal(0, 3, 40), RNG.dirichlet(np.ones(40))),
    "many blocks": (RNG.normal(0, 3, 9000), RNG.dirichlet(np.ones(9000))),
    "some without a share": (RNG.normal(0, 3, 40), np.where(np.arange(40) % 3, 0.0, 0.3)),
    "masked without a share": (np.array([1.0, -np.inf, 0.3, -0.2]), np.array([0.1, 0.0, 0.7, 0.2])),
    "far apart": (2.0 ** np.linspace(0, 399, 9), 2.0 ** np.linspace(-149, 99, 9)),
}
TINY = {
    "a distance that is subnormal": (np.array([0.0, -5e-324, -1e-310]), np.array([0.5, 2.0**-149, 0.25])),
    "products that underflow": (np.array([0.0, -(2.0**-1000), -(2.0**-950)]), np.array([0.5, 2.0**-100, 2.0**-140])),
}


@pytest.mark.parametrize("name", [*ROWS, *TINY])
def test_the_exact_totals_are_in_their_balls(name: str) -> None:
    row = ROWS[name] if name in ROWS else TINY[name]
    for (middle, radius), expected in zip(totals(*row), exact_totals(*row), strict=True):
        assert abs(middle - expected) <= radius


@pytest.mark.parametrize("name", ROWS)
def test_the_balls_are_as_wide_as_the_errors_of_coefficients_products_and_sums(name: str) -> None:
    logits, t = ROWS[name]
    error = 1.01 * (COEFFICIENT_ERROR + MULTIPLY_ERROR + summed_error(1, len(t)))
    for (middle, radius), share in zip(totals(logits, t), (COEFFICIENT_ERROR, error, error), strict=True):
        assert float(radius) == pytest.approx(float(middle * Fraction(share)), rel=1e-6, abs=2.0**-990)


@pytest.mark.parametrize("name", TINY)
def test_products_that_underflow_cost_two_to_the_minus_1000_each(name: str) -> None:
    logits, t = TINY[name]
    middle, radius = totals(logits, t)[2]
    own = middle * Fraction(1.01 * (COEFFICIENT_ERROR + MULTIPLY_ERROR + summed_error(1, len(t))))
    assert float(radius / (own + len(t) * TWO**-1000)) == pytest.approx(1, rel=1e-6, abs=0)
