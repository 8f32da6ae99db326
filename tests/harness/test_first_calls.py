"""Where the first calls all give a wrong kind of answer, a run ends after three problems and says what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run, run_checks
from gradlab.implementations.shifted import shifted
from gradlab.implementations.specimens._right import below_maximum, softmax
from gradlab.problems.families import FAMILIES
from gradlab.problems.problem import Array
from gradlab.targets.load import implementation_of
from tests.runs import ONE_OF_EACH_FAMILY, unexplained

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
PLAN = Plan(PROFILES["quick"], 0, "stable", ("float64",), power=False)


class Tensor:
    """Stands for what a framework returns."""

    def __array__(self, *arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def of_one_hot(x: Array, t: Array) -> Any:
    d = below_maximum(x)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    return -np.where(t > 0, t * log_p, 0).sum(axis=1).mean(), (softmax(x) - t) / x.dtype.type(max(len(x), 1))


def wants_tensors(x: Any, y: Any) -> Any:
    return x.log_softmax(1)


KINDS = {
    "the loss alone": (lambda x, y: shifted(x, y)[0], "it returns the loss alone"),
    "a float alone": (lambda x, y: float(shifted(x, y)[0]), "it returns the loss alone"),
    "the gradient alone": (lambda x, y: shifted(x, y)[1], "it returns the gradient alone"),
    "swapped": (lambda x, y: shifted(x, y)[::-1], "it returns (gradient, loss)"),
    "a loss for each row": (
        lambda x, y: (np.zeros(len(y)), shifted(x, y)[1]),
        "it returns a loss for each row: claim reduction=none",
    ),
    "the other way round": (lambda x, y: (shifted(x, y)[0], shifted(x, y)[1].T), "the other way round"),
    "a tensor": (lambda x, y: Tensor(), "it is checked as torch:"),
    "tensors": (lambda x, y: (Tensor(), Tensor()), "it returns torch tensors"),
    "takes tensors": (wants_tensors, "it takes torch tensors: a torch loss is checked as torch:"),
    "a list": (lambda x, y: list(shifted(x, y)[1]), "it returns a list"),
    "a dictionary": (lambda x, y: dict(zip(("loss", "gradient"), shifted(x, y), strict=True)), "of type dict"),
    "nothing": (lambda x, y: None, "it returns None"),
    "one-hot rows": (of_one_hot, "claim targets=one_hot"),
}


def run_on(function: Any, **claims: Any) -> Run:
    return run_checks(Implementation("anonymous", function, claims_from(claims)), PLAN)


@pytest.mark.parametrize(("function", "words"), KINDS.values(), ids=KINDS)
def test_a_wrong_kind_of_answer_ends_the_run_with_what_to_do(function: Any, words: str) -> None:
    run = run_on(function)
    assert words in run.advice_on_kind
    assert (run.n_problems, str(run.verdict)) == (3, "wrong")


def raises(x: Array, y: Array) -> Any:
    raise RuntimeError("always")


def of_another_shape(x: Array, y: Array) -> Any:
    loss, gradient = shifted(x, y)
    return loss, (gradient[0] if len(y) == 1 else gradient)


@pytest.mark.parametrize("function", [shifted, raises, of_another_shape])
def test_any_other_function_is_tried_on_all_problems(function: Any) -> None:
    implementation = Implementation("anonymous", function, claims_from({}))
    run = unexplained(implementation, replace(PLAN, profile=replace(ONE_OF_EACH_FAMILY, examples=12)))
    assert run.advice_on_kind == ""
    assert run.n_problems >= len(FAMILIES)


def test_a_function_of_one_hot_rows_is_stable_where_that_is_claimed() -> None:
    implementation = implementation_of(of_one_hot, {"targets": "one_hot"})
    assert str(run_checks(implementation, replace(PLAN, profile=ONE_OF_EACH_FAMILY)).verdict) == "stable"


def test_one_hot_goes_with_no_other_kind_of_targets() -> None:
    with pytest.raises(ValueError, match="claim targets must be one_hot alone"):
        claims_from({"targets": ["one_hot", "index"]})
    with pytest.raises(ValueError, match="without ignore_index"):
        claims_from({"targets": "one_hot", "options": ["ignore_index"]})
