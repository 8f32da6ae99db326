"""Mistakes are named where targets are probabilities, where a few problems raise, and with what is true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.implementations.specimens._right import below_maximum, minus_one_hot, reduced, row_losses, softmax
from gradlab.problems.problem import Array
from gradlab.report.explained import diagnosis_lines
from gradlab.targets.shipped import specimens

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
SOFT = {"targets": "probability", "normalised_targets": True}


def over_shares(change: Any) -> Any:
    """log of changed probabilities, summed with soft targets; the gradient is p - t."""

    def loss_and_gradient(x: Array, t: Array) -> Any:
        p = softmax(x)
        return -np.mean(np.sum(t * np.log(change(p)), axis=1)), (t.sum(axis=1, keepdims=True) * p - t) / x.dtype.type(
            max(len(x), 1)
        )

    return loss_and_gradient


@pytest.mark.parametrize("epsilon", [1e-7, 1e-9, 3e-4])
def test_an_epsilon_over_probabilities_is_named_with_its_size(diagnosed: Any, epsilon: float) -> None:
    found = diagnosed(over_shares(lambda p: p + epsilon), "float64", ["loss_is_right"], **SOFT)
    assert found.defects == ("epsilon_in_log",)
    assert f"log(p_j + {epsilon:.4g})" in "\n".join(diagnosis_lines(found, specimens()))


@pytest.mark.parametrize("epsilon", [1e-7, 1e-5])
def test_clipping_over_probabilities_is_named(diagnosed: Any, epsilon: float) -> None:
    found = diagnosed(over_shares(lambda p: np.clip(p, epsilon, 1 - epsilon)), "float64", ["loss_is_right"], **SOFT)
    assert found.defects == ("clipped_loss",)


def test_what_raises_for_a_few_problems_is_explained_on_the_others(diagnosed: Any) -> None:
    def raises_for_one_class(x: Array, y: Array) -> Any:
        if x.shape[1] == 1:
            raise IndexError("one class")
        return reduced(row_losses(x, y), 3 * minus_one_hot(softmax(x), y), "mean")

    found = diagnosed(raises_for_one_class, "float64", ["gradient_is_right", "returns_loss_and_gradient"])
    assert found.defects == ("wrong_factor",)
    assert found.n_raised > 0
    assert found.unexplained == ("returns_loss_and_gradient",)
    assert f"{found.n_raised} raise" in "\n".join(diagnosis_lines(found, specimens()))


@pytest.mark.parametrize("epsilon", [0.2, 0.05])
def test_smoothing_in_both_is_said_to_be_in_both(diagnosed: Any, epsilon: float) -> None:
    def smoothed(x: Array, y: Array) -> Any:
        t = np.full(x.shape, epsilon / x.shape[1], x.dtype)
        t[np.arange(len(y)), y] += x.dtype.type(1 - epsilon)
        d, p = below_maximum(x), softmax(x)
        losses = (t * (np.log(np.exp(d).sum(axis=1, keepdims=True)) - d)).sum(axis=1)
        return np.mean(losses), (p - t) / x.dtype.type(max(len(y), 1))

    found = diagnosed(smoothed, "float64", ["loss_is_right"])
    assert "smoothing_unasked" in found.defects
    assert "in loss and gradient" in "\n".join(diagnosis_lines(found, specimens()))
    assert f"{epsilon:g}/K" in "\n".join(diagnosis_lines(found, specimens()))
