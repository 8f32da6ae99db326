"""Losses of logits that are classes, as textbooks write them: forward(x, t), then backward(dout)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation, evaluate
from gradlab.problems.problem import Problem
from gradlab.targets.load import TargetError, load

SOURCE = """
import numpy as np

class SoftmaxWithLoss:
    def __init__(self):
        self.loss, self.y, self.t = None, None, None

    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(1, keepdims=True))
        self.y = e / e.sum(1, keepdims=True)
        self.loss = -np.log(self.y[np.arange(len(t)), t]).mean()
        return self.loss

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx * dout / len(dx)

class KeepsItsGradient(SoftmaxWithLoss):
    def forward(self, x, t):
        super().forward(x, t)

    def backward(self, dout):
        self.dx = super().backward(dout)

class NotAveraged(SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.y)

class Sized(SoftmaxWithLoss):
    def __init__(self, size):
        pass
"""
PROBLEM = Problem(np.array([[0.0, 1.0, 2.0], [0.5, -1.0, 0.25]]), np.array([2, 0]))


def loaded(folder: Path, name: str) -> Implementation:
    (folder / "own.py").write_text(SOURCE)
    (found,) = load(f"{folder / 'own.py'}:{name}", {})
    return found


def exact_gradient() -> Any:
    e = np.exp(PROBLEM.logits)
    return (e / e.sum(1, keepdims=True) - np.eye(3)[PROBLEM.targets]) / 2


@pytest.mark.parametrize("name", ["SoftmaxWithLoss", "KeepsItsGradient"])
def test_a_class_is_a_loss_that_is_called_forward_and_backward(name: str, tmp_path: Path) -> None:
    answer = evaluate(loaded(tmp_path, name), PROBLEM)
    assert answer.fault is None
    assert answer.gradient is not None
    assert answer.loss is not None
    np.testing.assert_allclose(answer.gradient, exact_gradient(), rtol=1e-14)
    assert answer.loss.shape == ()


def test_what_a_class_does_wrong_is_seen(tmp_path: Path) -> None:
    answer = evaluate(loaded(tmp_path, "NotAveraged"), PROBLEM)
    assert answer.gradient is not None
    np.testing.assert_allclose(answer.gradient, 2 * exact_gradient(), rtol=1e-14)


def test_a_class_that_has_to_be_given_something_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"own\.py:Sized must be made without arguments, takes size"):
        loaded(tmp_path, "Sized")


def test_backward_is_given_the_upstream_gradient_where_it_is_claimed(tmp_path: Path) -> None:
    function = loaded(tmp_path, "SoftmaxWithLoss").function
    _, gradient = function(PROBLEM.logits.copy(), PROBLEM.targets.copy(), upstream=np.float64(0.25))
    np.testing.assert_allclose(gradient, exact_gradient() / 4, rtol=1e-14)
