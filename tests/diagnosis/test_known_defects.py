"""Every specimen is told by its behaviour: the diagnosis names its defect, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.diagnosis.cancellation import PROBES as OF_DIGITS
from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.formulas import FORMULAS
from gradlab.diagnosis.models import DEFECTS, INSIDE
from gradlab.diagnosis.side_effects import PROBES as OF_CONDUCT
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import judge
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens

SEEN_IN_THE_STANDARD_FAMILIES = {"sequential_half_mean"}
NAMES = [name for name in specimens() if name not in SEEN_IN_THE_STANDARD_FAMILIES]
CASES = [(name, ("float32", "float64")[number % 2]) for number, name in enumerate(NAMES)]
IN_BOTH = [(name, dtype) for name in NAMES for dtype in claims_from(specimens()[name].claims).dtypes]


def named(diagnosis: Diagnosis) -> list[tuple[str, ...]]:
    """All that is named, each set of defects once; what was seen at work is part of every set."""
    sets = [one.defects for one in diagnosis.alternatives] or [()]
    return [(*one, *diagnosis.side_effects) for one in sets]


def first_claimed(name: str, dtype: str) -> str:
    claimed = claims_from(specimens()[name].claims).dtypes
    return dtype if dtype in claimed else claimed[0]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_diagnosis_names_the_defect_and_no_other(name: str, dtype: str, diagnosed: Any) -> None:
    specimen = specimens()[name]
    claims = {key: value for key, value in specimen.claims.items() if key != "dtypes"}
    found = diagnosed(specimen.function, first_claimed(name, dtype), [specimen.killed_by], **claims)
    assert named(found) == [(name,)]
    assert found.is_explained


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), IN_BOTH)
def test_a_whole_run_ends_with_the_same_name_in_both_dtypes(name: str, dtype: str) -> None:
    (implementation,) = load(name, {})
    level = "accurate" if specimens()[name].killed_by in OF_DIGITS else "stable"
    report = judge(implementation, Plan(PROFILES["quick"], 1, level, (dtype,)))
    assert report.diagnosis is not None
    assert named(report.diagnosis) == [(name,)]


def test_every_defect_has_a_model_or_a_probe() -> None:
    modelled = {defect.name for defect in DEFECTS} | {model.defect for model in INSIDE}
    modelled |= {name for formulas in FORMULAS.values() for name in formulas}
    probed = {
        name
        for name, one in specimens().items()
        if one.killed_by in {**OF_CONDUCT, **OF_DIGITS} and name not in modelled
    }
    assert modelled <= set(specimens())
    assert set(specimens()) - modelled == probed
