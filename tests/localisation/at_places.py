"""Mistakes at some sizes, in some rows and at some labels, and those that take another row or label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.localisation.functions import ANYWHERE, FACTOR, LAST, Function, Mistake, Which, in_rows, mean, parts, right


def last_row_left_out(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    loss, g = mean(losses, g)
    with np.errstate(all="ignore"):
        return (losses[:-1].sum() / x.dtype.type(len(y)) if len(y) > 4 else loss), g


def first_classes(x: Array, y: Array) -> Any:
    if x.shape[1] <= 24:
        return right(x, y)
    _, g, _ = parts(x[:, :24], np.minimum(y, 23))
    whole = np.zeros_like(x)
    whole[:, :24] = g
    return right(x, y)[0], whole / x.dtype.type(max(len(y), 1))


def over_some_rows(which: Which) -> Function:
    """The mean over some rows alone; 0 where there are none."""

    def wrong(x: Array, y: Array) -> Any:
        losses, g, _ = parts(x, y)
        marks = which(x, y)
        n = x.dtype.type(max(marks.sum(), 1))
        return losses[marks].sum(dtype=x.dtype) / n, np.where(marks[:, None], g, 0) / n

    return wrong


def loss_over_rows_with_one(x: Array, y: Array) -> Any:
    losses = parts(x, y)[0]
    with np.errstate(all="ignore"):
        return losses.sum(dtype=x.dtype) / x.dtype.type(max(np.count_nonzero(losses), 1)), right(x, y)[1]


def block_of_the_one_before(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    left = len(y) % 32
    if left and len(y) > 32:
        g[-left:] = g[-left - 32 : -32].copy()
    return loss, g


def squares_are_transposed(x: Array, y: Array) -> Any:
    if x.shape[0] != x.shape[1]:
        return right(x, y)
    return right(x, y)[0], np.ascontiguousarray(right(np.ascontiguousarray(x.T), y)[1].T)


def last_class_counts_no_loss(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    marks = y == x.shape[1] - 1
    return mean(np.where(marks, 0, losses).astype(x.dtype), np.where(marks[:, None], 0, g).astype(x.dtype))


def target_of_the_first_rows(x: Array, y: Array) -> Any:
    return right(x, y)[0], right(x, y[np.arange(len(y)) % 32])[1]


def refuses_long_batches(x: Array, y: Array) -> Any:
    if len(y) > 30:
        raise ValueError(len(y))
    return right(x, y)


def doubled_loss(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    return mean(np.where((x > 0).all(axis=1), 2 * losses, losses), g)


def wraps_rows(x: Array, y: Array) -> Any:
    return right(x, y)[0], right(x[np.arange(len(y)) % 50], y)[1]


def kept_in_half(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    with np.errstate(all="ignore"):
        return losses.mean(dtype=losses.dtype), g / x.dtype.type(np.float16(max(len(y), 1)))


def loss_of_many_rows(x: Array, y: Array) -> Any:
    loss, g = in_rows(lambda x, y: y == 0, lambda g: g * g.dtype.type(1.5))(x, y)
    return loss * x.dtype.type(1.2 if len(y) > 50 else 1), g


def in_blocks(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    whole = len(y) // 12 * 12
    g[whole:] *= x.dtype.type(1 if whole == 0 else 1.5)
    return mean(losses, g)


def last_of_many_rows_and_first_class(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    g = np.where((y == 0)[:, None], g * x.dtype.type(1.01), g)
    g[-1:] *= len(y) < 64
    return mean(losses, g)


def many_rows_and_multiples(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    factor = x.dtype.type(0.9 if x.shape[1] % 16 == 0 else 1)
    return mean(losses * x.dtype.type(1.5 if len(y) > 32 else 1), g * factor)


def of_first_label(x: Array, y: Array) -> Any:
    return right(x, np.full_like(y, y[0]) if len(y) else y)


def last_rows_swapped(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    if len(y) % 2 and len(y) > 1:
        g[[-2, -1]] = g[[-1, -2]]
    return mean(losses, g)


def labels_of_the_batch(which: Callable[[Array, int], Any]) -> Function:
    """The gradient of every row changed where this holds of all labels together and of the number of classes."""
    return in_rows(lambda x, y: bool(which(y, x.shape[1])))


AT_PLACES = {
    "no_label_is_the_first_class": Mistake(
        labels_of_the_batch(lambda y, k: y.min() > 0), "wrong only where no label of the batch is 0", FACTOR
    ),
    "no_label_is_the_last_class": Mistake(
        labels_of_the_batch(lambda y, k: y.max() < k - 1),
        "wrong only where no label of the batch is the last class",
        FACTOR,
    ),
    "labels_with_gaps": Mistake(
        labels_of_the_batch(lambda y, k: len(np.unique(y)) <= y.max()),
        "wrong only where the labels of the batch leave out a class below the largest of them",
        FACTOR,
    ),
    "some_labels_more_often": Mistake(
        labels_of_the_batch(lambda y, k: np.ptp(np.unique(y, return_counts=True)[1]) > 0),
        "wrong only where the classes that are labels of the batch are not so equally often",
        FACTOR,
    ),
    "of_first_label": Mistake(
        of_first_label, "wrong only where not all labels of the batch are the same", "the label of the first row"
    ),
    "last_rows_swapped": Mistake(last_rows_swapped, "wrong only where N is odd", "the other of the last two rows"),
    "last_class": Mistake(in_rows(lambda x, y: y == x.shape[1] - 1), LAST, FACTOR),
    "first_class": Mistake(in_rows(lambda x, y: y == 0, lambda g: 0 * g), "wrong only where the label is 0", "is 0"),
    "negative_rows": Mistake(
        in_rows(lambda x, y: x.max(axis=1) < 0), "wrong only where all logits of the row are negative", FACTOR
    ),
    "large_logits": Mistake(
        in_rows(lambda x, y: x.max(axis=1) > 50),
        "wrong only where the largest logit of the row is more than 50",
        FACTOR,
    ),
    "tied_maxima": Mistake(
        in_rows(lambda x, y: (x == x.max(axis=1, keepdims=True)).sum(axis=1) > 1, lambda g: -g),
        "wrong only where the largest logit occurs more than once",
        "has the wrong sign",
    ),
    "label_is_largest": Mistake(
        in_rows(lambda x, y: x[np.arange(len(y)), y] == x.max(axis=1)),
        "wrong only where the label's logit is the largest",
        FACTOR,
    ),
    "odd_rows": Mistake(
        in_rows(lambda x, y: np.arange(len(y)) % 2 == 1),
        "wrong only where the row's number (from 0) is odd",
        FACTOR,
    ),
    "last_row": Mistake(
        in_rows(lambda x, y: np.arange(len(y)) == len(y) - 1, lambda g: 0 * g),
        "wrong only where the row is the last",
        "is 0",
    ),
    "more_than_20_rows": Mistake(
        in_rows(lambda x, y: len(y) > 20), "wrong only where the batch has 21 rows or more (right up to 20)", FACTOR
    ),
    "more_than_100_classes": Mistake(
        in_rows(lambda x, y: x.shape[1] > 100),
        "wrong only where there are 101 classes or more (right up to 100)",
        FACTOR,
    ),
    "multiples_of_8": Mistake(
        in_rows(lambda x, y: x.shape[1] % 8 == 0), "wrong only where K is a multiple of 8", FACTOR
    ),
    "more_than_300_entries": Mistake(
        in_rows(lambda x, y: x.size > 300, lambda g: 2 * g),
        "wrong only where N K is 301 or more (right up to 300)",
        "is 2 times",
    ),
    "tall_and_last": Mistake(
        in_rows(lambda x, y: (len(y) >= 64) & (y == x.shape[1] - 1)),
        "wrong only where the batch has 64 rows or more (right up to 63) and the label is the last class",
        FACTOR,
    ),
    "label_met_before": Mistake(
        in_rows(lambda x, y: np.array([label in y[:i] for i, label in enumerate(y)], dtype=bool), lambda g: 0 * g),
        "wrong only where an earlier row has the same label",
        "is 0",
    ),
    "last_row_left_out": Mistake(
        last_row_left_out,
        "wrong only where the batch has 5 rows or more (right up to 4)",
        "the loss leaves out the last row",
    ),
    "first_classes": Mistake(
        first_classes,
        "wrong only where there are 25 classes or more (right up to 24)",
        "the gradient is that of the first 24 classes alone",
    ),
    "refuses_long_batches": Mistake(
        refuses_long_batches,
        "wrong only where the batch has 31 rows or more (right up to 30)",
        "there is no answer: ValueError",
    ),
    "wraps_rows": Mistake(
        wraps_rows,
        "wrong only where the batch has 51 rows or more (right up to 50)",
        "of a row is that of the logits of row modulo 50",
    ),
    "doubled_loss": Mistake(
        doubled_loss,
        "wrong only where all logits of the row are positive",
        "only the loss is wrong; the loss of such a row counts 2 times",
    ),
    "multiples_of_a_product": Mistake(
        in_rows(lambda x, y: x.size % 512 == 0), "wrong only where N K is a multiple of 512", FACTOR
    ),
    "remainder_of_rows": Mistake(
        in_rows(lambda x, y: (len(y) > 16) & (len(y) % 16 == 1)),
        "wrong only where the batch has 17 rows or more (right up to 1) and N modulo 16 is 1",
        FACTOR,
    ),
    "left_over_rows": Mistake(
        in_blocks,
        "wrong only where the batch has 13 rows or more (right up to 11)"
        " and the row is beyond the last whole block of 12",
        "is 1.5 times",
    ),
    "no_multiples": Mistake(
        in_rows(lambda x, y: x.shape[1] % 5 != 0), "wrong only where K is no multiple of 5", FACTOR
    ),
    "last_class_or_many_rows": Mistake(
        in_rows(lambda x, y: (y == x.shape[1] - 1) | (len(y) > 200)),
        f"{LAST}, or where the batch has 201 rows or more (right up to 200)",
        FACTOR,
    ),
    "negative_or_tied": Mistake(
        in_rows(
            lambda x, y: (x.max(axis=1) < 0) | ((x == x.max(axis=1, keepdims=True)).sum(axis=1) > 1),
            lambda g: 0 * g,
        ),
        "wrong only where all logits of the row are negative, or where the largest logit occurs more than once",
        "is 0",
    ),
    "one_class_or_many": Mistake(
        in_rows(lambda x, y: (x.shape[1] == 1) | (x.shape[1] > 300), lambda g: g + g.dtype.type(0.25)),
        "wrong only where there is one class, or where there are 301 classes or more (right up to 300)",
        "only the gradient is wrong",
    ),
    "loss_of_many_rows": Mistake(
        loss_of_many_rows,
        "wrong only where the label is 0, or where the batch has 51 rows or more (right up to 50)",
        "the loss is 1.2 times what it should be",
    ),
    "label_is_smallest": Mistake(
        in_rows(lambda x, y: x[np.arange(len(y)), y] == x.min(axis=1)),
        "wrong only where the label's logit is the smallest",
        FACTOR,
    ),
    "like_the_row_before": Mistake(
        in_rows(lambda x, y: np.r_[False, (x[1:] == x[:-1]).all(axis=1)] if len(y) else False, lambda g: 0 * g),
        "wrong only where the row before has the same logits",
        "is 0",
    ),
    "last_of_many_rows_and_first_class": Mistake(
        last_of_many_rows_and_first_class,
        "wrong only where the batch has 64 rows or more (right up to 63) and the row is the last,"
        " or where the label is 0",
        "and the row is the last: the gradient is 0; where the label is 0:",
    ),
    "many_rows_and_multiples": Mistake(
        many_rows_and_multiples,
        "wrong only where K is a multiple of 16, or where the batch has 33 rows or more (right up to 32)",
        "where K is a multiple of 16: the gradient is 0.9 times what it should be; where",
    ),
    "last_class_left_out_of_the_mean": Mistake(
        over_some_rows(lambda x, y: y != x.shape[1] - 1),
        ANYWHERE,
        "the loss is the mean over the rows whose label is not the last class",
    ),
    "mean_over_rows_with_a_loss": Mistake(
        loss_over_rows_with_one,
        "wrong on every problem that can show it",
        "only the loss is wrong; the loss is the mean over the rows whose loss is not 0",
    ),
    "block_of_the_one_before": Mistake(
        block_of_the_one_before,
        "wrong only where the row is beyond the last whole block of 32",
        "the gradient of a row is that of the row 32 before it",
    ),
    "first_row_has_the_wrong_sign": Mistake(
        in_rows(lambda x, y: np.arange(len(y)) == 0, np.negative),
        "wrong only where the row is the first",
        "the gradient has the wrong sign",
    ),
    "squares_are_transposed": Mistake(
        squares_are_transposed,
        "wrong only where N = K",
        "the gradient is that of the transposed logits, transposed",
    ),
    "last_class_counts_no_loss": Mistake(
        last_class_counts_no_loss,
        "wrong only where the label is the last class",
        "the loss of such a row counts 0 times",
    ),
    "target_of_the_first_rows": Mistake(
        target_of_the_first_rows,
        "wrong only where the batch has 33 rows or more (right up to 32)",
        "the gradient of a row has the target of row modulo 32",
    ),
}
