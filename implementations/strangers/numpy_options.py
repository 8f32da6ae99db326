"""Softcap, temperature, z-loss and the poly term in other idioms of NumPy: what may be fused, moved or rewritten."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Answer = tuple[Any, Array]

__all__ = ["softcap_by_exponentials", "temperature_after_the_shift", "terms_in_one_factor"]

CLAIMS = {
    "softcap_by_exponentials": {"reduction": ["mean", "none"], "options": ["softcap"], "masks": False},
    "temperature_after_the_shift": {"reduction": ["mean", "sum"], "options": ["temperature"]},
    "terms_in_one_factor": {"reduction": "none", "options": ["z_loss", "poly_epsilon"]},
}


def softcap_by_exponentials(
    logits: Array, labels: Array, reduction: str = "mean", softcap: float | None = None
) -> Answer:
    """tanh and its derivative from e = exp(-2 |x|/c): (1 - e)/(1 + e), its numerator by expm1, and 4 e/(1 + e)^2."""
    capped, slope = logits, logits.dtype.type(1)
    if softcap is not None:
        doubled = np.abs(logits) * logits.dtype.type(-2 / softcap)
        e = np.exp(doubled)
        bent = np.copysign(np.expm1(doubled) / (1 + e), logits)
        capped, slope = logits.dtype.type(softcap) * bent, 4 * e / (1 + e) ** 2
    rows = np.arange(len(logits))
    d = capped - capped.max(axis=1, keepdims=True)
    exponentials = np.exp(d)
    total = exponentials.sum(axis=1, keepdims=True)
    gradient = exponentials / total
    gradient[rows, labels] -= 1
    gradient *= slope
    losses = np.log(total[:, 0]) - d[rows, labels]
    if reduction == "none":
        return losses, gradient
    return losses.mean(), gradient / logits.dtype.type(len(logits))


def temperature_after_the_shift(
    logits: Array, labels: Array, reduction: str = "mean", temperature: float = 1.0
) -> Answer:
    """(x - max x)/T, by the reciprocal of T, which is multiplied into the gradient's 1/N."""
    rows, inverse = np.arange(len(logits)), logits.dtype.type(1 / temperature)
    d = (logits - logits.max(axis=1, keepdims=True)) * inverse
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    loss = -log_p[rows, labels]
    if reduction == "sum":
        return loss.sum(), gradient * inverse
    return loss.mean(), gradient * (inverse / logits.dtype.type(len(logits)))


def terms_in_one_factor(logits: Array, labels: Array, z_loss: float = 0.0, poly_epsilon: float = 0.0) -> Answer:
    """The gradient as p_j f - h [j = y], f = 1 + 2 lambda lse + epsilon p_y and h = 1 + epsilon p_y."""
    rows, number = np.arange(len(logits)), logits.dtype.type
    largest = logits.max(axis=1)
    exponentials = np.exp(logits - largest[:, None])
    total = exponentials.sum(axis=1)
    lse, p = largest + np.log(total), exponentials / total[:, None]
    p_y = p[rows, labels]
    h = 1 + number(poly_epsilon) * p_y
    gradient = p * (h + 2 * (number(z_loss) * lse))[:, None]
    gradient[rows, labels] -= h
    losses = np.log(total) - (logits[rows, labels] - largest)
    if z_loss:  # 0 * inf, where the square overflows, is NaN
        losses = losses + number(z_loss) * lse**2
    return losses + number(poly_epsilon) * (1 - p_y), gradient
