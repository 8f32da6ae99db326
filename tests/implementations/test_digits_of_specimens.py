"""The accurate algorithm that specimens replace a stage of is accurate where none is replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.cancellation import PROBES
from gradlab.diagnosis.probe import side_of
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.run import run_checks
from gradlab.implementations.specimens._digits import Digits, answer_by
from gradlab.targets.load import load
from tests.runs import ONE_OF_EACH_FAMILY

FAMILIES = Profile("families", "quick", 0, 0, 0)
DTYPES = ("float32", "float64")
SOUND = [("accurate", "float32"), ("accurate", "float64"), ("widened", "float32")]


def right(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    return answer_by(Digits(), logits, labels, reduction)


def implementation_of(name: str) -> Implementation:
    if name == "right":
        return Implementation("right", right, claims_from({"reduction": ["none", "mean", "sum"]}))
    return load(name, {})[0]


@pytest.mark.parametrize("profile", [ONE_OF_EACH_FAMILY, pytest.param(FAMILIES, marks=pytest.mark.more)])
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.more)])
def test_the_stages_are_accurate_on_the_quick_families(dtype: str, profile: Profile) -> None:
    report = run_checks(implementation_of("right"), Plan(profile, 1, "accurate", (dtype,), power=False))
    assert report.verdict == "accurate", report


@pytest.mark.parametrize(("name", "dtype"), [*SOUND, *(("right", dtype) for dtype in DTYPES)])
def test_no_probe_of_lost_digits_sees_a_defect_in_what_is_accurate(name: str, dtype: str) -> None:
    side = side_of(implementation_of(name), np.dtype(dtype))
    assert {found for probes in PROBES.values() for probe in probes if (found := probe(side))} == set()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_probes_see_both_of_what_keeps_the_complement_form_from_accurate(dtype: str) -> None:
    side = side_of(implementation_of("complement"), np.dtype(dtype))
    seen = {found for probes in PROBES.values() for probe in probes if (found := probe(side))}
    assert seen == {"difference_rounded", "subnormal_terms_summed"}
