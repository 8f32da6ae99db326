"""Features of the shape of a batch, and of its labels."""

from __future__ import annotations

import numpy as np

from gradlab.localisation.features.feature import (
    BLOCKS_OF_ROWS,
    MODULI_OF_PRODUCTS,
    Feature,
    Row,
    View,
    exact_in,
    left_over,
    modular,
    truth,
)
from gradlab.problems.problem import Array

_ROWS = {
    ">=": "the batch has {} rows or more",
    "<=": "the batch has at most {} rows",
    "==": "the batch has {} rows",
    "== 1": "the batch has one row",
    "<= 1": "the batch has one row",
}
_CLASSES = {
    ">=": "there are {} classes or more",
    "<=": "there are at most {} classes",
    "==": "there are {} classes",
    "<= 1": "there is one class",
    "== 1": "there is one class",
}
_ROW = {
    "==": "the row's number (from 0) is {}",
    ">=": "the row's number (from 0) is {} or more",
    "<=": "the row's number (from 0) is at most {}",
    "== 0": "the row is the first",
    "<= 0": "the row is the first",
}
_ROWS_AS_POWER = {">=": "N is a power of two, {} or more", "<=": "N is a power of two, at most {}"}
_CLASSES_AS_POWER = {">=": "K is a power of two, {} or more", "<=": "K is a power of two, at most {}"}
_LABEL = {
    "==": "the label is {}",
    ">=": "the label is {} or more",
    "<=": "the label is at most {}",
    "<= 0": "the label is 0",
}
_LAST = {
    "== 0": "the label is the last class",
    "<= 0": "the label is the last class",
    ">= 1": "the label is not the last class",
    "==": "the label is K - 1 - {}",
    "<=": "the label is K - 1 - {} or more",
    "<= -1": "the label is K or more",
}
_SMALLEST_LABEL = {
    ">= 1": "no label of the batch is 0",
    "<= 0": "a label of the batch is 0",
    "== 0": "a label of the batch is 0",
    ">=": "all labels of the batch are {} or more",
    "<=": "a label of the batch is at most {}",
}
_LARGEST_LABEL = {
    ">= 1": "no label of the batch is the last class",
    "<= 0": "a label of the batch is the last class",
    "== 0": "a label of the batch is the last class",
    ">=": "all labels of the batch are at most K - 1 - {}",
    "<=": "a label of the batch is K - 1 - {} or more",
}
_PRODUCT = {">=": "N K is {} or more", "<=": "N K is at most {}"}


def _power_of_two(n: int) -> float:
    return float(n > 0 and n & (n - 1) == 0)


def _as_power_of_two(n: int) -> float:
    """n where it is a power of two, else NaN."""
    return float(n) if _power_of_two(n) else np.nan


def _seen_before(view: View) -> Array:
    _, first = np.unique(view.labels, return_index=True)
    new = np.zeros(len(view.labels), dtype=bool)
    new[first] = True
    return ~new[view.rows]


def _least_label(view: View) -> Array:
    return np.asarray(view.labels.min() if view.labels.size else np.nan)


def _largest_label_from_end(view: View) -> Array:
    return np.asarray(view.problem.n_classes - 1 - view.labels.max() if view.labels.size else np.nan)


def _labels_without_gaps(view: View) -> Array:
    """Whether the labels of the batch are all numbers from 0 to the largest of them."""
    different = np.unique(view.labels)
    return np.asarray(bool((different == np.arange(len(different))).all()))


def _labels_as_often(view: View) -> Array:
    """Whether every class that is a label is that of as many rows."""
    return np.asarray(len(set(np.unique(view.labels, return_counts=True)[1].tolist())) <= 1)


def _neighbour(view: View, step: int) -> Array:
    """Whether the row before, or behind, has the same label."""
    places = view.rows + step
    inside = (places >= 0) & (places < len(view.labels))
    return np.asarray(inside & (view.labels[np.clip(places, 0, len(view.labels) - 1)] == view.y))


