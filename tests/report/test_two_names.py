"""A mistake that has two names, of a layer and of a loss of logits, is one mistake: both give the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradlab.implementations.shifted import shifted
from gradlab.report.explanations import explanations
from gradlab.report.two_names import AS_A_LOSS, other_names
from gradlab.targets.shipped import layer_specimens, specimens

Array = np.ndarray[Any, np.dtype[Any]]
Asked = tuple[Array, Array]


def problems() -> Iterator[Asked]:
    """Logits and labels: moderate, far apart, masked in every row, and of more classes than eight bits count."""
    random = np.random.default_rng(3)
    for n_rows, n_classes in ((2, 3), (4, 4), (3, 2), (6, 6)):
        yield 3 * random.standard_normal((n_rows, n_classes)), random.integers(0, n_classes, n_rows)
    yield np.array([[0, 800, 1.0], [800, 0, 2], [0, 0, 0]]), np.array([0, 0, 1])
    yield np.array([[0, -np.inf, 1.0], [0, -np.inf, 3]]), np.array([0, 2])
    yield random.standard_normal((300, 300)), np.arange(300)


def answers_as_a_loss(name: str) -> list[tuple[Any, ...]]:
    return [specimens()[name].function(np.array(logits), np.array(labels)) for logits, labels in problems()]


def answers_as_a_layer(layer: Any) -> list[tuple[Any, ...]]:
    """Loss and dX of the layer whose X W + b are the logits: W the identity, and what is masked in b."""
    found = []
    for logits, labels in problems():
        masked = np.where(np.isinf(logits[0]), logits[0], 0.0)
        found.append(layer.function(np.where(np.isinf(logits), 0, logits), np.eye(len(masked)), masked, labels)[:2])
    return found


def n_same(first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]) -> int:
    pairs = zip(first, second, strict=True)
    return sum(all(np.allclose(*two, rtol=1e-6, equal_nan=True) for two in zip(*pair, strict=True)) for pair in pairs)


@pytest.mark.parametrize(("layer", "loss"), AS_A_LOSS.items())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_both_names_are_of_one_mistake(layer: str, loss: str) -> None:
    known, wanted = layer_specimens()[layer], answers_as_a_loss(loss)
    right = [shifted(np.array(logits), np.array(labels)) for logits, labels in problems()]
    assert n_same(wanted, right) < len(right)
    assert len(wanted) in [n_same(answers_as_a_layer(way), wanted) for way in (known, *known.written_otherwise())]


def test_each_name_leads_to_the_other() -> None:
    for layer, loss in AS_A_LOSS.items():
        assert other_names(layer, "layer") == [loss]
        assert layer in other_names(loss, "logits")
    assert other_names("global_shift", "layer") == []


def test_explain_says_the_other_name() -> None:
    assert "same:    zero_times_infinity, of a loss of logits" in list(explanations()["one_hot_times_log"]())
    assert "same:    one_hot_times_log, of a layer" in list(explanations()["zero_times_infinity"]())
