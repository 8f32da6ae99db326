"""Defects that differ in outputs alone that a layer does not return: one is named, and the others in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.evaluation.call import Implementation
from gradlab.harness.selection import questions_in_run
from gradlab.report.explained import diagnosis_lines
from gradlab.targets.shipped import layer_specimens
from tests.layer_claims import FAMILIES, claims_of_all


def residual(X: Any, W: Any, b: Any, labels: Any) -> tuple[Any, Any]:
    """The losses of the rows, and P - T."""
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows = np.arange(len(X))
    g = np.exp(log_p)
    g[rows, labels] -= 1
    return -log_p[rows, labels], g


def summed_weight_gradient(X: Any, W: Any, b: Any, labels: Any) -> Any:
    losses, g = residual(X, W, b, labels)
    return losses.mean(), X.T @ g


def summed_bias_gradient(X: Any, W: Any, b: Any, labels: Any) -> Any:
    losses, g = residual(X, W, b, labels)
    return losses.mean(), g.sum(axis=0)


def summed_feature_gradient(X: Any, W: Any, b: Any, labels: Any) -> Any:
    losses, g = residual(X, W, b, labels)
    return losses.mean(), g @ W.T


def summed_gradients(X: Any, W: Any, b: Any, labels: Any) -> Any:
    losses, g = residual(X, W, b, labels)
    return losses.mean(), g @ W.T, X.T @ g, g.sum(axis=0)


def diagnosed(function: Any, returns: list[str]) -> Any:
    claims = claims_of_all("float64", takes=["X", "W", "b", "targets"], returns=returns, l2_form="")
    asked = [one.problem for one in questions_in_run(claims, "float64", FAMILIES, 0)]
    return diagnose_layer(Implementation(function.__name__, function, claims), asked, ["dw_of_the_layer_is_right"])


@pytest.mark.parametrize(
    ("function", "output", "name"),
    [
        (summed_weight_gradient, "dW", "weight_gradient_not_averaged"),
        (summed_bias_gradient, "db", "bias_gradient_not_averaged"),
        (summed_feature_gradient, "dX", "features_gradient_not_averaged"),
    ],
)
def test_one_is_named_and_the_others_are_said_to_be_the_same(function: Any, output: str, name: str) -> None:
    diagnosis = diagnosed(function, ["loss", output])
    assert [one.defects for one in diagnosis.alternatives] == [(name,)]
    lines = list(diagnosis_lines(diagnosis, layer_specimens()))
    assert lines[0].startswith(f"looks like: {name} (predicts all of")
    assert f"; or gradients_not_averaged, the same for a layer that returns loss and {output} alone" in lines[1]


def test_nothing_is_said_to_be_the_same_where_all_is_returned() -> None:
    diagnosis = diagnosed(summed_gradients, ["loss", "dX", "dW", "db"])
    assert [one.defects for one in diagnosis.alternatives] == [("gradients_not_averaged",)]
    assert not any(model.said for one in diagnosis.alternatives for model in one.models)
