"""What students write at first, for each lesson, and a word that the hint on it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any
Answer = tuple[Any, Array]


class Attempt(NamedTuple):
    """A wrong solution of a lesson; said: what its hint says of the kind of mistake."""

    lesson: str
    function: Callable[..., Answer]
    said: str


def below_maximum(logits: Array) -> Array:
    return logits - logits.max(axis=1, keepdims=True)


def softmax(logits: Array) -> Array:
    e = np.exp(below_maximum(logits))
    return e / e.sum(axis=1, keepdims=True)


def minus_one_hot(p: Array, labels: Array) -> Array:
    p[np.arange(len(labels)), labels] -= 1
    return p


def picked(values: Array, labels: Array) -> Array:
    return values[np.arange(len(labels)), labels]


def row_losses(logits: Array, labels: Array) -> Array:
    d = below_maximum(logits)
    return np.log(np.exp(d).sum(axis=1)) - picked(d, labels)


def with_softmax(own: Callable[[Array], Array]) -> Callable[..., Answer]:
    """The stub of `overflow` with this softmax."""

    def loss(logits: Array, labels: Array) -> Answer:
        p = own(logits)
        value = -np.log(picked(p, labels)).mean()
        return value, minus_one_hot(p.copy(), labels) / len(labels)

    return loss


def with_row_losses(own: Callable[[Array, Array], Array]) -> Callable[..., Answer]:
    """The stub of `underflow` with these losses."""

    def loss(logits: Array, labels: Array) -> Answer:
        return own(logits, labels).mean(), minus_one_hot(softmax(logits), labels) / len(labels)

    return loss


def with_row_gradients(own: Callable[[Array, Array], Array]) -> Callable[..., Answer]:
    """The stub of `gradient` with these gradients."""

    def loss(logits: Array, labels: Array) -> Answer:
        return row_losses(logits, labels).mean(), own(logits, labels) / len(labels)

    return loss


def quotient(e: Array) -> Array:
    return e / e.sum(axis=1, keepdims=True)


def shift_of_the_column(logits: Array) -> Array:
    return quotient(np.exp(logits - logits.max(axis=0, keepdims=True)))


def epsilon(logits: Array, labels: Array) -> Array:
    return -np.log(picked(softmax(logits), labels) + logits.dtype.type(1e-12))


def maximum_added_back(logits: Array, labels: Array) -> Array:
    lse = logits.max(axis=1) + np.log(np.exp(below_maximum(logits)).sum(axis=1))
    return lse - picked(logits, labels)


def every_column_of_the_labels(logits: Array, labels: Array) -> Array:
    p = softmax(logits)
    p[:, labels] -= 1
    return p


def gradient_of_the_sum(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    losses = row_losses(logits, labels)
    value = losses.mean() if reduction == "mean" else losses.sum()
    return value, minus_one_hot(softmax(logits), labels)


def mean_of_everything(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    value, gradient = row_losses(logits, labels).sum(), minus_one_hot(softmax(logits), labels)
    divisor = gradient.size if reduction == "mean" else 1
    return value / logits.dtype.type(divisor), gradient / logits.dtype.type(divisor)


def always_the_mean(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    return row_losses(logits, labels).mean(), minus_one_hot(softmax(logits), labels) / len(labels)


def padding(counted: bool, gradient_kept: bool) -> Callable[..., Answer]:
    """Rows that are ignored: counted in the mean, or with a gradient."""

    def loss(logits: Array, labels: Array, ignore_index: int | None = None) -> Answer:
        kept = np.full(len(labels), True) if ignore_index is None else labels != ignore_index
        known = np.where(kept, labels, 0)
        losses, gradient = row_losses(logits, known), minus_one_hot(softmax(logits), known)
        if not gradient_kept:
            gradient[~kept] = 0
        count = logits.dtype.type(len(labels) if counted else kept.sum())
        if count == 0:
            return logits.dtype.type(np.nan), gradient
        return losses[kept].sum() / count, gradient / count

    return loss


def always_minus_100(logits: Array, labels: Array, ignore_index: int | None = None) -> Answer:
    answer: Answer = padding(False, False)(logits, labels, -100)
    return answer


def product_with_one_hot(logits: Array, labels: Array) -> Answer:
    d = below_maximum(logits)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return -(one_hot * log_p).sum(axis=1).mean(), (np.exp(log_p) - one_hot) / len(labels)


def nan_to_num(logits: Array, labels: Array) -> Answer:
    logits = np.nan_to_num(logits)
    return row_losses(logits, labels).mean(), minus_one_hot(softmax(logits), labels) / len(labels)


def all_in_half(logits: Array, labels: Array) -> Answer:
    value, gradient = row_losses(logits, labels).mean(), minus_one_hot(softmax(logits), labels)
    return logits.dtype.type(value), gradient / logits.dtype.type(len(labels))


def left_in_float32(logits: Array, labels: Array) -> Answer:
    wide = logits.astype(np.float32)
    return row_losses(wide, labels).mean(), minus_one_hot(softmax(wide), labels) / len(labels)


def only_wider(logits: Array, labels: Array) -> Answer:
    wide = logits.astype(np.float64)
    gradient = minus_one_hot(softmax(wide), labels) / len(labels)
    return np.float32(row_losses(wide, labels).mean()), gradient.astype(np.float32)


def log1p_without_complement(logits: Array, labels: Array) -> Answer:
    wide = logits.astype(np.float64)
    rows, largest, d = np.arange(len(labels)), wide.argmax(axis=1), below_maximum(wide)
    e = np.exp(d)
    e[rows, largest] = 0
    value = (np.log1p(e.sum(axis=1)) - d[rows, labels]).mean()
    return np.float32(value), (minus_one_hot(softmax(wide), labels) / len(labels)).astype(np.float32)


ATTEMPTS = (
    Attempt("overflow", with_softmax(lambda x: quotient(np.exp(x))), "leaves the range of the dtype"),
    Attempt("overflow", with_softmax(lambda x: quotient(np.exp(x - x.max()))), "take from other rows"),
    Attempt("overflow", with_softmax(lambda x: quotient(np.exp(np.clip(x, -80, 80)))), "some row is not right"),
    Attempt("overflow", with_softmax(lambda x: np.nan_to_num(quotient(np.exp(x)))), "some row is not right"),
    Attempt("overflow", with_softmax(shift_of_the_column), "some row is not right"),
    Attempt("underflow", with_row_losses(lambda x, y: -np.log(picked(softmax(x), y))), "simplify log p_y"),
    Attempt("underflow", with_row_losses(epsilon), "a number that you add"),
    Attempt("underflow", with_row_losses(maximum_added_back), "how many digits"),
    Attempt("gradient", with_row_gradients(lambda x, y: softmax(x)), "must sum to 0"),
    Attempt("gradient", with_row_gradients(lambda x, y: -minus_one_hot(softmax(x), y)), "must make the loss smaller"),
    Attempt("gradient", with_row_gradients(every_column_of_the_labels), "one for each row"),
    Attempt("gradient", with_row_gradients(lambda x, y: minus_one_hot(softmax(x), y) / len(y)), "already"),
    Attempt("mean", gradient_of_the_sum, "that of another number"),
    Attempt("mean", mean_of_everything, "count the numbers"),
    Attempt("mean", always_the_mean, "makes no difference"),
    Attempt("padding", padding(True, False), "how many rows"),
    Attempt("padding", padding(False, True), "does the gradient leave out"),
    Attempt("padding", always_minus_100, "for the caller to say"),
    Attempt("masks", product_with_one_hot, "0 times infinity"),
    Attempt("masks", nan_to_num, "what becomes of -inf"),
    Attempt("half", all_in_half, "in which dtype"),
    Attempt("half", left_in_float32, "not in the dtype of the logits"),
    Attempt("accurate", only_wider, "before its logarithm"),
    Attempt("accurate", log1p_without_complement, "sum to 1"),
)
