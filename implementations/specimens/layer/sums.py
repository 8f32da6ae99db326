"""Sums of exponentials to which something is added."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._pipeline import Array, Given, totals
from ._specimen import LayerSpecimen


def _beside_epsilon(epsilon: float) -> Callable[[Given, Array], Array]:
    def stage(given: Given, e: Array) -> Array:
        return np.asarray(totals(given, e) + given.scalar(epsilon))

    return stage


SPECIMENS = (
    LayerSpecimen(
        "epsilon_in_sum",
        "1e-3 is added to the sum of exponentials, so that nothing can be divided by 0.",
        "the probabilities sum to S/(S + epsilon), and the loss is log(1 + epsilon/S) too large",
        "after the shift the sum is at least 1: add nothing",
        {"totals": _beside_epsilon(1e-3)},
        ("loss", "dX", "dW", "db"),
        "dw_of_the_layer_is_right",
        variants=tuple({"totals": _beside_epsilon(one)} for one in (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-2)),
    ),
)
