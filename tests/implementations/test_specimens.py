"""Each specimen has one known defect: its own check rejects it, on its witness and in a run, in every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Check
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.tally import results_of
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens
from tests.runs import rejects

CHECK_NAMED = {check.name: check for check in CHECKS}
SEEN_IN_THE_STANDARD_FAMILIES = {"sequential_half_mean"}  # the others are seen in those of the quick profile
WITH_NO_PROBLEM_FOR_A_WITNESS = {"labels_wrap", "labels_truncated", "labels_broadcast"}  # their witness is refused
CASES = [(one, dtype) for one in specimens().values() for dtype in claims_from(one.claims).dtypes]
IDS = [f"{one.name}-{dtype}" for one, dtype in CASES]


def implementation_of(specimen: Any) -> Implementation:
    (found,) = load(specimen.name, {})
    return found


def witness(specimen: Any, dtype: str) -> Problem:
    options = {**specimen.options, "derivative": claims_from(specimen.claims).derivative}
    vector = options.pop("vector", None)
    probabilities = np.ndim(specimen.labels) == 2
    objective = Objective(options.pop("reduction", "mean"), "probability" if probabilities else "index", **options)
    n_classes = 2 if not len(specimen.logits) else len(specimen.logits[0])
    logits = np.array(specimen.logits, dtype=np.float64).reshape(-1, n_classes).astype(as_dtype(dtype))
    targets = np.array(specimen.labels)
    targets = targets.astype(logits.dtype) if probabilities else targets
    vector = None if vector is None else np.array(vector, dtype=np.float64).astype(logits.dtype)
    return Problem(logits, targets, objective, "witness", vector)


def test_there_are_specimens_of_more_than_eighty_defects() -> None:
    assert len(specimens()) > 80


@pytest.mark.parametrize(("specimen", "dtype"), CASES, ids=IDS)
def test_its_own_check_rejects_it(specimen: Any, dtype: str) -> None:
    families = "standard" if specimen.name in SEEN_IN_THE_STANDARD_FAMILIES else "quick"
    plan = Plan(Profile("families", families, 0, 0, 0), seed=1)
    check: Check = CHECK_NAMED[specimen.killed_by]
    assert rejects(implementation_of(specimen), plan, check, dtype)


@pytest.mark.parametrize(("specimen", "dtype"), CASES, ids=IDS)
def test_its_witness_shows_the_defect(specimen: Any, dtype: str) -> None:
    if specimen.name in WITH_NO_PROBLEM_FOR_A_WITNESS:
        with pytest.raises((TypeError, ValueError)):
            witness(specimen, dtype)
        specimen.function(np.array(specimen.logits, dtype=dtype), np.array(specimen.labels))  # and it gives an answer
    else:
        implementation, problem = implementation_of(specimen), witness(specimen, dtype)
        applying = [check for check in CHECKS if check.applies(implementation.claims, problem)]
        failed = [result.check for _, result in results_of(applying, implementation, problem) if not result.passed]
        assert failed, "no check rejects the witness"


@pytest.mark.parametrize("specimen", specimens().values(), ids=lambda one: one.name)
def test_it_says_what_is_wrong_and_how_to_mend_it(specimen: Any) -> None:
    assert specimen.function.__doc__
    assert len(specimen.wrong.splitlines()) == 1
    assert specimen.mend
    assert specimen.seen
