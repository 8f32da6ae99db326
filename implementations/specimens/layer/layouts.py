"""Gradients whose numbers lie in another order than their shape says."""

from __future__ import annotations

import numpy as np

from ._pipeline import Array, Given, Residual, features_gradient, weight_gradient
from ._specimen import LayerSpecimen


def _weight_reshaped(given: Given, g: Residual) -> Array:
    return np.ascontiguousarray(weight_gradient(given, g).T).reshape(given.W.shape)


def _features_reshaped(given: Given, g: Residual) -> Array:
    return np.ascontiguousarray(features_gradient(given, g).T).reshape(given.X.shape)


SPECIMENS = (
    LayerSpecimen(
        "gradient_reshaped_for_transposed",
        "dW is worked out as (K, D), and reshaped to (D, K), not transposed.",
        "the entries of dW, or of dX, are those of its transpose, in the order in which they lie there",
        "(g.T @ X).T in place of (g.T @ X).reshape(W.shape)",
        {"weight_gradient": _weight_reshaped},
        ("dW",),
        "dw_of_the_layer_is_right",
        variants=({"features_gradient": _features_reshaped},),
    ),
)
