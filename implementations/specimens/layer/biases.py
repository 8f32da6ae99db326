"""What becomes of the bias on the way to the logits."""

from __future__ import annotations

import numpy as np

from ._pipeline import Array, Given, Residual, divided, residual
from ._specimen import LayerSpecimen


def _without_bias(given: Given) -> Array:
    return given.X @ given.W


def _bias_subtracted(given: Given) -> Array:
    return given.X @ given.W - given.b


def _residual_without_bias(given: Given, p: Array) -> Array:
    """That of probabilities that are worked out again, of X W."""
    z = _without_bias(given)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return residual(given, e / e.sum(axis=1, keepdims=True))


def _sum_of_all_entries(given: Given, g: Residual) -> Array:
    return divided(given, np.full(given.W.shape[1], g.entries.sum(), dtype=g.entries.dtype))


_ALL = ("loss", "dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "bias_left_out",
        "The logits are X W: the bias is not added.",
        "Z = X W in place of X W + b: in all outputs, or in the gradients alone",
        "X @ W + b",
        {"logits": _without_bias},
        _ALL,
        "dw_of_the_layer_is_right",
        needs=("b",),
        variants=({"residual": _residual_without_bias},),
    ),
    LayerSpecimen(
        "bias_subtracted",
        "The bias is subtracted.",
        "Z = X W - b",
        "X @ W + b",
        {"logits": _bias_subtracted},
        _ALL,
        "dw_of_the_layer_is_right",
        needs=("b",),
    ),
    LayerSpecimen(
        "bias_gradient_of_all_entries",
        "db is the sum of the whole residual, over rows and classes, for every class.",
        "db_j = sum_i sum_k (p_ik - t_ik), which is 0, in place of sum_i (p_ij - t_ij)",
        "db = (p - t).sum(axis=0) / N",
        {"bias_gradient": _sum_of_all_entries},
        ("db",),
        "db_of_the_layer_is_right",
        needs=("b",),
    ),
)
