"""Hessians, their diagonals, their products with vectors and derivatives by the targets, each written in two ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._rows import maximum
from ..every_option import checked_rows, checked_targets, checked_weights, every_option, smooth

Array = npt.NDArray[Any]
Answer = tuple[Any, Array]

__all__ = [
    "diagonal_by_complement",
    "diagonal_of_variances",
    "hessian_by_outer_products",
    "hessian_in_log_space",
    "product_by_double_differentiation",
    "product_in_forward_mode",
    "target_gradient_by_log_softmax",
    "target_gradient_in_base_two",
]

_EVERY = {"reduction": ["mean", "sum", "none"], "targets": ["index", "probability"]}
_OPTIONS = ["label_smoothing", "class_weights", "ignore_index", "sample_weights"]

CLAIMS = {
    "diagonal_by_complement": {"derivative": "hessian_diagonal"},
    "diagonal_of_variances": {"derivative": "hessian_diagonal", **_EVERY, "options": _OPTIONS},
    "hessian_by_outer_products": {"derivative": "hessian", **_EVERY, "options": _OPTIONS},
    "hessian_in_log_space": {"derivative": "hessian", "reduction": ["mean", "sum"]},
    "product_by_double_differentiation": {"derivative": "hessian_vector_product", **_EVERY, "options": _OPTIONS},
    "product_in_forward_mode": {"derivative": "hessian_vector_product", "targets": "probability"},
    "target_gradient_by_log_softmax": {
        "derivative": "target_gradient",
        "reduction": ["mean", "sum", "none"],
        "targets": "probability",
        "options": ["label_smoothing", "class_weights", "sample_weights"],
    },
    "target_gradient_in_base_two": {"derivative": "target_gradient", "targets": "probability"},
}


def hessian_by_outer_products(logits: Array, targets: Array, reduction: str = "mean", **options: Any) -> Answer:
    """diag(p) - p p^T of each row, times the sum of its coefficients over the denominator."""
    loss, _ = every_option(logits, targets, reduction=reduction, **options)
    p = _softmax(logits, targets, options)
    second = -np.einsum("ni,nj->nij", p, p)
    classes = np.arange(logits.shape[1])
    second[:, classes, classes] += p
    return loss, second * _factors(logits, targets, reduction, options)[:, :, None]


def hessian_in_log_space(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """-exp(log p_i + log p_j), and p_i (1 - p_i) as -p_i expm1(log p_i)."""
    loss, _ = every_option(logits, labels, reduction=reduction)
    log_p = _log_softmax(logits)
    with np.errstate(over="ignore", invalid="ignore"):
        second = -np.exp(log_p[:, :, None] + log_p[:, None, :])
    classes = np.arange(logits.shape[1])
    second[:, classes, classes] = -np.exp(log_p) * np.expm1(log_p)
    return loss, second / logits.dtype.type(max(len(logits), 1) if reduction == "mean" else 1)


def diagonal_of_variances(logits: Array, targets: Array, reduction: str = "mean", **options: Any) -> Answer:
    """The mean of the square less the square of the mean, for the indicator of each class."""
    loss, _ = every_option(logits, targets, reduction=reduction, **options)
    p = _softmax(logits, targets, options)
    return loss, (p - p**2) * _factors(logits, targets, reduction, options)


def diagonal_by_complement(logits: Array, labels: Array) -> Answer:
    """p_i times the sum of the others, which is added up from both sides; the division by N comes first."""
    loss, _ = every_option(logits, labels)
    p = _softmax(logits)
    nothing = np.zeros_like(p[:, :1])
    before = np.concatenate([nothing, p[:, :-1].cumsum(axis=1)], axis=1)
    after = np.concatenate([p[:, :0:-1].cumsum(axis=1)[:, ::-1], nothing], axis=1)
    return loss, p / logits.dtype.type(max(len(logits), 1)) * (before + after + 0 * p)


def product_by_double_differentiation(
    logits: Array, targets: Array, vector: Array, reduction: str = "mean", **options: Any
) -> Answer:
    """p v - p (p.v), as reverse mode makes it of a softmax, for the vector times A over the denominator."""
    loss, _ = every_option(logits, targets, reduction=reduction, **options)
    p = _softmax(logits, targets, options)
    cotangent = vector * _factors(logits, targets, reduction, options)
    weighted = p * cotangent
    return loss, weighted - p * weighted.sum(axis=1, keepdims=True)


def product_in_forward_mode(logits: Array, targets: Array, vector: Array) -> Answer:
    """The tangent of e/S: e' = e v, S' the sum of e', (e' - p S')/S; then the chain rule for A p - t."""
    loss, _ = every_option(logits, targets)
    e = _exponentials(logits)
    total = e.sum(axis=1, keepdims=True)
    tangent = e * vector
    moved = (tangent - e / total * tangent.sum(axis=1, keepdims=True)) / total
    return loss, targets.sum(axis=1, keepdims=True) * moved / logits.dtype.type(max(len(logits), 1))


