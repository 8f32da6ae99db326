"""Mistakes in what is worked out, not in where: other terms, other means, other shifts, some classes alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.localisation.words import EVERYWHERE
from gradlab.problems.problem import Array
from tests.localisation.functions import Mistake, mean, parts, right


def minus_one_hot(p: Array, y: Array) -> Array:
    p = p.copy()
    p[np.arange(len(y)), y] -= 1
    return p


def smoothed_in_the_loss(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    with np.errstate(all="ignore"):
        d = x - x.max(axis=1, keepdims=True)
        logs = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
        return mean(x.dtype.type(0.7) * losses - x.dtype.type(0.3) * logs.mean(axis=1), g)


def decays(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        return loss, g + x.dtype.type(0.003) * x


def means_of_fours(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    loss, g = mean(losses, g)
    with np.errstate(all="ignore"):
        groups = [losses[at : at + 4].mean() for at in range(0, len(losses), 4)]
        return (x.dtype.type(np.mean(groups)) if groups else loss), g


def rows_by_loss(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    return loss, g[np.argsort(parts(x, y)[0], kind="stable")]


def shared_among_equals(x: Array, y: Array) -> Any:
    losses, _, p = parts(x, y)
    same = x == x[np.arange(len(y)), y][:, None]
    with np.errstate(all="ignore"):
        return mean(losses, p - (same / same.sum(axis=1, keepdims=True)).astype(x.dtype))


def small_probabilities_lost(x: Array, y: Array) -> Any:
    losses, _, p = parts(x, y)
    with np.errstate(all="ignore"):
        return mean(losses, minus_one_hot(np.where(p < 1e-3, x.dtype.type(0), p), y))


def focal(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    with np.errstate(all="ignore"):
        return mean(losses, g * (1 - p[np.arange(len(y)), y])[:, None] ** x.dtype.type(1.5))


def masks_by_twenty(x: Array, y: Array) -> Any:
    return right(np.where(x == -np.inf, x.dtype.type(-20), x), y)


def refuses_one_class_and_is_off(x: Array, y: Array) -> Any:
    if x.shape[1] == 1:
        raise IndexError("one class")
    loss, g = right(x, y)
    return loss - x.dtype.type(0.5), g


def next_row_and_nothing(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        return loss, np.concatenate([g[1:], np.zeros_like(g[:1])])


def kept_as_tenths(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        return right((np.rint(x / x.dtype.type(0.1)) * x.dtype.type(0.1)).astype(x.dtype), y)


def short_logits(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(x, axis=1, keepdims=True)
        return right(np.where(norms > 10, x / norms * x.dtype.type(10), x).astype(x.dtype), y)


def single_precision_of_many(x: Array, y: Array) -> Any:
    if x.shape[1] < 50:
        return right(x, y)
    loss, g = right(x.astype(np.float32), y)
    return x.dtype.type(loss), g.astype(x.dtype)


def half_precision_of_many(x: Array, y: Array) -> Any:
    if x.shape[1] < 50:
        return right(x, y)
    with np.errstate(all="ignore"):
        loss, g = right(x.astype(np.float16), y)
    return x.dtype.type(loss), g.astype(x.dtype)


def five_largest(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    if x.shape[1] <= 5:
        return loss, g
    return loss, np.where(x >= np.sort(x, axis=1)[:, -5:-4], g, x.dtype.type(0))


def by_shift(x: Array, y: Array, m: Array) -> Any:
    with np.errstate(all="ignore"):
        e = np.exp(x - m[:, None])
        s = e.sum(axis=1, keepdims=True)
        return mean(np.log(s[:, 0]) + (m - x[np.arange(len(y)), y]), minus_one_hot(e / s, y))


def shifted_by_the_first_row(x: Array, y: Array) -> Any:
    return by_shift(x, y, np.full(len(x), x[0].max() if len(x) else 0, x.dtype))


def shifted_by_the_first_tile(x: Array, y: Array) -> Any:
    return by_shift(x, y, x[:, :8].max(axis=1))


def even_classes(x: Array, y: Array) -> Any:
    if x.shape[1] < 12:
        return right(x, y)
    kept = np.arange(x.shape[1]) % 2 == 0
    kept = np.broadcast_to(kept, x.shape).copy()
    kept[np.arange(len(y)), y] = True
    return right(np.where(kept, x, x.dtype.type(-np.inf)), y)


def largest_row_left_out(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    loss, g = mean(losses, g)
    with np.errstate(all="ignore"):
        if len(y) >= 6:
            loss = np.delete(losses, losses.argmax()).sum() / x.dtype.type(len(y) - 1)
    return loss, g


def first_term_taken_for_one(x: Array, y: Array) -> Any:
    _, g, _ = parts(x, y)
    with np.errstate(all="ignore"):
        m = x.max(axis=1)
        s = np.exp(x[:, :-1] - m[:, None]).sum(axis=1) + x.dtype.type(1)
        return mean(np.log(s) + (m - x[np.arange(len(y)), y]), g)


def loss_in_a_band(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    top = x.max(axis=1)
    return mean(np.where((top >= 2) & (top < 5), losses * x.dtype.type(1.25), losses), g)


MADE_OF_TERMS = {
    function.__name__: Mistake(function, where, what)
    for function, where, what in (
        (smoothed_in_the_loss, EVERYWHERE, "0.7 times what it should be + 0.3 times the mean of -log p, row by row"),
        (decays, EVERYWHERE, "the gradient is what it should be + 0.003 times x"),
        (means_of_fours, EVERYWHERE, "the loss is the mean of the means of every 4 rows"),
        (rows_by_loss, EVERYWHERE, "the gradient has its rows in the order of their losses"),
        (
            shared_among_equals,
            "wrong only where another logit equals the label's",
            "the gradient has the 1 shared among all logits that equal the label's",
        ),
        (focal, EVERYWHERE, "the gradient is (1 - p_y)^1.5 times what it should be"),
        (masks_by_twenty, "wrong only where a logit of the row is -inf", "the logits, with -20 for -inf"),
        (refuses_one_class_and_is_off, EVERYWHERE, "there is one class: there is no answer: IndexError; anywhere"),
        (next_row_and_nothing, EVERYWHERE, "the gradient of a row is that of the next row, of the last row 0"),
        (kept_as_tenths, EVERYWHERE, "the gradient is that of the logits rounded to multiples of 0.1"),
        (short_logits, EVERYWHERE, "the gradient is that of the logits, each row with norm 10 at most"),
        (
            five_largest,
            "wrong only where there are 6 classes or more (right up to 5)",
            "the gradient is 0 but for the 5 largest logits",
        ),
        (shifted_by_the_first_row, EVERYWHERE, "m, in the place of the row's largest logit, is that of the first row"),
        (shifted_by_the_first_tile, EVERYWHERE, "row's largest logit, is the largest of the first 8 logits"),
        (first_term_taken_for_one, EVERYWHERE, "a sum that takes exp(x - max x) of the last class for 1"),
        (
            small_probabilities_lost,
            EVERYWHERE,
            "the gradient is that of probabilities of which those below about 0.001 are 0",
        ),
        (
            single_precision_of_many,
            "wrong only where there are 50 classes or more (right up to 49)",
            "the gradient is as good as sums in float32 are, and consists of its numbers",
        ),
        (
            half_precision_of_many,
            "wrong only where there are 50 classes or more (right up to 49)",
            "the gradient is as good as sums in float16 are, and consists of its numbers",
        ),
        (
            even_classes,
            "wrong only where there are 12 classes or more (right up to 11)",
            "the gradient is that of the even classes and the label's alone",
        ),
        (
            largest_row_left_out,
            "wrong only where the batch has 6 rows or more (right up to 5)",
            "the loss is the mean without the largest of the rows' losses",
        ),
        (
            loss_in_a_band,
            "wrong only where the largest logit of the row is 2 or more "
            "and the largest logit of the row is less than 5",
            "the loss of such a row counts 1.25 times",
        ),
    )
}