SHAPES = (
    Row(Feature("n_rows", "N", 1.0, True, _ROWS), lambda v: np.asarray(v.problem.n_rows)),
    Row(Feature("n_classes", "K", 1.0, True, _CLASSES), lambda v: np.asarray(v.problem.n_classes)),
    Row(Feature("n_entries", "N K", 1.2, True, _PRODUCT), lambda v: np.asarray(v.problem.logits.size)),
    Row(
        truth("rows_power_of_two", "N is a power of two", "N is no power of two", 1.4),
        lambda v: np.asarray(_power_of_two(v.problem.n_rows)),
    ),
    Row(
        truth("classes_power_of_two", "K is a power of two", "K is no power of two", 1.4),
        lambda v: np.asarray(_power_of_two(v.problem.n_classes)),
    ),
    Row(
        Feature("rows_as_power", "N, a power of two,", 1.6, True, _ROWS_AS_POWER),
        lambda v: np.asarray(_as_power_of_two(v.problem.n_rows)),
    ),
    Row(
        Feature("classes_as_power", "K, a power of two,", 1.6, True, _CLASSES_AS_POWER),
        lambda v: np.asarray(_as_power_of_two(v.problem.n_classes)),
    ),
    Row(truth("is_square", "N = K", "N is not K", 1.2), lambda v: np.asarray(v.problem.n_rows == v.problem.n_classes)),
    Row(Feature("rows_less_classes", "N - K", 1.7, True), lambda v: np.asarray(v.problem.n_rows - v.problem.n_classes)),
    Row(
        Feature("rows_over_classes", "N/K", 1.75, said={"==": "N is {} K"}),
        lambda v: np.asarray(v.problem.n_rows / v.problem.n_classes),
    ),
    Row(
        Feature("classes_over_rows", "K/N", 1.75, said={"==": "K is {} N"}),
        lambda v: np.asarray(v.problem.n_classes / v.problem.n_rows),
    ),
    Row(Feature("row", "the row's number (from 0)", 1.3, True, _ROW), lambda v: v.rows),
    Row(
        Feature(
            "row_from_end",
            "N - 1 - row",
            1.3,
            True,
            {"== 0": "the row is the last", "<= 0": "the row is the last", ">= 1": "the row is not the last"},
            steep=1.5,  # every batch of several rows has a third from the end
        ),
        lambda v: v.problem.n_rows - 1 - v.rows,
    ),
    Row(Feature("label", "the label", 1.0, True, _LABEL), lambda v: v.y),
    Row(Feature("label_from_end", "K - 1 - label", 1.0, True, _LAST), lambda v: v.problem.n_classes - 1 - v.y),
    Row(
        Feature("label_less_row", "label - row", 1.7, True, {"== 0": "the label is the row's number"}),
        lambda v: v.y - v.rows,
    ),
    Row(
        truth("label_seen_before", "an earlier row has the same label", "no earlier row has the same label", 1.3),
        _seen_before,
    ),
    Row(
        truth(
            "label_of_the_row_before",
            "the row before has the same label",
            "the row before has another label, or there is none",
            1.4,
        ),
        lambda v: _neighbour(v, -1),
    ),
    Row(
        truth("labels_alike", "all labels of the batch are the same", "not all labels of the batch are the same", 1.3),
        lambda v: np.asarray(bool((v.labels == v.labels[:1]).all())),
    ),
    Row(
        truth(
            "labels_rise",
            "no label is smaller than that of the row before",
            "some label is smaller than that of the row before",
            1.5,
        ),
        lambda v: np.asarray(bool((np.diff(v.labels) >= 0).all())),
    ),
    Row(Feature("least_label", "the smallest label of the batch", 1.25, True, _SMALLEST_LABEL), _least_label),
    Row(
        Feature("largest_label_from_end", "K - 1 - the largest label of the batch", 1.25, True, _LARGEST_LABEL),
        _largest_label_from_end,
    ),
    Row(
        truth(
            "labels_without_gaps",
            "the labels of the batch leave out no class below the largest of them",
            "the labels of the batch leave out a class below the largest of them",
            1.35,
        ),
        _labels_without_gaps,
    ),
    Row(
        truth(
            "labels_as_often",
            "the classes that are labels of the batch are so equally often",
            "the classes that are labels of the batch are not so equally often",
            1.35,
        ),
        _labels_as_often,
    ),
    *left_over("row", "the row", lambda v: v.rows, lambda v: v.problem.n_rows, BLOCKS_OF_ROWS),
    *left_over("label", "the label", lambda v: v.y, lambda v: v.problem.n_classes),
    *exact_in("rows", "N", lambda v: v.problem.n_rows),
    *exact_in("label", "the label", lambda v: v.y),
    *modular("rows", "N", lambda v: v.problem.n_rows),
    *modular("classes", "K", lambda v: v.problem.n_classes),
    *modular("entries", "N K", lambda v: v.problem.logits.size, MODULI_OF_PRODUCTS),
    *modular("row", "the row's number (from 0)", lambda v: v.rows),
    *modular("label", "the label", lambda v: v.y),
)
