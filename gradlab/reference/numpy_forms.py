# Generated from the definitions by `python -m gradlab.symbolic.generate`: do not edit.
"""The options of the objective for a batch of N rows in NumPy: coefficients, maps, terms, factors, denominators.

Logits, targets and coefficients have shape (N, K), labels and what is one number for each row (N,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@np.errstate(all="ignore")
def coefficients_index(labels: Array, n_classes: int, label_smoothing: float, class_weights: Array) -> Array:
    """Coefficients of index targets, shape (N, K); class_weights has shape (K,)."""
    label = labels[:, None]
    classes = np.arange(n_classes)
    coefficients: Array = class_weights * ((classes == label) * (1 - label_smoothing) + label_smoothing / n_classes)
    return coefficients


@np.errstate(all="ignore")
def coefficients_probability(targets: Array, label_smoothing: float, class_weights: Array) -> Array:
    """Coefficients of probability targets, shape (N, K), in float64."""
    targets = targets.astype(np.float64)
    n_classes = targets.shape[1]
    coefficients: Array = class_weights * (targets * (1 - label_smoothing) + label_smoothing / n_classes)
    return coefficients


@np.errstate(all="ignore")
def kept(labels: Array, ignore_index: int) -> Array:
    """0 for an ignored row and 1 for another, shape (N, 1): what its coefficients are multiplied by."""
    label = labels[:, None]
    column: Array = 1 - (label == ignore_index)
    return column


@np.errstate(all="ignore")
def map_softcap(logits: Any, softcap: Any) -> tuple[Any, Any]:
    """Each logit x becomes c tanh(x/c), c being the softcap, before the softmax; and its slope."""
    return softcap * np.tanh(logits / softcap), 1 - np.tanh(logits / softcap) * np.tanh(logits / softcap)


@np.errstate(all="ignore")
def map_temperature(logits: Any, temperature: Any) -> tuple[Any, Any]:
    """Each logit is divided by the temperature before the softmax, after any softcap; and its slope."""
    return logits / temperature, 1 / temperature


@np.errstate(all="ignore")
def term_z_loss(log_sum_exp: Any, target_probability: Any, coefficient_sum: Any, z_loss: Any) -> tuple[Any, Any, Any]:
    """Z_loss times the square of the log-sum-exp is added to each row's loss; and its slopes along the first two."""
    return (log_sum_exp * log_sum_exp) * z_loss, 2 * log_sum_exp * z_loss, 0


@np.errstate(all="ignore")
def term_poly_epsilon(
    log_sum_exp: Any, target_probability: Any, coefficient_sum: Any, poly_epsilon: Any
) -> tuple[Any, Any, Any]:
    """Poly_epsilon times the sum of t_j (1 - p_j) is added to each row's loss; and its slopes along the first two."""
    return poly_epsilon * (coefficient_sum - target_probability), 0, -poly_epsilon


@np.errstate(all="ignore")
def factor_sample_weights(sample_weights: Any) -> tuple[Any, Any]:
    """The factors of a row's loss and of its gradient for sample_weights."""
    return sample_weights, sample_weights


@np.errstate(all="ignore")
def factor_upstream(upstream: Any) -> tuple[Any, Any]:
    """The factors of a row's loss and of its gradient for upstream."""
    return 1, upstream


@np.errstate(all="ignore")
def index_sum_of_weights(labels: Array, class_weights: Array, sample_weights: Array, ignore_index: int) -> Array:
    """What each row adds to the denominator of a mean over sum_of_weights, with index targets; shape (N,)."""
    classes = np.arange(len(class_weights))
    label = labels[:, None]
    sample_weights = sample_weights[:, None]
    own: Any = sample_weights
    own = own * (1 - (label == ignore_index))
    own = own * (np.sum(class_weights * (classes == label), axis=1, keepdims=True))
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


@np.errstate(all="ignore")
def index_number_of_rows(labels: Array, class_weights: Array, sample_weights: Array, ignore_index: int) -> Array:
    """What each row adds to the denominator of a mean over number_of_rows, with index targets; shape (N,)."""
    label = labels[:, None]
    sample_weights = sample_weights[:, None]
    own: Any = 1 - (label == ignore_index)
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


@np.errstate(all="ignore")
def index_all_rows(labels: Array, class_weights: Array, sample_weights: Array, ignore_index: int) -> Array:
    """What each row adds to the denominator of a mean over all_rows, with index targets; shape (N,)."""
    sample_weights = sample_weights[:, None]
    own: Any = 1
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


@np.errstate(all="ignore")
def probability_sum_of_weights(sample_weights: Array) -> Array:
    """What each row adds to the denominator of a mean over sum_of_weights, with probability targets; shape (N,)."""
    sample_weights = sample_weights[:, None]
    own: Any = sample_weights
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


@np.errstate(all="ignore")
def probability_number_of_rows(sample_weights: Array) -> Array:
    """What each row adds to the denominator of a mean over number_of_rows, with probability targets; shape (N,)."""
    sample_weights = sample_weights[:, None]
    own: Any = 1
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


@np.errstate(all="ignore")
def probability_all_rows(sample_weights: Array) -> Array:
    """What each row adds to the denominator of a mean over all_rows, with probability targets; shape (N,)."""
    sample_weights = sample_weights[:, None]
    own: Any = 1
    return np.broadcast_to(own, sample_weights.shape)[:, 0]


LOGIT_MAPS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "softcap": map_softcap,
    "temperature": map_temperature,
}

ROW_TERMS: dict[str, Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]]] = {
    "z_loss": term_z_loss,
    "poly_epsilon": term_poly_epsilon,
}

ROW_FACTORS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "sample_weights": factor_sample_weights,
    "upstream": factor_upstream,
}

INDEX_DENOMINATORS: dict[str, Callable[[Array, Array, Array, int], Array]] = {
    "sum_of_weights": index_sum_of_weights,
    "number_of_rows": index_number_of_rows,
    "all_rows": index_all_rows,
}

PROBABILITY_DENOMINATORS: dict[str, Callable[[Array], Array]] = {
    "sum_of_weights": probability_sum_of_weights,
    "number_of_rows": probability_number_of_rows,
    "all_rows": probability_all_rows,
}
