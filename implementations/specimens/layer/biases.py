"""What becomes of the bias on the way to the logits."""

from __future__ import annotations

import numpy as np

from ._pipeline import Array, Given, residual
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
)
