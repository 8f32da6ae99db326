"""A problem is told by its numbers where they are few, else by those that matter, and by what runs it again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.pages.problems import shown_problem
from gradlab.problems.objective import Objective
from gradlab.storage.encoding import encoded_objective

Result = dict[str, Any]
ALL_ZERO = "Its logits lie between 0 and 0, the rows\u2019 largest between 0 and 0."


def written(rows: Any) -> list[list[str]]:
    return [[float(value).hex() for value in row] for row in rows]


def result(where: str, targets: list[Any], **arrays: Any) -> Result:
    """A result of a report, on a problem of logits, or of features, weight and bias."""
    first = arrays["logits"] if "logits" in arrays else arrays["features"]
    shape = [len(first), len(first[0]), *([len(arrays["weight"][0])] if "weight" in arrays else [])]
    bias = {"bias": [float(value).hex() for value in arrays.pop("bias")]} if "bias" in arrays else {}
    numbers = {name: written(rows) for name, rows in arrays.items()}
    objective = encoded_objective(Objective())
    problem = {"case": "abc", "shape": shape, "family": "f", "objective": objective, "targets": targets}
    return {"where": where, "asked": None, "problem": {**problem, **numbers, **bias}}


def test_few_rows_are_shown_as_they_are() -> None:
    found = shown_problem(result("gradient[0, 1]", [0], logits=[[1.5, -2]]))
    assert (found.rows, found.matters, found.numbers) == ((("1.5, -2", "0"),), (), "logits")


def test_of_several_rows_the_largest_logits_are_told_and_the_row_that_is_off() -> None:
    logits = np.zeros((5, 10))
    logits[3] = np.arange(10) - 100
    found = shown_problem(result("gradient[3, 2]", [0, 1, 2, 4, 5], logits=logits))
    assert found.rows == ()
    assert found.matters == (
        "Its rows\u2019 largest logits are 0, 0, 0, -91, 0; the smallest of all is -100.",
        "Row 3 has label 4, with the logit -96, and class 2 with the logit -98; its largest is -91.",
    )


def test_of_many_rows_it_is_told_between_what_they_lie() -> None:
    logits = np.arange(20)[:, None] * np.array([1.0, 2.0, 3.0])
    found = shown_problem(result("loss", [0] * 20, logits=logits))
    assert found.matters == ("Its logits lie between 0 and 57, the rows\u2019 largest between 0 and 57.",)


def test_of_a_layer_the_logits_are_worked_out() -> None:
    features, weight = np.eye(5)[:, :3] * 100, np.ones((3, 4))
    found = shown_problem(result("dW[0, 0]", [0] * 5, features=features, weight=weight, bias=[1, 0, 0, -np.inf]))
    assert found.matters == ("Its rows\u2019 largest logits are 101, 101, 101, 1, 1; the smallest of all is -inf.",)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"logits": [], "targets": None}, ()),  # a large one, of which the report has the outline
        ({"targets": [["0x1p-1"] * 2] * 9}, (ALL_ZERO,)),
        ({"targets": [7] * 9}, (ALL_ZERO,)),
    ],
)
def test_what_is_not_there_is_not_told(change: Result, shown: tuple[str, ...]) -> None:
    large = result("gradient[0, 5]", [0] * 9, logits=np.zeros((9, 3)))
    large["problem"].update(change)
    assert shown_problem(large).matters == shown


def test_what_runs_it_again_is_told_where_it_was_kept() -> None:
    kept = result("loss", [0], logits=[[0, 1]])
    assert shown_problem(kept).command == "gradlab replay abc"
    kept["problem"]["case"] = None
    assert shown_problem(kept).command == ""
