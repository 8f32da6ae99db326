"""Mistakes in the numbers: other logits, exponentials, sums, probabilities and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.localisation.functions import ANYWHERE, Function, Mistake, mean, parts, right


def rounded_loss(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    with np.errstate(all="ignore"):
        return x.dtype.type(np.float16(loss)), g


def entropy_for_the_loss(x: Array, y: Array) -> Any:
    p = parts(x, y)[2]
    with np.errstate(all="ignore"):
        return -np.where(p > 0, p * np.log(p), 0).sum(axis=1).mean(dtype=x.dtype), right(x, y)[1]


def less_the_label(x: Array, y: Array) -> Any:
    with np.errstate(all="ignore"):
        m = x.max(axis=1)
        lse = np.log(np.exp(x - m[:, None]).sum(axis=1)) + m
        return (lse - x[np.arange(len(y)), y]).mean(dtype=x.dtype), right(x, y)[1]


def label_through_the_others(x: Array, y: Array) -> Any:
    """p_y is 1 less the sum of the others, which has no digit left where p_y is small."""
    _, g, p = parts(x, y)
    others = p.copy()
    others[np.arange(len(y)), y] = 0
    with np.errstate(all="ignore"):
        return mean(-np.log(1 - others.sum(axis=1)), g)


def clipped(x: Array, y: Array) -> Any:
    loss, g = right(x, y)
    return loss, np.clip(g, -0.1, 0.1)


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


def diagonal_of_the_jacobian(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    g[np.arange(len(y)), y] *= p[np.arange(len(y)), y]
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


def small_ones_cut_and_loss_off(x: Array, y: Array) -> Any:
    losses, g, p = parts(x, y)
    loss, g = mean(losses, np.where(p < 1e-5, x.dtype.type(0), g))
    return loss + x.dtype.type(0.01), g


def summed_in_half(x: Array, y: Array) -> Any:
    d = x - x.max(axis=1, keepdims=True)
    e, rows = np.exp(d), np.arange(len(y))
    with np.errstate(all="ignore"):
        s = e.astype(np.float16).sum(axis=1).astype(x.dtype)
        p = e / s[:, None]
        p[rows, y] -= 1
        return (np.log(s) - d[rows, y]).mean(), p / x.dtype.type(len(y))


BY_NUMBERS = {
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
    "small_ones_cut_and_loss_off": Mistake(
        small_ones_cut_and_loss_off, ANYWHERE, "each of these entries, which is 0; anywhere: the loss is +0.01 off"
    ),
    "rounded_loss": Mistake(
        rounded_loss,
        "wrong on every problem that can show it",
        "only the loss is wrong; the loss is rounded to float16",
    ),
    "clipped": Mistake(clipped, "wrong on every problem that can show it", "the gradient is cut off at 0.1 in size"),
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
    "column_mean": Mistake(
        lambda x, y: right((x - x.mean(axis=0)).astype(x.dtype), y),
        "wrong on every problem that can show it",
        "that of the logits less the mean of their column",
    ),
    "exp_left_out": Mistake(
        by_other_functions(lambda d: np.where(d < -12, 0, np.exp(d)).astype(d.dtype)),
        "wrong on every problem that can show it",
        "the gradient is that of 0 for exp(d) where d < -12",
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
    "label_through_the_others": Mistake(label_through_the_others, ANYWHERE, "-log p_y of a p_y that is up to"),
}
