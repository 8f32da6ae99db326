"""Sums over blocks that are overwritten with each block, and not added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ._pipeline import Array, Given, Residual, bias_gradient, divided, weight_gradient
from ._specimen import LayerSpecimen


def _added_in_the_last_chunk(
    gradient: Callable[[Given, Residual], Array], size: int
) -> Callable[[Given, Residual], Array]:
    """A gradient in which the rows of the last chunk alone are added up."""

    def stage(given: Given, g: Residual) -> Array:
        n = len(g.entries)
        kept = np.arange(n)[:, None] >= (n - 1) // size * size
        return gradient(given, replace(g, entries=np.where(kept, g.entries, given.scalar(0))))

    return stage


def _last_chunk_alone(size: int) -> dict[str, Callable[..., Array]]:
    return {
        "weight_gradient": _added_in_the_last_chunk(weight_gradient, size),
        "bias_gradient": _added_in_the_last_chunk(bias_gradient, size),
    }


def _last_chunk_alone_in_weight(size: int) -> dict[str, Callable[..., Array]]:
    return {"weight_gradient": _added_in_the_last_chunk(weight_gradient, size)}


def _last_chunk_alone_in_bias(size: int) -> dict[str, Callable[..., Array]]:
    return {"bias_gradient": _added_in_the_last_chunk(bias_gradient, size)}


def _last_tile_alone(size: int) -> dict[str, Callable[..., Array]]:
    """dX with the classes of the last tile alone."""

    def stage(given: Given, g: Residual) -> Array:
        start = (given.W.shape[1] - 1) // size * size
        return divided(given, g.entries[:, start:] @ given.W[:, start:].T)

    return {"features_gradient": stage}


SPECIMENS = (
    LayerSpecimen(
        "gradient_of_the_last_chunk",
        "dW and db are overwritten with each chunk's, not added up: the last chunk's alone is returned.",
        "dW, db or both are sums over the last chunk of rows alone, in place of all rows",
        "dW += x[rows].T @ g in place of dW = x[rows].T @ g",
        _last_chunk_alone(4),
        ("dW", "db"),
        "dw_of_the_layer_is_right",
        variants=(_last_chunk_alone_in_weight(4), _last_chunk_alone_in_bias(4)),
        at_sizes=(_last_chunk_alone, _last_chunk_alone_in_weight, _last_chunk_alone_in_bias),
        cut="rows",
    ),
    LayerSpecimen(
        "features_gradient_of_the_last_tile",
        "dX is overwritten with each tile of classes, not added up: the last tile's alone is returned.",
        "dX is the sum over the last tile of classes alone, in place of all classes",
        "dX += g @ W[:, tile].T in place of dX = g @ W[:, tile].T",
        _last_tile_alone(4),
        ("dX",),
        "dx_of_the_layer_is_right",
        at_sizes=(_last_tile_alone,),
        cut="classes",
    ),
)
