"""The accurate implementations where rows are long, and where another row of the batch has no value."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.campaigns.atlas.climbing import errors_of_row
from gradlab.evaluation.call import Implementation
from gradlab.problems.problem import Array
from gradlab.targets.load import load

ACCURATE = ("accurate", "fused_accurate")
ULPS = {"float32": 5.0, "float64": 4.0}  # what docs/implementations.md says
DEPTHS = (
    -0.37,
    -10.3,
    -20.0,
    -25.65,
    -26.5,
    -36.0,
)  # -25.65: 483 ULP at 32,000 classes while pairs were not normalised


def implementation(name: str) -> Implementation:
    if name == "fused_accurate":
        pytest.importorskip("numba")
    return load(name, {})[0]


def level_tail(classes: int, depth: float, dtype: str) -> Array:
    """One logit at 0, all others at the depth."""
    row = np.full(classes, depth, dtype)
    row[0] = 0
    return row


@pytest.mark.parametrize("name", ACCURATE)
@pytest.mark.parametrize("dtype", ULPS)
@pytest.mark.parametrize("classes", [1000, 16382, 32000, 50257, 131072])
def test_a_long_level_tail_costs_no_digits(name: str, dtype: str, classes: int) -> None:
    one = implementation(name)
    rows = [level_tail(classes, depth, dtype) for depth in DEPTHS]
    errors = [errors_of_row(one, row, label) for row in rows for label in (0, 1)]
    assert max(max(error.values()) for error in errors) <= ULPS[dtype]


@pytest.mark.parametrize("name", ACCURATE)
@pytest.mark.parametrize("dtype", ULPS)
@pytest.mark.parametrize(("classes", "mean"), [(32000, -26.5), (50257, -26.0)])
def test_a_long_noisy_tail_costs_no_digits(name: str, dtype: str, classes: int, mean: float) -> None:
    row = np.random.default_rng(1).normal(mean, 0.5, classes).astype(dtype)
    row[0] = 0
    for label in (0, 1):
        assert max(errors_of_row(implementation(name), row, label).values()) <= ULPS[dtype]


@pytest.mark.parametrize("name", ACCURATE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("is_deepest", [False, True])
def test_a_row_without_a_value_leaves_a_row_far_below_its_label_alone(name: str, dtype: str, is_deepest: bool) -> None:
    deepest = {"float32": -103.0, "float64": -744.9}[dtype]  # exp of it is subnormal: the sum is taken in parts
    far = level_tail(2700, deepest if is_deepest else -36.017, dtype)  # from -36 on it is small, and cut once more
    function = implementation(name).function
    loss, gradient = function(far[None], np.array([0]), reduction="none")
    both = np.stack([far, np.full_like(far, np.nan)])
    losses, gradients = function(both, np.array([0, 0]), reduction="none")
    assert losses[0] == loss[0]
    np.testing.assert_array_equal(gradients[0], gradient[0])
