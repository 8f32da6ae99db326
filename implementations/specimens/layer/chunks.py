"""Chunks of rows and tiles of classes: those that are dropped or weighed alike, and sums over them in few bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ._pipeline import (
    TILES,
    Array,
    Given,
    Residual,
    bias_gradient,
    counted,
    divided,
    weight_gradient,
)
from ._specimen import LayerSpecimen

CHUNK = 32


def _full_chunks(given: Given, entries: Array) -> Array:
    """0 in the rows of a last chunk that is not full."""
    full = len(entries) - len(entries) % CHUNK if len(entries) > CHUNK else len(entries)
    kept = np.where(np.arange(len(entries)) < full, given.scalar(1), given.scalar(0))
    return np.asarray(entries * (kept[:, None] if entries.ndim == 2 else kept))


def _last_chunk_dropped(given: Given, g: Residual) -> Array:
    return weight_gradient(given, replace(g, entries=_full_chunks(given, g.entries)))


def _last_chunk_dropped_in_bias(given: Given, g: Residual) -> Array:
    return bias_gradient(given, replace(g, entries=_full_chunks(given, g.entries)))


def _in_full_chunks(size: int, keeps_a_short_batch: bool) -> Callable[[Given, Array], Array]:
    """Loss and gradients of full chunks alone; all of a batch that has fewer rows, or nothing."""

    def stage(given: Given, entries: Array) -> Array:
        n = len(entries)
        full = n if keeps_a_short_batch and n < size else n // size * size
        found = counted(given, entries).copy()
        found[full:] = 0
        return found

    return stage


def _weighed_by_chunks(size: int) -> Callable[[Given, Array], Array]:
    """Loss and gradients as means over chunks, which then count alike."""

    def stage(given: Given, entries: Array) -> Array:
        starts = range(0, len(entries), size)
        found = counted(given, entries).copy()
        for start in starts:
            part = given.counts[start : start + size]
            found[start : start + size] *= given.scalar(given.divisor / (len(starts) * max(part.sum(), 1)))
        return found

    return stage


def _tail_of_totals_dropped(multiple: int) -> Callable[[Given, Array], Array]:
    def stage(given: Given, e: Array) -> Array:
        full = e.shape[1] // multiple * multiple or e.shape[1]
        return np.asarray(e[:, :full].sum(axis=1, keepdims=True))

    return stage


def _tail_columns_dropped(multiple: int) -> Callable[[Given, Residual], Array]:
    def stage(given: Given, g: Residual) -> Array:
        found = weight_gradient(given, g)
        if found.shape[1] > multiple:
            found[:, found.shape[1] - found.shape[1] % multiple :] = 0
        return found

    return stage


def _means_of_chunks(size: int) -> Callable[[Given, Array], Any]:
    def stage(given: Given, rows: Array) -> Any:
        if given.reduction != "mean":
            return rows if given.reduction == "none" else rows.sum()
        means = [rows[i : i + size].mean() for i in range(0, len(rows), size)]
        return np.asarray(means, dtype=rows.dtype).mean()

    return stage


def _added_in_bfloat16(given: Given, g: Residual) -> Array:
    import ml_dtypes

    return divided(given, _added_in(ml_dtypes.bfloat16, given, g.entries))


def _added_in_float16(given: Given, g: Residual) -> Array:
    return _added_in(np.float16, given, divided(given, g.entries))


def _added_in(dtype: Any, given: Given, entries: Array) -> Array:
    """X^T G, added up over chunks of four rows in another dtype."""
    total = np.zeros(given.W.shape, dtype=dtype)
    for start in range(0, len(given.X), 4):
        part = slice(start, start + 4)
        total = total + (given.X[part].T @ entries[part]).astype(dtype)
    return np.asarray(total.astype(given.X.dtype))


def _small_rows_skipped(given: Given, g: Residual) -> Array:
    size = np.abs(g.entries).max(axis=1, keepdims=True)
    kept = np.where(size >= given.scalar(0.05), g.entries, given.scalar(0))
    return weight_gradient(given, replace(g, entries=kept))


SPECIMENS = (
    LayerSpecimen(
        "last_chunk_dropped",
        "Of more than 32 rows the last chunk is left out of dW and db unless it is full.",
        "rows from B floor(N/B) on, B those of a chunk, are left out: of dW and db, or of all outputs",
        "for start in range(0, n, size)",
        {"weight_gradient": _last_chunk_dropped, "bias_gradient": _last_chunk_dropped_in_bias},
        ("dW", "db"),
        "dw_of_the_layer_is_right",
        variants=tuple({"counted": _in_full_chunks(size, keeps)} for size in TILES for keeps in (True, False)),
        at_sizes=(
            lambda size: {"counted": _in_full_chunks(size, True)},
            lambda size: {"counted": _in_full_chunks(size, False)},
        ),
        cut="rows",
    ),
    LayerSpecimen(
        "tail_columns_skipped",
        "Columns of dW beyond a multiple of 32 are 0.",
        "classes j >= B floor(K/B), B those of a tile, are left out: of dW, or of the sum of exponentials",
        "mask the last tile in place of leaving it out",
        {"weight_gradient": _tail_columns_dropped(32)},
        ("dW",),
        "dw_of_the_layer_is_right",
        variants=(
            *({"weight_gradient": _tail_columns_dropped(size)} for size in TILES),
            *({"totals": _tail_of_totals_dropped(size)} for size in TILES),
        ),
        at_sizes=(
            lambda size: {"weight_gradient": _tail_columns_dropped(size)},
            lambda size: {"totals": _tail_of_totals_dropped(size)},
        ),
        cut="classes",
    ),
    LayerSpecimen(
        "tail_columns_skipped_by_128",
        "Columns of dW beyond a multiple of 128 are 0.",
        "dW_dj = 0 for j >= 128 floor(K/128)",
        "mask the last tile in place of leaving it out",
        {"weight_gradient": _tail_columns_dropped(128)},
        ("dW",),
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "chunks_averaged_alike",
        "The loss is the mean of the means of chunks of 32 rows, the last of which has fewer.",
        "mean of means in place of the mean",
        "add sums, divide once",
        {"reduced": _means_of_chunks(CHUNK)},
        ("loss",),
        "loss_of_the_layer_is_right",
        needs=("mean",),
        variants=(
            *({"counted": _weighed_by_chunks(size)} for size in TILES),
            *({"reduced": _means_of_chunks(size)} for size in TILES),
        ),
        at_sizes=(
            lambda size: {"counted": _weighed_by_chunks(size)},
            lambda size: {"reduced": _means_of_chunks(size)},
        ),
        cut="rows",
    ),
    LayerSpecimen(
        "weight_gradient_added_in_bfloat16",
        "dW is added up over chunks in bfloat16.",
        "each addition is off by 2^-9 of the sum",
        "add up in float32, round once",
        {"weight_gradient": _added_in_bfloat16},
        ("dW",),
        "dw_of_the_layer_is_right",
        "axolotl PR 1601, Liger-Kernel 512, OLMo-core 370, flash-linear-attention 874",
        coarse="bfloat16",
        dtypes=("float32", "float64"),
    ),
    LayerSpecimen(
        "weight_gradient_added_in_float16",
        "dW is added up over chunks in float16.",
        "each addition is off by 2^-11 of the sum, and what is beyond 65504 is inf",
        "add up in float32, round once",
        {"weight_gradient": _added_in_float16},
        ("dW",),
        "dw_of_the_layer_is_right",
        coarse="float16",
        dtypes=("float32", "float64"),
    ),
    LayerSpecimen(
        "small_rows_skipped",
        "Rows whose residual is below 0.05 are left out of dW.",
        "dW = sum over the rows with max |g_i| >= 0.05",
        "skip what rounds to nothing, if at all",
        {"weight_gradient": _small_rows_skipped},
        ("dW",),
        "dw_of_the_layer_is_right",
        "tiles that a filter of gradients takes for empty",
    ),
)
