"""Where several defects explain an implementation, each has a failure in which it shows by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.alone import shown_alone
from gradlab.diagnosis.diagnosis import Diagnosis, diagnose
from gradlab.diagnosis.search import Explanation
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.examples import examples_of
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.run import Run, run_checks
from gradlab.harness.tally import Tally, examine
from gradlab.problems.families import FAMILIES
from gradlab.problems.problem import Array, Problem
from gradlab.result import Result
from gradlab.targets.layers import load_layer
from gradlab.targets.load import load
from gradlab.targets.shipped import layer_specimens, specimens
from tests.runs import every

SEVERAL = ("teaching_one_dimensional", "teaching_label_vector")
FEW = Profile("small", "quick", 12, 0, 40, asked=4, most=len(FAMILIES))


def doubled_and_unshifted(logits: Array, labels: Array) -> tuple[Any, Array]:
    """A stranger: no maximum is subtracted, and the gradient is that of the sum."""
    p = np.exp(logits)
    p = p / p.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p


def run(target: str) -> Run:
    implementation = load_layer(target, {}) if target.startswith("layer:") else load(target, {})[0]
    claims = replace(implementation.claims, dtypes=("float32",))
    return run_checks(replace(implementation, claims=claims), Plan(FEW, 0))


def is_wrong_alone(name: str, failed: Result) -> bool:
    """Whether the specimen of a defect fails the check of an example on its problem."""
    known = specimens()[name]
    implementation = Implementation(name, known.function, claims_from({"dtypes": "float32"}))
    tally = Tally(implementation)
    examine(tally, failed.problem)
    return not tally.lines[failed.check, "float32"].passed


@pytest.mark.parametrize("target", every(2, SEVERAL, SEVERAL))
def test_an_example_fails_for_the_code_that_has_this_defect_alone(target: str) -> None:
    known = run(target).diagnosis
    assert known is not None
    assert len(known.alternatives[0].defects) > 1
    assert len(known.examples) > 1
    for name, failed in known.examples.items():
        assert is_wrong_alone(name, failed), name


def test_the_first_failure_is_an_example() -> None:
    found = run("teaching_global_shift")
    assert found.diagnosis is not None
    assert set(found.diagnosis.examples) == {"global_shift", "zero_times_infinity"}
    first, examples = found.failures[0], found.diagnosis.examples.values()
    assert first.simplest is not None
    assert first.check.name in {one.check for one in examples if one.problem.digest == first.simplest.problem.digest}


@pytest.mark.more
def test_every_defect_of_a_layer_has_its_output() -> None:
    known = run("layer:implementations/specimens/teaching_global_shift.py:softmax_regression").diagnosis
    assert known is not None
    assert set(known.examples) == set(known.alternatives[0].defects) <= layer_specimens().keys()
    assert known.examples["bias_gradient_not_averaged"].where.startswith("db")


def failure(where: str, *rows: list[float]) -> Result:
    problem = Problem(np.array(rows, dtype=float), np.zeros(len(rows), dtype=int))
    return Result("a_check", "float64", np.inf, where, "", "", None, "", None, problem)


@pytest.fixture(scope="module")
def explained() -> Diagnosis:
    """What explains the stranger, on a handful of problems."""
    implementation = Implementation("stranger", doubled_and_unshifted)
    rows: list[Any] = [[[0, 1]], [[1, 2], [0, 3]], [[2, 1, 0], [0, 1, 2]], [[1000, 0]], [[-1000, 0]], [[-np.inf, 0]]]
    problems = [Problem(np.array(one, dtype=float), np.zeros(len(one), dtype=int)) for one in rows]
    return diagnose(implementation, problems, ["gradient_is_right", "loss_within_forward_error"])


def test_a_failure_is_laid_to_the_defect_that_is_in_its_output(explained: Diagnosis) -> None:
    implementation = Implementation("stranger", doubled_and_unshifted)
    assert all("gradient_not_divided" in one.defects for one in explained.alternatives)
    by_gradient = shown_alone(explained, implementation, failure("gradient[0, 0]", [1, 2], [0, 3]))
    by_loss = shown_alone(explained, implementation, failure("loss", [-1000, 0]))
    assert by_gradient == ("gradient_not_divided",)
    assert by_loss
    assert "gradient_not_divided" not in by_loss


def test_one_defect_by_itself_needs_no_example(explained: Diagnosis) -> None:
    implementation = Implementation("stranger", doubled_and_unshifted)
    failed = [failure("loss", [-1000, 0])]
    assert examples_of(explained, implementation, failed)
    alone = replace(explained, alternatives=tuple(Explanation(one.models[:1]) for one in explained.alternatives))
    assert examples_of(alone, implementation, failed) == {}
