"""What every model predicts has the shape of an answer, whatever the objective is."""

from __future__ import annotations

import re
from collections import Counter
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis import diagnosis
from gradlab.diagnosis.matching import Observation, matches_loss, observe
from gradlab.diagnosis.models import DEFECTS, rounding, scaling
from gradlab.diagnosis.search import Explanation
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.implementations import every_option
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Problem
from gradlab.targets.shipped import specimens


def one_in_a_hundred_more(*arguments: Any, **options: Any) -> Any:
    loss, gradient = every_option.every_option(*arguments, **options)
    return loss * loss.dtype.type(1.01), gradient * gradient.dtype.type(1.01)


def one_of_each_kind(claims: Claims) -> list[Observation]:
    """An answer, which is wrong, for each set of options, reduction, rule of the mean and kind of target."""
    implementation = Implementation("more", one_in_a_hundred_more, claims)
    kinds = {}
    for problem in problems_for(claims, "float64", "quick", 0):
        objective = problem.objective
        if problem.n_rows and problem.is_moderate:
            kinds[frozenset(objective.options), objective.reduction, objective.mean_over, objective.targets] = problem
    return [observe(problem, evaluate(implementation, problem)) for problem in kinds.values()]


def test_what_is_said_of_a_defect_with_a_parameter_has_its_value_and_no_other() -> None:
    """The text of its specimen has that of the specimen."""
    known = specimens()
    number = re.compile(r"(?<![\w.^/])\d+(?:\.\d+)?(?:e-?\d+)?")
    for defect in (one for one in DEFECTS if one.symbol):
        text = known[defect.name].wrong if not defect.said else defect.said.format("#")
        assert set(number.findall(text)) <= {"0", "1"}, f"{defect.name}: {text}"
        assert "#" in text or not defect.said


@pytest.mark.parametrize("module", [rounding, scaling])
def test_the_ways_in_which_a_defect_comes_are_told_apart_by_what_is_said(module: ModuleType) -> None:
    """The text of its specimen is true of one of them alone."""
    ways = Counter(defect.name for defect in module.DEFECTS)
    for name in (name for name, count in ways.items() if count > 1):
        said = [defect.said for defect in module.DEFECTS if defect.name == name]
        assert len(set(said) - {""}) == len(said), name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_model_predicts_a_loss_and_a_gradient_of_the_right_shapes() -> None:
    seen = one_of_each_kind(claims_from({**every_option.CLAIMS, "dtypes": "float64"}))
    models = [model for defect in DEFECTS for model in defect.models(seen)]
    assert len(seen) > 50
    assert len(models) > 100
    with np.errstate(all="ignore"):
        for model in models:
            for one in seen:
                predicted = Explanation((model,)).predicts(one)
                shapes = (np.shape(predicted.loss), predicted.gradient.shape)
                assert shapes == (one.loss.shape, one.gradient.shape), (model.defect, one.problem.objective)


def test_an_answer_that_contradicts_an_explanation_is_counted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def nothing_is_wrong(observations: list[Observation]) -> list[Explanation]:
        looked_at.append(len(observations))
        return [Explanation(())]

    monkeypatch.setattr(diagnosis, "explanations", nothing_is_wrong)
    monkeypatch.setattr(diagnosis, "MAX_OBSERVATIONS", 2)
    implementation = Implementation("more", one_in_a_hundred_more, Claims())
    problems = problems_for(Claims(), "float64", "quick", 0)[:20]
    assert diagnosis.diagnose(implementation, problems, ["loss_is_right"]).alternatives == ()
    first = looked_at[0]
    assert looked_at == [first + round for round in range(diagnosis.MAX_ROUNDS)]


def test_a_bound_near_the_largest_number_grows_to_infinity_without_a_warning() -> None:
    largest = float(np.finfo(np.float64).max)
    problem = Problem(np.array([[0.0, -largest]]), np.array([1]))
    seen = observe(problem, evaluate(Implementation("shifted", shifted), problem))
    assert matches_loss(seen, Explanation(()).predicts(seen), "float16")
