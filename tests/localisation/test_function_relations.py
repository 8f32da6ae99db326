"""Functions in the place of exp are named where they are what was measured, and not where exp is right."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.localisation.function_relations import gradient_with
from gradlab.localisation.functions import Measured
from gradlab.problems.problem import Array

PLACES = np.linspace(-30, 0, 1201).astype(np.float32).astype(np.float64)


def measured(more: Array) -> Measured:
    """A function that is measured in float32, by how much its log exceeds what it should."""
    return Measured(PLACES, more, np.zeros(len(PLACES)))


@pytest.mark.parametrize("low", [-29.0, -2.0, -1.0])
def test_what_changes_nothing_in_the_dtype_is_not_named_for_a_function_off_in_a_band(low: float) -> None:
    off = (PLACES > low) & (PLACES < low + 0.5)
    said = gradient_with(measured(np.where(off, 0.03, 0.0))).said
    assert "another function of x - max x in the place of exp" in said


def test_exp_rounded_to_half_precision_is_named() -> None:
    with np.errstate(all="ignore"):
        more = np.log(np.exp(PLACES).astype(np.float16).astype(np.float64)) - PLACES
    assert "exp(x - max x) rounded to float16" in gradient_with(measured(more)).said
