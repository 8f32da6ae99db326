"""Layers as people write them in NumPy: in blocks, online, by einsum, one example at a time. All are sound.

Each takes features (N, D), a weight (D, K), a bias (K,), labels (N,) and the strength of a penalty l2/2 |W|^2, and
returns the mean loss with its derivatives by X, W and b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Answer = tuple[Any, Array, Array, Array]

CLAIMS = {
    "takes": ("X", "W", "b", "targets", "l2"),
    "returns": ("loss", "dX", "dW", "db"),
    "weight_layout": "DK",
    "feature_layout": "ND",
    "bias_layout": "K",
    "l2_form": "half",
    "l2_takes_bias": False,
}

__all__ = [
    "bias_as_a_column_of_ones",
    "blocks_of_rows_and_classes",
    "bulk_minus_correction",
    "by_einsum",
    "chunks_of_classes",
    "chunks_of_rows",
    "float64_inside",
    "one_example_at_a_time",
    "online_over_classes",
    "two_passes",
]


def two_passes(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """The usual lines: logits, shift, softmax, residual over N, products."""
    z = X @ W + b
    rows = np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=1)
    losses = np.log(s) - z[rows, labels]
    g = e / s[:, None]
    g[rows, labels] -= 1
    g /= X.dtype.type(len(z))
    return _with_penalty(losses.mean(), g @ W.T, X.T @ g, g.sum(axis=0), W, l2)


def chunks_of_rows(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0, size: int = 3) -> Answer:
    """A few rows at a time; dW and db are sums over the chunks."""
    d_x, d_w, d_b, total = np.empty_like(X), np.zeros_like(W), np.zeros_like(b), X.dtype.type(0)
    n = X.dtype.type(len(X))
    for start in range(0, len(X), size):
        part = slice(start, start + size)
        losses, g = _losses_and_residual(X[part] @ W + b, labels[part])
        g /= n
        total += losses.sum()
        d_x[part] = g @ W.T
        d_w += X[part].T @ g
        d_b += g.sum(axis=0)
    return _with_penalty(total / n, d_x, d_w, d_b, W, l2)


def chunks_of_classes(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0, size: int = 3) -> Answer:
    """A few classes at a time: first the maximum and the sum of exponentials, then the gradients."""
    n, k = X.dtype.type(len(X)), W.shape[1]
    parts = [slice(start, min(start + size, k)) for start in range(0, k, size)]
    top = np.full(len(X), -np.inf, dtype=X.dtype)
    for part in parts:
        top = np.maximum(top, (X @ W[:, part] + b[part]).max(axis=1))
    s = np.zeros(len(X), dtype=X.dtype)
    label_logit = np.empty(len(X), dtype=X.dtype)
    for part in parts:
        z = X @ W[:, part] + b[part] - top[:, None]
        s += np.exp(z).sum(axis=1)
        own = (labels >= part.start) & (labels < part.stop)
        label_logit[own] = z[own, labels[own] - part.start]
    d_x, d_w, d_b = np.zeros_like(X), np.empty_like(W), np.empty_like(b)
    for part in parts:
        g = np.exp(X @ W[:, part] + b[part] - top[:, None]) / s[:, None]
        own = np.flatnonzero((labels >= part.start) & (labels < part.stop))
        g[own, labels[own] - part.start] -= 1
        g /= n
        d_x += g @ W[:, part].T
        d_w[:, part] = X.T @ g
        d_b[part] = g.sum(axis=0)
    return _with_penalty((np.log(s) - label_logit).mean(), d_x, d_w, d_b, W, l2)


def blocks_of_rows_and_classes(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """Chunks of rows, in each of them chunks of classes."""
    n = len(X)
    d_x, d_w, d_b, total = np.empty_like(X), np.zeros_like(W), np.zeros_like(b), X.dtype.type(0)
    for start in range(0, n, 4):
        part = slice(start, start + 4)
        loss, g_x, g_w, g_b = chunks_of_classes(X[part], W, b, labels[part], 0.0, 2)
        share = X.dtype.type(len(X[part])) / X.dtype.type(n)
        total += loss * share
        d_x[part] = g_x * share
        d_w += g_w * share
        d_b += g_b * share
    return _with_penalty(total, d_x, d_w, d_b, W, l2)


def online_over_classes(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """One class after the other, with a running maximum and a running sum that is scaled when it rises."""
    n = X.dtype.type(len(X))
    top = np.full(len(X), -np.inf, dtype=X.dtype)
    s = np.zeros(len(X), dtype=X.dtype)
    columns = []
    for j in range(W.shape[1]):
        z = X @ W[:, j] + b[j]
        columns.append(z)
        new = np.maximum(top, z)
        with np.errstate(invalid="ignore"):  # -inf less -inf, before the first finite logit
            s = s * np.where(top == new, X.dtype.type(1), np.exp(top - new)) + np.where(
                new == -np.inf, X.dtype.type(0), np.exp(z - new)
            )
        top = new
    z = np.stack(columns, axis=1)
    g = np.exp(z - top[:, None]) / s[:, None]
    rows = np.arange(len(X))
    losses = np.log(s) - (z[rows, labels] - top)
    g[rows, labels] -= 1
    g /= n
    return _with_penalty(losses.mean(), g @ W.T, X.T @ g, g.sum(axis=0), W, l2)


def bias_as_a_column_of_ones(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """The bias is the last row of the weight, for a feature that is 1 everywhere."""
    wide = np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)])
    theta = np.vstack([W, b])
    losses, g = _losses_and_residual(wide @ theta, labels)
    g /= X.dtype.type(len(X))
    gradient = wide.T @ g
    return _with_penalty(losses.mean(), (g @ theta.T)[:, :-1], gradient[:-1], gradient[-1], W, l2)


def by_einsum(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """Every product by einsum; the targets are a one-hot matrix."""
    z = np.einsum("nd,dk->nk", X, W) + b
    t = np.eye(W.shape[1], dtype=X.dtype)[labels]
    shifted = z - z.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    g = (np.exp(shifted - log_sum) - t) / X.dtype.type(len(X))
    picked = np.where(t > 0, shifted, X.dtype.type(0)).sum(axis=1)
    loss = (log_sum[:, 0] - picked).sum() / X.dtype.type(len(X))
    d_w = np.einsum("nd,nk->dk", X, g)
    return _with_penalty(loss, np.einsum("nk,dk->nd", g, W), d_w, np.einsum("nk->k", g), W, l2)


def one_example_at_a_time(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """A loop over the examples, with outer products."""
    n = X.dtype.type(len(X))
    d_x, d_w, d_b, total = np.empty_like(X), np.zeros_like(W), np.zeros_like(b), X.dtype.type(0)
    for i, (x, y) in enumerate(zip(X, labels, strict=True)):
        z = x @ W + b
        z = z - z.max()
        e = np.exp(z)
        total += np.log(e.sum()) - z[y]
        g = e / e.sum()
        g[y] -= 1
        d_x[i] = W @ g / n
        d_w += np.outer(x, g)
        d_b += g
    return _with_penalty(total / n, d_x, d_w / n, d_b / n, W, l2)


def float64_inside(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """Everything in float64, rounded at the end."""
    wide = np.float64
    answer = two_passes(X.astype(wide), W.astype(wide), b.astype(wide), labels, l2)
    with np.errstate(over="ignore"):
        loss, d_x, d_w, d_b = (np.asarray(one).astype(X.dtype) for one in answer)
    return loss, d_x, d_w, d_b


def bulk_minus_correction(X: Array, W: Array, b: Array, labels: Array, l2: float = 0.0) -> Answer:
    """X^T P and P W^T in bulk, less what the labels take away, which is added up by itself."""
    losses, g = _losses_and_residual(X @ W + b, labels)
    rows = np.arange(len(X))
    g[rows, labels] += 1
    n = X.dtype.type(len(X))
    d_x = (g @ W.T - W.T[labels]) / n
    taken = np.zeros_like(W.T)
    np.add.at(taken, labels, X)
    counts = np.bincount(labels, minlength=W.shape[1]).astype(X.dtype)
    return _with_penalty(losses.mean(), d_x, (X.T @ g - taken.T) / n, (g.sum(axis=0) - counts) / n, W, l2)


def _losses_and_residual(z: Array, labels: Array) -> tuple[Array, Array]:
    """Each row's loss, and P - one-hot."""
    rows = np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=1, keepdims=True)
    losses = np.log(s[:, 0]) - z[rows, labels]
    g = e / s
    g[rows, labels] -= 1
    return losses, g


def _with_penalty(loss: Any, d_x: Array, d_w: Array, d_b: Array, W: Array, l2: float) -> Answer:
    """The answer with l2/2 |W|^2 in the loss and l2 W in dW."""
    if l2:
        loss = loss + W.dtype.type(l2 / 2) * (W * W).sum()
        d_w = d_w + W.dtype.type(l2) * W
    return loss, d_x, d_w, d_b
