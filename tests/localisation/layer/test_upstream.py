"""What gradients are multiplied by for an upstream gradient, told from answers where all else is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.implementations.strangers.layer.numpy_layers import two_passes
from gradlab.localisation.layer.upstream import localise_upstream
from tests.layer_claims import claims_of_all, questions

Multiply = Callable[[Any], Any]


def layer_with(features: Multiply, weight: Multiply, bias: Multiply) -> Implementation:
    """A sound layer that multiplies its gradients by something that it makes of the upstream gradient."""

    def layer(
        X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, *, upstream: Any = None, backward: str = "once"
    ) -> Any:
        loss, *gradients = two_passes(X, W, b, labels, l2)
        u = X.dtype.type(1.0 if upstream is None else upstream)
        return loss, *(g * own(u) for g, own in zip(gradients, (features, weight, bias), strict=True))

    return Implementation("layer", layer, claims_of_all("float64", backward=["scaled"]))


def asked() -> list[Any]:
    return [one.problem for one in questions("float64", backward=("scaled",))]


def right(u: Any) -> Any:
    return u


@pytest.mark.parametrize(
    ("multiply", "said"),
    [
        (lambda u: u * u, "multiplied by the square of the upstream gradient"),
        (lambda u: abs(u), "multiplied by the upstream gradient without its sign"),
        (lambda u: 1 / u, "divided by the upstream gradient"),
        (lambda u: np.sign(u), "multiplied by the sign of the upstream gradient"),
        (lambda u: 1, "not multiplied by the upstream gradient"),
    ],
)
def test_what_one_gradient_is_multiplied_by_is_told(multiply: Multiply, said: str) -> None:
    found = localise_upstream(layer_with(right, multiply, right), asked())
    assert found is not None
    assert found.what == f"dW is {said}; dX and db are right"
    assert found.n_foretold == found.n_fresh >= 24


def test_nothing_is_told_of_a_right_layer_or_one_that_is_not_known() -> None:
    assert localise_upstream(layer_with(right, right, right), asked()) is None
    assert localise_upstream(layer_with(right, lambda u: u + u * u - 1, right), asked()) is None
