"""Numbers added or cut off to be safe, which change the answer where it counts."""

from __future__ import annotations

import numpy as np

from ._right import Answer, Array, below_maximum, minus_one_hot, one_hot, picked, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def epsilon_in_log(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """-log(p_y + 1e-7), with the gradient of -log p_y."""
    p = softmax(logits)
    losses = -np.log(picked(p, labels) + logits.dtype.type(1e-7))
    return reduced(losses, minus_one_hot(p, labels), reduction)


def clipped_probability(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """p_y is clipped to [1e-7, 1 - 1e-7] and differentiated as it stands: beyond, the gradient is 0."""
    p = softmax(logits)
    own, low = picked(p, labels), logits.dtype.type(1e-7)
    inside = (own > low) & (own < 1 - low)
    losses = -np.log(np.clip(own, low, 1 - low))
    return reduced(losses, minus_one_hot(p, labels) * inside[:, None], reduction)


def clipped_loss(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """p_y is clipped to [1e-7, 1 - 1e-7] in the loss, and the gradient is that without the clipping."""
    p, low = softmax(logits), logits.dtype.type(1e-7)
    losses = -np.log(np.clip(picked(p, labels), low, 1 - low))
    return reduced(losses, minus_one_hot(p, labels), reduction)


def epsilon_in_sum(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """1e-3 is added to the sum, so that nothing can be divided by 0."""
    d = below_maximum(logits)
    e = np.exp(d)
    sums = e.sum(axis=1) + logits.dtype.type(1e-3)
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(e / sums[:, None], labels), reduction)


def nan_made_zero(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Whatever is NaN in the gradient becomes 0: training goes on with a broken batch, unseen."""
    return reduced(
        row_losses(logits, labels), np.nan_to_num(minus_one_hot(softmax(logits), labels), nan=0.0), reduction
    )


def infinity_made_finite(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Logits are cut off at the largest number, so that a row with +inf gets a loss."""
    largest = np.finfo(logits.dtype).max if logits.dtype.kind == "f" else 3e38
    finite = np.where(logits == np.inf, logits.dtype.type(largest), logits)
    return reduced(row_losses(finite, labels), minus_one_hot(softmax(finite), labels), reduction)


def zero_times_infinity(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """sum_j t_j log p_j with one-hot t: at a masked class that is 0 times -inf."""
    d = below_maximum(logits)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    losses = -(one_hot(labels, logits) * log_p).sum(axis=1)
    return reduced(losses, minus_one_hot(softmax(logits), labels), reduction)


def mask_multiplied(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The mask is multiplied with the logits and not added: 0 times -inf at every masked class."""
    masked = logits == -np.inf
    x = np.where(masked, logits.dtype.type(0), logits) * np.where(masked, logits, logits.dtype.type(1))
    return reduced(row_losses(x, labels), minus_one_hot(softmax(x), labels), reduction)


def masked_gradient_leaks(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The loss leaves masked classes out, but their gradient is computed and multiplied by 0, which keeps a NaN."""
    kept = logits > -np.inf
    gradient = minus_one_hot(softmax(logits), labels)
    gradient = np.where(kept, gradient, (logits - logits) * gradient.dtype.type(0))
    return reduced(row_losses(logits, labels), gradient, reduction)


SPECIMENS = (
    Specimen(
        epsilon_in_log,
        wrong="loss = -log(p_y + 1e-7), with g = p - one_hot(y): the loss is at most 16.1, and g is not its gradient",
        mend="loss = log sum exp(d) - d_y needs no epsilon",
        logits=[[20, 0]],
        labels=[1],
        killed_by="loss_within_forward_error",
        seen="Keras #15249; tiny-dnn #1030",
    ),
    Specimen(
        clipped_probability,
        wrong="loss = -log(clip(p_y, 1e-7, 1 - 1e-7)) has gradient 0 below: the worst rows never learn",
        mend="compute the loss from the logits, where nothing needs to be clipped",
        logits=[[20, 0]],
        labels=[1],
        killed_by="gradient_within_forward_error",
        seen="Keras #17634, #9664, #1368; Lasagne #567; scikit-learn #24315",
    ),
    Specimen(
        clipped_loss,
        wrong="loss = -log(clip(p_y, 1e-7, 1 - 1e-7)) is never above 16.1, and g = p - one_hot(y) is not its gradient",
        mend="compute the loss from the logits, where nothing needs to be clipped",
        logits=[[20, 0]],
        labels=[1],
        killed_by="loss_within_forward_error",
        seen="teaching code",
    ),
    Specimen(
        epsilon_in_sum,
        wrong="p_j = exp(d_j)/(S + 1e-3), whose sum is S/(S + 1e-3)",
        mend="S is at least 1 after the shift: it needs no epsilon",
        logits=[[0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
        seen="teaching code",
    ),
    Specimen(
        nan_made_zero,
        wrong="g = 0 in a row with NaN, +inf or only -inf, which has no gradient",
        mend="let NaN through, and find out where it comes from",
        logits=[[np.nan, 0]],
        labels=[0],
        killed_by="rows_without_value_are_not_hidden",
    ),
    Specimen(
        infinity_made_finite,
        wrong="softmax of (+inf, 0) is taken for (1, 0); inf - inf has no value",
        mend="a row with +inf has no loss: NaN",
        logits=[[np.inf, 0]],
        labels=[0],
        killed_by="rows_without_value_are_not_hidden",
        seen="pytorch #6864",
    ),
    Specimen(
        zero_times_infinity,
        wrong="loss = -sum_j t_j log p_j is NaN where t_j = 0 and log p_j = -inf",
        mend="loss = log sum exp(d) - d_y: the target's term alone, and no log of a p_j that may be 0",
        logits=[[0, -np.inf]],
        labels=[0],
        killed_by="masked_class_has_probability_zero",
        seen="optax #896, #898; ModelCenter #14; MindAct #1633",
    ),
    Specimen(
        mask_multiplied,
        wrong="x_j (-inf) with x_j = 0 is NaN",
        mend="add the mask: x_j + (-inf), or where(mask, -inf, x)",
        logits=[[0, -np.inf]],
        labels=[0],
        killed_by="masked_class_has_probability_zero",
        seen="tensorflow #11756",
    ),
    Specimen(
        masked_gradient_leaks,
        wrong="g_j = 0 (-inf - -inf) = NaN at a masked class, where it is 0",
        mend="replace the masked logits before the arithmetic, not the result after it",
        logits=[[0, -np.inf]],
        labels=[0],
        killed_by="masked_class_has_probability_zero",
        seen="jax #23842, #22398, #37729, #6811",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
