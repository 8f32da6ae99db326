"""What is multiplied: the map itself, features that are changed before it, and its transposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ._pipeline import (
    Array,
    Given,
    Residual,
    bias_gradient,
    counted,
    divided,
    features_gradient,
    logits,
    weight_gradient,
)
from ._specimen import LayerSpecimen


def _transposed_if_square(given: Given) -> Array:
    square = given.W.shape[0] == given.W.shape[1]
    return given.X @ (given.W.T if square else given.W) + given.b


def _in_bfloat16(given: Given) -> Array:
    import ml_dtypes

    return np.asarray(logits(given).astype(ml_dtypes.bfloat16).astype(given.X.dtype))


def _in_float32(given: Given) -> Given:
    """At most: what is given in a narrower dtype stays there."""
    narrower = np.result_type(np.float16, given.X.dtype) if given.X.dtype.itemsize < 4 else np.dtype(np.float32)
    return replace(given, X=given.X.astype(narrower), W=given.W.astype(narrower), b=given.b.astype(narrower))


def _in_float16(given: Given) -> Array:
    return np.asarray(logits(given).astype(np.float16).astype(given.X.dtype))


def _added_in_float16(given: Given, e: Array) -> Array:
    total = e.astype(np.float16).sum(axis=1, keepdims=True, dtype=np.float16)
    return np.asarray(total.astype(given.X.dtype))


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


def _all_but_the_last_row(given: Given, g: Residual) -> Array:
    return weight_gradient(given, _without_row(-1, g) if len(g.entries) > 1 else g)


def _without_row(row: int, g: Residual) -> Residual:
    kept = g.entries.copy()
    kept[row] = 0
    return replace(g, entries=kept)


def _row_left_out(row: int, *gradients: str) -> dict[str, Callable[..., Any]]:
    """The row is left out of these gradients, also where there is no other."""
    found = {"weight_gradient": weight_gradient, "bias_gradient": bias_gradient, "features_gradient": features_gradient}
    return {name: partial(_over_the_others, row, found[name]) for name in gradients}


def _over_the_others(row: int, gradient: Callable[[Given, Residual], Array], given: Given, g: Residual) -> Array:
    return gradient(given, _without_row(row, g))


def _row_not_counted(row: int) -> dict[str, Callable[..., Any]]:
    """The row is left out of everything, the mean is over all of them."""

    def stage(given: Given, entries: Array) -> Array:
        found = counted(given, entries).copy()
        found[row] = 0
        return found

    return {"counted": stage}


def _in_order_of_labels(given: Given, g: Residual) -> Array:
    return features_gradient(given, g)[np.argsort(given.labels, kind="stable")]


def _from_last_to_first(given: Given, g: Residual) -> Array:
    return features_gradient(given, g)[::-1].copy()


def _absolute_features(given: Given, g: Residual) -> Array:
    return weight_gradient(replace(given, X=np.abs(given.X)), g)


_ALL = ("loss", "dX", "dW", "db")

SPECIMENS = (
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
        "logits_in_float16",
        "The logits are rounded to float16.",
        "z is off by 2^-11 of itself, and inf beyond 65504",
        "keep the sums' dtype up to the softmax",
        {"logits": _in_float16},
        _ALL,
        "dw_of_the_layer_is_right",
        coarse="float16",
        dtypes=("float32", "float64"),
    ),
    LayerSpecimen(
        "computed_in_float32",
        "Features, weight and bias are brought to float32, and all is computed there.",
        "every entry is off by 2^-24 of its terms and more, though the data are in float64",
        "compute in the dtype of the features",
        {"prepared": _in_float32},
        _ALL,
        "dw_of_the_layer_is_right",
        coarse="float32",
        dtypes=("float64",),
    ),
    LayerSpecimen(
        "exponentials_added_in_float16",
        "The exponentials of a row are added up in float16.",
        "the sum is off by 2^-11 of itself for every term, and terms below 2^-12 of it are lost",
        "add up in float32",
        {"totals": _added_in_float16},
        _ALL,
        "dw_of_the_layer_is_right",
        coarse="float16",
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
        "last_row_left_out",
        "dW is a sum over all rows but the last.",
        "dW = sum over i < N",
        "range(n)",
        {"weight_gradient": _all_but_the_last_row},
        ("dW",),
        "dw_of_the_layer_is_right",
        variants=(
            _row_left_out(-1, "weight_gradient"),
            _row_left_out(-1, "weight_gradient", "bias_gradient"),
            _row_left_out(-1, "weight_gradient", "bias_gradient", "features_gradient"),
            _row_not_counted(-1),
        ),
    ),
    LayerSpecimen(
        "first_row_left_out",
        "dW is a sum over all rows but the first.",
        "dW = sum over i > 1",
        "range(n)",
        _row_left_out(0, "weight_gradient"),
        ("dW",),
        "dw_of_the_layer_is_right",
        variants=(
            _row_left_out(0, "weight_gradient", "bias_gradient"),
            _row_left_out(0, "weight_gradient", "bias_gradient", "features_gradient"),
            _row_not_counted(0),
        ),
    ),
    LayerSpecimen(
        "features_gradient_in_another_order",
        "The rows were sorted by their label, and dX is not put back.",
        "row i of dX is that of another row",
        "d_x[order] = g @ W.T",
        {"features_gradient": _in_order_of_labels},
        ("dX",),
        "dx_of_the_layer_is_right",
        variants=({"features_gradient": _from_last_to_first},),
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
