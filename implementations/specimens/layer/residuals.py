"""What is subtracted from the probabilities, and in which rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ._pipeline import Array, Given, Softmax, residual
from ._specimen import LayerSpecimen


def _labels_as_numbers(given: Given, p: Array) -> Array:
    return np.asarray(p - given.labels[:, None].astype(p.dtype))


def _nothing(given: Given, p: Array) -> Array:
    return p.copy()


def _from_one(given: Given, p: Array) -> Array:
    g = p.copy()
    g[given.rows, given.safe_labels - 1] -= given.scalar(1)
    return g


def _losses_of_the_class_before(given: Given, softmax: Softmax) -> Array:
    return np.asarray(np.log(softmax.totals[:, 0]) - softmax.shifted[given.rows, given.safe_labels - 1])


def _labels_of_the_class_before(given: Given) -> Given:
    """Label 0 is the last class, whatever is then made of the labels."""
    before = (given.labels - 1) % given.W.shape[1]
    return replace(given, labels=np.where(given.counts, before, given.labels))


def _from_one_to_k(given: Given, p: Array) -> Array:
    """Label 0 is none of 1, ..., K: nothing is subtracted."""
    g = _from_one(given, p)
    first = given.safe_labels == 0
    g[first] = p[first]
    return g


def _losses_from_one_to_k(given: Given, softmax: Softmax) -> Array:
    found = _losses_of_the_class_before(given, softmax)
    return np.where(given.safe_labels == 0, given.scalar(0), found)


def _by_products(residual: Callable[[Given, Array], Array]) -> Callable[[Given, Softmax], Array]:
    """The losses as sums of one-hot entries, p less the residual, times log p, as the exercise writes them."""

    def stage(given: Given, softmax: Softmax) -> Array:
        p = softmax.probabilities
        truth = np.rint(np.ones_like(p) - residual(given, np.ones_like(p)))
        return np.asarray(-(truth * np.log(p)).sum(axis=1))

    return stage


def _first_label(given: Given, p: Array) -> Array:
    g = p.copy()
    g[:, given.safe_labels[0]] -= given.scalar(1)
    return g


def _all_labels_in_all_rows(given: Given, p: Array) -> Array:
    g = p.copy()
    g[:, given.safe_labels] -= given.scalar(1)
    return g


def _smoothed(given: Given, p: Array) -> Array:
    share = given.scalar(0.1)
    return np.asarray(residual(given, p) + share * (p - given.scalar(1 / p.shape[1])) - share * residual(given, p))


def _through_the_jacobian(given: Given, p: Array) -> Array:
    g = residual(given, p)
    return np.asarray(p * (g - (p * g).sum(axis=1, keepdims=True)))


def _label_alone(given: Given, p: Array) -> Array:
    full = residual(given, p)
    g = np.zeros_like(full)
    g[given.rows, given.safe_labels] = full[given.rows, given.safe_labels]
    return g


def _label_left_out(given: Given, p: Array) -> Array:
    g = residual(given, p)
    g[given.rows, given.safe_labels] = 0
    return g


def _small_ones_dropped(given: Given, p: Array) -> Array:
    g = residual(given, p)
    return np.where(np.abs(g) < given.scalar(2.0**-12), given.scalar(0), g)


def _rows_that_are_right_skipped(given: Given, p: Array) -> Array:
    g = residual(given, p)
    g[p.argmax(axis=1) == given.safe_labels] = 0
    return g


def _prediction(given: Given, p: Array) -> Array:
    g = p.copy()
    g[given.rows, p.argmax(axis=1)] -= given.scalar(1)
    return g


def _losses_of_the_prediction(given: Given, softmax: Softmax) -> Array:
    chosen = softmax.shifted.argmax(axis=1)
    return np.asarray(np.log(softmax.totals[:, 0]) - softmax.shifted[given.rows, chosen])


def _labels_moved(step: int) -> Callable[[Given], Given]:
    return lambda given: replace(given, labels=np.roll(given.labels, step), counts=np.roll(given.counts, step))


def _label_moved(step: int) -> Callable[[Given, Array], Array]:
    return lambda given, p: residual(_labels_moved(step)(given), p)


def _without_class(label: int, is_divided_by_those_left: bool) -> Callable[[Given], Given]:
    """Rows of a class are left out, negative ones counted from the last; the mean is over all rows, or the others."""

    def stage(given: Given) -> Given:
        counts = given.counts & (given.labels != label % given.W.shape[1])
        divisor = float(counts.sum()) if is_divided_by_those_left and given.reduction == "mean" else given.divisor
        return replace(given, counts=counts, divisor=divisor)

    return stage


_GRADIENTS = ("dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "labels_subtracted_as_numbers",
        "The labels themselves are subtracted from the probabilities.",
        "g_ij = p_ij - y_i in place of p_ij - [j = y_i]",
        "p[np.arange(n), labels] -= 1",
        {"residual": _labels_as_numbers},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        "the first of four teaching codes",
    ),
    LayerSpecimen(
        "label_not_subtracted",
        "The probabilities stand for the gradient.",
        "g = p in place of p - t",
        "p[np.arange(n), labels] -= 1",
        {"residual": _nothing},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "labels_counted_from_one",
        "1 is subtracted at the class before the label.",
        "g_ij = p_ij - [j = y_i - 1]",
        "labels begin with 0",
        {"residual": _from_one},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        "UFLDL exercises have labels from 1",
        variants=(
            {"losses": _losses_of_the_class_before, "residual": _from_one},
            {"losses": _losses_from_one_to_k, "residual": _from_one_to_k},
            {"losses": _by_products(_from_one), "residual": _from_one},
            {"losses": _by_products(_from_one_to_k), "residual": _from_one_to_k},
            {"prepared": _labels_of_the_class_before},
        ),
    ),
    LayerSpecimen(
        "label_of_the_first_row",
        "1 is subtracted in every row at the label of the first.",
        "g_ij = p_ij - [j = y_1]",
        "p[np.arange(n), labels] -= 1",
        {"residual": _first_label},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "every_label_in_every_row",
        "p[:, labels] -= 1: in every row at every label of the batch.",
        "g_ij = p_ij - [j is a label of the batch]",
        "p[np.arange(n), labels] -= 1",
        {"residual": _all_labels_in_all_rows},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "smoothing_in_the_gradient",
        "The gradient is of labels that are smoothed by 0.1, the loss is not.",
        "g = p - (0.9 t + 0.1/K)",
        "smooth both or none",
        {"residual": _smoothed},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "jacobian_applied_twice",
        "p - t is multiplied by the Jacobian of the softmax, as for a square loss.",
        "g_j = p_j (p_j - t_j - sum_k p_k (p_k - t_k))",
        "g = p - t has the Jacobian in it",
        {"residual": _through_the_jacobian},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "label_column_alone",
        "Only the label's entry of the residual is used.",
        "g_ij = (p_ij - 1) [j = y_i]",
        "the other classes have the gradient p_ij",
        {"residual": _label_alone},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "label_column_left_out",
        "The label's entry of the residual is 0.",
        "g_ij = p_ij [j is not y_i]",
        "the label has the gradient p_y - 1",
        {"residual": _label_left_out},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "rows_that_are_right_skipped",
        "Rows whose label has the largest logit have the gradient 0, as of a perceptron.",
        "g_i = 0 where y_i is the arg max",
        "a row that is right has the gradient p - t, too",
        {"residual": _rows_that_are_right_skipped},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "prediction_taken_for_the_label",
        "1 is subtracted at the largest probability, not at the label.",
        "g_ij = p_ij - [j = arg max p_i]",
        "p[np.arange(n), labels] -= 1",
        {"residual": _prediction},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        variants=({"residual": _prediction, "losses": _losses_of_the_prediction},),
    ),
    LayerSpecimen(
        "labels_of_another_row",
        "Every row has the label of the next one, the last that of the first.",
        "y_{i+1} in place of y_i",
        "labels belong to their rows",
        {"residual": _label_moved(-1)},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        variants=({"residual": _label_moved(1)}, {"prepared": _labels_moved(-1)}, {"prepared": _labels_moved(1)}),
    ),
    LayerSpecimen(
        "class_0_left_out",
        "Rows with the label 0 are left out, as if it were padding; the mean is over all rows.",
        "l_i = 0 and g_i = 0 where y_i = 0",
        "leave out what ignore_index says, and that alone",
        {"prepared": _without_class(0, False)},
        ("loss", *_GRADIENTS),
        "dw_of_the_layer_is_right",
        variants=tuple({"prepared": _without_class(*one)} for one in ((0, True), (-1, False), (-1, True))),
    ),
    LayerSpecimen(
        "small_entries_skipped",
        "Entries of the residual below 2^-12 are taken for 0, as a filter of gradients does.",
        "g_ij = 0 where |p_ij - t_ij| < 2^-12",
        "filter below the roundoff of the dtype, if at all",
        {"residual": _small_ones_dropped},
        _GRADIENTS,
        "dw_of_the_layer_is_right",
        "filter_eps of cut cross-entropy kernels, meant for bfloat16",
    ),
)
