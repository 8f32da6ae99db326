"""No false alarm: all that ships as sound, strangers too, passes every check that is held against it."""

from __future__ import annotations

from functools import cache

import pytest

from gradlab.checks.table import applicable
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run, judge
from gradlab.harness.selection import problems_in_run
from gradlab.harness.tally import results_of
from gradlab.targets.load import load
from gradlab.targets.shipped import shipped, sound

DTYPES = ("float32", "float64")
CASES = [(name, dtype) for name in sound() for dtype in DTYPES]
OURS = [name for name in sound() if name in shipped()]
ALSO_ACCURATE = ("loss_within_a_few_ulp", "target_entry_within_a_few_ulp", "rows_sum_to_zero_relative_to_largest")


@cache
def report_of(name: str, dtype: str) -> Run:
    """One run of the quick profile."""
    (implementation,) = load(name, {})
    return judge(implementation, Plan(PROFILES["quick"], 11, implementation.claims.level, (dtype,), power=False))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_sound_implementation_reaches_the_level_that_it_claims(name: str, dtype: str) -> None:
    report = report_of(name, dtype)
    assert report.met, report


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_advised_to_a_sound_implementation(name: str) -> None:
    assert [line.check.name for line in report_of(name, "float32").advice] == []


@pytest.mark.parametrize(
    ("name", "dtype", "families"),
    # half an ULP of each subnormal term adds up where the others are nothing else: docs/accuracy.md, the other tiers
    [("widened", "float32", set()), ("complement", "float32", {"vanishing_tails"})],
)
def test_form_without_cancellation_passes_the_checks_of_loss_and_target_entry_in_ulp(
    name: str, dtype: str, families: set[str]
) -> None:
    (one,) = load(name, {})
    failed = set()
    for problem in problems_in_run(one.claims, dtype, PROFILES["quick"], 11):
        checks = [check for check in applicable(one.claims, problem, None) if check.name in ALSO_ACCURATE]
        failed |= {problem.family for _, result in results_of(checks, one, problem) if not result.passed}
    assert failed == families


def test_rounding_once_is_accurate() -> None:
    assert report_of("widened", "float32").verdict == "accurate"


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_claims_of_what_ships_name_the_dtypes_tested_here(name: str, dtype: str) -> None:
    assert dtype in load(name, {})[0].claims.dtypes


def test_there_are_at_least_twelve_strangers() -> None:
    assert len(sound()) - len(OURS) >= 12
