"""The same loss and gradient in as many idioms of NumPy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Answer = tuple[Any, Array]

__all__ = [
    "by_einsum",
    "by_logaddexp",
    "by_matrix_products",
    "chunks_of_columns",
    "in_base_ten",
    "in_base_two",
    "jacobian_of_log_softmax",
    "log1p_and_expm1",
    "masked_arrays",
    "maximum_taken_where_finite",
    "scaled_by_powers_of_two",
    "shifted_by_the_ceiling",
    "sorted_sums",
    "with_where_and_putmask",
]


def by_logaddexp(logits: Array, labels: Array) -> Answer:
    """log sum exp by folding logaddexp over the shifted classes."""
    d = logits - np.amax(logits, axis=1)[:, np.newaxis]
    log_p = d - np.logaddexp.reduce(d, axis=1)[:, np.newaxis]
    chosen = np.take_along_axis(log_p, labels[:, np.newaxis], axis=1)
    gradient = np.exp(log_p)
    np.put_along_axis(gradient, labels[:, np.newaxis], np.take_along_axis(gradient, labels[:, None], 1) - 1, axis=1)
    return -chosen.mean(), gradient / logits.dtype.type(len(logits))


def sorted_sums(logits: Array, labels: Array) -> Answer:
    """The terms of each sum are added in rising order."""
    n = len(logits)
    ordered = np.sort(logits, axis=1)
    top = ordered[:, -1:]
    total = np.exp(ordered - top).cumsum(axis=1)[:, -1]
    target = np.choose(np.zeros(n, dtype=int), [logits[range(n), labels]])
    loss = np.add.reduce(np.log(total) + (top[:, 0] - target)) / n
    g = np.exp(logits - top) / total[:, None]
    np.subtract.at(g, (np.arange(n), labels), 1)
    return loss.astype(logits.dtype), np.divide(g, n, dtype=logits.dtype)


def by_einsum(logits: Array, labels: Array) -> Answer:
    """Every sum and product is an einsum with the one-hot matrix."""
    hot = np.equal.outer(labels, np.arange(logits.shape[1])).astype(logits.dtype)  # identity(K)[labels] is K x K
    top = logits.max(-1)
    e = np.exp(logits - top[:, None])
    z = np.einsum("nk->n", e)
    finite = np.where(hot > 0, logits - top[:, None], 0)
    loss = (np.log(z) - np.einsum("nk->n", finite)).mean()
    return loss, (np.einsum("nk,n->nk", e, 1 / z) - hot) / np.asarray(len(hot), dtype=logits.dtype)


def by_matrix_products(logits: Array, labels: Array) -> Answer:
    """The sums over classes and rows are products with vectors of ones."""
    ones = np.ones(logits.shape[1], dtype=logits.dtype)
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e @ ones
    losses = np.log(s) - d[np.arange(d.shape[0]), labels]
    weights = np.full(len(losses), 1 / len(losses), dtype=logits.dtype)
    e *= (weights / s)[:, None]
    e[np.arange(d.shape[0]), labels] -= weights
    return losses @ weights, e


def log1p_and_expm1(logits: Array, labels: Array) -> Answer:
    """The loss by log1p of the others, and the target's entry by expm1 of minus the loss."""
    rows = np.arange(len(labels))
    top = logits.argmax(axis=1)
    d = logits - logits[rows, top][:, None]
    e = np.exp(d)
    e[rows, top] = np.where(np.isnan(e[rows, top]), np.nan, 0)
    lse = np.log1p(e.sum(axis=1))
    log_p = d - lse[:, None]
    losses = -log_p[rows, labels]
    g = np.exp(log_p)
    g[rows, labels] = np.expm1(-losses)
    return losses.mean(), g / logits.dtype.type(len(labels))


def chunks_of_columns(logits: Array, labels: Array) -> Answer:
    """Blocks of seven classes: a maximum and a sum for each, merged at the end."""
    blocks = [logits[:, k : k + 7] for k in range(0, logits.shape[1], 7)]
    tops = np.stack([block.max(axis=1) for block in blocks])
    with np.errstate(invalid="ignore"):
        floors = np.where(tops == -np.inf, 0, tops)
        sums = np.stack([np.exp(b - f[:, None]).sum(axis=1) for b, f in zip(blocks, floors, strict=True)])
        top = tops.max(axis=0)
        s = (sums * np.exp(tops - top)).sum(axis=0)
    rows = np.arange(len(labels))
    g = np.concatenate([np.exp(block - top[:, None]) / s[:, None] for block in blocks], axis=1)
    g[rows, labels] -= 1
    losses = np.log(s) - (logits[rows, labels] - top)
    return losses.mean(dtype=logits.dtype), g / logits.dtype.type(len(labels))


