"""What the truth knows in float64: probabilities, log S, shifted logits, coefficients, denominator."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]
LARGEST = float(np.finfo(np.float64).max)

ROWS = {
    "moderate": [1.0, -2.0, 0.5, 0.5],
    "confident": [40.0, 0.0, 1.0, -3.0],
    "below float64": [0.0, -800.0, -3000.0, -744.0],
    "one value": [7.0, 7.0, 7.0, 7.0],
    "offset": [LARGEST, LARGEST, 0.0, -LARGEST],
    "masked": [0.0, -math.inf, 1.0, -math.inf],
}


@pytest.mark.parametrize("row", ROWS)
def test_probabilities_and_log_sum_are_right_to_two_ulp(row: str) -> None:
    truth = enclose(Problem(np.array([ROWS[row]]), np.array([0])))
    with mpmath.workdps(400):
        e = [mpmath.exp(max(mpmath.mpf(x) - max(ROWS[row]), -(10**6))) for x in ROWS[row]]
        p = [float(value / mpmath.fsum(e)) for value in e]
        log_sum = float(mpmath.log(mpmath.fsum(e)))
    np.testing.assert_allclose(truth.probabilities[0], p, rtol=2.0**-51, atol=5e-324)
    np.testing.assert_allclose(truth.log_sum, [log_sum], rtol=2.0**-51)


def test_shifted_logits_are_rounded_once() -> None:
    truth = enclose(Problem(np.array([[0.1, 1e10, -math.inf, -LARGEST]]), np.array([0])))
    assert truth.shifted.tolist() == [[0.1 - 1e10, 0.0, -math.inf, -LARGEST]]


def test_rows_without_a_value_have_none_here_either() -> None:
    truth = enclose(Problem(np.array([[math.nan, 1.0], [0.0, 1.0]]), np.array([0, 0])))
    for found in (truth.probabilities, truth.shifted):
        assert np.isnan(found).all(1).tolist() == [True, False]
    assert np.isnan(truth.log_sum).tolist() == [True, False]


def test_coefficients_and_denominator_are_the_objective_s() -> None:
    objective = Objective(label_smoothing=0.5, class_weights=(1.0, 3.0), ignore_index=-1)
    truth = enclose(Problem(np.zeros((3, 2)), np.array([1, -1, 0]), objective))
    assert truth.coefficients.tolist() == [[0.25, 2.25], [0.0, 0.0], [0.75, 0.75]]
    assert truth.denominator == 4.0
