"""The small network: its data, its gradients, Adam's first step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.collapse.network import (
    EPSILON,
    Data,
    Setting,
    adam_step,
    backward,
    drawn_data,
    forward,
    initial_parameters,
)
from gradlab.implementations.accurate import accurate

SMALL = Setting(7, (5, 4), 0.6, 40, 1e-2, 10)


def one_hot(data: Data) -> Any:
    """The inputs written out, (N, 2 p)."""
    inputs = np.zeros((len(data.labels), data.n_inputs))
    for column in data.inputs:
        inputs[np.arange(len(column)), column] += 1
    return inputs


def test_data_are_pairs_without_repetition() -> None:
    inputs = one_hot(drawn_data(SMALL, 3))
    assert inputs.shape == (29, 14)
    assert (inputs[:, :7].sum(axis=1) == 1).all()
    assert (inputs[:, 7:].sum(axis=1) == 1).all()
    assert len(np.unique(inputs, axis=0)) == 29


def test_labels_are_the_sums_modulo_p() -> None:
    data = drawn_data(SMALL, 3)
    first, second = data.inputs
    assert (data.labels == (first + second - 7) % 7).all()


def test_another_seed_gives_other_pairs_and_weights() -> None:
    assert (drawn_data(SMALL, 0).inputs != drawn_data(SMALL, 1).inputs).any()
    assert (initial_parameters(SMALL, 0).values[0] != initial_parameters(SMALL, 1).values[0]).any()


def test_two_rows_of_the_first_weights_are_a_product_with_one_hot_inputs() -> None:
    data = drawn_data(SMALL, 0)
    weight, bias, *_ = values = initial_parameters(SMALL, 0).values
    expected = np.maximum(one_hot(data).astype(np.float32) @ weight + bias, 0)
    assert (forward(values, data).hidden[0] == expected).all()


def test_an_input_that_no_pair_has_gets_no_gradient() -> None:
    few = replace(SMALL, share=0.1)
    data, values = drawn_data(few, 0), initial_parameters(few, 0).values
    passed = forward(values, data)
    by_inputs = backward(values, data, passed, np.ones_like(passed.logits))[0]
    absent = one_hot(data).sum(axis=0) == 0
    assert absent.any()
    assert (by_inputs[absent] == 0).all()


@pytest.mark.parametrize("place", range(6))
def test_backward_is_the_slope_of_the_loss(place: int) -> None:
    data = drawn_data(SMALL, 0)
    values = [one.astype(np.float64) for one in initial_parameters(SMALL, 0).values]
    passed = forward(values, data)
    found = backward(values, data, passed, accurate(passed.logits, data.labels)[1])[place]
    for index in [(0,) * found.ndim, tuple(n - 1 for n in found.shape)]:
        ends = []
        for step in (1e-6, -1e-6):
            moved = [one.copy() for one in values]
            moved[place][index] += step
            ends.append(float(accurate(forward(moved, data).logits, data.labels)[0]))
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(found[index], abs=1e-9)


def test_first_step_of_adam_has_the_size_of_the_rate() -> None:
    parameters = initial_parameters(SMALL, 0)
    before = [one.copy() for one in parameters.values]
    gradients = [np.full(one.shape, -1e-9, np.float32) for one in before]
    adam_step(parameters, gradients, SMALL, 1)
    expected = SMALL.learning_rate * 1e-9 / (1e-9 + EPSILON)
    for old, new in zip(before, parameters.values, strict=True):
        np.testing.assert_allclose(new - old, expected, rtol=1e-4)


def test_subnormal_entries_of_the_gradient_count_as_zero() -> None:
    """Products with them took most of the time of the last thousand steps."""
    data, values = drawn_data(SMALL, 0), initial_parameters(SMALL, 0).values
    passed = forward(values, data)
    gradient = accurate(passed.logits, data.labels)[1]
    gradient[::2, 1] = 0
    subnormal = gradient.copy()
    subnormal[::2, 1] = 1e-40
    pairs = zip(backward(values, data, passed, gradient), backward(values, data, passed, subnormal), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
