"""The small network: its data, its gradients, Adam's first step."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.campaigns.collapse.network import (
    EPSILON,
    Setting,
    adam_step,
    backward,
    drawn_data,
    forward,
    initial_parameters,
)
from gradlab.implementations.accurate import accurate

SMALL = Setting(7, (5, 4), 0.6, 40, 1e-2, 10)


def test_data_are_pairs_without_repetition() -> None:
    data = drawn_data(SMALL, 3)
    assert data.inputs.shape == (29, 14)
    assert data.inputs.dtype == np.float32
    assert (data.inputs[:, :7].sum(axis=1) == 1).all()
    assert (data.inputs[:, 7:].sum(axis=1) == 1).all()
    assert len(np.unique(data.inputs, axis=0)) == 29


def test_labels_are_the_sums_modulo_p() -> None:
    data = drawn_data(SMALL, 3)
    first, second = data.inputs[:, :7].argmax(axis=1), data.inputs[:, 7:].argmax(axis=1)
    assert (data.labels == (first + second) % 7).all()


def test_another_seed_gives_other_pairs_and_weights() -> None:
    assert (drawn_data(SMALL, 0).inputs != drawn_data(SMALL, 1).inputs).any()
    assert (initial_parameters(SMALL, 0).values[0] != initial_parameters(SMALL, 1).values[0]).any()


@pytest.mark.parametrize("place", range(6))
def test_backward_is_the_slope_of_the_loss(place: int) -> None:
    data = drawn_data(SMALL, 0)
    values = [one.astype(np.float64) for one in initial_parameters(SMALL, 0).values]
    passed = forward(values, data.inputs)
    found = backward(values, passed, accurate(passed.logits, data.labels)[1])[place]
    for index in [(0,) * found.ndim, tuple(n - 1 for n in found.shape)]:
        ends = []
        for step in (1e-6, -1e-6):
            moved = [one.copy() for one in values]
            moved[place][index] += step
            ends.append(float(accurate(forward(moved, data.inputs).logits, data.labels)[0]))
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(found[index], abs=1e-9)


def test_first_step_of_adam_has_the_size_of_the_rate() -> None:
    parameters = initial_parameters(SMALL, 0)
    before = [one.copy() for one in parameters.values]
    gradients = [np.full(one.shape, -1e-9, np.float32) for one in before]
    adam_step(parameters, gradients, SMALL, 1)
    expected = SMALL.learning_rate * 1e-9 / (1e-9 + EPSILON)
    for old, new in zip(before, parameters.values, strict=True):
        np.testing.assert_allclose(new - old, expected, rtol=1e-4)
