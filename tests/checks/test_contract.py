"""What the checks of the contract put to an implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import run
from gradlab.checks.contract import (
    integer_type_of_the_labels_does_not_matter,
    layout_does_not_matter,
    leaves_its_inputs_alone,
    outputs_share_no_memory,
    refuses_bad_labels,
)
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layouts import INTEGERS
from gradlab.implementations.every_option import every_option
from gradlab.implementations.shifted import shifted
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import Fact, worst_result

CHECKS_BY_NAME = {check.name: check for check in CHECKS}


def test_labels_may_be_refused_for_their_values_instead_of_their_dtype() -> None:
    def whole_numbers_only(logits: Array, labels: Array) -> tuple[Any, Array]:
        if (labels % 1 != 0).any():
            raise ValueError("labels must be whole numbers")
        loss, gradient = shifted(logits, labels.astype(np.int64))
        return loss, gradient

    problem = Problem(np.array([[1.0, 2.0]]), np.array([0]))
    findings = refuses_bad_labels(Implementation("whole_numbers_only", whole_numbers_only), problem)
    assert worst_result("", problem, findings).passed


def test_answering_labels_far_above_the_classes_is_no_refusal() -> None:
    def refuses_the_nearest(logits: Array, labels: Array) -> tuple[Any, Array]:
        if labels.dtype.kind != "i" or (labels < 0).any() or (labels == logits.shape[1]).any():
            raise ValueError("labels must lie in [0, K)")
        loss, gradient = shifted(logits, np.minimum(labels, logits.shape[1] - 1))
        return loss, gradient

    problem = Problem(np.array([[1.0, 2.0]]), np.array([0]))
    findings = refuses_bad_labels(Implementation("refuses_the_nearest", refuses_the_nearest), problem)
    assert [finding.where for finding in findings if isinstance(finding, Fact) and not finding.holds] == ["label 1002"]


def test_one_of_the_layouts_repeats_a_row_with_a_stride_of_zero() -> None:
    strides = []

    def notes(logits: Array, labels: Array) -> tuple[Any, Array]:
        strides.append((logits.strides[0], labels.strides[0]))
        loss, gradient = shifted(logits, labels)
        return loss, gradient

    problem = Problem(np.array([[1.0, 2.0], [0.0, 5.0]]), np.array([0, 1]))
    layout_does_not_matter(Implementation("notes", notes), problem)
    assert any(of_logits == 0 and of_labels != 0 for of_logits, of_labels in strides)


@pytest.mark.parametrize("name", INTEGERS)
def test_each_integer_type_that_holds_every_class_is_put_to_an_implementation(name: str) -> None:
    def wrong_in_this_type(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = shifted(logits, labels)
        return loss, gradient * (2 if labels.dtype == name else 1)

    problem = Problem(np.array([[1.0, 2.0]]), np.array([0]))
    implementation = Implementation("wrong_in_this_type", wrong_in_this_type)
    assert not worst_result("", problem, integer_type_of_the_labels_does_not_matter(implementation, problem)).passed


def in_place(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, logits[...] = shifted(logits.copy(), labels)
    return loss, logits


def scribbling(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, gradient = shifted(logits.copy(), labels)
    logits *= 2
    return loss, gradient


def writing_labels(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, gradient = in_place(logits, labels)
    labels[...] = 0
    return loss, gradient


@pytest.mark.parametrize("check", [leaves_its_inputs_alone, outputs_share_no_memory, layout_does_not_matter])
def test_a_gradient_in_the_logits_is_allowed_where_it_is_claimed(check: Any) -> None:
    problem = Problem(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0, 1]))
    claimed = Implementation("in_place", in_place, Claims(gradient_in_logits=True))
    assert worst_result("", problem, run(CHECKS_BY_NAME[check.__name__], claimed, problem)).passed
    plain = Implementation("in_place", in_place)
    assert not worst_result("", problem, run(CHECKS_BY_NAME[check.__name__], plain, problem)).passed


@pytest.mark.parametrize(("function", "what"), [(scribbling, "the logits"), (writing_labels, "the labels")])
def test_where_it_is_claimed_nothing_else_may_be_written(function: Any, what: str) -> None:
    problem = Problem(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0, 1]))
    claimed = Implementation("mine", function, Claims(gradient_in_logits=True))
    result = worst_result("", problem, leaves_its_inputs_alone(claimed, problem))
    assert not result.passed
    assert result.where == what


def test_the_logits_may_be_left_alone_where_it_is_claimed() -> None:
    problem = Problem(np.array([[1.0, 2.0]]), np.array([0]))
    claimed = Implementation("shifted", shifted, Claims(gradient_in_logits=True))
    assert worst_result("", problem, leaves_its_inputs_alone(claimed, problem)).passed


def test_labels_are_not_asked_in_a_type_that_cannot_hold_the_one_to_be_ignored() -> None:
    asked: list[str] = []

    def noting(logits: Array, labels: Array, ignore_index: int | None = None) -> Any:
        asked.append(labels.dtype.name)
        return every_option(logits, labels, ignore_index=ignore_index)

    problem = Problem(np.zeros((2, 3)), np.array([0, -1]), Objective(ignore_index=-1))
    integer_type_of_the_labels_does_not_matter(Implementation("noting", noting), problem)
    assert set(asked) == {"int64", "int8", "int16", "int32"}
