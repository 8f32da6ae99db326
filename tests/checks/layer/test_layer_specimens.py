"""Every specimen of the layer is rejected by its check, and no sound layer by any."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.tally import findings_of
from gradlab.implementations.strangers.layer import numpy_layers
from gradlab.result import largest_ratio
from gradlab.targets.shipped import layer_specimens
from tests.layer_claims import claims_of_all, questions_for, specimen
from tests.runs import in_one_dtype_first, unexplained

CHECKS = {check.name: check for check in LAYER_CHECKS}
STRANGERS = importlib.import_module(numpy_layers.__name__).__all__


@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(layer_specimens()))
def test_a_specimen_of_the_layer_is_rejected_by_its_check(name: str, dtype: str) -> None:
    one = layer_specimens()[name]
    if one.dtypes and dtype not in one.dtypes:
        pytest.skip(f"{name} shows in {one.dtypes}")
    check, implementation = CHECKS[one.killed_by], specimen(name, dtype)
    asked = (question for question in questions_for(one, dtype) if check in question.checks)
    assert any(
        largest_ratio(findings) > 1
        for question in asked
        for _, findings in findings_of((check,), implementation, question.problem)
    )


@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(STRANGERS))
@pytest.mark.parametrize("profile", ["smoke", pytest.param("quick", marks=pytest.mark.more)])
def test_a_sound_layer_fails_nothing(name: str, dtype: str, profile: str) -> None:
    function: Any = getattr(numpy_layers, name)
    implementation = Implementation(name, function, claims_of_all(dtype))
    run = unexplained(implementation, Plan(PROFILES[profile]))
    assert [line.check.name for line in run.lines if not line.passed and line.check.claim is None] == []
