"""The generated balls: they enclose what mpmath finds, agree with each other, and cost O(K)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from gradlab.reference import ball_forms
from gradlab.reference.ball_forms import FORMS

SHIFTED_FORMS = [name for name in FORMS if name != "textbook"]
MARGINS = [0.0, 1.0, 17.0, 40.0, 745.0, 2000.0]


@pytest.fixture(autouse=True)
def precision() -> Iterator[None]:
    """160 bits: 48 digits, more than the 40 that are compared."""
    with ctx.workprec(160):
        yield


def balls(values: list[float]) -> list[arb]:
    return [arb(value) for value in values]


def by_mpmath(logits: list[float], coefficients: list[float]) -> tuple[arb, list[arb]]:
    """Loss and gradient by another library, without a shift; each right to 40 digits.

    1000 digits are carried: p_y - 1 loses 870 of them at a margin of 2000, the largest one here.
    """
    with mpmath.workdps(1000):
        exponentials = [mpmath.exp(x) for x in logits]
        total = mpmath.fsum(exponentials)
        loss = mpmath.fsum(t * (mpmath.log(total) - x) for t, x in zip(coefficients, logits, strict=True))
        mass = mpmath.fsum(coefficients)
        gradient = [mass * e / total - t for e, t in zip(exponentials, coefficients, strict=True)]
        return to_40_digits(loss), [to_40_digits(entry) for entry in gradient]


def to_40_digits(value: mpmath.mpf) -> arb:
    """The ball of radius 10^-40 times the value, and 10^-920 for an exact 0, around its first 45 digits."""
    middle = arb(mpmath.nstr(value, 45))
    return middle + middle * arb(0, 1e-40) + arb("0 +/- 1e-920")


def random_row(seed: int, n_classes: int) -> tuple[list[float], list[float]]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=10.0 ** generator.uniform(-3, 2), size=n_classes)
    coefficients = generator.uniform(size=n_classes) * generator.integers(0, 2, size=n_classes)
    return logits.tolist(), coefficients.tolist()


def margin_row(margin: float) -> tuple[list[float], list[float]]:
    return [0.5, 0.5 + margin, -3.0], [0.0, 1.0, 0.0]


ROWS = {
    **{f"random {seed}, K = {k}": random_row(seed, k) for seed in range(10) for k in (1, 2, 7)},
    **{f"margin {margin}": margin_row(margin) for margin in MARGINS},
    "offset 1e8": ([1e8, 1e8 + 1, 1e8 - 2], [0.0, 1.0, 0.0]),
    "all equal": ([3.0] * 5, [0.2] * 5),
    "no coefficient": ([1.0, 2.0], [0.0, 0.0]),
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_encloses_mpmath_s_loss_and_gradient(form: str, row: str) -> None:
    logits, coefficients = ROWS[row]
    expected_loss, expected = by_mpmath(logits, coefficients)
    loss, gradient = FORMS[form](balls(logits), balls(coefficients))
    assert loss.overlaps(expected_loss)
    assert all(got.overlaps(entry) for got, entry in zip(gradient, expected, strict=True))


@pytest.mark.parametrize("row", ROWS)
def test_the_complement_form_is_right_to_40_digits_of_every_entry(row: str) -> None:
    logits, _ = ROWS[row]
    one_hot = [float(index == 0) for index in range(len(logits))]
    loss, gradient = FORMS["complement"](balls(logits), balls(one_hot))
    assert all(value.is_zero() or value.rel_accuracy_bits() > 40 / np.log10(2) for value in [loss, *gradient])


def test_the_shifted_form_s_target_is_not() -> None:
    logits, coefficients = margin_row(745.0)
    _, gradient = FORMS["shifted"](balls(logits), balls(coefficients))
    assert gradient[1].rel_accuracy_bits() < 1


@pytest.mark.parametrize("form", SHIFTED_FORMS)
def test_the_largest_finite_logits_have_a_finite_enclosure(form: str) -> None:
    largest = float(np.finfo(np.float64).max)
    loss, gradient = FORMS[form](balls([largest, -largest]), balls([0.0, 1.0]))
    assert loss.overlaps(arb(largest) * 2)
    assert all(entry.is_finite() for entry in gradient)


@pytest.mark.parametrize("form", FORMS)
def test_wide_logits_give_wide_answers(form: str) -> None:
    wide = FORMS[form]([arb(1, 0.5), arb(2, 0.5), arb(0)], balls([0.25, 0.5, 1.0]))
    for corner in ([0.5, 2.5, 0.0], [1.5, 1.5, 0.0], [0.75, 2.0, 0.0]):
        loss, gradient = by_mpmath(corner, [0.25, 0.5, 1.0])
        assert wide[0].contains(loss)
        assert all(outer.contains(inner) for outer, inner in zip(wide[1], gradient, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_a_coefficient_that_may_be_0_is_not_taken_for_0(form: str) -> None:
    loss, _ = FORMS[form](balls([0.0, 3.0]), [arb(0, 0.5), arb(1)])
    exact, _ = FORMS[form](balls([0.0, 3.0]), balls([0.5, 1.0]))
    assert loss.contains(exact)


@pytest.mark.parametrize("form", SHIFTED_FORMS)
def test_the_index_of_the_largest_logit_need_not_be_known(form: str) -> None:
    loss, _ = FORMS[form]([arb(1, 0.25), arb(1, 0.25)], balls([1.0, 0.0]))
    assert loss.contains(by_mpmath([1.25, 0.75], [1.0, 0.0])[0])


class Counted:
    """A stand-in for a ball that counts the operations it takes part in."""

    operations = 0

    def __init__(self, value: float) -> None:
        self.value = value

    def __getattr__(self, name: str) -> Callable[[], Counted]:
        if name not in ("exp", "log", "log1p"):
            raise AttributeError(name)
        return self._counted

    def is_zero(self) -> bool:
        return self.value == 0

    def __gt__(self, other: Counted) -> bool:
        return self.value > other.value

    def _counted(self, *_: object) -> Counted:
        Counted.operations += 1
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __neg__ = _counted


def operations(form: str, n_classes: int) -> int:
    Counted.operations = 0
    row = [Counted(float(index)) for index in range(n_classes)]
    FORMS[form](cast("list[arb]", row), cast("list[arb]", row))
    return Counted.operations


@pytest.mark.parametrize("form", FORMS)
def test_the_cost_grows_in_proportion_to_the_number_of_classes(form: str) -> None:
    small, double, quadruple = (operations(form, n_classes) for n_classes in (50, 100, 200))
    assert quadruple - double == 2 * (double - small)


def test_the_hessian_is_the_derivative_s_covariance() -> None:
    logits, coefficients = [0.5, -1.0, 2.0], [0.5, 0.25, 1.0]
    rows = ball_forms.hessian(balls(logits), balls(coefficients))
    with mpmath.workdps(60):
        total = mpmath.fsum(mpmath.exp(x) for x in logits)
        p = [mpmath.exp(x) / total for x in logits]
        mass = mpmath.fsum(coefficients)
        expected = [[to_40_digits(mass * p[i] * ((i == j) - p[j])) for j in range(3)] for i in range(3)]
    assert all(rows[i][j].overlaps(expected[i][j]) for i, j in np.ndindex(3, 3))
