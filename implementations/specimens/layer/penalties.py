"""What is added for large weights, in the loss and in the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._pipeline import Array, Given, Residual, bias_gradient, penalty_in_loss, penalty_in_weight
from ._specimen import LayerSpecimen


def _loss_times(factor: float) -> Any:
    def stage(given: Given) -> Any:
        return penalty_in_loss(given) * given.scalar(factor)

    return stage


def _weight_times(factor: float) -> Any:
    def stage(given: Given) -> Array:
        return np.asarray(penalty_in_weight(given) * given.scalar(factor))

    return stage


def _bias_in_loss(given: Given) -> Any:
    squares = (given.W * given.W).sum() + (given.b * given.b).sum()
    return given.scalar(given.slope / 2) * squares


def _bias_too(given: Given) -> Array:
    return np.asarray(given.scalar(given.slope) * given.b)


def _bias_too_without_a_penalty(given: Given, g: Residual) -> Array:
    """l2 b also where l2 is 0 and b is -inf."""
    return bias_gradient(given, g) + _bias_too(given)


def _loss_over_rows(given: Given) -> Any:
    return penalty_in_loss(given) / given.scalar(len(given.X))


def _weight_over_rows(given: Given) -> Array:
    return np.asarray(penalty_in_weight(given) / given.scalar(len(given.X)))


def _length(given: Given) -> Any:
    return given.scalar(given.slope / 2) * np.sqrt((given.W * given.W).sum())


def _absolute(given: Given) -> Any:
    return given.scalar(given.slope / 2) * np.abs(given.W).sum()


def _mean_of_squares(given: Given) -> Any:
    return given.scalar(given.slope / 2) * (given.W * given.W).mean()


def _over_entries(given: Given) -> Array:
    return np.asarray(penalty_in_weight(given) / given.scalar(given.W.size))


def _penalty(
    name: str,
    says: str,
    wrong: str,
    mend: str,
    stages: dict[str, Any],
    shows: tuple[str, ...],
    *variants: dict[str, Any],
) -> LayerSpecimen:
    check = {"loss": "loss_of_the_layer_is_right", "dW": "dw_of_the_layer_is_right", "db": "db_of_the_layer_is_right"}
    needs = ("l2", "b") if shows == ("db",) or "bias" in name else ("l2",)
    return LayerSpecimen(name, says, wrong, mend, stages, shows, check[shows[0]], needs=needs, variants=variants)


SPECIMENS = (
    _penalty(
        "penalty_gradient_doubled",
        "The loss has reg/2 |W|^2 and dW has 2 reg W.",
        "dW has twice the derivative of what the loss has",
        "in dW, reg W where the loss has reg/2 |W|^2, and 2 reg W where it has reg |W|^2",
        {"penalty_in_weight": _weight_times(2.0)},
        ("dW",),
    ),
    _penalty(
        "penalty_gradient_halved",
        "The loss has reg |W|^2 and dW has reg W.",
        "dW has half of the derivative of what the loss has",
        "in dW, reg W where the loss has reg/2 |W|^2, and 2 reg W where it has reg |W|^2",
        {"penalty_in_weight": _weight_times(0.5)},
        ("dW",),
    ),
    _penalty(
        "penalty_in_the_gradient_alone",
        "dW has the penalty's derivative, the loss has no penalty.",
        "loss without l2/2 |W|^2",
        "add it to the loss too",
        {"penalty_in_loss": _loss_times(0.0)},
        ("loss",),
    ),
    _penalty(
        "penalty_in_the_loss_alone",
        "The loss has the penalty, dW does not.",
        "dW without l2 W",
        "dW += l2 * W",
        {"penalty_in_weight": _weight_times(0.0)},
        ("dW",),
    ),
    _penalty(
        "penalty_of_the_wrong_sign",
        "The penalty's derivative is subtracted.",
        "dW = X^T G - l2 W",
        "dW += l2 * W",
        {"penalty_in_weight": _weight_times(-1.0)},
        ("dW",),
    ),
    _penalty(
        "penalty_divided_by_rows",
        "The penalty is divided by the number of rows, in loss and gradient.",
        "l2/(2 N) |W|^2 in place of l2/2 |W|^2",
        "add the penalty after the mean",
        {"penalty_in_loss": _loss_over_rows, "penalty_in_weight": _weight_over_rows},
        ("dW", "loss"),
    ),
    _penalty(
        "penalty_gradient_divided_by_rows",
        "The penalty's derivative is divided by the number of rows, the penalty is not.",
        "dW = X^T G + l2 W/N",
        "add the penalty after the mean",
        {"penalty_in_weight": _weight_over_rows},
        ("dW",),
    ),
    _penalty(
        "penalty_in_the_loss_divided_by_rows",
        "The penalty is divided by the number of rows, its derivative is not.",
        "l2/(2 N) |W|^2 in the loss beside l2 W in dW",
        "divide both by N, or neither",
        {"penalty_in_loss": _loss_over_rows},
        ("loss",),
    ),
    _penalty(
        "bias_penalised",
        "The bias is penalised too, in loss and gradient.",
        "l2/2 (|W|^2 + |b|^2)",
        "leave the bias out, or claim l2_takes_bias",
        {"penalty_in_loss": _bias_in_loss, "penalty_in_bias": _bias_too},
        ("db", "loss"),
    ),
    _penalty(
        "bias_penalised_in_the_gradient",
        "db has l2 b, the loss has no |b|^2.",
        "db = sum of G + l2 b",
        "leave the bias out",
        {"penalty_in_bias": _bias_too},
        ("db",),
        {"bias_gradient": _bias_too_without_a_penalty},
    ),
    _penalty(
        "penalty_without_the_square",
        "The length of the weight in place of its square.",
        "l2/2 |W| in place of l2/2 |W|^2",
        "np.sum(W * W)",
        {"penalty_in_loss": _length},
        ("loss",),
    ),
    _penalty(
        "penalty_of_absolute_values",
        "The sum of absolute values in the loss, with the gradient of squares.",
        "l2/2 sum |w| in place of l2/2 sum w^2",
        "np.sum(W * W)",
        {"penalty_in_loss": _absolute},
        ("loss",),
    ),
    _penalty(
        "penalty_is_a_mean",
        "The mean of the squares in the loss, with the gradient of their sum.",
        "l2/2 |W|^2/(D K) in place of l2/2 |W|^2",
        "np.sum(W * W)",
        {"penalty_in_loss": _mean_of_squares},
        ("loss",),
        {"penalty_in_loss": _mean_of_squares, "penalty_in_weight": _over_entries},
    ),
    _penalty(
        "penalty_in_the_loss_doubled",
        "The loss has l2 |W|^2, dW has l2 W.",
        "the loss has twice the penalty",
        "in dW, reg W where the loss has reg/2 |W|^2, and 2 reg W where it has reg |W|^2",
        {"penalty_in_loss": _loss_times(2.0)},
        ("loss",),
    ),
)
