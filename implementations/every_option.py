"""The shifted form with every option: one set of coefficients t_ij >= 0 and one denominator say all of them.

loss_i = sum_j t_ij (log S_i - d_ij) and its gradient sum_j(t_ij) p_i - t_i, with d = x - max x and S = sum exp(d).
t_ij = w_j ((1 - e) q_ij + e / K): smoothing e, class weights w, q the probabilities or the one-hot labels. Rows with
the ignored label have loss and gradient 0.

x is what softcap and temperature make of the logits, c tanh(logit / c) / T, and the gradient is multiplied by the
derivative of that. To a row's loss z_loss adds lambda lse^2, and poly_epsilon epsilon sum_j t_j (1 - p_j). Then the
row's loss and gradient are multiplied by its sample weight s_i, and the gradient by the upstream gradient.

The mean divides by the sum of s_i w_(y_i), with probabilities of s_i, over the rows that count; or by their number, or
by N. It is NaN where that is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._inputs import Array, checked_labels, checked_logits, checked_reduction
from ._rows import maximum, sum_over

__all__ = ["every_option"]

CLAIMS = {
    "reduction": ["none", "mean", "sum"],
    "targets": ["index", "probability"],
    "options": [
        "label_smoothing",
        "class_weights",
        "ignore_index",
        "softcap",
        "temperature",
        "z_loss",
        "poly_epsilon",
        "sample_weights",
        "upstream",
    ],
    "mean_over": ["sum_of_weights", "number_of_rows", "all_rows"],
    "dtypes": ["float32", "float64"],
    "refuses_bad_labels": True,
    "empty_batch": True,
    "keeps_dtype": True,
    "big_endian": True,
}


@np.errstate(over="ignore")  # the sum of the losses may, where their mean does not
def every_option(
    logits: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,  # one keyword per option: that makes more than four arguments
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    class_weights: npt.ArrayLike | None = None,
    ignore_index: int | None = None,
    softcap: float = np.inf,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    poly_epsilon: float = 0.0,
    sample_weights: npt.ArrayLike | None = None,
    upstream: npt.ArrayLike | None = None,
    mean_over: str = "sum_of_weights",
) -> tuple[Any, Array]:
    """The loss, a scalar or (N,) with reduction "none", and the gradient (N, K), both in the dtype of the logits.

    logits (N, K); targets: labels (N,), or probabilities (N, K); sample_weights and upstream: (N,). Raises TypeError or
    ValueError for what does not fit.

    Breaks: the target's entry is a difference, as in the shifted form. With labels, no smoothing
    and two classes it is 0, which is 100% wrong, from a margin of 17 in float32 and 37 in float64.
    """
    logits = checked_logits(logits)
    weights, own = checked_weights(class_weights, logits), checked_rows(sample_weights, logits, 0.0)
    shares, ignored = checked_targets(targets, logits, ignore_index)
    mapped, slope = logits_of_softmax(logits, softcap, temperature)
    losses, gradient = per_row(mapped, weights * smooth(shares, label_smoothing), z_loss, poly_epsilon)
    gradient *= slope

    counted = (weights * shares).sum(axis=1) if np.ndim(targets) == 1 else np.ones_like(own)
    denominator = denominator_of(checked_reduction(reduction), mean_over, own, counted, ignored)
    left_out = ignored if sample_weights is None else ignored | (own == 0)
    losses[left_out], gradient[left_out] = 0, 0
    if sample_weights is not None:
        losses, gradient = own * losses, own[:, None] * gradient
    if upstream is not None:
        gradient *= checked_upstream(upstream, logits, reduction)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 where no row counts
        gradient /= denominator
    gradient[ignored] = 0
    return (losses if reduction == "none" else sum_over(losses, denominator)), gradient


def denominator_of(reduction: str, mean_over: str, sample_weights: Array, weights: Array, ignored: Array) -> Any:
    """What loss and gradient are divided by; weights: those of the rows' classes; all arrays (N,)."""
    number = sample_weights.dtype.type
    means = {
        "sum_of_weights": (sample_weights * weights).sum(),
        "number_of_rows": number((~ignored).sum()),
        "all_rows": number(len(ignored)),
    }
    if mean_over not in means:
        raise ValueError(f"mean_over must be one of {', '.join(means)}, got {mean_over!r}")
    return means[mean_over] if reduction == "mean" else number(1)


