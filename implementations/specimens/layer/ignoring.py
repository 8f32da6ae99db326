"""Rows whose label is to be ignored: what they add, and whether the mean is over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ._pipeline import (
    Array,
    Given,
    Residual,
    bias_gradient,
    counted,
    features_gradient,
    residual,
    weight_gradient,
)
from ._specimen import LayerSpecimen


def _everything(given: Given, entries: Array) -> Array:
    return entries


def _all_of_the_losses(given: Given, entries: Array) -> Array:
    return entries if entries.ndim == 1 else counted(given, entries)


def _all_of_the_residuals(given: Given, entries: Array) -> Array:
    return entries if entries.ndim == 2 else counted(given, entries)


def _labels_of_rows_that_count(given: Given, p: Array) -> Array:
    """P - one-hot, and P in the rows that are ignored."""
    return np.where(given.counts[:, None], residual(given, p), p)


def _as_any_label(given: Given) -> Given:
    """No row is ignored whose label can be looked up: such a label is one like all others."""
    n_classes = given.W.shape[1]
    counts = given.counts | ((given.labels >= -n_classes) & (given.labels < n_classes))
    return replace(given, counts=counts, divisor=float(counts.sum()) if given.reduction == "mean" else 1.0)


def _mean_over_all(given: Given, rows: Array) -> Any:
    return rows if given.reduction == "none" else rows.sum() / given.scalar(len(rows))


def _over_all(gradient: Callable[[Given, Residual], Array]) -> Callable[[Given, Residual], Array]:
    """The gradient divided by the number of all rows."""

    def stage(given: Given, g: Residual) -> Array:
        share = max(given.divisor, 1.0) / max(len(given.X), 1) if given.reduction == "mean" else 1.0
        return np.asarray(gradient(given, g) * given.scalar(share))

    return stage


def _added_over_all_rows(gradient: Callable[[Given, Residual], Array]) -> Callable[[Given, Residual], Array]:
    """One of the gradients alone, with the ignored rows as those of class 0."""

    def stage(given: Given, g: Residual) -> Array:
        return gradient(given, replace(g, entries=residual(given, g.softmax.probabilities)))

    return stage


def _probabilities_added_too(gradient: Callable[[Given, Residual], Array]) -> Callable[[Given, Residual], Array]:
    """One of the gradients alone, with P in the ignored rows."""

    def stage(given: Given, g: Residual) -> Array:
        return gradient(given, replace(g, entries=_labels_of_rows_that_count(given, g.softmax.probabilities)))

    return stage


_EACH = {
    "features_gradient": features_gradient,
    "weight_gradient": weight_gradient,
    "bias_gradient": bias_gradient,
}
_GRADIENTS = ("dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "ignored_rows_counted",
        "Rows whose label is to be ignored count as those of class 0.",
        "the loss or the gradients of ignored rows are not 0",
        "set them to 0 before the products",
        {"counted": _everything},
        ("loss", *_GRADIENTS),
        "dw_of_the_layer_is_right",
        "Liger-Kernel tests with masked rows",
        ("ignore_index",),
        variants=(
            {"counted": _all_of_the_residuals},
            {"counted": _all_of_the_losses},
            {"counted": _all_of_the_residuals, "residual": _labels_of_rows_that_count},
            {"prepared": _as_any_label},
            *({name: _added_over_all_rows(gradient)} for name, gradient in _EACH.items()),
            *({name: _probabilities_added_too(gradient)} for name, gradient in _EACH.items()),
        ),
    ),
    LayerSpecimen(
        "loss_over_ignored_rows_too",
        "The loss is divided by all rows, the gradients by those that count.",
        "loss = sum over the rows that count / N",
        "divide both by the number of rows that count",
        {"reduced": _mean_over_all},
        ("loss",),
        "loss_of_the_layer_is_right",
        needs=("ignore_index", "mean"),
    ),
    LayerSpecimen(
        "gradients_over_ignored_rows_too",
        "The gradients are divided by all rows, the loss by those that count.",
        "dX, dW and db = sums over the rows that count / N",
        "divide both by the number of rows that count",
        {
            "features_gradient": _over_all(features_gradient),
            "weight_gradient": _over_all(weight_gradient),
            "bias_gradient": _over_all(bias_gradient),
        },
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        needs=("ignore_index", "mean"),
    ),
)
