"""No false alarm: all that ships as sound, strangers too, passes every check that is held against it."""

from __future__ import annotations

from functools import cache
from itertools import chain

import pytest

from gradlab.checks.table import applicable
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.power import power_of
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run, run_checks
from gradlab.harness.selection import problems_in_run, questions_in_run
from gradlab.harness.tally import results_of
from gradlab.harness.verdict import Verdict
from gradlab.targets.load import load
from gradlab.targets.shipped import shipped_targets, sound, specimens
from tests.runs import DTYPES, ONE_OF_EACH_FAMILY, in_one_dtype_first

CLAIMS = {load(name, {})[0].claims: name for name in sound()}  # the power of a run depends on no more of it
SEEN_IN_THE_STANDARD_FAMILIES = {"sequential_half_mean"}  # the other defects are seen in those of the quick profile
OURS = [name for name in sound() if name in shipped_targets()]
STRANGERS = [name for name in sound() if name not in OURS]
ALSO_ACCURATE = ("loss_within_a_few_ulp", "target_entry_within_a_few_ulp", "rows_sum_to_zero_relative_to_largest")


@cache
def report_of(name: str, dtype: str) -> Run:
    """One run of the quick profile."""
    (implementation,) = load(name, {})
    return run_checks(implementation, Plan(PROFILES["quick"], 11, implementation.claims.level, (dtype,), power=False))


@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(OURS))
def test_sound_implementation_reaches_the_level_that_it_claims(name: str, dtype: str) -> None:
    report = report_of(name, dtype)
    assert report.met, report


@pytest.mark.parametrize(("name", "dtype"), [(name, DTYPES[number % 2]) for number, name in enumerate(STRANGERS)])
def test_a_stranger_reaches_it_on_one_problem_of_each_family(name: str, dtype: str) -> None:
    (implementation,) = load(name, {})
    report = run_checks(
        implementation, Plan(ONE_OF_EACH_FAMILY, 11, implementation.claims.level, (dtype,), power=False)
    )
    assert report.met, report


@pytest.mark.more
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_reaches_it_in_the_quick_profile(name: str, dtype: str) -> None:
    report = report_of(name, dtype)
    assert report.met, report


@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(OURS))
def test_nothing_is_advised_to_a_sound_implementation(name: str, dtype: str) -> None:
    assert [line.check.name for line in report_of(name, dtype).advice] == []


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
        checks = [check for check in applicable(one.claims, problem) if check.name in ALSO_ACCURATE]
        failed |= {problem.family for _, result in results_of(checks, one, problem) if not result.passed}
    assert failed == families


def test_rounding_once_is_accurate() -> None:
    assert report_of("widened", "float32").verdict == "accurate"


@pytest.mark.parametrize("name", sound())
def test_claims_of_what_ships_name_the_dtypes_tested_here(name: str) -> None:
    assert set(DTYPES) <= set(load(name, {})[0].claims.dtypes)


@pytest.mark.more
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("claims", CLAIMS, ids=CLAIMS.values())
def test_the_power_of_a_run_tells_of_every_known_defect(claims: Claims, dtype: str) -> None:
    asked = questions_in_run(claims, dtype, PROFILES["quick"], 11)
    power = power_of(claims, Verdict(claims.level), {dtype: asked})
    told = [*power.caught, *power.missed, *chain.from_iterable(power.not_exercised.values())]
    known = {name: claims_from(one.claims).derivative for name, one in specimens().items()}
    assert sorted(told) == sorted(name for name in known if known[name] == claims.derivative)
    assert set(power.missed) <= SEEN_IN_THE_STANDARD_FAMILIES


def test_there_are_at_least_twelve_strangers() -> None:
    assert len(STRANGERS) >= 12
