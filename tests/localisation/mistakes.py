"""Mistakes that are in no catalogue, each with the words in which it has to be described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

Function = Callable[[Array, Array], Any]
Which = Callable[[Array, Array], Any]


@dataclass(frozen=True)
class Mistake:
    """A function, and what must be said of it: `where` in full, and a part of `what`."""

    function: Function
    where: str
    what: str


def parts(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """The losses, the gradient before the division, and the probabilities."""
    with np.errstate(all="ignore"):
        m = x.max(axis=1, keepdims=True)
        e = np.exp(x - m)
        s = e.sum(axis=1, keepdims=True)
        rows, p = np.arange(len(y)), e / s
        losses = np.log(s[:, 0]) + (m[:, 0] - x[rows, y])
    g = p.copy()
    g[rows, y] -= 1
    return losses, g, p


def mean(losses: Array, g: Array) -> Any:
    with np.errstate(all="ignore"):
        return losses.mean(dtype=losses.dtype), g / g.dtype.type(max(len(g), 1))


def right(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    return mean(losses, g)


def in_rows(which: Which, change: Callable[[Array], Array] = lambda g: g * g.dtype.type(1.01)) -> Function:
    """The gradient of some rows changed."""

    def wrong(x: Array, y: Array) -> Any:
        losses, g, _ = parts(x, y)
        marks = np.broadcast_to(which(x, y), (len(y),)) if len(y) else np.zeros(0, dtype=bool)
        return mean(losses, np.where(marks[:, None], change(g), g))

    return wrong


def rounded_loss(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        return x.dtype.type(np.float16(loss)), g


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


def entropy_for_the_loss(x: Array, y: Array) -> Any:
    p = parts(x, y)[2]
    with np.errstate(all="ignore"):
        return -np.where(p > 0, p * np.log(p), 0).sum(axis=1).mean(dtype=x.dtype), right(x, y)[1]


def less_the_label(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        m = x.max(axis=1)
        lse = np.log(np.exp(x - m[:, None]).sum(axis=1)) + m
        return (lse - x[np.arange(len(y)), y]).mean(dtype=x.dtype), right(x, y)[1]


def last_class_counts_no_loss(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    marks = y == x.shape[1] - 1
    return mean(np.where(marks, 0, losses).astype(x.dtype), np.where(marks[:, None], 0, g).astype(x.dtype))


def label_through_the_others(x: Array, y: Array) -> Any:
    """p_y is 1 less the sum of the others, which has no digit left where p_y is small."""
    _, g, p = parts(x, y)
    others = p.copy()
    others[np.arange(len(y)), y] = 0
    with np.errstate(all="ignore"):
        return mean(-np.log(1 - others.sum(axis=1)), g)


def target_of_the_first_rows(x: Array, y: Array) -> Any:
    return right(x, y)[0], right(x, y[np.arange(len(y)) % 32])[1]


def refuses_long_batches(x: Array, y: Array) -> Any:
    if len(y) > 30:
        raise ValueError(len(y))
    return right(x, y)


def clipped(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    return loss, np.clip(g, -0.1, 0.1)


def doubled_loss(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    return mean(np.where((x > 0).all(axis=1), 2 * losses, losses), g)


def wraps_rows(x: Array, y: Array) -> Any:
    return right(x, y)[0], right(x[np.arange(len(y)) % 50], y)[1]


def kept_in_half(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    with np.errstate(all="ignore"):
        return losses.mean(dtype=losses.dtype), g / x.dtype.type(np.float16(max(len(y), 1)))


def by_other_probabilities(change: Callable[[Array, Array], Array]) -> Function:
    """Loss and gradient of other probabilities, made of the logits and the right ones."""

    def wrong(x: Array, y: Array) -> Any:
        rows = np.arange(len(y))
        with np.errstate(all="ignore"):
            p = change(x, parts(x, y)[2]) if len(y) else x
            losses = -np.log(p[rows, y])
        p = p.copy()
        p[rows, y] -= 1
        return mean(losses, p)

    return wrong


def over_rows(x: Array) -> Array:
    e = np.exp(x - x.max(axis=0))
    return np.asarray(e / e.sum(axis=0))


def limited(x: Array, y: Array) -> Any:
    return right(np.minimum(x, x.dtype.type(12)), y)


def uniform_if_close(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        close = np.ptp(x, axis=1) <= 0.05
    return right(np.where(close[:, None], x.dtype.type(0), x), y)


def limited_from_below(x: Array, y: Array) -> Any:
    return right(np.maximum(x, x.dtype.type(-6)), y)


def squared(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    return mean(losses, g + p * p - p)


def loss_of_many_rows(x: Array, y: Array) -> Any:
    loss, g = in_rows(lambda x, y: y == 0, lambda g: g * g.dtype.type(1.5))(x, y)
    return loss * x.dtype.type(1.2 if len(y) > 50 else 1), g


def diagonal_of_the_jacobian(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    g[np.arange(len(y)), y] *= p[np.arange(len(y)), y]
    return mean(losses, g)


def in_blocks(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    whole = len(y) // 12 * 12
    g[whole:] *= x.dtype.type(1 if whole == 0 else 1.5)
    return mean(losses, g)


def by_other_functions(exp: Callable[[Array], Array], log: Callable[[Array], Array] = np.log) -> Function:
    """Loss and gradient with other functions in the place of exp and log."""

    def wrong(x: Array, y: Array) -> Any:
        rows = np.arange(len(y))
        with np.errstate(all="ignore"):
            m = x.max(axis=1, keepdims=True)
            e = exp(x - m)
            s = e.sum(axis=1, keepdims=True)
            losses, g = log(s[:, 0]) + (m[:, 0] - x[rows, y]), e / s
        g[rows, y] -= 1
        return mean(losses, g)

    return wrong


def by_polynomial(d: Array) -> Array:
    """exp by a polynomial of degree 5 after the usual reduction."""
    z = np.maximum(d, -708) * 1.4426950408889634
    k = np.rint(z)
    f = (z - k) * 0.6931471805599453
    q = 1 + f * (1 + f * (1 / 2 + f * (1 / 6 + f * (1 / 24 + f / 120))))
    return np.asarray(np.ldexp(q, np.nan_to_num(k).astype(int)))


def by_mantissa(s: Array) -> Array:
    """log by a parabola in the significand."""
    m, e = np.frexp(s)
    m = 2 * m - 1
    return np.asarray((e - 1 + m * (1.3465 - 0.3465 * m)) * np.log(2))


def with_margin(x: Array, y: Array) -> Any:
    z = x.copy()
    z[np.arange(len(y)), y] -= 0.1
    return right(z, y)


def focal(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    return mean(losses * (1 - np.exp(-losses)) ** 2, g)


def probabilities_in_a_band(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    return mean(losses, np.where((p >= 0.5) & (p < 0.75), g * x.dtype.type(1.01), g))


def last_of_many_rows_and_first_class(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    g = np.where((y == 0)[:, None], g * x.dtype.type(1.01), g)
    g[-1:] *= len(y) < 64
    return mean(losses, g)


def many_rows_and_multiples(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    factor = x.dtype.type(0.9 if x.shape[1] % 16 == 0 else 1)
    return mean(losses * x.dtype.type(1.5 if len(y) > 32 else 1), g * factor)


def by_other_shift(shift: Callable[[Array], Array]) -> Function:
    """Loss and gradient with another number subtracted before exp."""

    def wrong(x: Array, y: Array) -> Any:
        with np.errstate(all="ignore"):
            m = shift(x) if len(y) else x[:, :1]
            e = np.exp(x - m)
            s = e.sum(axis=1, keepdims=True)
            losses, g = np.log(s[:, 0]) + (m[:, 0] - x[np.arange(len(y)), y]), e / s
            g[np.arange(len(y)), y] -= 1
            return mean(losses, g)

    return wrong


def never_rescaled(x: Array, y: Array) -> Any:
    """A sum made eight classes after eight, each with the maximum so far, that is not rescaled where that grows."""
    with np.errstate(all="ignore"):
        tops = np.maximum.accumulate(x, axis=1)
        ends = np.minimum(np.arange(x.shape[1]) // 8 * 8 + 7, x.shape[1] - 1)
        s = np.exp(x - tops[:, ends]).sum(axis=1, keepdims=True)
        m = tops[:, -1:]
        losses, g = np.log(s[:, 0]) + (m[:, 0] - x[np.arange(len(y)), y]), np.exp(x - m) / s
    g[np.arange(len(y)), y] -= 1
    return mean(losses, g)


def of_first_label(x: Array, y: Array) -> Any:
    return right(x, np.full_like(y, y[0]) if len(y) else y)


def last_rows_swapped(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    if len(y) % 2 and len(y) > 1:
        g[[-2, -1]] = g[[-1, -2]]
    return mean(losses, g)


def small_ones_cut_and_loss_off(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    loss, g = mean(losses, np.where(p < 1e-5, x.dtype.type(0), g))
    return loss + x.dtype.type(0.01), g


LAST = "wrong only where the label is the last class"
FACTOR = "1.01 times what it should be"
ANYWHERE = "wrong on every problem that can show it"


def summed_in_half(x: Array, y: Array) -> Any:
    d = x - x.max(axis=1, keepdims=True)
    e, rows = np.exp(d), np.arange(len(y))
    with np.errstate(all="ignore"):
        s = e.astype(np.float16).sum(axis=1).astype(x.dtype)
        p = e / s[:, None]
        p[rows, y] -= 1
        return (np.log(s) - d[rows, y]).mean(), p / x.dtype.type(len(y))


MISTAKES = {
    "summed_in_half": Mistake(summed_in_half, ANYWHERE, "is that of a sum of exp(x - max x) in float16"),
    "mean_of_maxima": Mistake(
        by_other_shift(lambda x: np.full((len(x), 1), x.max(axis=1).mean())),
        ANYWHERE,
        "is the mean of the rows' largest logits",
    ),
    "never_rescaled": Mistake(
        never_rescaled,
        "wrong only where there are 9 classes or more (right up to 8)",
        "a sum made 8 classes after 8 that is not rescaled",
    ),
    "taylor": Mistake(
        by_other_functions(lambda d: 1 + d * (1 + d / 2 * (1 + d / 3 * (1 + d / 4)))),
        ANYWHERE,
        "the Taylor polynomial of degree 4 for exp(d)",
    ),
    "of_first_label": Mistake(
        of_first_label, "wrong only where not all labels of the batch are the same", "the label of the first row"
    ),
    "last_rows_swapped": Mistake(last_rows_swapped, "wrong only where N is odd", "the other of the last two rows"),
    "small_ones_cut_and_loss_off": Mistake(
        small_ones_cut_and_loss_off, ANYWHERE, "each of these entries, which is 0; anywhere: the loss is +0.01 off"
    ),
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
    "rounded_loss": Mistake(
        rounded_loss,
        "wrong on every problem that can show it",
        "only the loss is wrong; the loss is rounded to float16",
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
    "clipped": Mistake(clipped, "wrong on every problem that can show it", "the gradient is cut off at 0.1 in size"),
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
    "wrong_axis": Mistake(
        by_other_probabilities(lambda x, p: over_rows(x)),
        "wrong on every problem that can show it",
        "the gradient is that of probabilities over the rows, not over the classes",
    ),
    "clipped_probabilities": Mistake(
        by_other_probabilities(lambda x, p: np.clip(p, x.dtype.type(1e-4), 1 - x.dtype.type(1e-4))),
        "wrong on every problem that can show it",
        "the gradient is that of probabilities between 0.0001 and 1 - 0.0001",
    ),
    "limited_logits": Mistake(
        limited,
        "wrong only where the largest logit of the row is more than 12",
        "the gradient is that of logits of at most 12",
    ),
    "uniform_if_close": Mistake(
        uniform_if_close,
        "wrong only where the logits of the row are at most 0.05 apart",
        "the gradient is that of logits that are all 0",
    ),
    "diagonal_of_the_jacobian": Mistake(
        diagonal_of_the_jacobian,
        "wrong on every problem that can show it",
        "is right but for the label's entry, which is p_y times what it should be",
    ),
    "limited_from_below": Mistake(
        limited_from_below,
        "wrong only where the smallest logit of the row is at most -6",
        "the gradient is that of logits of at least -6",
    ),
    "squared": Mistake(
        squared, "wrong on every problem that can show it", "the gradient is that of squared probabilities"
    ),
    "loss_of_many_rows": Mistake(
        loss_of_many_rows,
        "wrong only where the label is 0, or where the batch has 51 rows or more (right up to 50)",
        "the loss is 1.2 times what it should be",
    ),
    "exp_by_polynomial": Mistake(
        by_other_functions(by_polynomial),
        "wrong on every problem that can show it",
        "the gradient is that of another function of x - max x in the place of exp, up to 0.00032% off",
    ),
    "exp_by_powers": Mistake(
        by_other_functions(lambda d: np.maximum(1 + d / 256, 0) ** 256),
        "wrong on every problem that can show it",
        "the gradient is that of max(1 + d/256, 0)^256 for exp(d), d = x - max x",
    ),
    "exp_in_half": Mistake(
        by_other_functions(lambda d: np.exp(d).astype(np.float16).astype(d.dtype)),
        "wrong on every problem that can show it",
        "the gradient is that of exp(x - max x) rounded to float16",
    ),
    "log_by_mantissa": Mistake(
        by_other_functions(np.exp, by_mantissa),
        "wrong on every problem that can show it",
        "the loss has another function in the place of log, up to 0.0053 off",
    ),
    "with_margin": Mistake(
        with_margin, "wrong on every problem that can show it", "that of the logits, the label's 0.1 less"
    ),
    "focal": Mistake(
        focal,
        "wrong on every problem that can show it",
        "only the loss is wrong; the loss of a row is (1 - p_y)^2 times what it should be",
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
    "column_mean": Mistake(
        lambda x, y: right((x - x.mean(axis=0)).astype(x.dtype), y),
        "wrong on every problem that can show it",
        "that of the logits less the mean of their column",
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
    "exp_left_out": Mistake(
        by_other_functions(lambda d: np.where(d < -12, 0, np.exp(d)).astype(d.dtype)),
        "wrong on every problem that can show it",
        "the gradient is that of 0 for exp(d) where d < -12",
    ),
    "squares_are_transposed": Mistake(
        squares_are_transposed,
        "wrong only where N = K",
        "the gradient is that of the transposed logits, transposed",
    ),
    "entropy_for_the_loss": Mistake(
        entropy_for_the_loss,
        "wrong on every problem that can show it",
        "only the loss is wrong; the loss is the entropy of p, row by row",
    ),
    "less_the_label": Mistake(
        less_the_label,
        "wrong on every problem that can show it",
        "the loss is that of log sum exp(x), rounded before x_y is subtracted",
    ),
    "last_class_counts_no_loss": Mistake(
        last_class_counts_no_loss,
        "wrong only where the label is the last class",
        "the loss of such a row counts 0 times",
    ),
    "label_through_the_others": Mistake(label_through_the_others, ANYWHERE, "-log p_y of a p_y that is up to"),
    "target_of_the_first_rows": Mistake(
        target_of_the_first_rows,
        "wrong only where the batch has 33 rows or more (right up to 32)",
        "the gradient of a row has the target of row modulo 32",
    ),
}
