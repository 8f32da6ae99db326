"""What a problem accepts, keeps and knows about itself."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import ComputedLogits, Problem, moderate_limit

SOFT = Objective(targets="probability")


def small(dtype: str = "float64") -> Problem:
    return Problem(np.array([[0, 1, -1], [2, 0, 0]]).astype(as_dtype(dtype)), np.array([2, 0]))


def test_arrays_are_copied() -> None:
    logits, labels = np.zeros((1, 2)), np.array([1])
    problem = Problem(logits, labels)
    logits[0, 0] = labels[0] = 7
    assert problem.logits.tolist() == [[0, 0]]
    assert problem.targets.tolist() == [1]


@pytest.mark.parametrize("name", ["logits", "targets"])
def test_arrays_are_read_only(name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(small(), name)[0] = 0


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_logits_keep_their_dtype(dtype: str) -> None:
    assert small(dtype).logits.dtype == as_dtype(dtype)
    assert small(dtype).format is format_of(dtype)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64"])
def test_labels_become_int64(dtype: str) -> None:
    assert Problem(np.zeros((1, 2)), np.array([1], dtype)).targets.dtype == np.int64


BAD: dict[str, tuple[Any, Any, Objective, type[Exception], str]] = {
    "integer logits": ([[0, 1]], [0], Objective(), ValueError, "dtype must be one of"),
    "one axis": ([0.0, 1.0], [0], Objective(), ValueError, r"logits must have shape \(n_rows, n_classes\), got \(2,\)"),
    "no classes": (np.zeros((1, 0)), [0], Objective(), ValueError, "at least one class"),
    "float labels": ([[0.0, 1.0]], [0.0], Objective(), TypeError, "labels must be integers"),
    "boolean labels": ([[0.0, 1.0]], [True], Objective(), TypeError, "labels must be integers"),
    "too many labels": ([[0.0, 1.0]], [0, 1], Objective(), ValueError, r"labels must have shape \(1,\), got \(2,\)"),
    "label below": ([[0.0, 1.0]], [-1], Objective(), ValueError, r"labels must lie in \[0, 2\), got -1"),
    "label above": ([[0.0, 1.0]], [2], Objective(), ValueError, r"labels must lie in \[0, 2\), got 2"),
    "label not the ignored one": ([[0.0]], [-1], Objective(ignore_index=-2), ValueError, "labels must lie in"),
    "shape of probabilities": ([[0.0, 1.0]], [[1.0]], SOFT, ValueError, r"logits' shape \(1, 2\), got \(1, 1\)"),
    "dtype of probabilities": ([[0.0]], np.ones((1, 1), np.float32), SOFT, TypeError, "logits' dtype float64"),
    "negative probability": ([[0.0, 1.0]], [[1.5, -0.5]], SOFT, ValueError, "finite and at least 0"),
    "nan probability": ([[0.0]], [[math.nan]], SOFT, ValueError, "finite and at least 0"),
    "too few weights": ([[0.0, 1.0]], [0], Objective(class_weights=(1.0,)), ValueError, "must have 2 entries"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(case: str) -> None:
    logits, targets, objective, error, message = BAD[case]
    with pytest.raises(error, match=message):
        Problem(np.asarray(logits), np.asarray(targets), objective)


def test_an_empty_batch_takes_an_empty_list_of_labels() -> None:
    problem = Problem(np.zeros((0, 3)), np.array([]))
    assert (problem.n_rows, problem.n_classes, problem.targets.dtype) == (0, 3, np.dtype(np.int64))


def test_ignored_rows_are_those_with_the_ignored_label() -> None:
    problem = Problem(np.zeros((3, 2)), np.array([0, -100, 1]), Objective(ignore_index=-100))
    assert problem.ignored_rows.tolist() == [False, True, False]


def test_without_an_ignored_label_no_row_is_ignored() -> None:
    assert small().ignored_rows.tolist() == [False, False]


ROWS = [
    ([0.0, 1.0], True),
    ([0.0, -math.inf], True),
    ([-math.inf, -math.inf], False),
    ([0.0, math.inf], False),
    ([math.nan, 0.0], False),
    ([math.nan, -math.inf], False),
]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_a_row_has_a_value_unless_it_holds_nan_or_infinity_or_nothing_else(
    row: list[float], expected: bool, dtype: str
) -> None:
    problem = Problem(np.array([[0, 0], row]).astype(as_dtype(dtype)), np.array([0, 0]))
    assert problem.rows_with_value.tolist() == [True, expected]


def test_finite_means_every_logit() -> None:
    assert small().is_finite
    assert not Problem(np.array([[0, -np.inf]]), np.array([0])).is_finite


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_at_the_moderate_limit_the_square_of_every_probability_is_a_normal_number(dtype: str, n_classes: int) -> None:
    fmt = format_of(dtype)
    limit = moderate_limit(fmt, n_classes)
    least = -2 * limit - math.log(1 + (n_classes - 1) * 1.0)  # log of exp(-L) / (K exp(L)), the smallest p_j there is
    assert 2 * least >= math.log(fmt.smallest_normal) - 1e-9
    assert limit < math.log(fmt.largest)


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_moderate_ends_at_the_limit(dtype: str) -> None:
    fmt = format_of(dtype)
    limit = moderate_limit(fmt, 2)
    below, above = (np.array([[limit * f, 0]]).astype(fmt.dtype) for f in (1 - 2.0**-6, 1 + 2.0**-6))
    assert Problem(below, np.array([0])).is_moderate
    assert not Problem(above, np.array([0])).is_moderate


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_moderate(value: float) -> None:
    assert not Problem(np.array([[value, 0]]), np.array([0])).is_moderate


def test_an_empty_batch_is_not_moderate() -> None:
    assert not Problem(np.zeros((0, 2)), np.array([])).is_moderate


DIFFERENT: dict[str, dict[str, Any]] = {
    "logits": {"logits": np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 1.0]])},
    "targets": {"targets": np.array([2, 1])},
    "objective": {"objective": Objective("sum")},
    "dtype": {"logits": small("float32").logits},
    "shape": {"logits": np.array([[0.0, 1, -1, 2, 0, 0]]), "targets": np.array([2])},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_problem_with_other_contents_has_another_digest(what: str) -> None:
    assert small().replace(**DIFFERENT[what]).digest != small().digest


def test_equal_contents_have_equal_digests() -> None:
    assert small().digest == small().replace(family="another").digest


def test_the_sign_of_zero_is_part_of_the_contents() -> None:
    assert Problem(np.array([[-0.0, 0]]), np.array([0])).digest != Problem(np.array([[0.0, 0]]), np.array([0])).digest


def test_replace_keeps_the_rest() -> None:
    replaced = small().replace(family="margins")
    assert replaced.family == "margins"
    assert np.array_equal(replaced.logits, small().logits)
    assert replaced.objective == small().objective


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_logits64_are_the_same_numbers(dtype: str) -> None:
    problem = small(dtype)
    assert problem.logits64.dtype == np.float64
    assert np.array_equal(problem.logits64.astype(problem.logits.dtype), problem.logits)


PRODUCT = Objective(derivative="hessian_vector_product")


def of_product(vector: Any) -> Problem:
    return Problem(np.zeros((2, 2)), np.array([0, 1]), PRODUCT, vector=vector)


BAD_VECTORS: list[tuple[Any, type[Exception], str]] = [
    (None, ValueError, "derivative hessian_vector_product needs a vector, got none"),
    (np.zeros(2), ValueError, r"vector must have the logits' shape \(2, 2\), got \(2,\)"),
    (np.zeros((2, 2), np.float32), TypeError, "vector must have the logits' dtype float64, got float32"),
    (np.full((2, 2), np.inf), ValueError, "vector must be finite"),
]


@pytest.mark.parametrize(("vector", "error", "message"), BAD_VECTORS)
def test_a_vector_that_does_not_fit_is_refused(vector: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        of_product(vector)


def test_a_vector_without_a_product_is_refused() -> None:
    with pytest.raises(ValueError, match="a vector goes with derivative hessian_vector_product alone, got gradient"):
        Problem(np.zeros((1, 2)), np.array([0]), vector=np.zeros((1, 2)))


def test_the_vector_is_copied_and_counts_in_the_digest() -> None:
    vector = np.eye(2)
    problem = of_product(vector)
    vector[0, 0] = 7
    assert problem.vector is not None
    assert problem.vector.tolist() == [[1, 0], [0, 1]]
    assert problem.digest != of_product(vector).digest


def test_a_vector_that_is_not_needed_is_left_out() -> None:
    assert of_product(np.eye(2)).replace(objective=Objective()).vector is None


def test_rows_are_taken_with_their_vector() -> None:
    taken = of_product(np.array([[1.0, 2.0], [3.0, 4.0]])).rows(np.array([1, 0, 1]))
    assert taken.targets.tolist() == [1, 0, 1]
    assert taken.vector is not None
    assert taken.vector.tolist() == [[3, 4], [1, 2], [3, 4]]


def computed(errors: Any, dtype: str = "float32") -> Problem:
    return Problem(np.zeros((2, 3)), np.array([0, 1]), computed=ComputedLogits(np.asarray(errors), dtype))


def test_computed_logits_are_in_the_dtype_that_code_works_in() -> None:
    problem = computed(np.ones((2, 3)), "bfloat16")
    assert problem.format is format_of("bfloat16")
    assert problem.logits.dtype == np.float64


def test_rows_and_copies_keep_what_is_known_of_computed_logits() -> None:
    problem = computed([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for one in (problem.rows(np.array([1])), pickle.loads(pickle.dumps(problem)).rows(slice(1, 2))):
        assert one.computed is not None
        assert one.computed.errors.tolist() == [[4.0, 5.0, 6.0]]


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (np.ones((3, 2)), r"must have the logits' shape \(2, 3\), got \(3, 2\)"),
        (np.full((2, 3), -1.0), "finite and at least 0"),
        (np.full((2, 3), math.nan), "finite and at least 0"),
    ],
)
def test_errors_of_computed_logits_that_do_not_fit_are_refused(errors: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        computed(errors)


def test_an_array_that_somebody_may_write_to_is_copied_and_those_of_another_problem_are_not() -> None:
    logits = np.zeros((2, 3))
    problem = Problem(logits, np.array([0, 1]))
    logits[0, 0] = 1.0
    assert problem.logits[0, 0] == 0.0
    assert problem.replace(logits=logits).targets is problem.targets
