"""Every check rejects the implementation made for it; that sound ones pass is tested in `test_sound.py`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from gradlab.checks.check import Check
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from tests.runs import rejects

sys.path.insert(0, str(Path(__file__).parent))
DEFECTIVE = importlib.import_module("defective").DEFECTIVE
sys.path.pop(0)

FAMILIES_ONLY = Plan(Profile("families", "quick", 0, 0, 0), seed=1)


def test_every_check_has_an_implementation_that_it_must_reject() -> None:
    missing = {check.name for check in CHECKS} - set(DEFECTIVE)
    assert not missing, f"add a row to DEFECTIVE in tests/checks/defective.py for {', '.join(sorted(missing))}"
    assert set(DEFECTIVE) == {check.name for check in CHECKS}


def test_no_two_checks_have_the_same_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_rejects_the_implementation_made_for_it(check: Check, dtype: str) -> None:
    assert check.name in DEFECTIVE, f"{check.name} needs a row of DEFECTIVE in tests/checks/defective.py"
    function, given = DEFECTIVE[check.name]
    claims = claims_from(given)
    asked = dtype if dtype in claims.dtypes else claims.dtypes[0]
    assert rejects(Implementation(function.__name__, function, claims), FAMILIES_ONLY, check, asked)
