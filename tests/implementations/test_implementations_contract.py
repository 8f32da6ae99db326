"""What every shipped implementation keeps to, in every dtype that it claims."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradlab.implementations


def batch(dtype: str, n_rows: int = 4, n_classes: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(11)
    return rng.normal(size=(n_rows, n_classes)).astype(dtype), rng.integers(0, n_classes, n_rows)


def test_the_files_work_as_a_package_of_their_own(implementation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(gradlab.implementations.__path__[0]).parent)
    module = importlib.import_module(f"implementations.{implementation.name}")
    assert getattr(module, implementation.name) is not implementation.function
    logits, labels = batch("float64")
    assert np.array_equal(
        getattr(module, implementation.name)(logits, labels)[1], implementation.function(logits, labels)[1]
    )


def test_loss_and_gradient_keep_the_dtype(implementation: Any, dtype: str) -> None:
    loss, gradient = implementation.function(*batch(dtype))
    assert (loss.dtype, gradient.dtype) == (np.dtype(dtype), np.dtype(dtype))


def test_the_loss_is_a_scalar_and_the_gradient_has_the_shape_of_the_logits(implementation: Any, dtype: str) -> None:
    logits, labels = batch(dtype)
    loss, gradient = implementation.function(logits, labels)
    assert (np.shape(loss), gradient.shape) == ((), logits.shape)


def test_the_inputs_stay_as_they_are(implementation: Any, dtype: str) -> None:
    logits, labels = batch(dtype)
    before = logits.copy(), labels.copy()
    implementation.function(logits, labels)
    assert np.array_equal(logits, before[0])
    assert np.array_equal(labels, before[1])


def test_the_gradient_shares_no_memory_with_the_logits(implementation: Any, dtype: str) -> None:
    logits, labels = batch(dtype)
    assert not np.shares_memory(implementation.function(logits, labels)[1], logits)


LAYOUTS: dict[str, Any] = {
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "negative strides": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_changes_rounding_at_most(implementation: Any, dtype: str, layout: str) -> None:
    logits, labels = batch(dtype)
    loss, gradient = implementation.function(logits, labels)
    loss_again, gradient_again = implementation.function(LAYOUTS[layout](logits), labels)
    eps = np.finfo(dtype).eps  # sums of 5 terms between 0.02 and 1: a few roundings of size eps apart at most
    assert np.abs(gradient_again - gradient).max() <= 8 * eps
    assert abs(loss_again - loss) <= 8 * eps * loss
    assert gradient_again.dtype == np.dtype(dtype)


def test_read_only_inputs_are_accepted(implementation: Any, dtype: str) -> None:
    logits, labels = batch(dtype)
    logits.flags.writeable = labels.flags.writeable = False
    assert np.isfinite(implementation.function(logits, labels)[1]).all()


def test_an_empty_batch_has_a_nan_mean_and_an_empty_gradient(implementation: Any, dtype: str) -> None:
    loss, gradient = implementation.function(np.zeros((0, 3), dtype), np.zeros(0, np.int64))
    assert np.isnan(loss)
    assert (loss.dtype, gradient.dtype, gradient.shape) == (np.dtype(dtype), np.dtype(dtype), (0, 3))


def test_one_class_has_loss_and_gradient_zero(implementation: Any, dtype: str) -> None:
    loss, gradient = implementation.function(np.array([[3.0], [-2.0]], dtype), np.array([0, 0]))
    assert loss == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize("labels", [[0, -1], [0, 3], [0, 7]], ids=["below", "above", "far above"])
def test_a_label_outside_the_classes_is_refused(implementation: Any, labels: list[int]) -> None:
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 3\), got (-1|3|7)"):
        implementation.function(np.zeros((2, 3)), np.array(labels))


@pytest.mark.parametrize("labels", [np.array([0.0, 1.0]), np.array([True, False])], ids=["float", "bool"])
def test_labels_that_are_no_integers_are_refused(implementation: Any, labels: Any) -> None:
    with pytest.raises(TypeError, match="labels must be integers"):
        implementation.function(np.zeros((2, 3)), labels)


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3), (2, 0)])
def test_logits_of_another_shape_are_refused(implementation: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="logits must have shape"):
        implementation.function(np.zeros(shape), np.array([0, 0]))


def test_as_many_labels_as_rows_are_required(implementation: Any) -> None:
    with pytest.raises(ValueError, match=r"labels must have shape \(2,\)"):
        implementation.function(np.zeros((2, 3)), np.array([0]))


@pytest.mark.parametrize("dtype_name", ["int64", "complex128", "longdouble"])
def test_logits_of_another_dtype_are_refused(implementation: Any, dtype_name: str) -> None:
    with pytest.raises(TypeError, match="logits must be one of"):
        implementation.function(np.zeros((1, 2), dtype_name), np.array([0]))


BAD_ROWS = {"nan": [np.nan, 0.0], "plus infinity": [np.inf, 0.0], "only minus infinity": [-np.inf, -np.inf]}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_row_without_a_value_is_nan_and_no_other_is(stable: Any, dtype: str, bad: str) -> None:
    loss, gradient = stable.function(np.array([[1.0, 2.0], BAD_ROWS[bad], [3.0, 1.0]], dtype), np.array([0, 0, 1]))
    assert np.isnan(loss)
    assert np.isnan(gradient).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(gradient).any(axis=1).tolist() == [False, True, False]


def test_one_class_without_a_value_is_nan(stable: Any, dtype: str) -> None:
    loss, gradient = stable.function(np.array([[np.inf]], dtype), np.array([0]))
    assert np.isnan(loss)
    assert np.isnan(gradient).all()


def test_a_masked_class_has_gradient_zero(implementation: Any, dtype: str) -> None:
    loss, gradient = implementation.function(np.array([[1.0, -np.inf, 1.0]], dtype), np.array([0]))
    assert gradient[0, 1] == 0
    assert abs(loss - np.log(2)) <= 4 * np.finfo(dtype).eps


def test_a_masked_target_has_loss_infinity_and_gradient_minus_one(stable: Any, dtype: str) -> None:
    loss, gradient = stable.function(np.array([[1.0, -np.inf]], dtype), np.array([1]))
    assert np.isposinf(loss)
    assert gradient.tolist() == [[1.0, -1.0]]


def test_a_spread_that_overflows_is_handled_without_a_warning(stable: Any, dtype: str) -> None:
    largest = np.finfo(dtype).max
    logits = np.array([[largest, -largest, 0.0]], dtype)
    assert stable.function(logits, np.array([0]))[0] == 0
    loss, gradient = stable.function(logits, np.array([1]))
    assert np.isposinf(loss)  # twice the largest number
    assert gradient.tolist() == [[1.0, -1.0, 0.0]]


def test_the_mean_of_large_losses_does_not_overflow(stable: Any, dtype: str) -> None:
    largest = np.finfo(dtype).max
    loss, _ = stable.function(np.array([[0.0, -largest]] * 3, dtype), np.array([1, 1, 1]))
    assert abs(loss / largest - 1) <= 2 * np.finfo(dtype).eps
