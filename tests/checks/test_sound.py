"""No false alarm: every sound implementation that ships passes every check that is held against it."""

from __future__ import annotations

import importlib
from functools import cache

import pytest

from gradlab.claims import claims_from
from gradlab.evaluation import Implementation
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Plan, Report, judge

SOUND = ("loop", "shifted", "log_space", "online", "complement", "widened", "every_option")
DTYPES = ("float32", "float64")
CASES = [(name, dtype) for name in SOUND for dtype in DTYPES]
ALSO_ACCURATE = ("loss_within_a_few_ulp", "target_entry_within_a_few_ulp", "rows_sum_to_zero_relative_to_largest")


@cache
def report_of(name: str, dtype: str) -> Report:
    """One run of the quick profile."""
    module = importlib.import_module(f"gradlab.implementations.{name}")
    implementation = Implementation(name, getattr(module, name), claims_from(module.CLAIMS))
    return judge(implementation, Plan(PROFILES["quick"], 11, "stable", (dtype,)))


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_sound_implementation_is_stable(name: str, dtype: str) -> None:
    report = report_of(name, dtype)
    assert report.verdict >= "stable", report


@pytest.mark.parametrize("name", SOUND)
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
    assert tuple(importlib.import_module(f"gradlab.implementations.{name}").CLAIMS["dtypes"]) == DTYPES
