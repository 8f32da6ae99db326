"""The errors that scaled exponentials carry, and what stands for those that were left out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gradlab.oracle.double_double import MULTIPLY_ERROR
from gradlab.oracle.fast.exponential import EXP_ERROR
from gradlab.oracle.fast.row_softmax import NEGLIGIBLE_EXPONENT
from gradlab.oracle.fast.sharp_targets import scale_error, widen_negligible
from gradlab.oracle.intervals import Enclosures, constant

LARGEST_SIZE = np.nextafter(2.0, 0.0)
SCALES = Enclosures(
    np.array([1.0, LARGEST_SIZE]), np.zeros(2), np.array([0.0, 2.0**-60]), np.array([5, -7], dtype=np.int64)
)


def test_the_error_of_a_product_has_room_for_both_factors_and_the_multiplication() -> None:
    needed = EXP_ERROR + MULTIPLY_ERROR + SCALES.radius
    assert (scale_error(SCALES) >= needed).all()
    assert (scale_error(SCALES) <= 1.03 * needed).all()
    of_exp, of_product, of_scale = 1.01 * EXP_ERROR, 1.01 * MULTIPLY_ERROR, 1.01 * 1.01 * SCALES.radius
    np.testing.assert_allclose(scale_error(SCALES), of_exp + of_product + of_scale, rtol=1e-12, atol=0)


def test_an_exponential_that_was_left_out_is_enclosed_between_zero_and_its_largest() -> None:
    answer = constant(0.0, (2, 3))
    widen_negligible(answer, np.array([[False, True, False]] * 2), SCALES)
    assert (answer.high == 0).all()
    assert (answer.radius[:, [0, 2]] == 0).all()
    for row in (0, 1):
        largest = Fraction(SCALES.high[row]) * Fraction(2) ** (int(SCALES.exponent[row]) + NEGLIGIBLE_EXPONENT)
        reach = Fraction(answer.radius[row, 1]) * Fraction(2) ** int(answer.exponent[row, 1])
        assert largest <= reach <= 2 * largest
