"""Sample weights, the upstream gradient, and means over them in other idioms of NumPy: normalised, folded in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Answer = tuple[Any, Array]

__all__ = [
    "average_of_rows",
    "backward_pass",
    "rows_of_weight_zero_left_out",
    "weights_in_the_coefficients",
    "weights_over_all_rows",
    "weights_over_their_sum",
]

CLAIMS = {
    "average_of_rows": {"options": ["sample_weights"]},
    "backward_pass": {
        "reduction": "none",
        "targets": ["index", "probability"],
        "options": ["upstream", "sample_weights"],
        "masks": False,
    },
    "rows_of_weight_zero_left_out": {
        "reduction": ["mean", "sum"],
        "options": ["sample_weights"],
        "mean_over": ["number_of_rows", "sum_of_weights"],
    },
    "weights_in_the_coefficients": {
        "reduction": ["sum", "none"],
        "targets": "probability",
        "options": ["sample_weights", "z_loss", "class_weights"],
        "masks": False,
    },
    "weights_over_all_rows": {
        "options": ["sample_weights", "ignore_index", "class_weights"],
        "mean_over": "all_rows",
    },
    "weights_over_their_sum": {"options": ["sample_weights", "class_weights", "ignore_index"]},
}


def rows_of(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Loss and gradient of every row."""
    places = np.arange(len(logits))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1, keepdims=True)
    gradient = e / s
    gradient[places, labels] -= 1
    return np.log(s[:, 0]) - d[places, labels], gradient


def average_of_rows(logits: Array, labels: Array, sample_weights: Array | None = None) -> Answer:
    """np.average, which multiplies first and divides by the sum of the weights last; the gradient by one broadcast."""
    losses, gradient = rows_of(logits, labels)
    weights = np.ones(len(losses), dtype=losses.dtype) if sample_weights is None else sample_weights
    return np.average(losses, weights=weights), (weights[:, None] * gradient) / weights.sum()


def weights_over_their_sum(
    logits: Array,
    labels: Array,
    sample_weights: Array | None = None,
    class_weights: Array | None = None,
    ignore_index: int | None = None,
) -> Answer:
    """Every weight of a row in one number, divided by their sum before anything is multiplied; a dot product."""
    kept = np.ones(len(labels), dtype=bool) if ignore_index is None else labels != ignore_index
    known = np.where(kept, labels, 0)
    losses, gradient = rows_of(logits, known)
    weights = kept.astype(logits.dtype)
    if class_weights is not None:
        weights = weights * class_weights[known]
    if sample_weights is not None:
        weights = weights * sample_weights
    with np.errstate(invalid="ignore"):
        share = weights / weights.sum()
    share, losses = np.where(kept, share, 0), np.where(kept, losses, 0)
    loss = share @ losses if kept.any() else logits.dtype.type(np.nan)
    return loss, np.where(kept[:, None], gradient * share[:, None], 0)


def weights_over_all_rows(
    logits: Array,
    labels: Array,
    sample_weights: Array | None = None,
    class_weights: Array | None = None,
    ignore_index: int | None = None,
) -> Answer:
    """The mean over N, ignored rows too: each weight is divided by N first, and an ignored row's set to 0."""
    kept = np.ones(len(labels), dtype=bool) if ignore_index is None else labels != ignore_index
    known = np.where(kept, labels, 0)
    losses, gradient = rows_of(logits, known)
    share = np.full(len(labels), 1 / max(len(labels), 1), dtype=logits.dtype)
    if class_weights is not None:
        share *= class_weights[known]
    if sample_weights is not None:
        share *= sample_weights
    gradient *= share[:, None]
    gradient[~kept] = 0
    return (share[kept] * losses[kept]).sum(), gradient


def rows_of_weight_zero_left_out(
    logits: Array,
    labels: Array,
    reduction: str = "mean",
    sample_weights: Array | None = None,
    mean_over: str = "number_of_rows",
) -> Answer:
    """Only rows with a weight are computed at all; the reciprocal of the denominator is multiplied into the weights."""
    weights = np.ones(len(labels), dtype=logits.dtype) if sample_weights is None else sample_weights
    used = weights != 0
    losses, own = rows_of(logits[used], labels[used])
    divisor = weights.sum() if mean_over == "sum_of_weights" else logits.dtype.type(len(labels))
    factor = weights[used] * (1 / divisor if reduction == "mean" else logits.dtype.type(1))
    gradient = np.zeros_like(logits)
    gradient[used] = factor[:, None] * own
    return (factor * losses).sum(), gradient


def weights_in_the_coefficients(
    logits: Array,
    targets: Array,
    reduction: str = "sum",
    sample_weights: Array | None = None,
    z_loss: float = 0.0,
    class_weights: Array | None = None,
) -> Answer:
    """Weights of rows and classes multiplied into the targets, and into the factor of the z-loss."""
    of_rows = np.ones(len(logits), dtype=logits.dtype) if sample_weights is None else sample_weights
    t = targets * of_rows[:, None]
    if class_weights is not None:
        t = t * class_weights
    largest = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - largest)
    s = e.sum(axis=1, keepdims=True)
    p, mass = e / s, t.sum(axis=1, keepdims=True)
    lse = np.log(s) + largest
    factor = of_rows[:, None] * logits.dtype.type(z_loss)
    losses = (mass * np.log(s) - np.where(t > 0, t * (logits - largest), 0).sum(axis=1, keepdims=True))[:, 0]
    gradient = mass * p - t
    if z_loss:
        losses = losses + (factor * lse * lse)[:, 0]
        gradient = gradient + p * (2 * factor * lse)
    return (losses if reduction == "none" else losses.sum()), gradient


def backward_pass(
    logits: Array, targets: Array, upstream: Array | None = None, sample_weights: Array | None = None
) -> Answer:
    """The upstream gradient times the weight, as one factor of p times the target's sum and of the targets."""
    t = targets
    if targets.ndim == 1:
        t = np.zeros_like(logits)
        t[np.arange(len(targets)), targets] = 1
    number = np.ones(len(logits), dtype=logits.dtype)
    own = number if sample_weights is None else sample_weights
    above = own if upstream is None else own * upstream
    d = logits - logits.max(axis=1, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    losses = own * -np.where(t > 0, t * log_p, 0).sum(axis=1)
    return losses, np.exp(log_p) * (above * t.sum(axis=1))[:, None] - above[:, None] * t
