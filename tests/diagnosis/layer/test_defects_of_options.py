"""What is wrong with an option alone is named as at the logits, in the gradients in which it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.evaluation.call import Implementation
from tests.layer_claims import claims_of_all, questions

CHECKS = ["dx_of_the_layer_is_right", "dw_of_the_layer_is_right", "gradients_are_the_derivatives_of_its_own_loss"]


def _log_softmax(z: Any) -> Any:
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def _residual(log_p: Any, labels: Any, smoothing: float) -> Any:
    g = np.exp(log_p)
    g[np.arange(len(labels)), labels] -= g.dtype.type(1 - smoothing)
    return g - g.dtype.type(smoothing / g.shape[1])


def _smoothed_loss(log_p: Any, labels: Any, smoothing: float) -> Any:
    plain = -log_p[np.arange(len(labels)), labels].mean()
    return plain if not smoothing else (1 - smoothing) * plain - smoothing * log_p.mean()


def smoothing_left_out(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, label_smoothing: float = 0.0) -> Any:
    log_p = _log_softmax(X @ W + b)
    g = _residual(log_p, labels, 0.0) / X.dtype.type(len(X))
    loss = _smoothed_loss(log_p, labels, label_smoothing)
    return X.dtype.type(loss), g @ W.T, X.T @ g, g.sum(axis=0)


def smoothing_left_out_of_weight(
    X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, label_smoothing: float = 0.0
) -> Any:
    log_p = _log_softmax(X @ W + b)
    g, plain = (_residual(log_p, labels, e) / X.dtype.type(len(X)) for e in (label_smoothing, 0.0))
    loss = _smoothed_loss(log_p, labels, label_smoothing)
    return X.dtype.type(loss), g @ W.T, X.T @ plain, g.sum(axis=0)


def smoothing_left_out_and_not_averaged(*given: Any, **options: Any) -> Any:
    loss, d_x, d_w, d_b = smoothing_left_out(*given, **options)
    return loss, d_x, d_w * d_w.dtype.type(len(given[0])), d_b


def weights_left_out_of_features(
    X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, class_weights: Any = None
) -> Any:
    log_p = _log_softmax(X @ W + b)
    w = np.ones(len(X), X.dtype) if class_weights is None else class_weights[labels]
    plain = _residual(log_p, labels, 0.0)
    g = w[:, None] * plain / w.sum()
    loss = -(w * log_p[np.arange(len(X)), labels]).sum() / w.sum()
    return loss, plain @ W.T / X.dtype.type(len(X)), X.T @ g, g.sum(axis=0)


def temperature_left_out(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, temperature: float = 1.0) -> Any:
    log_p = _log_softmax((X @ W + b) / X.dtype.type(temperature))
    g = _residual(log_p, labels, 0.0) / X.dtype.type(len(X))
    return -log_p[np.arange(len(X)), labels].mean(), g @ W.T, X.T @ g, g.sum(axis=0)


def smoothed_by_its_root(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, label_smoothing: float = 0.0) -> Any:
    """Of no known kind."""
    log_p = _log_softmax(X @ W + b)
    g = _residual(log_p, labels, label_smoothing**0.5) / X.dtype.type(len(X))
    loss = _smoothed_loss(log_p, labels, label_smoothing)
    return X.dtype.type(loss), g @ W.T, X.T @ g, g.sum(axis=0)


NAMES = {
    smoothing_left_out: ("label_smoothing", ("smoothing_in_the_loss_only",)),
    smoothing_left_out_of_weight: ("label_smoothing", ("smoothing_in_the_loss_only",)),
    smoothing_left_out_and_not_averaged: (
        "label_smoothing",
        ("smoothing_in_the_loss_only", "weight_gradient_not_averaged"),
    ),
    weights_left_out_of_features: ("class_weights", ("weights_missing_in_gradient",)),
    temperature_left_out: ("temperature", ("temperature_missing_in_gradient",)),
    smoothed_by_its_root: ("label_smoothing", None),
}


@pytest.mark.parametrize("function", NAMES, ids=lambda function: function.__name__)
def test_a_defect_of_an_option_has_its_name(function: Any) -> None:
    option, names = NAMES[function]
    claims = claims_of_all(options=(option,), l2_form="", takes=("X", "W", "b", "targets"), masks=False)
    asked = [one.problem for one in questions("float32", (option,)) if not one.problem.penalty.is_on]
    asked = [one for one in asked if one.is_finite]
    found = diagnose_layer(Implementation(function.__name__, function, claims), asked, CHECKS)
    assert [one.defects for one in found.alternatives] == ([] if names is None else [names])
    assert bool(found.unexplained) is (names is None)
