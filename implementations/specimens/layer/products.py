"""What is multiplied and added up: the map itself, its transposes, chunks that are dropped, sums in few bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ._pipeline import (
    Array,
    Given,
    Residual,
    bias_gradient,
    counted,
    divided,
    logits,
    weight_gradient,
)
from ._specimen import LayerSpecimen

CHUNK = 32
CHUNKS = (4, 8, 16, 32, 64, 128, 256)  # in which variants are written


def _without_bias(given: Given) -> Array:
    return given.X @ given.W


def _bias_subtracted(given: Given) -> Array:
    return given.X @ given.W - given.b


def _transposed_if_square(given: Given) -> Array:
    square = given.W.shape[0] == given.W.shape[1]
    return given.X @ (given.W.T if square else given.W) + given.b


def _in_bfloat16(given: Given) -> Array:
    import ml_dtypes

    return np.asarray(logits(given).astype(ml_dtypes.bfloat16).astype(given.X.dtype))


def _centred(given: Given) -> Given:
    return replace(given, X=given.X - given.X.mean(axis=0, keepdims=True))


def _standardised(given: Given) -> Given:
    spread = given.X.std(axis=0, keepdims=True)
    return replace(given, X=(given.X - given.X.mean(axis=0, keepdims=True)) / np.where(spread > 0, spread, 1))


def _unit_rows(given: Given) -> Given:
    length = np.sqrt((given.X * given.X).sum(axis=1, keepdims=True))
    return replace(given, X=given.X / np.where(length > 0, length, given.scalar(1)))


def _label_column(given: Given, g: Residual) -> Array:
    own = g.entries[given.rows, given.safe_labels][:, None]
    return divided(given, own * given.W[:, given.safe_labels].T)


def _with_weight_as_it_is(given: Given, g: Residual) -> Array:
    square = given.W.shape[0] == given.W.shape[1]
    return divided(given, g.entries @ (given.W if square else given.W.T))


def _transposed_gradient(given: Given, g: Residual) -> Array:
    found = weight_gradient(given, g)
    return found.T.copy() if found.shape[0] == found.shape[1] else found


def _probabilities_through_weight(given: Given, g: Residual) -> Array:
    return divided(given, g.softmax.probabilities @ given.W.T)


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


def _means_of_chunks(given: Given, rows: Array) -> Any:
    if given.reduction != "mean":
        return rows if given.reduction == "none" else rows.sum()
    means = [rows[i : i + CHUNK].mean() for i in range(0, len(rows), CHUNK)]
    return np.asarray(means, dtype=rows.dtype).mean()


def _added_in_bfloat16(given: Given, g: Residual) -> Array:
    import ml_dtypes

    total = np.zeros(given.W.shape, dtype=ml_dtypes.bfloat16)
    for start in range(0, len(given.X), 4):
        part = slice(start, start + 4)
        total = total + (given.X[part].T @ g.entries[part]).astype(ml_dtypes.bfloat16)
    return divided(given, total.astype(given.X.dtype))


def _small_rows_skipped(given: Given, g: Residual) -> Array:
    size = np.abs(g.entries).max(axis=1, keepdims=True)
    kept = np.where(size >= given.scalar(0.05), g.entries, given.scalar(0))
    return weight_gradient(given, replace(g, entries=kept))


def _all_but_the_last_row(given: Given, g: Residual) -> Array:
    kept = g.entries.copy()
    if len(kept) > 1:
        kept[-1] = 0
    return weight_gradient(given, replace(g, entries=kept))


def _absolute_features(given: Given, g: Residual) -> Array:
    return weight_gradient(replace(given, X=np.abs(given.X)), g)


_ALL = ("loss", "dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "bias_left_out",
        "The logits are X W: the bias is not added.",
        "Z = X W in place of X W + b",
        "X @ W + b",
        {"logits": _without_bias},
        _ALL,
        "dw_of_the_layer_is_right",
        needs=("b",),
    ),
    LayerSpecimen(
        "bias_subtracted",
        "The bias is subtracted.",
        "Z = X W - b",
        "X @ W + b",
        {"logits": _bias_subtracted},
        _ALL,
        "dw_of_the_layer_is_right",
        needs=("b",),
    ),
    LayerSpecimen(
        "weight_transposed_where_square",
        "X W^T where the weight is square, which no shape tells.",
        "Z = X W^T + b for D = K",
        "X @ W + b",
        {"logits": _transposed_if_square},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "logits_in_bfloat16",
        "The logits are rounded to bfloat16 on the way to the loss.",
        "z is off by 2^-9 of itself",
        "keep the sums' dtype up to the softmax",
        {"logits": _in_bfloat16},
        _ALL,
        "dw_of_the_layer_is_right",
        "Levanter, marin PR 8217",
        coarse="bfloat16",
        dtypes=("float32", "float64"),
    ),
    LayerSpecimen(
        "features_centred",
        "The features' means over the batch are subtracted, and nobody is told.",
        "X - mean X in place of X",
        "leave it to whoever calls",
        {"prepared": _centred},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "features_standardised",
        "The features are brought to mean 0 and variance 1 over the batch.",
        "(X - mean X)/std X in place of X",
        "leave it to whoever calls",
        {"prepared": _standardised},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "features_of_unit_length",
        "Every example is divided by its length.",
        "x/|x| in place of x",
        "leave it to whoever calls",
        {"prepared": _unit_rows},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "features_gradient_of_the_label_column",
        "dX has the label's column of the weight alone.",
        "dX_i = (p_iy - 1) w_y in place of sum_j g_ij w_j",
        "dX = g @ W.T",
        {"features_gradient": _label_column},
        ("dX",),
        "dx_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "features_gradient_by_the_weight_as_it_is",
        "dX = G W where the weight is square.",
        "dX = G W in place of G W^T for D = K",
        "dX = g @ W.T",
        {"features_gradient": _with_weight_as_it_is},
        ("dX",),
        "dx_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "features_gradient_of_the_probabilities",
        "dX = P W^T: the labels are missing in it.",
        "dX = P W^T in place of (P - T) W^T",
        "dX = g @ W.T",
        {"features_gradient": _probabilities_through_weight},
        ("dX",),
        "dx_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "weight_gradient_transposed_where_square",
        "dW = G^T X where the weight is square.",
        "dW^T in place of dW for D = K",
        "dW = X.T @ g",
        {"weight_gradient": _transposed_gradient},
        ("dW",),
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "last_chunk_dropped",
        "Of more than 32 rows the last chunk is left out of dW and db unless it is full.",
        "rows from B floor(N/B) on, B those of a chunk, are left out: of dW and db, or of all outputs",
        "for start in range(0, n, size)",
        {"weight_gradient": _last_chunk_dropped, "bias_gradient": _last_chunk_dropped_in_bias},
        ("dW", "db"),
        "dw_of_the_layer_is_right",
        variants=tuple({"counted": _in_full_chunks(size, keeps)} for size in CHUNKS for keeps in (True, False)),
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
            *({"weight_gradient": _tail_columns_dropped(size)} for size in CHUNKS),
            *({"totals": _tail_of_totals_dropped(size)} for size in CHUNKS),
        ),
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
        {"reduced": _means_of_chunks},
        ("loss",),
        "loss_of_the_layer_is_right",
        needs=("mean",),
        variants=tuple({"counted": _weighed_by_chunks(size)} for size in CHUNKS),
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
        "small_rows_skipped",
        "Rows whose residual is below 0.05 are left out of dW.",
        "dW = sum over the rows with max |g_i| >= 0.05",
        "skip what rounds to nothing, if at all",
        {"weight_gradient": _small_rows_skipped},
        ("dW",),
        "dw_of_the_layer_is_right",
        "tiles that a filter of gradients takes for empty",
    ),
    LayerSpecimen(
        "last_row_left_out",
        "dW is a sum over all rows but the last.",
        "dW = sum over i < N",
        "range(n)",
        {"weight_gradient": _all_but_the_last_row},
        ("dW",),
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "weight_gradient_of_absolute_features",
        "dW = |X|^T G.",
        "|x| in place of x in dW",
        "dW = X.T @ g",
        {"weight_gradient": _absolute_features},
        ("dW",),
        "dw_of_the_layer_is_right",
    ),
)
