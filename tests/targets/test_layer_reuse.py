"""Instances of a class that is a layer, used for a second batch, and the upstream gradient that it may leave out."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.checks.layer.backward import (
    ADDED,
    backward_pass_of_a_layer_takes_the_gradient_that_arrives,
    instance_of_a_layer_can_be_used_again,
)
from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.harness.verdict import is_advice
from gradlab.layer.call import adapt_layer_to_claims
from gradlab.layer.probe import probe_problem
from gradlab.layer.problem import LayerProblem
from gradlab.result import Fact, largest_ratio
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import load_layer

SOURCE = """
import numpy as np

class Affine:
    def __init__(self, n_features, n_classes):
        self.W = np.zeros((n_features, n_classes))
        self.b = np.zeros(n_classes)
        self.dW, self.db, self.seen = 0, 0, None

    def forward(self, x, t):
        KEEP
        z = x @ self.W + self.b
        e = np.exp(z - z.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        return -np.log(self.p[np.arange(len(x)), t]).mean()

    def backward(self, dout=1.0):
        g = (self.p - np.eye(self.p.shape[1], dtype=self.p.dtype)[self.t]) / self.p.dtype.type(len(self.p)) FACTOR
        STEP
        return g @ self.W.T
    MORE
"""
PLAIN = {
    "KEEP": "self.x, self.t = x, t",
    "FACTOR": "* dout",
    "STEP": "self.dW, self.db = self.x.T @ g, g.sum(0)",
    "MORE": "",
}
ADDING = {"STEP": "self.dW, self.db = self.dW + self.x.T @ g, self.db + g.sum(0)"}
ZEROED = {**ADDING, "MORE": "def zero_grad(self): self.dW, self.db = 0, 0"}
FIRST_FEATURES_KEPT = {
    "KEEP": "self.t = t; self.x = x if self.seen is None or len(self.seen) != len(x) else self.seen; self.seen = x"
}


def loaded(folder: Path, **changes: str) -> tuple[Implementation, LayerProblem]:
    source = SOURCE
    for word, text in {**PLAIN, **changes}.items():
        source = source.replace(word, text)
    (folder / "own.py").write_text(source)
    found = load_layer(f"layer:{folder / 'own.py'}:Affine", {})
    return found, adapt_layer_to_claims(found.claims, probe_problem(found.claims))


def worst(found: Implementation, problem: LayerProblem) -> float:
    return largest_ratio(instance_of_a_layer_can_be_used_again(found, problem))


@pytest.mark.parametrize("changes", [{}, ZEROED, {"FACTOR": ""}], ids=["plain", "zeroed", "without dout"])
def test_a_sound_instance_serves_for_several_batches(tmp_path: Path, changes: dict[str, str]) -> None:
    assert worst(*loaded(tmp_path, **changes)) <= 1


@pytest.mark.parametrize("changes", [ADDING, FIRST_FEATURES_KEPT], ids=["added", "features kept"])
def test_what_an_instance_keeps_of_an_earlier_batch_is_found(tmp_path: Path, changes: dict[str, str]) -> None:
    assert not worst(*loaded(tmp_path, **changes)) <= 1


def test_gradients_that_are_added_up_are_said_to_be(tmp_path: Path) -> None:
    findings = instance_of_a_layer_can_be_used_again(*loaded(tmp_path, **ADDING))
    said = [one.where for one in findings if isinstance(one, Fact) and one.observed == ADDED]
    assert {one.split()[0] for one in said} == {"dW", "db"}


def test_a_backward_pass_that_leaves_out_what_arrives_gets_an_advice(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path, FACTOR="")
    (row,) = (one for one in LAYER_CHECKS if one.function is backward_pass_of_a_layer_takes_the_gradient_that_arrives)
    assert row.applies(found.claims, problem)
    assert is_advice(row, found.claims)
    assert not largest_ratio(row.function(found, problem)) <= 1


def test_that_is_not_asked_of_one_that_multiplies_by_it(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path)
    (row,) = (one for one in LAYER_CHECKS if one.function is backward_pass_of_a_layer_takes_the_gradient_that_arrives)
    assert not row.applies(found.claims, problem)


def test_a_class_of_the_loss_alone_is_told_to_go_without_the_prefix(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "class Loss:\n    def forward(self, x, t): return x[0]\n    def backward(self, dout=1): return 1\n"
    )
    with pytest.raises(TargetError, match=r"checked without layer:, as .*own\.py:Loss"):
        load_layer(f"layer:{tmp_path / 'own.py'}:Loss", {})
