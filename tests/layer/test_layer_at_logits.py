"""A layer as a loss of logits: the identity in the place of the weight, or of the features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.conformance.in_scope import finite_cases, profile_in_scope
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.layer import layer
from gradlab.layer.at_logits import layer_as_loss
from gradlab.oracle.enclosure import enclose
from gradlab.problems.problem import Problem
from gradlab.targets.importing import TargetError

LOGITS = np.array([[1.0, 2.0, 0.0], [0.5, -3.0, 2.0]])
TAKES = ["X", "W", "b", "targets"]


def turned(X: Any, W: Any, b: Any, labels: Any) -> Any:
    """Features and weight the other way round."""
    loss, d_x, d_w, d_b = layer(X.T, W.T, b, labels)
    return loss, d_x.T, d_w.T, d_b


def one_hot(W: Any, X: Any, rows: Any) -> Any:
    """A sum of losses, and dW alone."""
    loss, _, d_w, _ = layer(X, W, np.zeros(W.shape[1], W.dtype), rows.argmax(axis=1))
    return loss * len(X), d_w * len(X)


def clips_labels(X: Any, W: Any, b: Any, labels: Any) -> Any:
    return layer(X, W, b, np.clip(labels, 0, W.shape[1] - 1))


LAYERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain": (layer, {"takes": TAKES, "returns": ["loss", "dX", "dW", "db"]}),
    "weight alone": (
        lambda *given: (layer(*given)[0], layer(*given)[2]),
        {"takes": TAKES, "returns": ["loss", "dW"], "weight_layout": "DK"},
    ),
    "turned": (
        turned,
        {"takes": TAKES, "returns": ["loss", "dX", "dW", "db"], "weight_layout": "KD", "feature_layout": "DN"},
    ),
    "one-hot": (
        one_hot,
        {"takes": ["W", "X", "targets"], "returns": ["loss", "dW"], "targets": "one_hot", "reduction": "sum"},
    ),
}


def made(function: Any, claims: dict[str, Any]) -> Implementation:
    return Implementation("own", function, claims_from({"dtypes": ["float64"], **claims}))


@pytest.mark.parametrize("name", LAYERS)
def test_the_loss_and_its_gradient_are_those_of_the_logits(name: str) -> None:
    function, claims = LAYERS[name]
    loss = layer_as_loss(made(function, claims))
    problem = Problem(LOGITS, np.array([1, 0]))
    answer, factor = evaluate(loss, problem), 2.0 if name == "one-hot" else 1.0
    truth = enclose(problem)
    assert answer.fault is None
    assert np.allclose(np.asarray(answer.loss), factor * truth.loss.nearest(), rtol=1e-14, atol=0)
    assert np.allclose(np.asarray(answer.gradient), factor * truth.gradient.nearest(), rtol=1e-14, atol=1e-17)


@pytest.mark.parametrize("gradients", [("dX", "dW"), ("dW",)])
def test_a_batch_without_rows_has_a_gradient_without_rows(gradients: tuple[str, ...]) -> None:
    seen: list[tuple[int, ...]] = []

    def counts_rows(X: Any, W: Any, b: Any, labels: Any) -> Any:
        seen.append((len(X), W.shape[1]))
        whole = {"dX": np.zeros_like(X), "dW": np.zeros_like(W)}
        return 0.0, *(whole[name] for name in gradients)

    loss = layer_as_loss(made(counts_rows, {"takes": TAKES, "returns": ["loss", *gradients]}))
    answer = evaluate(loss, Problem(np.zeros((0, 3)), np.zeros(0, dtype=int)))
    assert seen == [(0, 3)]
    assert answer.fault is None


def test_a_layer_that_returns_no_loss_is_no_loss() -> None:
    with pytest.raises(ValueError, match="must return loss, and dX or dW, returns dW, db"):
        layer_as_loss(made(layer, {"takes": TAKES, "returns": ["dW", "db"]}))


def test_which_rules_a_layer_follows_is_asked_in_the_cases_of_finite_logits() -> None:
    function, claims = LAYERS["plain"]
    sound = made(function, claims)
    profile = profile_in_scope(sound, "float64")
    assert set(profile) == set(finite_cases(layer_as_loss(sound).claims, "float64"))
    assert {"loss", "label_k", "all_rows_ignored", "empty_batch", "layout"} < set(profile)
    assert not {"masked_class", "nan_row", "infinite_logit"} & set(profile)
    assert profile["loss"].name == "mean"
    assert profile["layout"].name == "any"


def test_what_a_layer_does_with_a_label_outside_is_named() -> None:
    profile = profile_in_scope(made(clips_labels, LAYERS["plain"][1]), "float64")
    assert [profile[name].name for name in ("label_k", "label_minus_1")] == ["clips", "clips"]


def test_a_layer_that_returns_too_little_to_be_asked_is_one_line() -> None:
    with pytest.raises(TargetError, match=r"^own: a layer as a loss of logits must return loss"):
        profile_in_scope(made(layer, {"takes": TAKES, "returns": ["dW", "db"]}), "float64")
