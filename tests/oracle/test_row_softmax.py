"""The sums of exponentials hold the exact sums, and are no wider than their proof says."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from gradlab.oracle.fast.block_sums import summed_error
from gradlab.oracle.fast.exponential import EXP_ERROR, LOWEST_ARGUMENT
from gradlab.oracle.fast.row_softmax import NEGLIGIBLE_EXPONENT, exponentials

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(3)
ROWS = {
    "ordinary": RNG.normal(0, 3, 40),
    "confident": np.where(np.arange(40) == 5, 700.0, RNG.normal(0, 1, 40)),
    "wide": -np.linspace(0, 2047, 40),
    "the largest of the others far below it": np.array([0.0, -1400.0, -1500.0, -2040.0, -2047.0]),
    "many blocks": RNG.normal(0, 1, 9000),
}
FAR = {
    "all others left out": [0.0, -2048.5, -3000.0, -1e300],
    "the largest that is left out": [0.0, np.nextafter(LOWEST_ARGUMENT, -np.inf), -np.inf],
    "some left out": [0.0, -2047.0, -2049.0, -np.inf],
    "masked": [0.0, -1.0, -np.inf, -np.inf],
}


def others(row: Any) -> arb:
    """The ball of the sum of all exponentials but the largest logit's."""
    logits = np.array([row])
    with ctx.workprec(320):
        return exponentials(logits, logits.argmax(1)).others[0]


def exact_sum(row: Any) -> Any:
    top = int(np.argmax(row))
    distances = [mpmath.mpf(float(x)) - mpmath.mpf(float(row[top])) for j, x in enumerate(row) if j != top]
    return mpmath.fsum(mpmath.exp(max(d, -(10**5))) for d in distances)


def middle_and_radius(ball: arb) -> tuple[Any, Any]:
    parts = [part.man_exp() for part in (ball.mid(), ball.rad())]
    middle, radius = (mpmath.ldexp(int(mantissa), int(exponent)) for mantissa, exponent in parts)
    return middle, radius


@pytest.mark.parametrize("name", [*ROWS, *FAR])
def test_the_exact_sum_is_in_its_ball(name: str) -> None:
    row = ROWS[name] if name in ROWS else FAR[name]
    with mpmath.workdps(60):
        middle, radius = middle_and_radius(others(row))
        assert abs(middle - exact_sum(row)) <= radius


@pytest.mark.parametrize("name", ROWS)
def test_the_ball_is_as_wide_as_the_errors_of_exp_and_of_the_sum(name: str) -> None:
    row = ROWS[name]
    with mpmath.workdps(60):
        middle, radius = middle_and_radius(others(row))
        expected = 1.01 * (EXP_ERROR + summed_error(1, len(row)))
        assert float(radius / middle) == pytest.approx(expected, rel=1e-6, abs=0)


@pytest.mark.parametrize("name", FAR)
def test_each_exponential_that_is_left_out_widens_the_ball_by_its_bound(name: str) -> None:
    row = np.array(FAR[name])
    left_out = int((row < LOWEST_ARGUMENT).sum())
    with mpmath.workdps(60):
        middle, radius = middle_and_radius(others(row))
        own = middle * 1.01 * (EXP_ERROR + summed_error(1, len(row)))
        room = left_out * mpmath.ldexp(1, NEGLIGIBLE_EXPONENT)
        assert own + room <= radius * (1 + 1e-6) <= (own + room) * (1 + 1e-5)


def test_what_is_left_out_is_marked_and_holds_nothing() -> None:
    logits = np.array([[-2048.0, 0.0, np.nextafter(-2048.0, -np.inf), -np.inf]])
    with ctx.workprec(320):
        found = exponentials(logits, np.array([1]))
    assert found.negligible.tolist() == [[False, False, True, True]]
    assert (found.terms.high != 0).tolist() == [[True, False, False, False]]
    assert found.highest.tolist() == [0.0]
