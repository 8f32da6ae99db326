"""Other derivatives than the gradient: judged, told of, kept and replayed; which checks go with which."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cases.cases import keep_failures, read_case
from gradlab.cases.replay import replay
from gradlab.checks.table import CHECKS, applicable
from gradlab.evaluation.adaptation import LARGEST_HESSIAN
from gradlab.evaluation.call import evaluate
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.run import Run, run_checks
from gradlab.harness.search import smallest
from gradlab.harness.selection import problems_in_run
from gradlab.problems.families.vectors import KINDS, with_vector
from gradlab.problems.objective import DERIVATIVES, Objective
from gradlab.problems.problem import Problem
from gradlab.report.failure import failure_text, no_command
from gradlab.report.reproducer import reproducer, source_of
from gradlab.targets.load import TargetError, implementation_of, load
from gradlab.targets.shipped import specimens

FEW = Plan(Profile("few", "quick", 0, 0, 0, asked=4), 1, "stable", ("float64",), power=False)
OF_GRADIENT_ALONE = {
    "returns_loss_and_gradient",
    "rows_sum_to_zero",
    "rows_sum_to_zero_relative_to_largest",
    "entries_have_the_right_sign_and_size",
    "loss_is_convex",
    "gradient_is_lipschitz",
    "gradient_is_the_derivative_of_its_own_loss",
    "complex_step_gives_the_gradient",
    "gradient_integrates_to_the_loss",
    "gradient_is_monotone",
    "gradient_is_right",
    "gradient_within_forward_error",
    "loss_within_a_few_ulp",
    "target_entry_within_a_few_ulp",
    "other_entries_within_a_few_ulp",
}


def claims_of(derivative: str) -> Any:
    targets = "probability" if derivative == "target_gradient" else "index"
    return claims_from({"derivative": derivative, "targets": targets})


def checks_of(derivative: str) -> set[str]:
    claims = claims_of(derivative)
    problems = problems_in_run(claims, "float64", FEW.profile, 0)
    return {check.name for problem in problems for check in applicable(claims, problem)}


@pytest.mark.parametrize("derivative", [name for name in DERIVATIVES if name != "gradient"])
def test_no_check_of_the_gradient_is_asked_of_another_derivative(derivative: str) -> None:
    assert checks_of(derivative).isdisjoint(OF_GRADIENT_ALONE)


def test_no_check_of_another_derivative_is_asked_of_the_gradient() -> None:
    own = {check.name for check in CHECKS if check.function.__module__.endswith("second_order")}
    assert checks_of("gradient").isdisjoint(own)
    assert len(own) == 10


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_what_does_not_look_at_the_derivative_is_asked_of_each(derivative: str) -> None:
    generic = {"loss_is_right", "same_call_gives_same_bits", "layout_does_not_matter", "rows_are_independent"}
    generic |= {"permuting_rows_permutes_the_gradient", "leaves_its_inputs_alone", "rows_without_value_are_not_hidden"}
    assert generic <= checks_of(derivative)


@cache
def report_on(name: str) -> Run:
    (implementation,) = load(name, {})
    return run_checks(implementation, FEW)


@pytest.mark.more
@pytest.mark.parametrize("name", ["hessian_by_outer_products", "product_in_forward_mode"])
def test_the_best_verdict_is_stable_as_no_check_asks_for_more(name: str) -> None:
    assert report_on(name).verdict == "stable"


@pytest.mark.parametrize("name", ["hessian_diagonal_alone", "product_sum_for_dot", "target_gradient_positive"])
def test_a_wrong_one_is_named(name: str) -> None:
    report = report_on(name)
    assert report.verdict == "wrong"
    assert report.diagnosis is not None
    assert [one.defects for one in report.diagnosis.alternatives] == [(name,)]
    assert report.diagnosis.is_explained


def unlike_any(logits: Any, labels: Any) -> Any:
    loss, p = 0.0, np.exp(logits - logits.max(axis=1, keepdims=True))
    return loss, p / 3


def test_what_no_known_formula_gives_is_not_explained() -> None:
    report = run_checks(implementation_of(unlike_any, {"derivative": "hessian_diagonal"}), FEW)
    assert report.diagnosis is not None
    assert report.diagnosis.alternatives == ()
    assert "derivative_is_right" in report.diagnosis.unexplained


def test_a_failure_shows_the_vector_and_can_be_run_in_plain_python(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_on("product_sum_for_dot")
    (line,) = [line for line in report.failures if line.check.name == "product_of_a_constant_vector_is_zero"]
    text = failure_text(report.implementation, line, no_command)
    assert "vector [[3" in text
    assert "derivative hessian_vector_product" in text
    source = "\n".join(one.strip() for one in text.splitlines()[-3:])
    exec(compile(source, "pasted", "exec"), {})
    assert line.simplest is not None
    assert line.simplest.asked is not None
    seen = evaluate(report.implementation, line.simplest.asked)
    assert repr(seen.gradient) in capsys.readouterr().out


def test_the_reproducer_passes_the_vector() -> None:
    (implementation,) = load("product_in_forward_mode", {})
    source = source_of(implementation)
    assert source is not None
    problem = with_vector(Problem(np.zeros((1, 2)), np.array([[1.0, 0.0]]), Objective(targets="probability")))
    assert "vector=np.array([[" in reproducer(source, implementation.claims, problem)[-1]


def test_a_case_comes_back_with_its_vector_and_fails_again(tmp_path: Path) -> None:
    report = report_on("product_sum_for_dot")
    keep_failures(report, tmp_path)
    case = read_case(next(iter(sorted(tmp_path.iterdir()))))
    (problem,) = [results[0].problem for results in report.failing if results[0].problem.digest == case.problem.digest]
    assert problem.vector is not None
    assert case.problem.vector is not None
    assert case.problem.vector.tobytes() == problem.vector.tobytes()
    assert case.problem.objective == problem.objective
    again = replay(case)
    assert not again.fixed
    assert again.same_answer


def test_a_failing_product_shrinks_to_two_classes_and_a_small_vector() -> None:
    claims = claims_of("hessian_vector_product")
    found = smallest(claims, "float64", 200, 1, lambda one: bool(one.vector is not None and one.vector[0, 0] > 0))
    assert found is not None
    assert found.logits.tolist() == [[0, 0]]
    assert found.vector is not None
    assert found.vector.tolist() == [[1, 0]]


def test_a_vector_is_the_same_for_the_same_problem_and_every_kind_comes_up() -> None:
    problem = Problem(np.arange(200.0).reshape(100, 2), np.zeros(100, dtype=int))
    first, second = with_vector(problem), with_vector(problem)
    assert first.digest == second.digest
    assert first.vector is not None
    sizes = np.abs(first.vector).max(axis=1)
    assert sizes.max() > 1e100
    assert (sizes == 0).any()
    assert len(KINDS) == 10


def test_no_hessian_of_a_run_is_larger_than_the_largest() -> None:
    problems = problems_in_run(claims_of("hessian"), "float32", PROFILES["quick"], 0)
    assert max(one.logits.size * one.n_classes for one in problems) <= LARGEST_HESSIAN
    assert max(one.n_classes for one in problems) == 256  # larger families are cut, not left out


def without_vector(logits: Any, labels: Any) -> Any:
    return 0.0, logits


def test_a_product_must_take_the_vector() -> None:
    with pytest.raises(TargetError, match=r"must be callable as \(logits, labels, vector=...\)"):
        implementation_of(without_vector, {"derivative": "hessian_vector_product"})


@pytest.mark.parametrize("target", ["pair:x.py:a,b", "exec:./program"])
def test_adapters_give_the_gradient_alone(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.py").write_text("def a(logits, labels): ...\ndef b(logits, labels): ...\n")
    Path("program").write_text("#!/bin/sh\n")
    Path("program").chmod(0o755)
    prefix = target.partition(":")[0]
    with pytest.raises(TargetError, match=f"{prefix}: gives the gradient alone, not derivative hessian"):
        load(target, {"derivative": "hessian"})


def test_an_answer_of_another_shape_is_a_fault() -> None:
    (implementation,) = load("diagonal_of_variances", {})
    wrong = replace(implementation, claims=replace(implementation.claims, derivative="hessian"))
    problem = Problem(np.zeros((2, 3)), np.array([0, 1]), Objective(derivative="hessian"))
    assert evaluate(wrong, problem).fault == "returned a Hessian of shape (2, 3), must be (2, 3, 3)"


def test_every_specimen_of_another_derivative_is_seen_by_a_run_with_that_claim() -> None:
    own = [one for one in specimens().values() if "derivative" in one.claims]
    assert len(own) == 17
    (implementation,) = load("hessian_in_log_space", {})
    report = run_checks(implementation, replace(FEW, power=True))
    assert report.power is not None
    assert set(report.power.caught) == {one.name for one in own if one.claims["derivative"] == "hessian"}
    assert report.power.missed == ()


def diagonal_from_a_quarter(logits: Any, labels: Any) -> Any:
    """p (1 - p) by completing the square, which costs all digits of a small p."""
    d = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(d) / np.exp(d).sum(axis=1, keepdims=True)
    return textbook_diagonal(d, labels)[0], (0.25 - (p - 0.5) ** 2) / p.dtype.type(len(p))


def textbook_diagonal(logits: Any, labels: Any) -> Any:
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(len(p)), labels])
    return losses.mean(), p * (1 - p) / p.dtype.type(len(p))


def test_a_form_without_a_shift_is_unstable_and_not_wrong() -> None:
    report = run_checks(implementation_of(textbook_diagonal, {"derivative": "hessian_diagonal"}), FEW)
    assert report.verdict == "unstable"
    assert all(not line.n_failed for line in report.lines if line.check.name == "rows_are_independent")
    (slopes,) = [line for line in report.lines if line.check.name == "derivative_is_the_slope_of_the_exact_gradient"]
    assert slopes.passed


def test_a_form_that_loses_small_entries_is_unstable_and_not_wrong() -> None:
    report = run_checks(implementation_of(diagonal_from_a_quarter, {"derivative": "hessian_diagonal"}), FEW)
    assert report.verdict == "unstable"
