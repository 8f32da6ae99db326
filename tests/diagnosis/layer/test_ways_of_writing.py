"""Layers written by hand, each in a way in which no specimen is written: what the diagnosis names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.evaluation.call import Implementation
from gradlab.implementations.strangers.layer.numpy_layers import two_passes
from gradlab.layer.problem import Penalty
from tests.layer_claims import claims_of_all, questions
from tests.runs import every

CHECKS = ["dw_of_the_layer_is_right"]


def parts(X: Any, W: Any, b: Any, labels: Any) -> tuple[Any, Any]:
    """log p, and one-hot rows."""
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True)), np.eye(W.shape[1], dtype=X.dtype)[labels]


def of_residual(X: Any, W: Any, g: Any) -> tuple[Any, Any, Any]:
    return g @ W.T, X.T @ g, g.sum(axis=0)


def one_hot_times_log_softmax_and_the_other_sign(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    log_p, t = parts(X, W, b, labels)
    with np.errstate(invalid="ignore"):
        loss = -(t * log_p).sum(axis=1).mean()
    return loss, *of_residual(X, W, (t - np.exp(log_p)) / X.dtype.type(len(X)))


def softmax_of_columns(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    z = X @ W + b
    with np.errstate(all="ignore"):
        e = np.exp(z)
        p = e / e.sum(axis=0)
        loss = -np.log(p[np.arange(len(X)), labels] + X.dtype.type(1e-12)).mean()
    p[np.arange(len(X)), labels] -= 1
    return loss, *of_residual(X, W, p / X.dtype.type(len(X)))


def bias_forgotten_on_the_way_back(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss = two_passes(X, W, b, labels)[0]
    return loss, *two_passes(X, W, np.zeros_like(b), labels)[1:]


def loss_averaged_over_threes(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    losses = [two_passes(X[i : i + 3], W, b, labels[i : i + 3])[0] for i in range(0, len(X), 3)]
    return X.dtype.type(np.mean(losses)), *two_passes(X, W, b, labels)[1:]


def rows_added_up_in_float16(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, _, d_b = two_passes(X, W, b, labels)
    log_p, t = parts(X, W, b, labels)
    total = np.zeros(W.shape, dtype=np.float16)
    with np.errstate(all="ignore"):
        for row, g in zip(X, (np.exp(log_p) - t) / X.dtype.type(len(X)), strict=True):
            total += np.outer(row, g).astype(np.float16)
    return loss, d_x, total.astype(X.dtype), d_b


def divided_by_all_rows(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, ignore_index: Any = None) -> Any:
    counts = np.ones(len(X), bool) if ignore_index is None else labels != ignore_index
    found = two_passes(X[counts], W, b, labels[counts]) if counts.any() else (0.0, X[:0], 0 * W, 0 * W[0])
    share = X.dtype.type(counts.mean())
    d_x = np.zeros_like(X)
    d_x[counts] = found[1] * share
    return X.dtype.type(found[0]), d_x, found[2] * share, found[3] * share


def ignored_label_taken_for_a_label(
    X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, ignore_index: Any = None
) -> Any:
    return two_passes(X, W, b, labels)


def label_in_the_first_tile_alone(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    log_p, t = parts(X, W, b, labels)
    t[labels >= 4] = 0
    return two_passes(X, W, b, labels)[0], *of_residual(X, W, (np.exp(log_p) - t) / X.dtype.type(len(X)))


def product_divided_by_four(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W / W.dtype.type(4), b, labels)
    return loss, d_x, d_w / d_w.dtype.type(4), d_b


def product_divided_by_four_in_the_loss(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W / W.dtype.type(4), b, labels)
    return loss, d_x * d_x.dtype.type(4), d_w, d_b


WRITTEN = {
    one_hot_times_log_softmax_and_the_other_sign: ("gradients_of_the_wrong_sign", "one_hot_times_log"),
    softmax_of_columns: ("normalised_over_the_examples",),
    bias_forgotten_on_the_way_back: ("bias_left_out",),
    loss_averaged_over_threes: ("chunks_averaged_alike",),
    rows_added_up_in_float16: ("weight_gradient_added_in_float16",),
    divided_by_all_rows: ("gradients_over_ignored_rows_too",),
    ignored_label_taken_for_a_label: ("ignored_rows_counted",),
    label_in_the_first_tile_alone: ("label_subtracted_in_some_classes",),
    product_divided_by_four: ("logits_scaled",),
    product_divided_by_four_in_the_loss: ("temperature_left_out_of_the_gradients",),
}


@pytest.mark.parametrize("function", every(4, WRITTEN, [function.__name__ for function in WRITTEN]))
def test_it_is_named(function: Any) -> None:
    options = ("ignore_index",) if "ignore_index" in function.__code__.co_varnames else ()
    claims = claims_of_all(options=options)
    asked = [one.problem.replace(penalty=Penalty()) for one in questions("float32", options)]
    found = diagnose_layer(Implementation(function.__name__, function, claims), asked, CHECKS)
    assert [one.defects for one in found.alternatives] == [WRITTEN[function]]
    assert found.unexplained == ()


def decays_in_place_and_takes_logs(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    W *= W.dtype.type(0.875)
    loss, *gradients = two_passes(X, W, b, labels)
    log_p, _ = parts(X, W, b, labels)
    with np.errstate(divide="ignore"):
        loss = -np.log(np.exp(log_p)[np.arange(len(X)), labels]).mean()
    return loss, *gradients


def test_what_follows_from_an_overwritten_weight_is_accounted_for() -> None:
    function = decays_in_place_and_takes_logs
    asked = [one.problem.replace(penalty=Penalty()) for one in questions("float32", ())]
    failed = [*CHECKS, "loss_of_the_layer_is_right", "leaves_features_weight_and_bias_alone"]
    found = diagnose_layer(Implementation(function.__name__, function, claims_of_all()), asked, failed)
    assert found.side_effects == ("weight_overwritten",)
    assert [one.defects for one in found.alternatives] == [("unprotected_log",)]
    assert found.unexplained == ()
