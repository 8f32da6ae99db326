"""What breaks breaks as its file states: with that verdict, in both dtypes, and for that reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.targets.load import load
from gradlab.targets.shipped import shipped_targets
from tests.runs import ONE_OF_EACH_FAMILY, in_one_dtype_first, unexplained

QUICK = replace(PROFILES["quick"], shrinks=0)
BREAKING = {name: one for name, one in shipped_targets().items() if one.stated}


def test_textbook_and_the_teaching_codes_state_a_verdict() -> None:
    assert {"textbook", *(name for name, one in shipped_targets().items() if one.is_teaching_code)} == set(BREAKING)


@pytest.mark.parametrize(
    "profile", [ONE_OF_EACH_FAMILY, pytest.param(QUICK, marks=pytest.mark.more)], ids=lambda profile: profile.name
)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.more)])
@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(BREAKING))
def test_it_gets_the_stated_verdict_for_the_stated_reason(name: str, dtype: str, seed: int, profile: Profile) -> None:
    (implementation,) = load(name, {})
    report = unexplained(implementation, Plan(profile, seed, "stable", (dtype,)))
    assert report.verdict == BREAKING[name].stated
    assert set(BREAKING[name].because) <= {line.check.name for line in report.failures}