@np.errstate(over="ignore", invalid="ignore")  # x - max x may overflow to -inf, whose exp is the right 0; 0 * -inf
def per_row(logits: Array, t: Array, z_loss: float, poly_epsilon: float) -> tuple[Array, Array]:
    """The loss (N,) and the gradient (N, K) of every row, for the coefficients t (N, K), with the two terms.

    logits: what the softmax gets.
    """
    number = logits.dtype.type
    z_loss, poly_epsilon = number(checked_term(z_loss, 0)), number(checked_term(poly_epsilon, -1))
    largest = maximum(logits)
    exponentials = np.exp(logits - largest)
    sums = exponentials.sum(axis=1, keepdims=True)
    totals = t.sum(axis=1, keepdims=True)
    half = logits / 2 - largest / 2  # t * (x - max x) may be finite where x - max x is not
    weighted = 2 * np.where(t > 0, t * half, t.dtype.type(0)).sum(axis=1)  # a class that does not count may be -inf
    log_sums, p = np.log(sums[:, 0]), exponentials / sums
    losses, gradient = totals[:, 0] * log_sums - weighted, p * totals - t
    if z_loss:
        lse = largest[:, 0] + log_sums
        losses += z_loss * lse * lse
        gradient += 2 * z_loss * lse[:, None] * p
    if poly_epsilon:
        of_target = (t * p).sum(axis=1, keepdims=True)
        losses += poly_epsilon * (totals - of_target)[:, 0]
        gradient -= poly_epsilon * p * (t - of_target)
    return losses, gradient


def logits_of_softmax(logits: Array, softcap: float, temperature: float) -> tuple[Array, Array]:
    """The logits after softcap and temperature, (N, K), and how fast each moves with its own; 1, where none is on."""
    if not softcap > 0:
        raise ValueError(f"softcap must be above 0, got {softcap!r}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be finite and above 0, got {temperature!r}")
    number = logits.dtype.type
    slope: Array = np.ones((), dtype=logits.dtype)
    if softcap < np.inf:
        bent = np.tanh(logits / number(softcap))
        logits, slope = number(softcap) * bent, 1 - bent * bent
    if temperature != 1:
        logits, slope = logits / number(temperature), slope / number(temperature)
    return logits, slope


def checked_term(factor: float, least: float) -> float:
    """The factor of a row's term, which must be finite and at least `least`."""
    if not least <= factor < np.inf:
        raise ValueError(f"the factor of a row's term must be finite and at least {least}, got {factor!r}")
    return factor


def smooth(shares: Array, label_smoothing: float) -> Array:
    """The shares (N, K) with a part of each row spread evenly over the classes."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must lie in [0, 1], got {label_smoothing!r}")
    number = shares.dtype.type
    spread: Array = number(1 - label_smoothing) * shares + number(label_smoothing / shares.shape[1])
    return spread


def checked_weights(class_weights: npt.ArrayLike | None, logits: Array) -> Array:
    """The weight of every class, shape (K,), in the dtype of the logits; 1 where none are given."""
    n_classes = logits.shape[1]
    if class_weights is None:
        return np.ones(n_classes, dtype=logits.dtype)
    weights = np.asarray(class_weights).astype(logits.dtype)
    if weights.shape != (n_classes,):
        raise ValueError(f"class_weights must have shape ({n_classes},), got {weights.shape}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("class_weights must be finite and at least 0")
    return weights


def checked_rows(values: npt.ArrayLike | None, logits: Array, least: float) -> Array:
    """One number for every row, shape (N,), in the dtype of the logits; 1 where none are given."""
    if values is None:
        return np.ones(len(logits), dtype=logits.dtype)
    numbers = np.asarray(values).astype(logits.dtype)
    if numbers.shape != logits.shape[:1]:
        raise ValueError(f"there must be one number per row, shape {logits.shape[:1]}, got {numbers.shape}")
    if not (np.isfinite(numbers) & (numbers >= least)).all():
        raise ValueError(f"numbers of rows must be finite and at least {least}")
    return numbers


def checked_upstream(upstream: npt.ArrayLike, logits: Array, reduction: str) -> Array:
    """The upstream gradient for every row, shape (N,); only where there is a loss for every row."""
    if reduction != "none":
        raise ValueError(f"upstream needs reduction none, got {reduction}")
    return checked_rows(upstream, logits, -np.inf)


def checked_targets(targets: npt.ArrayLike, logits: Array, ignore_index: int | None) -> tuple[Array, Array]:
    """The share of every class, shape (N, K), in the dtype of the logits, and which rows are ignored, shape (N,)."""
    array = np.asarray(targets)
    if array.ndim != 1:
        return checked_probabilities(array, logits, ignore_index), np.zeros(len(logits), dtype=bool)
    ignored = np.zeros(array.shape, dtype=bool) if ignore_index is None else array == ignore_index
    labels = checked_labels(np.where(ignored, array.dtype.type(0), array), logits)
    shares = np.zeros_like(logits)
    shares[np.arange(len(labels)), labels] = 1
    shares[ignored] = 0
    return shares, ignored


def checked_probabilities(array: Array, logits: Array, ignore_index: int | None) -> Array:
    """Probability targets, shape (N, K), in the dtype of the logits; they need not sum to 1."""
    if ignore_index is not None:
        raise ValueError("ignore_index needs labels, got probabilities")
    if not np.issubdtype(array.dtype, np.floating) and array.dtype != logits.dtype:
        raise TypeError(f"probabilities must be floating-point numbers, got {array.dtype}")
    if array.shape != logits.shape:
        raise ValueError(f"targets must have shape {logits.shape[:1]} or {logits.shape}, got {array.shape}")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError("probabilities must be finite and at least 0")
    return array.astype(logits.dtype)
