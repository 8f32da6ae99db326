"""Whether a class that is a layer is held to the upstream gradient that its backward pass takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradlab.checks.layer.backward import upstream_gradient_multiplies_the_gradients_of_a_layer
from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.evaluation.call import Implementation
from gradlab.harness.power import namable_defects
from gradlab.layer.call import adapt_layer_to_claims
from gradlab.layer.probe import probe_problem
from gradlab.layer.problem import LayerProblem
from gradlab.result import Comparison
from gradlab.targets.layers import load_layer

SOURCE = """
import numpy as np

class Head:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x, t):
        z = x @ self.W + self.b
        e = np.exp(z - z.max(1, keepdims=True))
        self.x, self.t, self.p = x, t, e / e.sum(1, keepdims=True)
        return -np.log(self.p[np.arange(len(t)), t]).mean()

    def backward(self, {parameter}):
        g = self.p.copy()
        g[np.arange(len(self.t)), self.t] -= 1
        g = g / len(g)
        self.dW, self.db = self.x.T @ g * {of_weight}, g.sum(0) * {of_weight}
        return g @ self.W.T * {of_features}
"""
CHECK = upstream_gradient_multiplies_the_gradients_of_a_layer


def worst(layer: Implementation, problem: LayerProblem) -> float:
    """The largest error over its tolerance."""
    return max(float(np.max(one.ratio)) for one in CHECK(layer, problem) if isinstance(one, Comparison))


def loaded(folder: Path, parameter: str, of_weight: str, of_features: str) -> tuple[Implementation, LayerProblem]:
    path = folder / "head.py"
    path.write_text(SOURCE.format(parameter=parameter, of_weight=of_weight, of_features=of_features))
    found = load_layer(f"layer:{path}:Head", {})
    return found, adapt_layer_to_claims(found.claims, probe_problem(found.claims))


def test_a_sound_class_is_held_to_it_and_passes(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path, "dout=1.0", "dout", "dout")
    assert found.claims.backward == ("scaled", "reused")
    assert worst(found, problem) <= 1


def test_a_class_that_may_leave_it_and_takes_no_notice_is_not_held_to_it(tmp_path: Path) -> None:
    found, _ = loaded(tmp_path, "dout=1", "1", "1")
    assert found.claims.backward == ("ignored", "reused")


@pytest.mark.parametrize(("parameter", "of_weight", "of_features"), [("dout", "1", "1"), ("dout=1", "1", "dout")])
def test_a_class_that_leaves_it_out_somewhere_is_found(
    tmp_path: Path, parameter: str, of_weight: str, of_features: str
) -> None:
    found, problem = loaded(tmp_path, parameter, of_weight, of_features)
    assert not worst(found, problem) <= 1


def test_an_upstream_gradient_that_is_ignored_is_named(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path, "dout", "1", "1")
    failed = [CHECK.__name__, "scaled_loss_gives_the_same_gradients_of_a_layer"]
    diagnosis = diagnose_layer(found, [problem], failed)
    assert diagnosis.side_effects == ("upstream_of_the_loss_ignored",)
    assert diagnosis.unexplained == ()
    assert set(diagnosis.defects) <= set(namable_defects(found.claims))  # where reports look for what is wrong


def test_one_that_is_ignored_in_some_gradients_is_named(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path, "dout=1", "1", "dout")
    diagnosis = diagnose_layer(found, [problem], [CHECK.__name__])
    assert diagnosis.side_effects == ("upstream_ignored_in_some_gradients",)
    assert diagnosis.unexplained == ()


def test_one_that_is_squared_in_one_gradient_has_no_name(tmp_path: Path) -> None:
    found, problem = loaded(tmp_path, "dout=1", "dout * dout", "dout")
    assert diagnose_layer(found, [problem], [CHECK.__name__]).side_effects == ()
