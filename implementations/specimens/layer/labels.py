"""Labels at which 1 is subtracted, and others at which it is not; and labels that are stored in few bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ._pipeline import TILES, Array, Given, Residual, divided, residual
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


def _in_few_bits(dtype: type[np.integer[Any]]) -> Callable[[Given], Given]:
    """The labels as integers of another type, of which those that are too large are others."""

    def stage(given: Given) -> Given:
        stored = given.labels.astype(dtype).astype(np.int64)
        places = np.where(stored < 0, stored % given.W.shape[1], stored)  # from the end, as NumPy counts
        return replace(given, labels=np.where(given.counts, places, given.labels))

    return stage


def _repeated_labels_lost(given: Given, g: Residual) -> Array:
    """dW[:, labels] -= X.T in NumPy: of several rows with one label the last alone is subtracted."""
    p = np.where(given.counts[:, None], g.softmax.probabilities, given.scalar(0))
    total = given.X.T @ p
    total[:, given.safe_labels] -= np.where(given.counts[:, None], given.X, given.scalar(0)).T
    return divided(given, total)


def _repeated_labels_lost_in_bias(given: Given, g: Residual) -> Array:
    total = np.where(given.counts[:, None], g.softmax.probabilities, given.scalar(0)).sum(axis=0)
    total[given.safe_labels] -= given.scalar(1)
    return divided(given, total)


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
    LayerSpecimen(
        "labels_in_eight_bits",
        "The labels are stored in 8 bits: class 256 becomes class 0.",
        "y mod 256, or of signed integers y - 256 from 128 on, in place of y",
        "store labels in 32 bits or more",
        {"prepared": _in_few_bits(np.uint8)},
        ("loss", *_GRADIENTS),
        "dw_of_the_layer_is_right",
        variants=({"prepared": _in_few_bits(np.int8)},),
    ),
    LayerSpecimen(
        "repeated_labels_lost",
        "Rows are subtracted at their labels by fancy indexing: of several rows with one label the last alone counts.",
        "dW_j = sum_i p_ij x_i - x_i of the last row with label j alone, in place of all rows with label j",
        "np.subtract.at(dW.T, labels, X)",
        {"weight_gradient": _repeated_labels_lost},
        ("dW",),
        "dw_of_the_layer_is_right",
        variants=(
            {"weight_gradient": _repeated_labels_lost, "bias_gradient": _repeated_labels_lost_in_bias},
            {"bias_gradient": _repeated_labels_lost_in_bias},
        ),
    ),
)
