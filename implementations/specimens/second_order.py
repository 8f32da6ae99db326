"""Second derivatives: parts that are left out, and formulas of something else."""

from __future__ import annotations

import numpy as np

from ..every_option import every_option
from ._right import Answer, Array, minus_one_hot, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def hessian_diagonal_alone(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The Hessian is diag(p), without - p p^T."""
    p = softmax(logits)
    return reduced(row_losses(logits, labels), _diagonal(p) + 0 * _outer(p), reduction)


def hessian_outer_alone(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The Hessian is - p p^T, without diag(p)."""
    return reduced(row_losses(logits, labels), -_outer(softmax(logits)), reduction)


def hessian_off_diagonal_positive(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """p_i (1 - p_i) on the diagonal, and + p_i p_j off it."""
    p = softmax(logits)
    pairs = _outer(p)
    return reduced(row_losses(logits, labels), pairs + _diagonal(p - 2 * p * p), reduction)


def hessian_not_divided(logits: Array, labels: Array) -> Answer:
    """The mean's Hessian is that of the sum."""
    p = softmax(logits)
    loss, _ = reduced(row_losses(logits, labels), p, "mean")
    return loss, _diagonal(p) - _outer(p)


def hessian_of_gradients(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The outer product g g^T of each row's gradient, the empirical Fisher matrix."""
    return reduced(row_losses(logits, labels), _outer(minus_one_hot(softmax(logits), labels)), reduction)


def hessian_sign_turned(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """p p^T - diag(p)."""
    p = softmax(logits)
    return reduced(row_losses(logits, labels), _outer(p) - _diagonal(p), reduction)


def diagonal_is_p(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The Hessian's diagonal is p."""
    return reduced(row_losses(logits, labels), softmax(logits), reduction)


def diagonal_not_divided(logits: Array, labels: Array) -> Answer:
    """The diagonal of the mean's Hessian is that of the sum's."""
    p = softmax(logits)
    return reduced(row_losses(logits, labels), p, "mean")[0], p - p * p


def derivative_weights_forgotten(
    logits: Array, labels: Array, reduction: str = "mean", sample_weights: Array | None = None
) -> Answer:
    """The rows of the loss are weighted, those of the diagonal are not, and its mean is over N."""
    loss, _ = every_option(logits, labels, reduction=reduction, sample_weights=sample_weights)
    p = softmax(logits)
    return loss, (p - p * p) / logits.dtype.type(max(len(p), 1) if reduction == "mean" else 1)


def product_not_divided(logits: Array, labels: Array, vector: Array) -> Answer:
    """The product with the mean's Hessian is that with the sum's."""
    p = softmax(logits)
    product = p * (vector - (p * vector).sum(axis=1, keepdims=True))
    return reduced(row_losses(logits, labels), p, "mean")[0], product


def product_sign_turned(logits: Array, labels: Array, vector: Array, reduction: str = "mean") -> Answer:
    """p (p.v - v)."""
    p = softmax(logits)
    product = p * ((p * vector).sum(axis=1, keepdims=True) - vector)
    return reduced(row_losses(logits, labels), product, reduction)


def product_sum_for_dot(logits: Array, labels: Array, vector: Array, reduction: str = "mean") -> Answer:
    """The sum of v is subtracted, not its mean under p."""
    product = softmax(logits) * (vector - vector.sum(axis=1, keepdims=True))
    return reduced(row_losses(logits, labels), product, reduction)


def product_mean_for_dot(logits: Array, labels: Array, vector: Array, reduction: str = "mean") -> Answer:
    """The plain mean of v is subtracted, not that under p."""
    product = softmax(logits) * (vector - vector.mean(axis=1, keepdims=True))
    return reduced(row_losses(logits, labels), product, reduction)


def product_along_rows(logits: Array, labels: Array, vector: Array, reduction: str = "mean") -> Answer:
    """p v is summed over the rows, for each class, in place of over the classes."""
    p = softmax(logits)
    return reduced(row_losses(logits, labels), p * (vector - (p * vector).sum(axis=0)), reduction)


def _diagonal(values: Array) -> Array:
    found: Array = values[:, :, None] * np.eye(values.shape[1], dtype=values.dtype)
    return found


def _outer(values: Array) -> Array:
    found: Array = values[:, :, None] * values[:, None, :]
    return found


_H, _D, _P = (
    {"derivative": "hessian"},
    {"derivative": "hessian_diagonal"},
    {"derivative": "hessian_vector_product"},
)
_OF_HESSIAN = "H_ij = p_i (delta_ij - p_j), over N for the mean"
_OF_PRODUCT = "(H v)_i = p_i (v_i - sum_j p_j v_j), over N for the mean"

SPECIMENS = (
    Specimen(
        hessian_diagonal_alone,
        wrong="H_ij = p_i delta_ij: its rows sum to p_i, not to 0",
        mend=_OF_HESSIAN,
        logits=[[0, 0]],
        labels=[0],
        killed_by="hessian_rows_sum_to_zero",
        claims=_H,
    ),
    Specimen(
        hessian_outer_alone,
        wrong="H_ij = -p_i p_j, also for i = j: the diagonal is negative",
        mend=_OF_HESSIAN,
        logits=[[0, 0]],
        labels=[0],
        killed_by="hessian_is_not_negative",
        claims=_H,
    ),
    Specimen(
        hessian_off_diagonal_positive,
        wrong="H_ij = +p_i p_j for i != j, must be -p_i p_j",
        mend=_OF_HESSIAN,
        logits=[[0, 0]],
        labels=[0],
        killed_by="hessian_rows_sum_to_zero",
        claims=_H,
    ),
    Specimen(
        hessian_not_divided,
        wrong="H is that of the sum of N losses, the loss is their mean",
        mend="divide by N what is divided by N in the loss",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        killed_by="derivative_is_right",
        claims=_H,
    ),
    Specimen(
        hessian_of_gradients,
        wrong="g g^T, g = p - onehot(y), equals the Hessian only on average over labels drawn from p",
        mend=_OF_HESSIAN,
        logits=[[1, 0]],
        labels=[0],
        killed_by="derivative_is_the_slope_of_the_exact_gradient",
        claims=_H,
    ),
    Specimen(
        diagonal_is_p,
        wrong="H_ii = p_i, must be p_i (1 - p_i)",
        mend="p_i (1 - p_i), over N for the mean",
        logits=[[0, 0]],
        labels=[0],
        killed_by="derivative_is_right",
        claims=_D,
    ),
    Specimen(
        derivative_weights_forgotten,
        wrong="H_ii = p_i (1 - p_i) without the row's s, over N instead of sum s; likewise of the other derivatives",
        mend="multiply each row by its s, and divide as the loss does",
        logits=[[0, 0]],
        labels=[0],
        options={"reduction": "none", "sample_weights": (2.0,)},
        killed_by="sample_weights_are_as_defined",
        claims={**_D, "options": ["sample_weights"]},
    ),
    Specimen(
        product_sum_for_dot,
        wrong="p_i (v_i - sum_j v_j): a constant v does not give 0",
        mend=_OF_PRODUCT,
        logits=[[0, 0]],
        labels=[0],
        killed_by="product_of_a_constant_vector_is_zero",
        options={"vector": [[1, 1]]},
        claims=_P,
    ),
    Specimen(
        product_mean_for_dot,
        wrong="p_i (v_i - sum_j v_j / K): not symmetric, u.H v is not v.H u",
        mend=_OF_PRODUCT,
        logits=[[1, 0]],
        labels=[0],
        killed_by="product_is_symmetric",
        options={"vector": [[1, 0]]},
        claims=_P,
    ),
    Specimen(
        product_along_rows,
        wrong="p_nj (v_nj - sum_m p_mj v_mj), m over the rows: one row depends on the others",
        mend=_OF_PRODUCT,
        logits=[[0, 0]],
        labels=[0],
        killed_by="derivative_is_right",
        options={"vector": [[1, 0]]},
        claims=_P,
    ),
    Specimen(
        hessian_sign_turned,
        wrong="H_ij = p_i (p_j - delta_ij): the loss is convex, its Hessian is nowhere negative",
        mend=_OF_HESSIAN,
        logits=[[0, 0]],
        labels=[0],
        killed_by="hessian_is_not_negative",
        claims=_H,
    ),
    Specimen(
        diagonal_not_divided,
        wrong="p_i (1 - p_i), without 1/N, for the mean",
        mend="divide by what the mean divides by",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="derivative_is_right",
        claims=_D,
    ),
    Specimen(
        product_not_divided,
        wrong="p_i (v_i - sum_j p_j v_j), without 1/N, for the mean",
        mend="divide by what the mean divides by",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="derivative_is_right",
        options={"vector": [[1, 0], [1, 0]]},
        claims=_P,
    ),
    Specimen(
        product_sign_turned,
        wrong="p_i (sum_j p_j v_j - v_i): v.H v < 0, of a convex loss",
        mend=_OF_PRODUCT,
        logits=[[0, 0]],
        labels=[0],
        killed_by="derivative_is_right",
        options={"vector": [[1, 0]]},
        claims=_P,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
