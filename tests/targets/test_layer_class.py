"""Losses of logits that are classes, as textbooks write them: forward(x, t), then backward(dout)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.checks.backward import instance_can_be_used_again
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.problems.problem import Problem
from gradlab.result import largest_ratio
from gradlab.targets.load import TargetError, load
from tests.runs import run_with_diagnosis

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

class TakesNoNotice(SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward()

class HasToTakeIt(SoftmaxWithLoss):
    def backward(self, dout):
        return super().backward()

class TakesNothing(SoftmaxWithLoss):
    def backward(self):
        return super().backward()

class AddsUp(SoftmaxWithLoss):
    def forward(self, x, t):
        if self.t is None or self.dx.shape != x.shape:
            self.dx = np.zeros_like(x)
        return super().forward(x, t)

    def backward(self, dout=1):
        self.dx = self.dx + super().backward(dout)
        return self.dx

class ClearsIt(AddsUp):
    def zero_grad(self):
        self.dx = np.zeros_like(self.dx)

class KeepsLabels(SoftmaxWithLoss):
    def forward(self, x, t):
        first = t if self.t is None or len(self.t) != len(t) else self.t
        return super().forward(x, first)

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


WAYS = {
    "SoftmaxWithLoss": ("scaled", "reused"),
    "KeepsItsGradient": ("scaled", "reused"),
    "TakesNoNotice": ("ignored", "reused"),
    "HasToTakeIt": ("scaled", "reused"),
    "TakesNothing": ("reused",),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_class_is_asked_in_the_ways_that_it_has(name: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, name).claims.backward == WAYS[name]


def test_a_class_is_asked_in_the_ways_that_are_claimed_for_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(SOURCE)
    (found,) = load(f"{tmp_path / 'own.py'}:TakesNoNotice", {"backward": "scaled"})
    assert found.claims.backward == ("scaled",)


@pytest.mark.parametrize("name", ["SoftmaxWithLoss", "KeepsItsGradient", "TakesNoNotice", "TakesNothing", "ClearsIt"])
def test_a_sound_instance_of_a_loss_serves_for_several_batches(name: str, tmp_path: Path) -> None:
    assert largest_ratio(instance_can_be_used_again(loaded(tmp_path, name), PROBLEM)) <= 1


@pytest.mark.parametrize("name", ["AddsUp", "KeepsLabels"])
def test_what_an_instance_of_a_loss_keeps_of_an_earlier_batch_is_found(name: str, tmp_path: Path) -> None:
    assert not largest_ratio(instance_can_be_used_again(loaded(tmp_path, name), PROBLEM)) <= 1


def test_a_class_of_one_hot_rows_is_used_for_a_second_batch_of_one_hot_rows(tmp_path: Path) -> None:
    source = SOURCE.replace("[np.arange(len(t)), t]).mean()", ")[t == 1].mean()")
    source = source.replace("dx[np.arange(len(dx)), self.t] -= 1", "dx -= self.t")
    (tmp_path / "own.py").write_text(source)
    (found,) = load(f"{tmp_path / 'own.py'}:SoftmaxWithLoss", {"targets": "one_hot"})
    assert found.claims.backward == ("scaled", "reused")
    assert largest_ratio(instance_can_be_used_again(found, PROBLEM)) <= 1


@pytest.mark.parametrize("name", ["TakesNoNotice", "HasToTakeIt"])
def test_an_upstream_gradient_that_a_loss_ignores_is_a_fault_only_where_it_has_to_be_given(
    name: str, tmp_path: Path
) -> None:
    run = run_with_diagnosis(loaded(tmp_path, name), "float64")
    failed = {line.check.name for line in run.lines if not line.passed}
    assert ("upstream_gradient_multiplies_the_gradient" in failed) is (name == "HasToTakeIt")
    assert ("backward_pass_takes_the_gradient_that_arrives" in failed) is (name == "TakesNoNotice")
    if name == "HasToTakeIt":
        assert run.diagnosis is not None
        assert "upstream_of_the_loss_ignored" in run.diagnosis.side_effects
