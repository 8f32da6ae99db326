"""No false alarm: all that ships as sound, strangers too, passes every check that is held against it."""

from __future__ import annotations

from functools import cache

import pytest

from gradlab.adapters.load import load
from gradlab.adapters.shipped import shipped, sound
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Plan, Report, judge

DTYPES = ("float32", "float64")
CASES = [(name, dtype) for name in sound() for dtype in DTYPES]
OURS = [name for name in sound() if name in shipped()]
ALSO_ACCURATE = ("loss_within_a_few_ulp", "target_entry_within_a_few_ulp", "rows_sum_to_zero_relative_to_largest")


@cache
def report_of(name: str, dtype: str) -> Report:
    """One run of the quick profile."""
    (implementation,) = load(name, {})
    return judge(implementation, Plan(PROFILES["quick"], 11, implementation.claims.level, (dtype,)))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_sound_implementation_reaches_the_level_that_it_claims(name: str, dtype: str) -> None:
    report = report_of(name, dtype)
    assert report.met, report


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_advised_to_a_sound_implementation(name: str) -> None:
    assert [line.check.name for line in report_of(name, "float32").advice] == []


@pytest.mark.parametrize(("name", "dtype"), [("widened", "float32"), ("complement", "float32")])
def test_form_without_cancellation_passes_the_checks_of_loss_and_target_entry_in_ulp(name: str, dtype: str) -> None:
    failed = {line.check.name for line in report_of(name, dtype).lines if not line.passed}
    assert failed.isdisjoint(ALSO_ACCURATE)


def test_rounding_once_is_accurate() -> None:
    assert report_of("widened", "float32").verdict == "accurate"


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_claims_of_what_ships_name_the_dtypes_tested_here(name: str, dtype: str) -> None:
    assert dtype in load(name, {})[0].claims.dtypes


def test_there_are_at_least_twelve_strangers() -> None:
    assert len(sound()) - len(OURS) >= 12
