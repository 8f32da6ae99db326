"""Trainers in the styles of public code, sound ones and ones with a mistake; each calls things its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.trainer.trainers import gradients


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def errors(X: Array, y: Array, W: Array, b: Any) -> Array:
    """p - t over the number of rows."""
    p = softmax(X @ W + b)
    p[np.arange(len(y)), y] -= 1
    return np.asarray(p / len(y))


def columns(X: Array, Y_onehot: Array, num_classes: int, learning_rate: float = 0.01, num_iterations: int = 9) -> Any:
    W, b, m = np.zeros((num_classes, X.shape[0])), np.zeros((num_classes, 1)), X.shape[1]
    costs = []
    for i in range(num_iterations):
        A = softmax((W.dot(X) + b).T).T
        if i % 5 == 0:
            costs.append(-np.sum(Y_onehot * np.log(A + 1e-8)) / m)
        W = W - learning_rate * (A - Y_onehot).dot(X.T) / m
        b = b - learning_rate * np.sum(A - Y_onehot, axis=1, keepdims=True) / m
    return {"W": W, "b": b}, costs


class WithOnesInFront:
    """theta has the bias as its first row; the penalty is divided by the number of rows."""

    def __init__(self, lr: float = 0.1, epochs: int = 100, reg_lambda: float = 0.0, verbose: bool = False) -> None:
        self.lr, self.epochs, self.reg_lambda, self.verbose = lr, epochs, reg_lambda, verbose

    def fit(self, X: Array, y: Array) -> Any:
        X = np.hstack([np.ones((X.shape[0], 1)), X])
        Y = np.eye(int(y.max()) + 1)[y]
        self.theta: Any = np.zeros((X.shape[1], Y.shape[1]))
        self.loss_history = []
        for _ in range(self.epochs):
            P = softmax(X @ self.theta)
            self.loss_history.append(-(Y * np.log(P)).sum() / len(y))
            penalty = self.reg_lambda * np.concatenate([0 * self.theta[:1], self.theta[1:]])
            self.theta = self.theta - self.lr * (X.T @ (P - Y) + penalty) / len(y)
        return self


class Shuffling:
    """An order of its own, from a seed."""

    def __init__(self, eta: float = 0.01, n_epochs: int = 50, batch_size: int = 32, random_state: Any = None) -> None:
        self.eta, self.n_epochs, self.batch_size, self.random_state = eta, n_epochs, batch_size, random_state

    def fit(self, X: Array, y: Array) -> Any:
        generator = np.random.RandomState(self.random_state)
        self.coef_: Any = generator.normal(scale=0.01, size=(len(np.unique(y)), X.shape[1]))
        self.intercept_: Any = np.zeros(len(self.coef_))
        rows = np.arange(len(y))
        for _ in range(self.n_epochs):
            generator.shuffle(rows)
            for first in range(0, len(y), self.batch_size):
                i = rows[first : first + self.batch_size]
                g = errors(X[i], y[i], self.coef_.T, self.intercept_)
                self.coef_ = self.coef_ - self.eta * g.T @ X[i]
                self.intercept_ = self.intercept_ - self.eta * g.sum(axis=0)
        return self


class SizesFirst:
    """The constructor takes the sizes, and `train` all the rest."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        self.W: Any = np.zeros((input_dim, output_dim))
        self.b: Any = np.zeros(output_dim)

    def train(self, X: Array, y: Array, learning_rate: float = 1e-3, reg: float = 1e-5, num_iters: int = 100) -> Any:
        history = []
        for _ in range(num_iters):
            loss = -np.log(softmax(X @ self.W + self.b)[np.arange(len(y)), y]).mean()
            history.append(loss + reg * (self.W**2).sum())
            g = errors(X, y, self.W, self.b)
            self.W = self.W - learning_rate * (X.T @ g + 2 * reg * self.W)
            self.b = self.b - learning_rate * g.sum(0)
        return history


