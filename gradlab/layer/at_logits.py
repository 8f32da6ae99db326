"""A layer as a loss of logits: with the identity as its weight the features are the logits, and dX is their gradient.

So what is asked of losses of logits can be asked of a layer. X = Z, W = 1 and b = 0 give Z exactly, in any order of
summation, and dX = G 1 is G; by dW the weight is taken for the logits, with features of 1. It holds for finite logits:
0 times an infinity or NaN is NaN, in the other classes of its row or in all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.foreign import leaves_of
from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.layer.call import layer_call_in, layer_claims
from gradlab.problems.problem import Array


def layer_as_loss(implementation: Implementation, outputs: Sequence[str] = ("dX", "dW")) -> Implementation:
    """The layer as an implementation of (logits, targets) -> (loss, gradient), with what its claims say of a loss.

    outputs: dX, dW or both; the gradient is read from the first of them that it returns. Raises ValueError where it
    returns no loss, or none of them: then there is no such function.
    """
    claims = implementation.claims
    returned = layer_claims(claims).places
    read = [name for name in outputs if name in returned]
    if "loss" not in returned or not read:
        shown = ", ".join(returned)
        raise ValueError(f"a layer as a loss of logits must return loss, and {' or '.join(outputs)}, returns {shown}")
    own = replace(claims, layer=None, one_hot=False, accumulates_in="recognised", masks=False)
    return replace(implementation, function=_AsLoss(implementation, read[0]), claims=own)


@dataclass(frozen=True, eq=False)
class _AsLoss:
    implementation: Implementation
    output: str

    def __call__(self, logits: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
        """The loss and the gradient by the logits, (N, K), as the layer returns them. Raises what the layer raises."""
        claims, layer = self.implementation.claims, layer_claims(self.implementation.claims)
        by_features = self.output == "dX"
        shape = logits.shape
        unit = np.eye(shape[1] if by_features else max(shape[0], 1), dtype=logits.dtype)
        if by_features:
            factors = {"X": logits, "W": unit}
        else:
            factors = {"X": unit[: shape[0]], "W": logits if shape[0] else np.zeros((1, shape[1]), logits.dtype)}
        given = {**factors, "b": np.zeros(shape[1], logits.dtype), "targets": targets}
        if claims.one_hot:
            given["targets"] = one_hot_rows(targets, shape, logits.dtype)
        call = layer_call_in(self.implementation, given, options)
        found = leaves_of(self.implementation.function(*call.arguments, **call.keywords))
        places = [layer.places[name] for name in ("loss", self.output)]
        if any(place not in found.parts for place in places):
            raise TypeError(f"returned {found.text}, must return {', '.join(layer.returns)}")
        loss, gradient = (found.parts[place] for place in places)
        is_turned = layer.feature_layout == "DN" if by_features else layer.weight_layout == "KD"
        if isinstance(gradient, np.ndarray) and gradient.ndim == 2:
            gradient = (gradient.T if is_turned else gradient)[: shape[0]]
        return loss, gradient
