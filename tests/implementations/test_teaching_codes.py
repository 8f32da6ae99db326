"""The teaching codes: each witness shows the defect that the docstring names, and what is said to be right is right."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradlab.implementations.specimens as specimens
from gradlab.implementations.shifted import shifted
from gradlab.implementations.specimens.teaching_example_loop import teaching_example_loop
from gradlab.implementations.specimens.teaching_global_shift import softmax_regression as shift_regression
from gradlab.implementations.specimens.teaching_global_shift import teaching_global_shift
from gradlab.implementations.specimens.teaching_label_vector import softmax, teaching_label_vector, train
from gradlab.implementations.specimens.teaching_one_dimensional import teaching_one_dimensional

NAMES = sorted(path.stem for path in Path(specimens.__path__[0]).glob("teaching_*.py"))
RNG = np.random.default_rng(8)
LOGITS, LABELS = RNG.uniform(-2, 2, (3, 4)), np.array([3, 0, 2])
X, W, B = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)
Y = np.array([0, 3, 1, 2, 2, 0])

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow, 0 / 0 and 0 * -inf are the defects


def module_of(name: str) -> Any:
    return importlib.import_module(f"gradlab.implementations.specimens.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_each_file_names_its_defect_a_witness_and_the_verdict(name: str) -> None:
    module = module_of(name)
    assert module.__all__ == [name]
    assert all(word in module.__doc__ for word in ("Defect:", "Witness:", f"Verdict: {module.EXPECTED['verdict']},"))


def test_labels_subtracted_as_they_are_give_another_gradient() -> None:
    loss, gradient = teaching_label_vector(np.array([[0.0, 0.0]]), np.array([0]))
    assert gradient.tolist() == [[0.5, 0.5]]
    assert loss == np.log(2)


def test_training_on_labels_subtracted_as_they_are_learns_nothing_from_them() -> None:
    weights, bias = train(X, Y, W, B)
    other_weights, other_bias = train(X, Y[::-1], W, B)
    p, other_p = softmax(X @ weights + bias), softmax(X @ other_weights + other_bias)
    assert np.abs(weights - other_weights).max() > 1
    assert np.abs(p - other_p).max() < 1e-9  # a hundred steps of logits below 1000 lose 1e-11 at most


def test_a_softmax_for_one_vector_spreads_1_over_the_whole_batch() -> None:
    loss, gradient = teaching_one_dimensional(np.zeros((2, 2)), np.array([0, 1]))
    assert abs(loss - np.log(4)) <= 2.0**-51
    assert (2 * gradient + np.eye(2) == 0.25).all()


def test_a_softmax_for_one_vector_is_right_for_one_row() -> None:
    loss, gradient = teaching_one_dimensional(LOGITS[:1], LABELS[:1])
    expected_loss, expected = shifted(LOGITS[:1], LABELS[:1])
    assert abs(loss - expected_loss) <= 16 * 2.0**-53 * (1 + expected_loss)
    assert np.abs(gradient - expected).max() <= 16 * 2.0**-53


def test_one_shift_for_all_rows_loses_the_row_far_below() -> None:
    _, gradient = teaching_global_shift(np.array([[0.0, 0.0], [-800.0, -800.0]]), np.array([0, 1]))
    assert np.isnan(gradient).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(("dtype", "depth"), [("float32", 103.98), ("float64", 745.14)])
def test_a_row_is_lost_from_where_exp_underflows(dtype: str, depth: float) -> None:
    for below, lost in ((depth, True), (depth - 0.02, False)):
        logits = np.array([[0, 0], [-below, -below]], dtype)
        assert np.isnan(teaching_global_shift(logits, np.array([0, 1]))[1]).any() == lost


def test_a_class_that_underflows_makes_the_one_hot_loss_nan() -> None:
    for function in (teaching_global_shift, teaching_example_loop):
        assert np.isnan(function(np.array([[0.0, -800.0]]), np.array([0]))[0])


def test_the_loop_without_a_shift_overflows() -> None:
    assert np.isnan(teaching_example_loop(np.array([[1000.0, 0.0]]), np.array([0]))[0])


@pytest.mark.parametrize("function", [teaching_global_shift, teaching_example_loop])
def test_the_unstable_ones_are_right_on_moderate_logits(function: Any) -> None:
    loss, gradient = function(LOGITS, LABELS)
    expected_loss, expected = shifted(LOGITS, LABELS)
    assert abs(loss - expected_loss) <= 32 * 2.0**-53 * (1 + expected_loss)
    assert np.abs(gradient - expected).max() <= 32 * 2.0**-53


def test_the_bias_lacks_its_factor_only_with_the_global_shift() -> None:
    _, gradient = shifted(X @ W + B, Y)
    for name in NAMES:
        loss, _, db = module_of(name).softmax_regression(X, Y, W, B)
        right = np.allclose(db, gradient.sum(axis=0))
        assert right == (name == "teaching_example_loop")
        assert np.isfinite(loss)
    assert np.allclose(shift_regression(X, Y, W, B)[2], len(X) * gradient.sum(axis=0))


@pytest.mark.parametrize("name", ["teaching_global_shift", "teaching_example_loop"])
def test_the_weights_have_theirs(name: str) -> None:
    _, gradient = shifted(X @ W + B, Y)
    assert np.allclose(module_of(name).softmax_regression(X, Y, W, B)[1], X.T @ gradient)