def iterates(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Iterator[Any]:
    W: Any = W0.copy()
    b: Any = b0.copy()
    yield W, b
    for _ in range(steps):
        g = errors(X, y, W, b)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
        yield W, b


def iterates_but_the_start(X: Array, labels: Array, coef: Array, intercept: Array, eta: float, n_iter: int) -> Any:
    w: Any = coef
    c: Any = intercept
    for _ in range(n_iter):
        g = errors(X, labels, w, c)
        w, c = w - eta * X.T @ g, c - eta * g.sum(0)
        yield {"coef": w, "intercept": c}


def with_a_tolerance(
    X: Array, y: Array, W: Array, b: Array, alpha: float = 0.1, max_iter: int = 9, tol: float = 1e-4
) -> Any:
    before = np.inf
    for _ in range(max_iter):
        loss = -np.log(softmax(X @ W + b)[np.arange(len(y)), y]).mean()
        if abs(before - loss) < tol:
            break
        before, g = loss, errors(X, y, W, b)
        W, b = W - alpha * X.T @ g, b - alpha * g.sum(0)
    return W, b


def says_its_order(
    X: Array, y: Array, W0: Any, b0: Any, lr: float, n_steps: int, batch_size: int = 10, seed: int = 0
) -> Any:
    generator, W, b, seen = np.random.default_rng((seed, 77)), W0, b0, []
    for _ in range(n_steps):
        seen.append(i := generator.permutation(len(y))[:batch_size])
        g = errors(X[i], y[i], W, b)
        W, b = W - lr * X[i].T @ g, b - lr * g.sum(0)
    return {"W": W, "b": b, "indices": seen}


def in_a_given_order(
    X: Array, y: Array, W0: Any, b0: Any, lr: float, epochs: int, order: Array, batch_size: int = 10
) -> Any:
    W, b = W0, b0
    for _ in range(epochs):
        for first in range(0, len(y), batch_size):
            i = order[first : first + batch_size]
            g = errors(X[i], y[i], W, b)
            W, b = W - lr * X[i].T @ g, b - lr * g.sum(0)
    return W, b


def from_the_global_generator(
    X: Array, y: Array, W0: Any, b0: Any, lr: float, epochs: int, batch_size: int = 10
) -> Any:
    W, b = W0, b0
    for _ in range(epochs):
        rows = np.random.permutation(len(y))
        for k in range(len(y) // batch_size):
            i = rows[k * batch_size : (k + 1) * batch_size]
            g = errors(X[i], y[i], W, b)
            W, b = W - lr * X[i].T @ g, b - lr * g.sum(0)
    return W, b


def turned(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    """It takes W as (D, K) and returns it as (K, D)."""
    *_, (W, b) = iterates(X, y, W0, b0, lr, steps)
    return W.T, b


class MaxIterOfEpochs:
    """max_iter counts epochs, as in scikit-learn's SGDClassifier; the rows are taken as they come."""

    def __init__(self, eta: float = 0.1, max_iter: int = 50, batch_size: int = 16) -> None:
        self.eta, self.max_iter, self.batch_size = eta, max_iter, batch_size

    def fit(self, X: Array, y: Array) -> Any:
        k = int(y.max()) + 1
        self.W_: Any = np.zeros((X.shape[1], k))
        self.b_: Any = np.zeros(k)
        for _ in range(self.max_iter):
            for first in range(0, len(y), self.batch_size):
                rows = slice(first, first + self.batch_size)
                g = errors(X[rows], y[rows], self.W_, self.b_)
                self.W_, self.b_ = self.W_ - self.eta * X[rows].T @ g, self.b_ - self.eta * g.sum(0)
        return self


def weight_alone_from_zeros(
    features: Array, labels: Array, n_classes: int, learning_rate: float = 0.1, n_iter: int = 9
) -> Any:
    T = np.eye(n_classes, dtype=features.dtype)[labels]
    W = np.zeros((features.shape[1], n_classes), dtype=features.dtype)
    for _ in range(n_iter):
        step = features.T @ (softmax(features @ W) - T)
        W = W - features.dtype.type(learning_rate / len(features)) * step
    return W


SOUND = (
    weight_alone_from_zeros,
    MaxIterOfEpochs,
    columns,
    turned,
    WithOnesInFront,
    Shuffling,
    SizesFirst,
    iterates,
    iterates_but_the_start,
    with_a_tolerance,
    says_its_order,
    in_a_given_order,
    from_the_global_generator,
)


def divided_by_the_classes(X: Array, y: Array, num_classes: int, learning_rate: float = 0.1, num_iters: int = 9) -> Any:
    W: Any = np.zeros((X.shape[1], num_classes))
    b: Any = np.zeros(num_classes)
    for _ in range(num_iters):
        g = errors(X, y, W, b) * len(y) / num_classes
        W, b = W - learning_rate * X.T @ g, b - learning_rate * g.sum(0)
    return W, b


def twice_the_penalty_reported(X: Array, y: Array, W: Any, b: Any, learning_rate: float, steps: int, reg: float) -> Any:
    losses = []
    for _ in range(steps):
        data = -np.log(softmax(X @ W + b)[np.arange(len(y)), y]).mean()
        losses.append(data + reg * (W**2).sum())
        g = errors(X, y, W, b)
        W, b = W - learning_rate * (X.T @ g + reg * W), b - learning_rate * g.sum(0)
    return W, b, losses


class StopsByItself:
    def __init__(self, lr: float = 0.1, n_iter: int = 100) -> None:
        self.lr, self.n_iter = lr, n_iter

    def fit(self, X: Array, y: Array) -> Any:
        W, b = np.zeros((X.shape[1], int(y.max()) + 1)), np.zeros(int(y.max()) + 1)
        self.weights, self.bias = with_a_tolerance(X, y, W, b, self.lr, self.n_iter, 1e-5)
        return self


def averages(features: Array, labels: Array, w_init: Any, b_init: Any, eta: float, epochs: int) -> Any:
    w, b, vw, vb = w_init, b_init, 0 * w_init, 0 * b_init
    for _ in range(epochs):
        g = errors(features, labels, w, b)
        vw, vb = 0.8 * vw + 0.2 * features.T @ g, 0.8 * vb + 0.2 * g.sum(0)
        w, b = w - eta * vw, b - eta * vb
    return w, b


def shrinking(x: Array, y: Array, w0: Any, b0: Any, lr: float, steps: int) -> Any:
    w, b = w0, b0
    for t in range(steps):
        g = errors(x, y, w, b)
        rate = lr / (1 + 0.01 * t)
        w, b = w - rate * x.T @ g, b - rate * g.sum(0)
    return w, b


def by_the_size_of_a_batch(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_steps: int, batch_size: int = 32) -> Any:
    W, b, first = W0, b0, 0
    for _ in range(n_steps):
        rows = slice(first, first + batch_size)
        g = errors(X[rows], y[rows], W, b) * len(y[rows]) / batch_size
        W, b = W - lr * X[rows].T @ g, b - lr * g.sum(0)
        first = 0 if first + batch_size >= len(y) else first + batch_size
    return W, b


def labels_stay(
    X: Array,
    y: Array,
    W_init: Any,
    b_init: Any,
    learning_rate: float,
    n_epochs: int,
    batch_size: int = 16,
    seed: int = 0,
) -> Any:
    generator, W, b = np.random.default_rng(seed), W_init, b_init
    for _ in range(n_epochs):
        shuffled = X[generator.permutation(len(y))]
        for first in range(0, len(y), batch_size):
            rows = slice(first, first + batch_size)
            g = errors(shuffled[rows], y[rows], W, b)
            W, b = W - learning_rate * shuffled[rows].T @ g, b - learning_rate * g.sum(0)
    return W, b


def without_the_last_batch(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_epochs: int, batch_size: int = 8) -> Any:
    W, b = W0, b0
    for _ in range(n_epochs):
        for k in range(len(X) // batch_size):
            rows = slice(k * batch_size, (k + 1) * batch_size)
            g = errors(X[rows], y[rows], W, b)
            W, b = W - lr * X[rows].T @ g, b - lr * g.sum(0)
    return W, b


def column_sums(X: Array, Y_onehot: Array, W0: Any, b0: Any, alpha: float, num_iterations: int) -> Any:
    W, b, m = W0, b0.reshape(-1, 1), X.shape[1]
    for _ in range(num_iterations):
        A = softmax((W @ X + b).T).T
        W, b = W - alpha * (A - Y_onehot) @ X.T / m, b - alpha * np.sum(A - Y_onehot, axis=1, keepdims=True)
    return {"W": W, "b": b}


def wrong_sign_of_l2(X: Array, t: Array, W: Any, b: Any, eta: float, iters: int, lam: float = 0.0) -> Any:
    for _ in range(iters):
        g = errors(X, t, W, b)
        W, b = W - eta * (X.T @ g - lam * W), b - eta * g.sum(0)
    return W, b


def late_history(X: Array, y: Array, w_start: Any, b_start: Any, lr: float, max_iter: int) -> Any:
    W, b, history = w_start, b_start, []
    last = -np.log(softmax(X @ W + b)[np.arange(len(y)), y]).mean()
    for _ in range(max_iter):
        history.append(last)
        last = -np.log(softmax(X @ W + b)[np.arange(len(y)), y]).mean()
        g = errors(X, y, W, b)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
    return W, b, history


def sigmoids(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        g = (1 / (1 + np.exp(-(X @ W + b))) - np.eye(W.shape[1])[y]) / len(y)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
    return W, b


def squares(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        p = softmax(X @ W + b)
        apart = p - np.eye(W.shape[1])[y]
        g = p * (apart - (apart * p).sum(1, keepdims=True)) / len(y)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
    return W, b


def of_unit_length(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        g = errors(X, y, W, b)
        length = np.sqrt(((X.T @ g) ** 2).sum() + (g.sum(0) ** 2).sum())
        W, b = W - lr * X.T @ g / length, b - lr * g.sum(0) / length
    return W, b


def standardises(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    return with_a_tolerance((X - X.mean(0)) / X.std(0), y, W0, b0, lr, n_iter, 0.0)


def squares_kept(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b, kept_w, kept_b = W0, b0, 0 * W0, 0 * b0
    for _ in range(n_iter):
        g = errors(X, y, W, b)
        kept_w, kept_b = kept_w + (X.T @ g) ** 2, kept_b + g.sum(0) ** 2
        W = W - lr * X.T @ g / (np.sqrt(kept_w) + 1e-8)
        b = b - lr * g.sum(0) / (np.sqrt(kept_b) + 1e-8)
    return W, b


def smoothed(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b, k = W0, b0, W0.shape[1]
    for _ in range(n_iter):
        g = (softmax(X @ W + b) - 0.9 * np.eye(k)[y] - 0.1 / k) / len(y)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
    return W, b


def mean_of_iterates(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = (np.mean(one, axis=0) for one in zip(*iterates(X, y, W0, b0, lr, n_iter), strict=True))
    return W, b


def bias_first(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        b = b - lr * errors(X, y, W, b).sum(0)
        W = W - lr * X.T @ errors(X, y, W, b)
    return W, b


def from_zeros(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    return with_a_tolerance(X, y, 0 * W0, 0 * b0, lr, n_iter, 0.0)


def from_a_bias_of_zeros(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    return with_a_tolerance(X, y, W0, 0 * b0, lr, n_iter, 0.0)


def from_a_weight_of_zeros(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    return with_a_tolerance(X, y, 0 * W0, b0, lr, n_iter, 0.0)


def to_zero(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for t in range(n_iter):
        g = errors(X, y, W, b)
        W, b = W - lr * (1 - t / n_iter) * X.T @ g, b - lr * (1 - t / n_iter) * g.sum(0)
    return W, b


def adds_up(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b, dW, db = W0, b0, 0 * W0, 0 * b0
    for _ in range(n_iter):
        g = errors(X, y, W, b)
        dW, db = dW + X.T @ g, db + g.sum(0)
        W, b = W - lr * dW, b - lr * db
    return W, b


def winner_alone(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b, one_hot = W0, b0, np.eye(W0.shape[1])
    for _ in range(n_iter):
        g = (one_hot[(X @ W + b).argmax(1)] - one_hot[y]) / len(y)
        W, b = W - lr * X.T @ g, b - lr * g.sum(0)
    return W, b


def cosine(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for t in range(n_iter):
        g = errors(X, y, W, b)
        rate = lr * (1 + np.cos(np.pi * t / n_iter)) / 2
        W, b = W - rate * X.T @ g, b - rate * g.sum(0)
    return W, b


def without_the_last_row(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        g = errors(X[:-1], y[:-1], W, b)
        W, b = W - lr * X[:-1].T @ g, b - lr * g.sum(0)
    return W, b


def range_ends_early(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    W, b = W0, b0
    for _ in range(n_iter):
        g, dW, db = errors(X, y, W, b), np.zeros(W.shape), np.zeros(b.shape)
        for i in range(len(X) - 1):
            dW, db = dW + np.outer(X[i], g[i]), db + g[i]
        W, b = W - lr * dW, b - lr * db
    return W, b


def range_begins_late(X: Array, y: Array, W0: Any, b0: Any, lr: float, n_iter: int) -> Any:
    *_, (W, b) = iterates(X[1:], y[1:], W0, b0, lr, n_iter)
    return W, b


def decay_in_the_loss(X: Array, y: Array, W0: Array, b0: Array, lr: float, steps: int) -> Any:
    W, b, losses = W0.copy(), b0.copy(), []
    for _ in range(steps):
        p = softmax(X @ W + b)
        losses.append(-np.log(p[np.arange(len(y)), y]).mean() + 0.5e-3 * (W * W).sum())
        dW, db = gradients(X, y, W, b)
        W, b = W - X.dtype.type(lr) * dW, b - X.dtype.type(lr) * db
    return W, b, losses


def from_ones(X: Array, y: Array, n_classes: int, lr: float, steps: int) -> Any:
    W, losses = np.ones((X.shape[1], n_classes), X.dtype), []
    for _ in range(steps):
        W = W - X.dtype.type(lr) * gradients(X, y, W, np.zeros(n_classes, X.dtype))[0]
        p = softmax(X @ W)
        losses.append(float(-np.log(p[np.arange(len(y)), y]).mean() + 0.01 * (W**2).sum()))
    return W, losses


def one_more_from_zeros(X: Array, y: Array, n_classes: int, lr: float, steps: int) -> Any:
    W, b, rate = np.zeros((X.shape[1], n_classes), X.dtype), np.zeros(n_classes, X.dtype), X.dtype.type(lr)
    for _ in range(steps + 1):
        dW, db = gradients(X, y, W, b)
        W, b = W - rate * dW, b - rate * db
    return W, b


def sums_of_a_weight_alone(X: Array, y: Array, n_classes: int, lr: float, steps: int) -> Any:
    W = np.zeros((X.shape[1], n_classes), X.dtype)
    for _ in range(steps):
        W = W - X.dtype.type(lr * len(y)) * gradients(X, y, W, np.zeros(n_classes, X.dtype))[0]
    return W


NAMED: dict[str, Any] = {
    "more_steps": one_more_from_zeros,
    "sum_for_mean": sums_of_a_weight_alone,
    "last_row_left_out": without_the_last_row,
    "last_row_left_out_of_the_sum": range_ends_early,
    "first_row_left_out": range_begins_late,
    "weight_after_bias": bias_first,
    "start_ignored": from_zeros,
    "start_of_bias_ignored": from_a_bias_of_zeros,
    "start_of_weight_ignored": from_a_weight_of_zeros,
    "rate_falls_linearly": to_zero,
    "gradients_never_reset": adds_up,
    "perceptron": winner_alone,
    "rate_falls_as_a_cosine": cosine,
    "divided_by_the_classes": divided_by_the_classes,
    "stops_early": StopsByItself,
    "averaged_gradients_0.8": averages,
    "rate_shrinks_by_0.01": shrinking,
    "divided_by_the_size_of_a_batch": by_the_size_of_a_batch,
    "labels_not_shuffled": labels_stay,
    "last_batch_of_epochs_left_out": without_the_last_batch,
    "bias_gradient_is_a_sum": column_sums,
    "penalty_multiplied_by_-1": wrong_sign_of_l2,
    "sigmoid_for_softmax": sigmoids,
    "squared_error": squares,
    "gradient_normalised": of_unit_length,
    "features_standardised": standardises,
    "adagrad": squares_kept,
    "label_smoothing_0.1": smoothed,
    "iterates_averaged": mean_of_iterates,
}


class Solver:
    """Newton's method by hand, with C as in scikit-learn."""

    def __init__(self, C: float = 1.0, max_iter: int = 100) -> None:
        self.C, self.max_iter = C, max_iter

    def fit(self, X: Array, y: Array) -> Any:
        X, k = np.hstack([X.astype(np.float64), np.ones((len(X), 1))]), int(y.max()) + 1
        V, slope = np.zeros((X.shape[1], k)), np.full((X.shape[1], 1), 1 / (self.C * len(y)))
        slope[-1] = 0
        for _ in range(self.max_iter):
            p = softmax(X @ V)
            gradient = X.T @ errors(X, y, V, 0) + slope * V
            if np.abs(gradient).max() < 1e-8:
                break
            blocks = [
                [(X * (p[:, i] * ((i == j) - p[:, j]))[:, None]).T @ X / len(y) for j in range(k)] for i in range(k)
            ]
            hessian = np.block(blocks) + np.diag(np.tile(slope[:, 0], k) + 1e-9)
            V = V - np.linalg.solve(hessian, gradient.T.ravel()).reshape(k, -1).T
        self.coef_, self.intercept_ = V[:-1].T, V[-1]
        return self


class SolverOfTheSum(Solver):
    """The same, with a penalty that is N times too small."""

    def __init__(self, C: float = 1.0, max_iter: int = 100) -> None:
        super().__init__(C, max_iter)

    def fit(self, X: Array, y: Array) -> Any:
        self.C = self.C * (3 if self.C > 0.1 else 1)
        return super().fit(X, y)


def labels_alone_are_shuffled(
    X: Array, y: Array, W0: Any, b0: Any, lr: float, epochs: int, batch_size: int = 8, seed: int = 0
) -> Any:
    """The labels are in another order for each epoch, the rows are not."""
    generator, W, b = np.random.default_rng(seed), W0, b0
    for _ in range(epochs):
        labels = y[generator.permutation(len(y))]
        for first in range(0, len(y), batch_size):
            rows = slice(first, first + batch_size)
            g = errors(X[rows], labels[rows], W, b)
            W, b = W - lr * X[rows].T @ g, b - lr * g.sum(0)
    return W, b
