"""Curves of errors: their points lie where they should, and show what is known of sound and unsound code."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.harness.curves import AXES, Curve, curve_of, place_of, spaced
from gradlab.harness.difference_curve import difference_curve_of
from gradlab.problems.dtypes import format_of
from gradlab.targets.load import load

DIGITS = {"float32": 24, "float64": 53}
CLIFF = {"float32": 16.64, "float64": 36.74}  # p log 2: from here on 1 - p_y loses every digit


@pytest.fixture(scope="module")
def shifted() -> Implementation:
    return load("shifted", {})[0]


def along(name: str, implementation: Implementation, dtype: str) -> Curve:
    (axis,) = [one for one in AXES if one.name == name]
    return curve_of(implementation, axis, dtype)


def test_a_place_is_the_binade_and_how_far_into_it() -> None:
    assert [place_of(value) for value in (1.0, 1.5, 2.0, 0.25, 3.5)] == [0.0, 0.5, 1.0, -2.0, 1.75]


def test_spaced_numbers_fill_every_binade_alike() -> None:
    values = spaced(1.0, 16.0, format_of("float32"), 41)
    counts = np.histogram(values, [1, 2, 4, 8, 16.5])[0]
    assert counts.tolist() == [10, 10, 10, 11]
    assert (values == values.astype(np.float32)).all()


@pytest.mark.parametrize("dtype", DIGITS)
def test_the_shifted_form_loses_every_digit_of_the_target_from_the_cliff_on(
    shifted: Implementation, dtype: str
) -> None:
    curve = along("margin", shifted, dtype)
    target = curve.parts["target"]
    values = np.array(curve.values)
    assert (np.array(target.errors)[values > CLIFF[dtype] + 1] >= 2.0 ** (DIGITS[dtype] - 2)).sum() >= 5
    assert max(curve.parts["others"].errors) < 8


@pytest.mark.parametrize("axis", [axis.name for axis in AXES])
def test_sound_code_stays_within_what_is_allowed(shifted: Implementation, axis: str) -> None:
    for part in along(axis, shifted, "float32").parts.values():
        assert all(error <= allowed for error, allowed in zip(part.errors, part.allowed, strict=True))


def test_an_accurate_form_has_no_cliff() -> None:
    assert max(along("margin", load("accurate", {})[0], "float32").parts["target"].errors) < 8


def test_one_shift_for_all_rows_shows_where_a_row_lies_far_below_the_other() -> None:
    curve = along("rows", load("teaching_global_shift", {})[0], "float32")
    broken = [value for value, error in zip(curve.values, curve.parts["target"].errors, strict=True) if error > 1e6]
    assert broken
    assert 90 < min(broken) < 110  # exp(-104) is 0 in float32


def test_code_that_raises_has_no_number() -> None:
    def raising(logits: object, labels: object) -> None:
        raise ValueError("no")

    errors = along("margin", Implementation("raising", raising), "float32").parts["loss"].errors
    assert set(errors) == {math.inf}


@pytest.mark.parametrize("dtype", DIGITS)
def test_differences_stay_within_the_proved_bound_and_look_like_a_v(shifted: Implementation, dtype: str) -> None:
    curve = difference_curve_of(shifted, dtype)
    assert all(error <= bound for error, bound in zip(curve.errors, curve.bounds, strict=True))
    least = min(curve.bounds)
    assert curve.bounds[0] > 10 * least < curve.bounds[-1]
