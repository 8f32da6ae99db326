"""What every layer asks of its arguments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._inputs import _FLOATS, Array, checked_labels

LAYER_CLAIMS = {  # of a layer whose arguments go through `checked_layer`
    "takes": ["X", "W", "b", "targets"],
    "returns": ["loss", "dX", "dW", "db"],
    "weight_layout": "DK",
    "feature_layout": "ND",
    "bias_layout": "K",
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}


class Layer(NamedTuple):
    """Features (N, D), weight (D, K) and bias (K,) of one dtype, in native byte order, and labels (N,) as indices."""

    features: Array
    weight: Array
    bias: Array
    labels: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        """N, D and K."""
        return (*self.features.shape, self.weight.shape[1])


def checked_layer(X: npt.ArrayLike, W: npt.ArrayLike, b: npt.ArrayLike, labels: npt.ArrayLike) -> Layer:
    """The arguments of a layer; copied only where their byte order or the labels' integer type has to change.

    Raises TypeError where a dtype does not fit, ValueError where a shape does not or a label is outside [0, K).
    """
    features, weight, bias = (_native(np.asarray(one)) for one in (X, W, b))
    if features.dtype.name not in _FLOATS:
        raise TypeError(f"X must be one of {', '.join(_FLOATS)}, got {features.dtype}")
    if not features.dtype == weight.dtype == bias.dtype:
        raise TypeError(f"X, W and b must have one dtype, got {features.dtype}, {weight.dtype} and {bias.dtype}")
    if features.ndim != 2 or weight.ndim != 2 or features.shape[1] != weight.shape[0] or weight.shape[1] < 1:
        raise ValueError(
            f"X and W must have shapes (N, D) and (D, K) with K at least 1, got {features.shape} and {weight.shape}"
        )
    if bias.shape != weight.shape[1:]:
        raise ValueError(f"b must have shape {weight.shape[1:]}, got {bias.shape}")
    shape_of_logits = np.broadcast_to(bias, (len(features), len(bias)))
    return Layer(features, weight, bias, checked_labels(labels, shape_of_logits))


def _native(array: Array) -> Array:
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
