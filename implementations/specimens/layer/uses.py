"""What a layer does with the gradient that arrives, and with a second batch."""

from __future__ import annotations

from typing import Any

from ._specimen import LayerSpecimen, Use

Outputs = tuple[Any, ...]


def _added_up(outputs: Outputs, use: Use) -> Outputs:
    loss, d_x, d_w, d_b = (outputs[0], *(one * use.upstream for one in outputs[1:]))
    if use.earlier is None:
        return loss, d_x, d_w, d_b
    return loss, d_x, d_w + use.earlier[2], d_b + use.earlier[3]


def _earlier_kept(outputs: Outputs, use: Use) -> Outputs:
    """dW and db are those of the earlier batch, where it was as large."""
    loss, d_x, d_w, d_b = (outputs[0], *(one * use.upstream for one in outputs[1:]))
    if use.earlier is None or use.earlier[1].shape != d_x.shape:
        return loss, d_x, d_w, d_b
    return loss, d_x, use.earlier[2], use.earlier[3]


def _in_features_alone(outputs: Outputs, use: Use) -> Outputs:
    loss, d_x, d_w, d_b = outputs
    return loss, d_x * use.upstream, d_w, d_b


SPECIMENS = (
    LayerSpecimen(
        "gradients_added_over_calls",
        "An instance adds dW and db to those of its earlier calls, and nothing sets them to zero.",
        "dW and db of a second batch are the sums of those of both batches",
        "self.dW = x.T @ g in place of self.dW += x.T @ g, or a method zero_grad",
        {},
        ("dW", "db"),
        "instance_of_a_layer_can_be_used_again",
        needs=("reused",),
        claims={"backward": ["reused"]},
        in_use=_added_up,
    ),
    LayerSpecimen(
        "earlier_batch_kept",
        "An instance keeps something of an earlier batch and uses it for the next one of the same size.",
        "what comes back for a second batch is not what a new instance gives for it",
        "set all that forward keeps in every call, and not where it is None",
        {},
        ("dW", "db"),
        "instance_of_a_layer_can_be_used_again",
        needs=("reused",),
        claims={"backward": ["reused"]},
        in_use=_earlier_kept,
    ),
    LayerSpecimen(
        "upstream_ignored_in_some_gradients",
        "The upstream gradient of the loss is multiplied into dX, and not into dW and db.",
        "some of dX, dW and db are multiplied by the upstream gradient that arrives, and others are not",
        "multiply p - t by the gradient that arrives, before the products",
        {},
        ("dW", "db"),
        "upstream_gradient_multiplies_the_gradients_of_a_layer",
        needs=("scaled",),
        claims={"backward": ["scaled"]},
        in_use=_in_features_alone,
    ),
)
