"""Divisions by another number than that of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._pipeline import Array, Given, Residual, bias_gradient, features_gradient, reduced, weight_gradient
from ._specimen import LayerSpecimen


def _by_classes(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) / given.scalar(given.W.shape[1]))

    return stage


def _by_classes_alone(gradient: Any) -> Any:
    """Divided by K in place of N."""

    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) * given.scalar(max(given.divisor, 1.0) / given.W.shape[1]))

    return stage


def _loss_by_classes(given: Given, rows: Array) -> Any:
    return reduced(given, rows) / given.scalar(given.W.shape[1])


def _loss_by_classes_alone(given: Given, rows: Array) -> Any:
    return (rows if given.reduction == "none" else rows.sum()) / given.scalar(given.W.shape[1])


def _by_features(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        factor = given.scalar(max(given.divisor, 1.0) / given.W.shape[0])
        return np.asarray(gradient(given, g) * factor)

    return stage


def _by_one_less(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        rows = given.scalar(max(given.divisor, 1.0))
        return np.asarray(gradient(given, g) * rows / (rows - given.scalar(1)))

    return stage


def _loss_by_one_less(given: Given, rows: Array) -> Any:
    return rows if given.reduction == "none" else rows.sum() / (given.scalar(given.divisor) - given.scalar(1))


_GRADIENTS = {
    "features_gradient": features_gradient,
    "weight_gradient": weight_gradient,
    "bias_gradient": bias_gradient,
}
_ALL = ("dX", "dW", "db")
_MEAN = ("mean",)


def _all(change: Any, *more: Any) -> dict[str, Any]:
    return {name: change(gradient, *more) for name, gradient in _GRADIENTS.items()}


SPECIMENS = (
    LayerSpecimen(
        "divided_by_classes",
        "np.mean over the matrix of gradients: divided by K too.",
        "a division by K: of dX, dW and db or of the loss too, beside that by N or in place of it",
        "divide by the number of rows alone",
        _all(_by_classes),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=(
            {**_all(_by_classes), "reduced": _loss_by_classes},
            _all(_by_classes_alone),
            {**_all(_by_classes_alone), "reduced": _loss_by_classes_alone},
            {"reduced": _loss_by_classes},
            {"reduced": _loss_by_classes_alone},
        ),
    ),
    LayerSpecimen(
        "divided_by_features",
        "The gradients are divided by the number of features, not of rows.",
        "dX, dW and db are N/D times the derivatives",
        "divide by the number of rows",
        _all(_by_features),
        _ALL,
        "dw_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "divided_by_one_row_less",
        "The gradients are divided by N - 1.",
        "dX, dW and db are N/(N - 1) times the derivatives",
        "divide by the number of rows",
        _all(_by_one_less),
        _ALL,
        "dw_of_the_layer_is_right",
        needs=_MEAN,
        variants=({"reduced": _loss_by_one_less}, {**_all(_by_one_less), "reduced": _loss_by_one_less}),
    ),
)
