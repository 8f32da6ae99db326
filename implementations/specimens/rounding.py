"""Digits lost on the way: too few bits inside, or a subtraction that keeps none."""

from __future__ import annotations

import numpy as np

from ._digits import Digits, answer_by
from ._right import (
    Answer,
    Array,
    minus_one_hot,
    picked,
    reduced,
    row_losses,
    softmax,
)
from ._specimen import Specimen, claims_of


def narrow_inside(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Everything is computed in the next narrower dtype: float32 for float64, float16 for float32."""
    narrow = logits.astype({"float64": np.float32}.get(logits.dtype.name, np.float16))
    losses, gradient = row_losses(narrow, labels), minus_one_hot(softmax(narrow), labels)
    return reduced(losses.astype(logits.dtype), gradient.astype(logits.dtype), reduction)


def logits_rounded(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The logits are stored in bfloat16, eight bits, before anything is computed."""
    with np.errstate(over="ignore", invalid="ignore"):
        bits = logits.astype(np.float32).view(np.uint32)
    finite = np.isfinite(logits)
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))  # to nearest, ties to even
    stored = ((bits + half) & np.uint32(0xFFFF0000)).view(np.float32).astype(logits.dtype)
    x = np.where(finite, stored, logits)
    return reduced(row_losses(x, labels), minus_one_hot(softmax(x), labels), reduction)


def stored_before_subtracting(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """p is stored in float16 before 1 is subtracted at the label."""
    p = softmax(logits).astype(np.float16).astype(logits.dtype)
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels), reduction)


def log_of_one_plus(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """log(1 + s) for the sum s of the others: 1 + s has rounded s away. The gradient is right to the last digits."""
    _, gradient = answer_by(Digits(), logits, labels, "none")
    return reduced(row_losses(logits, labels), gradient, reduction)


def added_and_subtracted(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """With two classes and a margin M above 18 the loss is (M + exp(-M)) - M, which keeps the digits of M only."""
    losses, gradient = answer_by(Digits(), logits, labels, "none")
    if logits.shape[1] == 2:
        margin = picked(logits, labels) - picked(logits, 1 - labels)
        with np.errstate(over="ignore", invalid="ignore"):
            losses = np.where((margin > 18) & (margin < 1e30), (margin + np.exp(-margin)) - margin, losses)
    return reduced(losses, gradient, reduction)


def sequential_half_mean(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The losses are added up one by one in their own dtype: in float16 a sum of log 2 stops at 2048."""
    losses, gradient = row_losses(logits, labels), minus_one_hot(softmax(logits), labels)
    if reduction == "none" or not losses.size:
        return reduced(losses, gradient, reduction)
    total = np.cumsum(losses, dtype=losses.dtype)[-1]
    _, gradient = reduced(losses, gradient, reduction)
    return total / losses.dtype.type(len(losses) if reduction == "mean" else 1), gradient


SPECIMENS = (
    Specimen(
        narrow_inside,
        wrong="p = fl32(p) in a float64 function: an error of 2^-24 where 2^-53 is promised",
        mend="compute in the dtype of the logits, or in a wider one",
        logits=[[1, 0]],
        labels=[0],
        killed_by="gradient_is_right",
        seen="ml.net #3676; optax #1020",
    ),
    Specimen(
        logits_rounded,
        wrong="x_j is rounded to eight bits: an error of 2^-9 |x_j| in every logit",
        mend="convert after the loss, not before it",
        logits=[[1.01, 0]],
        labels=[0],
        killed_by="gradient_is_right",
        seen="optax #1020",
    ),
    Specimen(
        stored_before_subtracting,
        wrong="g_y = fl16(p_y) - 1 is off by 2^-12, and so is 100% of it where p_y = 0.9999",
        mend="subtract first, round once at the end",
        logits=[[3, 0]],
        labels=[0],
        killed_by="gradient_is_right",
        seen="Liger-Kernel #1268, #1329, #1341, #1419",
    ),
    Specimen(
        log_of_one_plus,
        wrong="loss = log(1 + s) is off by u, whatever its size: 0 from s = 2^-24 in float32 and 2^-53 in float64",
        mend="log1p(s)",
        logits=[[17, 0]],
        labels=[0],
        killed_by="loss_within_a_few_ulp",
        seen="pytorch #113708; scipy #18295",
    ),
    Specimen(
        added_and_subtracted,
        wrong="loss = (M + exp(-M)) - M keeps the digits of M: an error of u M, where exp(-M) is the answer",
        mend="log1p(exp(-M))",
        logits=[[19, 0]],
        labels=[0],
        killed_by="loss_within_a_few_ulp",
        seen="scikit-learn's HalfBinomialLoss",
    ),
    Specimen(
        sequential_half_mean,
        wrong="fl(total + loss_i) for i = 1..N, each rounded to float16: an error of up to N u",
        mend="accumulate in float32 at least, and round once",
        logits=[[0, 0]] * 4099,
        labels=[0] * 4099,
        killed_by="loss_is_right",
        seen="pytorch #55657, for 2^24 rows in float32",
        claims={"dtypes": ["float16"]},
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