def target_gradient_by_log_softmax(logits: Array, targets: Array, reduction: str = "mean", **options: Any) -> Answer:
    """-log p_j times the weight of the class and 1 - epsilon; 0 where that is 0, whatever the logit."""
    loss, _ = every_option(logits, targets, reduction=reduction, **options)
    number = logits.dtype.type
    share = checked_weights(options.get("class_weights"), logits) * number(1 - options.get("label_smoothing", 0.0))
    rows = checked_rows(options.get("sample_weights"), logits, 0.0)
    total = rows.sum() if len(rows) else number(1)
    with np.errstate(invalid="ignore"):  # 0/0 where no row weighs anything
        share = rows[:, None] * share / (total if reduction == "mean" else number(1))
    log_p = _log_softmax(logits)
    with np.errstate(over="ignore", invalid="ignore"):
        return loss, np.where((share > 0) | np.isnan(log_p), -share * log_p, number(0))


def target_gradient_in_base_two(logits: Array, targets: Array) -> Answer:
    """log2 of the sum of powers of two less the exponent, times log 2."""
    loss, _ = every_option(logits, targets)
    number = logits.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        d = (logits - maximum(logits)) * number(np.log2(np.e))
        bits = np.log2(np.exp2(d).sum(axis=1, keepdims=True)) - d
    return loss, bits * (number(np.log(2)) / number(max(len(logits), 1)))


@np.errstate(over="ignore", invalid="ignore")  # x - max x may overflow to -inf, whose exp is the right 0
def _exponentials(logits: Array) -> Array:
    e: Array = np.exp(logits - maximum(logits))
    return e


@np.errstate(over="ignore", invalid="ignore")
def _log_softmax(logits: Array) -> Array:
    d = logits - maximum(logits)
    log_p: Array = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    return log_p


def _softmax(logits: Array, targets: Any = None, options: Any = None) -> Array:
    """softmax; 0 in rows that are to be ignored, whatever their logits."""
    e = _exponentials(logits)
    p: Array = e / e.sum(axis=1, keepdims=True)
    if options and options.get("ignore_index") is not None:
        p[targets == options["ignore_index"]] = 0
    return p


def _factors(logits: Array, targets: Array, reduction: str, options: Any) -> Array:
    """The sum of each row's coefficients over what the reduction divides by, (N, 1); NaN for 0/0."""
    weights = checked_weights(options.get("class_weights"), logits)
    shares, ignored = checked_targets(targets, logits, options.get("ignore_index"))
    rows = checked_rows(options.get("sample_weights"), logits, 0.0)[:, None]
    mass = rows * (weights * smooth(shares, options.get("label_smoothing", 0.0))).sum(axis=1, keepdims=True)
    mass[ignored] = 0
    counts = (rows * weights * shares).sum() if np.ndim(targets) == 1 else rows.sum()
    with np.errstate(invalid="ignore"):
        factors: Array = mass / (counts if reduction == "mean" else logits.dtype.type(1))
    factors[ignored] = 0
    return factors
