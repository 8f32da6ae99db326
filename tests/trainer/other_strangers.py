"""Trainers in the styles of strangers whose mistakes are found by experiments with them, or in forms of their own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.trainer.strangers import softmax
from tests.trainer.trainers import gradients, plain


def labels_drawn_again(X: Array, y: Array, W: Any, b: Any, lr: float, n_epochs: int, batch_size: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    for _ in range(n_epochs):
        rows, labels = X[rng.permutation(len(X))], y[rng.permutation(len(X))]
        for i in range(0, len(X), batch_size):
            dW, db = gradients(rows[i : i + batch_size], labels[i : i + batch_size], W, b)
            W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr) * db
    return W, b


def clipped_entries(x_train: Array, y_train: Array, theta: Any, alpha: float, num_steps: int) -> Any:
    """The bias is the last row of theta; the gradient's entries are cut off."""
    extended = np.hstack([x_train, np.ones((len(x_train), 1), x_train.dtype)])
    for _ in range(num_steps):
        p = softmax(extended @ theta)
        p[np.arange(len(p)), y_train] -= 1
        theta = theta - x_train.dtype.type(alpha) * np.clip(extended.T @ p / len(p), -0.05, 0.05)
    return theta


def probabilities_of_the_epoch_s_start(
    X: Array, y: Array, W0: Any, b0: Any, lr: float, epochs: int, batch_size: int
) -> Any:
    W, b = W0.copy(), b0.copy()
    for _ in range(epochs):
        p = softmax(X @ W + b)
        p[np.arange(len(y)), y] -= 1
        for s in range(0, len(y), batch_size):
            d = p[s : s + batch_size] / X.dtype.type(len(p[s : s + batch_size]))
            W -= X.dtype.type(lr) * (X[s : s + batch_size].T @ d)
            b -= X.dtype.type(lr) * d.sum(axis=0)
    return W, b


def by_rows(change: Callable[[Array, Array, Array], Array]) -> Callable[..., Any]:
    """A trainer with other errors p - t of the rows: of the logits, the labels, and the errors."""

    def train(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Any:
        for _ in range(steps):
            z = X @ W + b
            d = softmax(z)
            d[np.arange(len(y)), y] -= 1
            d = change(z, y, d).astype(X.dtype) / X.dtype.type(len(y))
            W, b = W - X.dtype.type(lr) * (X.T @ d), b - X.dtype.type(lr) * d.sum(axis=0)
        return W, b

    return train


def without_easy_rows(z: Array, y: Array, d: Array) -> Array:
    return np.asarray(d * (d[np.arange(len(y)), y] < -0.1)[:, None])


def balanced(z: Array, y: Array, d: Array) -> Array:
    return np.asarray(d / np.bincount(y)[y][:, None])


def focal(z: Array, y: Array, d: Array) -> Array:
    return np.asarray(d * np.square(d[np.arange(len(y)), y])[:, None])


def one_hot(y: Array, n_classes: int) -> Array:
    return np.asarray(np.eye(n_classes)[y])


def with_labels_reversed(z: Array, y: Array, d: Array) -> Array:
    n_classes = d.shape[1]
    return np.asarray(d + one_hot(y, n_classes) - one_hot(y[::-1], n_classes))


def softmax_of_columns(z: Array, y: Array, d: Array) -> Array:
    return np.asarray(softmax(z.T).T - one_hot(y, d.shape[1]))


def cooled(z: Array, y: Array, d: Array) -> Array:
    return np.asarray(softmax(z / 2) - one_hot(y, d.shape[1]))


def softmax_again(z: Array, y: Array, d: Array) -> Array:
    p = softmax(z)
    by_p = softmax(p) - one_hot(y, d.shape[1])
    return np.asarray(p * (by_p - (p * by_p).sum(axis=1, keepdims=True)))


def without_the_log(z: Array, y: Array, d: Array) -> Array:
    p = softmax(z)
    return np.asarray(d * p[np.arange(len(y)), y][:, None])


def halving(X: Array, Y_onehot: Array, W: Any, b: Any, lr: float, n_steps: int) -> Iterator[Any]:
    for t in range(n_steps):
        d = (softmax(X @ W + b) - Y_onehot) / X.dtype.type(len(X))
        rate = X.dtype.type(lr * 0.5 ** (t // 3))
        W, b = W - rate * (X.T @ d), b - rate * d.sum(axis=0)
        yield W, b


def bias_now_and_then(X: Array, y: Array, W: Any, b: Any, lr: float, steps: int) -> Any:
    for t in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr * (t % 2 == 0)) * db
    return W, b


def moving_average(X: Array, y: Array, W: Any, b: Any, lr: float, steps: int) -> Any:
    slow, slow_bias, keeping = W, b, X.dtype.type(0.9)
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr) * db
        slow, slow_bias = keeping * slow + (1 - keeping) * W, keeping * slow_bias + (1 - keeping) * b
    return slow, slow_bias


def with_noise(X: Array, y: Array, W: Any, b: Any, lr: float, steps: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        W, b = plain(X, y, W, b, lr, 1)
        W = W + rng.normal(0, 1e-3, W.shape).astype(X.dtype)
    return W, b


def with_noise_of_numpy(X: Array, y: Array, W: Any, b: Any, lr: float, steps: int) -> Any:
    for _ in range(steps):
        W, b = plain(X, y, W, b, lr, 1)
        W = W + np.random.normal(0, 1e-3, W.shape).astype(X.dtype)
    return W, b


def with_noise_of_python(X: Array, y: Array, W: Any, b: Any, lr: float, steps: int) -> Any:
    for _ in range(steps):
        W, b = plain(X, y, W, b, lr, 1)
        b = b + X.dtype.type(random.gauss(0, 1e-3)) * np.arange(len(b), dtype=X.dtype)
    return W, b


NAMED: dict[str, Callable[..., Any]] = {
    "labels_shuffled_apart": labels_drawn_again,
    "gradient_clipped_at_0.05": clipped_entries,
    "gradients_of_the_epoch_s_start": probabilities_of_the_epoch_s_start,
    "confident_rows_left_out": by_rows(without_easy_rows),
    "classes_count_otherwise": by_rows(balanced),
    "rows_count_otherwise": by_rows(focal),
    "rows_with_other_labels": by_rows(with_labels_reversed),
    "softmax_over_rows": by_rows(softmax_of_columns),
    "logits_multiplied": by_rows(cooled),
    "softmax_twice": by_rows(softmax_again),
    "probability_for_its_log": by_rows(without_the_log),
    "steps_of_other_lengths": halving,
    "bias_steps_of_other_lengths": bias_now_and_then,
    "iterates_averaged_with_0.9": moving_average,
    "depends_on_the_seed": with_noise,
    "depends_on_global_generators": with_noise_of_numpy,
}
