"""Labels at which 1 is subtracted, and others at which it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._pipeline import TILES, Array, Given, residual
from ._specimen import LayerSpecimen

Inside = Callable[[Array, int], Array]


def _label_in(inside: Inside) -> Callable[[Given, Array], Array]:
    """1 is subtracted at labels that are inside alone; inside: of the labels and K."""

    def stage(given: Given, p: Array) -> Array:
        kept = inside(given.safe_labels, p.shape[1])
        return np.where(kept[:, None], residual(given, p), p)

    return stage


def _first_tile(tile: int) -> Inside:
    return lambda labels, n_classes: labels < tile


def _full_tiles(tile: int) -> Inside:
    return lambda labels, n_classes: labels < n_classes // tile * tile


_GRADIENTS = ("dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "label_subtracted_in_some_classes",
        "1 is subtracted at labels in the first half of the classes alone, as in one of two shards.",
        "g_ij = p_ij - [j = y_i] at some labels, such as half of the classes, and p_ij at the others",
        "p[np.arange(n), labels] -= 1",
        {"residual": _label_in(lambda labels, n_classes: 2 * labels < n_classes)},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        variants=(
            {"residual": _label_in(lambda labels, n_classes: labels < n_classes // 2)},
            {"residual": _label_in(lambda labels, n_classes: labels >= n_classes // 2)},
            {"residual": _label_in(lambda labels, n_classes: labels > 0)},
            {"residual": _label_in(lambda labels, n_classes: labels < n_classes - 1)},
            *({"residual": _label_in(inside(tile))} for tile in TILES for inside in (_first_tile, _full_tiles)),
        ),
        at_sizes=(
            lambda size: {"residual": _label_in(_first_tile(size))},
            lambda size: {"residual": _label_in(_full_tiles(size))},
        ),
        cut="classes",
    ),
)
