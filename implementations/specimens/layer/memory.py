"""What a layer does to what it is given."""

from __future__ import annotations

from ._pipeline import Array
from ._specimen import LayerSpecimen

CHECK = "leaves_features_weight_and_bias_alone"


def _over_features(X: Array, W: Array, b: Array | None) -> None:
    X -= X.mean(axis=0, keepdims=True) + X.dtype.type(1)


def _over_weight(X: Array, W: Array, b: Array | None) -> None:
    W *= W.dtype.type(0.5)


def _over_bias(X: Array, W: Array, b: Array | None) -> None:
    if b is not None:
        b += b.dtype.type(1)


SPECIMENS = (
    LayerSpecimen(
        "features_overwritten",
        "The features are prepared in place, or their memory holds the gradient afterwards.",
        "X is another one after the call",
        "work on a copy",
        {},
        ("loss", "dX", "dW", "db"),
        CHECK,
        "TransformerEngine 3193",
        side_effect=_over_features,
    ),
    LayerSpecimen(
        "weight_overwritten",
        "The weight is decayed, or stepped, in place.",
        "W is another one after the call",
        "leave the step to the optimiser",
        {},
        ("loss", "dX", "dW", "db"),
        CHECK,
        side_effect=_over_weight,
    ),
    LayerSpecimen(
        "bias_overwritten",
        "The bias is changed in place.",
        "b is another one after the call",
        "leave the step to the optimiser",
        {},
        ("loss", "dX", "dW", "db"),
        CHECK,
        needs=("b",),
        side_effect=_over_bias,
    ),
)
