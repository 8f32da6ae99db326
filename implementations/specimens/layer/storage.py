"""What is stored in few bits on the way from the softmax to the gradients."""

from __future__ import annotations

import numpy as np

from ._pipeline import Array, Given, residual
from ._specimen import LayerSpecimen

_GRADIENTS = ("dX", "dW", "db")


def _rounded_first(given: Given, p: Array) -> Array:
    import ml_dtypes

    return residual(given, p.astype(ml_dtypes.bfloat16).astype(p.dtype))


def _stored_in_float16(given: Given, p: Array) -> Array:
    return residual(given, p.astype(np.float16).astype(p.dtype))


SPECIMENS = (
    LayerSpecimen(
        "probabilities_rounded_before_the_label",
        "p is rounded to bfloat16, and 1 is subtracted from that.",
        "p_y - 1 of a rounded p_y is off by 2^-9",
        "subtract first, round then",
        {"residual": _rounded_first},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        "Liger-Kernel 1329; torch linear_cross_entropy, policy compact",
        coarse="bfloat16",
        dtypes=("float32", "float64"),
    ),
    LayerSpecimen(
        "probabilities_stored_in_float16",
        "p is stored in float16 for the backward pass, and 1 is subtracted from that.",
        "p_y - 1 of a rounded p_y is off by 2^-12, and p below 2^-25 is 0",
        "store the shifted logits and their sum, or subtract first",
        {"residual": _stored_in_float16},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        coarse="float16",
        dtypes=("float32", "float64"),
    ),
)