def jacobian_of_log_softmax(logits: Array, labels: Array) -> Answer:
    """The chain rule in full, through the Jacobian of log softmax, d log p_i/dx_j = [i = j] - p_j."""
    n, k = logits.shape
    d = logits - logits.max(axis=1).reshape(n, 1)
    log_p = d - np.log(np.sum(np.exp(d), axis=1)).reshape(n, 1)
    upstream = np.zeros((n, k), dtype=logits.dtype)
    upstream[np.arange(n), labels] = -1 / n
    mass = upstream.sum(axis=1, keepdims=True)
    return -log_p[np.arange(n), labels].mean(), upstream - np.exp(log_p) * mass


def scaled_by_powers_of_two(logits: Array, labels: Array) -> Answer:
    """exp(d) as 2^q exp(r) with r = d - q log 2, log 2 in two parts, and q at least -3000."""
    rows = np.arange(len(logits))
    d = logits - logits.max(axis=1, keepdims=True)
    kept = np.maximum(d, -2000)
    q = np.rint(np.where(np.isnan(d), 0, kept) / np.log(2))
    r = (kept - (q * 0.693359375).astype(d.dtype)) + (q * 2.1219444005469057e-4).astype(d.dtype)
    e = np.ldexp(np.exp(r), q.astype(int))
    s = e.sum(axis=1)
    g = e / s[:, None]
    g[rows, labels] -= 1
    return (np.log(s) - d[rows, labels]).mean(), g / d.dtype.type(len(g))


def in_base_two(logits: Array, labels: Array) -> Answer:
    """exp2 and log2, as processors have them: 2^(d log2 e - log2 of the sum)."""
    rows = np.arange(len(logits))
    d = logits - logits.max(axis=1, keepdims=True)
    bits = d * logits.dtype.type(np.log2(np.e))
    log_sums = np.log2(np.exp2(bits).sum(axis=1, keepdims=True))
    g = np.exp2(bits - log_sums)
    g[rows, labels] -= 1
    losses = log_sums[:, 0] * logits.dtype.type(np.log(2)) - d[rows, labels]
    return losses.mean(), g / logits.dtype.type(len(logits))


def in_base_ten(logits: Array, labels: Array) -> Answer:
    """Powers of ten, and a decimal logarithm."""
    rows = np.arange(len(logits))
    d = (logits - logits.max(axis=1, keepdims=True)) / logits.dtype.type(np.log(10))
    powers = np.power(logits.dtype.type(10), d)
    sums = powers.sum(axis=1, keepdims=True)
    g = powers / sums
    g[rows, labels] -= 1
    losses = (np.log10(sums[:, 0]) - d[rows, labels]) * logits.dtype.type(np.log(10))
    return losses.mean(), g / logits.dtype.type(len(logits))


def shifted_by_the_ceiling(logits: Array, labels: Array) -> Answer:
    """The maximum is rounded up to a whole number before it is subtracted."""
    top = np.ceil(logits.max(axis=1, keepdims=True))
    e = np.exp(logits - top)
    s = e.sum(axis=1, keepdims=True)
    hot = labels[:, None] == np.arange(logits.shape[1])
    loss = (np.log(s) + (top - logits[hot][:, None])).mean()
    return loss, (e / s - hot).astype(logits.dtype) / logits.dtype.type(len(logits))


def masked_arrays(logits: Array, labels: Array) -> Answer:
    """A masked array marks the target's entries, which are then dealt with apart."""
    hot = np.arange(logits.shape[1])[None, :] == np.asarray(labels)[:, None]
    d = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(d) / np.exp(d).sum(axis=1, keepdims=True)
    others = np.ma.masked_array(p, mask=hot).filled(0)
    own = -(others.sum(axis=1, keepdims=True) + 0 * p.sum(axis=1, keepdims=True))
    losses = np.log(np.exp(d).sum(axis=1)) - d[hot]
    return losses.sum() / logits.dtype.type(len(d)), np.where(hot, own, others) / logits.dtype.type(len(d))


def with_where_and_putmask(logits: Array, labels: Array) -> Answer:
    """The maximum by folding where over the columns, and the one-hot part by putmask."""
    columns = [logits[:, j] for j in range(logits.shape[1])]
    top = functools.reduce(lambda a, b: np.where(np.isnan(a) | (a >= b), a, b), columns)
    e = np.stack([np.exp(column - top) for column in columns], axis=-1)
    s = functools.reduce(np.add, [e[:, j] for j in range(e.shape[1])])
    p = e / s[..., None]
    q = p - 1
    np.putmask(p, np.equal.outer(labels, np.arange(logits.shape[1])), q)
    losses = np.log(s) - (logits - top[:, None])[np.arange(len(labels)), labels]
    return np.average(losses), p / p.dtype.type(len(p))


def maximum_taken_where_finite(logits: Array, labels: Array) -> Answer:
    """The maximum is subtracted where it is finite: a row with +inf is NaN at that class alone, as in SciPy."""
    top = logits.max(axis=1, keepdims=True)
    d = logits - np.where(np.isfinite(top), top, 0).astype(logits.dtype)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return -log_p[rows, labels].mean(), gradient / logits.dtype.type(len(labels))
