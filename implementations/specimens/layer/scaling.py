"""What is divided by the number of rows, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._pipeline import Array, Given, Residual, bias_gradient, features_gradient, weight_gradient
from ._specimen import LayerSpecimen


def _undivided(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) * given.scalar(max(given.divisor, 1.0)))

    return stage


def _twice_divided(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) / given.scalar(max(given.divisor, 1.0)))

    return stage


def _over_rows(gradient: Any) -> Any:
    """Divided by the number of rows that count, also where the loss is a sum."""

    def stage(given: Given, g: Residual) -> Array:
        share = 1 if given.reduction == "mean" else max(given.counts.sum(), 1)
        return np.asarray(gradient(given, g) / given.scalar(share))

    return stage


def _over_no_rows(gradient: Any) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) * given.scalar(max(given.divisor, 1.0)) / given.scalar(given.divisor))

    return stage


def _times(gradient: Any, factor: float) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(gradient(given, g) * given.scalar(factor))

    return stage


def _summed_loss(given: Given, rows: Array) -> Any:
    return rows if given.reduction == "none" else rows.sum()


def _mean_loss(given: Given, rows: Array) -> Any:
    return rows if given.reduction == "none" else rows.sum() / given.scalar(max(given.counts.sum(), 1))


def _half_loss(given: Given, rows: Array) -> Any:
    return given.scalar(0.5) * (rows if given.reduction == "none" else rows.sum() / given.scalar(given.divisor))


def _one_row(row: int, is_divided: bool = True) -> Any:
    def stage(given: Given, g: Residual) -> Array:
        return np.asarray(g.entries[row] / given.scalar(max(given.divisor, 1.0) if is_divided else 1.0))

    return stage


_GRADIENTS = {
    "features_gradient": features_gradient,
    "weight_gradient": weight_gradient,
    "bias_gradient": bias_gradient,
}
_ALL = ("dX", "dW", "db")
_MEAN = ("mean",)


def _all(change: Any, *more: Any) -> dict[str, Any]:
    return {name: change(gradient, *more) for name, gradient in _GRADIENTS.items()}


def _each(change: Any, *more: Any) -> tuple[dict[str, Any], ...]:
    """The same of one of the gradients alone, for each of them."""
    return tuple({name: change(gradient, *more)} for name, gradient in _GRADIENTS.items())


SPECIMENS = (
    LayerSpecimen(
        "nothing_divided_by_nothing",
        "Where all rows are ignored the gradients are divided by their number, 0.",
        "0/0 is NaN in dX, dW and db, where there is nothing to learn from",
        "divide by max(count, 1)",
        _all(_over_no_rows),
        _ALL,
        "ignored_batch_has_no_gradient",
        "torch 2.14, linear_cross_entropy in chunks",
        ("ignore_index", "mean"),
    ),
    LayerSpecimen(
        "gradients_not_averaged",
        "The mean of the losses, and the gradients of their sum.",
        "dX, dW and db are N times the derivatives of the mean",
        "divide p - t by N before the products",
        _all(_undivided),
        _ALL,
        "dw_of_the_layer_is_right",
        "the first of four teaching codes",
        _MEAN,
    ),
    LayerSpecimen(
        "weight_gradient_not_averaged",
        "dW is a sum over the examples, where loss and db are means.",
        "dW = X^T (P - T) in place of X^T (P - T)/N",
        "dW = X.T @ (p - t) / N",
        {"weight_gradient": _undivided(weight_gradient)},
        ("dW",),
        "dw_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "bias_gradient_not_averaged",
        "db is a sum over the examples, where loss and dW are means.",
        "db = sum_i (p_i - t_i) in place of the same over N",
        "db = (p - t).sum(axis=0) / N",
        {"bias_gradient": _undivided(bias_gradient)},
        ("db",),
        "db_of_the_layer_is_right",
        "the third of four teaching codes",
        ("mean", "b"),
    ),
    LayerSpecimen(
        "features_gradient_not_averaged",
        "dX is that of the sum of the losses, where dW and db are those of the mean.",
        "dX = (P - T) W^T in place of the same over N",
        "dX = (p - t) @ W.T / N",
        {"features_gradient": _undivided(features_gradient)},
        ("dX",),
        "dx_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "gradients_averaged_twice",
        "p - t is divided by N, and the products again.",
        "dX, dW and db are a further N times too small",
        "divide by N once",
        _all(_twice_divided),
        _ALL,
        "dw_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "weight_gradient_averaged_twice",
        "dW is divided by N once more than db.",
        "dW = X^T (P - T)/N^2",
        "dW = X.T @ (p - t) / N",
        {"weight_gradient": _twice_divided(weight_gradient)},
        ("dW",),
        "dw_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "bias_gradient_averaged_twice",
        "db is a mean over rows that are divided by N already.",
        "db = sum_i (p_i - t_i)/N^2",
        "db = (p - t).sum(axis=0) / N",
        {"bias_gradient": _twice_divided(bias_gradient)},
        ("db",),
        "db_of_the_layer_is_right",
        needs=("mean", "b"),
    ),
    LayerSpecimen(
        "features_gradient_averaged_twice",
        "dX is divided by N once more than dW.",
        "dX = (P - T) W^T/N^2",
        "dX = (p - t) @ W.T / N",
        {"features_gradient": _twice_divided(features_gradient)},
        ("dX",),
        "dx_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "loss_is_a_sum",
        "The loss is the sum over the examples, and the gradients are those of the mean.",
        "loss = sum_i l_i in place of the same over N",
        "loss = losses.mean()",
        {"reduced": _summed_loss},
        ("loss",),
        "loss_of_the_layer_is_right",
        needs=_MEAN,
    ),
    LayerSpecimen(
        "gradients_are_means",
        "The loss is a sum over the examples, and the gradients are those of the mean.",
        "dX, dW and db, or one of them, are N times too small: divided by N, as the loss is not",
        "divide both by N, or neither",
        _all(_over_rows),
        _ALL,
        "dw_of_the_layer_is_right",
        needs=("sum",),
        claims={"reduction": "sum"},
        variants=_each(_over_rows),
    ),
    LayerSpecimen(
        "half_of_the_loss",
        "The loss has a factor of a half that the gradients do not have.",
        "loss = 1/2 of the mean of l_i",
        "leave the half out: it belongs to squares",
        {"reduced": _half_loss},
        ("loss",),
        "loss_of_the_layer_is_right",
        "mlxtend 0.25, SoftmaxRegression",
    ),
    LayerSpecimen(
        "bias_gradient_of_one_row",
        "db is that of the last example.",
        "db = p_i - t_i of one row, such as the last, in place of the sum over the rows",
        "db = (p - t).sum(axis=0) / N",
        {"bias_gradient": _one_row(-1)},
        ("db",),
        "db_of_the_layer_is_right",
        needs=("b",),
        variants=tuple({"bias_gradient": _one_row(*how)} for how in ((0,), (0, False), (-1, False))),
    ),
    LayerSpecimen(
        "gradients_of_the_wrong_sign",
        "t - p in place of p - t, as for a loglikelihood that is to grow.",
        "dX, dW and db have the other sign",
        "g = p - t",
        _all(_times, -1.0),
        _ALL,
        "dw_of_the_layer_is_right",
        "statsmodels MNLogit has the derivative of the loglikelihood",
        variants=_each(_times, -1.0),
    ),
    LayerSpecimen(
        "gradients_twice_too_large",
        "The factor of a square loss, 2, before the gradients.",
        "dX, dW and db are twice the derivatives",
        "leave out the 2",
        _all(_times, 2.0),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=_each(_times, 2.0),
    ),
    LayerSpecimen(
        "gradients_half_as_large",
        "A factor of a half before the gradients, as where a half was left out of the loss and not of them.",
        "dX, dW and db are half of the derivatives",
        "leave out the half",
        _all(_times, 0.5),
        _ALL,
        "dw_of_the_layer_is_right",
        variants=_each(_times, 0.5),
    ),
)
