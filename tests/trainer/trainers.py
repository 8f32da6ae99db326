"""Trainers as people write them: sound ones, and each of them with one mistake."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.problems.problem import Array


def gradients(X: Array, y: Array, W: Array, b: Array) -> Any:  # the names of the field
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    p /= X.dtype.type(len(y))
    return X.T @ p, p.sum(axis=0)


def plain(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate = W0.copy(), b0.copy(), X.dtype.type(lr)
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - rate * dW, b - rate * db
    return W, b


def one_by_one(features: Array, labels: Array, W_init: Array, b_init: Array, eta: float, n_iters: int) -> Any:
    W, b = W_init.astype(features.dtype), b_init.astype(features.dtype)
    for _ in range(n_iters):
        dW, db = np.zeros_like(W), np.zeros_like(b)
        for i in range(len(labels)):
            one = gradients(features[i : i + 1], labels[i : i + 1], W, b)
            dW, db = dW + one[0], db + one[1]
        W = W - features.dtype.type(eta / len(labels)) * dW
        b = b - features.dtype.type(eta / len(labels)) * db
    return {"weights": W, "bias": b}


def from_zeros_with_losses(X: Array, Y: Array, num_classes: int, learning_rate: float = 0.1, epochs: int = 10) -> Any:
    W, b = np.zeros((X.shape[1], num_classes), X.dtype), np.zeros((1, num_classes), X.dtype)
    losses = []
    for _ in range(epochs):
        z = X @ W + b
        losses.append(float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(Y)), Y])))
        dW, db = gradients(X, Y, W, b[0])
        W, b = W - X.dtype.type(learning_rate) * dW, b - X.dtype.type(learning_rate) * db
    return W, b, losses


def with_l2_and_batches(
    X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int, reg: float = 0.0, batch_size: int | None = None
) -> Any:
    W, b, rate, size = W0.copy(), b0.copy(), X.dtype.type(lr), batch_size or len(y)
    starts = range(0, len(y), size)
    for step in range(steps):
        first = starts[step % len(starts)]
        dW, db = gradients(X[first : first + size], y[first : first + size], W, b)
        W, b = W - rate * (dW + X.dtype.type(2 * reg) * W), b - rate * db
    return W, b


SOUND = (plain, one_by_one, from_zeros_with_losses, with_l2_and_batches)


def ascent(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    return plain(X, y, W0, b0, -lr, steps)


def sum_for_mean(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    return plain(X, y, W0, b0, lr * len(y), steps)


def bias_never_updated(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W = W0.copy()
    for _ in range(steps):
        W = W - X.dtype.type(lr) * gradients(X, y, W, b0)[0]
    return W, b0


def bias_after_weight(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate = W0.copy(), b0.copy(), X.dtype.type(lr)
    for _ in range(steps):
        W = W - rate * gradients(X, y, W, b)[0]
        b = b - rate * gradients(X, y, W, b)[1]
    return W, b


def more_steps(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    return plain(X, y, W0, b0, lr, steps + 1)


def fewer_steps(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    return plain(X, y, W0, b0, lr, max(steps - 1, 0))


def momentum_09(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate = W0.copy(), b0.copy(), X.dtype.type(lr)
    speed = [np.zeros_like(W), np.zeros_like(b)]
    for _ in range(steps):
        speed = [X.dtype.type(0.9) * s + g for s, g in zip(speed, gradients(X, y, W, b), strict=True)]
        W, b = W - rate * speed[0], b - rate * speed[1]
    return W, b


def hidden_decay(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate, decay = W0.copy(), b0.copy(), X.dtype.type(lr), X.dtype.type(1e-2)
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - rate * (dW + decay * W), b - rate * (db + decay * b)
    return W, b


def clipped_norm(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b = W0.copy(), b0.copy()
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        norm = float(np.sqrt((dW**2).sum() + (db**2).sum()))
        rate = X.dtype.type(lr * min(1.0, 0.5 / norm))
        W, b = W - rate * dW, b - rate * db
    return W, b


def stale_gradient(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate = W0.copy(), b0.copy(), X.dtype.type(lr)
    before = gradients(X, y, W, b)
    for _ in range(steps):
        now = gradients(X, y, W, b)
        W, b = W - rate * before[0], b - rate * before[1]
        before = now
    return W, b


def rate_falls(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b = W0.copy(), b0.copy()
    for step in range(steps):
        W, b = plain(X, y, W, b, lr / np.sqrt(step + 1), 1)
    return W, b


def bias_gradient_is_a_sum(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, rate = W0.copy(), b0.copy(), X.dtype.type(lr)
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - rate * dW, b - rate * X.dtype.type(len(y)) * db
    return W, b


def l2_left_out(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int, l2: float = 0.0) -> Any:
    return plain(X, y, W0, b0, lr, steps)


NAMED = {
    "ascent": ascent,
    "sum_for_mean": sum_for_mean,
    "bias_never_updated": bias_never_updated,
    "bias_after_weight": bias_after_weight,
    "more_steps": more_steps,
    "fewer_steps": fewer_steps,
    "momentum_0.9": momentum_09,
    "hidden_decay_0.01": hidden_decay,
    "gradient_norm_clipped_at_0.5": clipped_norm,
    "stale_gradient": stale_gradient,
    "rate_falls_with_the_root": rate_falls,
    "bias_gradient_is_a_sum": bias_gradient_is_a_sum,
    "penalty_left_out": l2_left_out,
}


def writes_into_the_start(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W0[...], b0[...] = plain(X, y, W0, b0, lr, steps)
    return W0, b0


def in_another_order_each_time(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b = plain(X, y, W0, b0, lr, steps)
    CALLS.append(1)
    return W + X.dtype.type(1e-7 * len(CALLS)), b


CALLS: list[int] = []


def raises(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    raise RuntimeError("no data")


def pulled_by_a_sine(X: Array, y: Array, W: Array, b: Array, lr: float, steps: int) -> Any:
    for _ in range(steps):
        dW, db = gradients(X, y, W, b)
        W, b = W - X.dtype.type(lr) * (dW + X.dtype.type(0.1) * np.sin(3 * W)), b - X.dtype.type(lr) * db
    return W, b


def labels_in_reverse(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    return plain(X, y[::-1], W0, b0, lr, steps)


class Regression:
    """As textbooks write it; it starts from small random weights."""

    def __init__(self, eta: float = 0.1, n_iter: int = 50, random_state: int = 1) -> None:
        self.eta, self.n_iter, self.random_state = eta, n_iter, random_state

    def fit(self, X: Array, y: Array) -> Any:  # the names of the field
        n_classes = int(y.max()) + 1
        start = 0.01 * np.random.default_rng(self.random_state).normal(size=(X.shape[1], n_classes))
        W, b = plain(X, y, start.astype(X.dtype), np.zeros(n_classes, X.dtype), self.eta, self.n_iter)
        self.coef_, self.intercept_ = W.T, b
        return self


class WithoutItsLastStep(Regression):
    """The same, one step short."""

    def fit(self, X: Array, y: Array) -> Any:
        self.n_iter = max(self.n_iter - 1, 0)
        return super().fit(X, y)
