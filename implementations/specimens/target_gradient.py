"""The derivative by the targets: of another sign, another divisor, and by something else."""

from __future__ import annotations

import numpy as np

from ..every_option import every_option
from ._right import Answer, Array, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def target_gradient_is_p_less_t(logits: Array, targets: Array, reduction: str = "mean") -> Answer:
    """The derivative by the targets is that by the logits, p - t."""
    loss, _ = every_option(logits, targets, reduction=reduction)
    return loss, reduced(targets[:, 0], softmax(logits) - targets, reduction)[1]


def target_gradient_positive(logits: Array, targets: Array, reduction: str = "mean") -> Answer:
    """+ log p_j in place of - log p_j."""
    loss, _ = every_option(logits, targets, reduction=reduction)
    return loss, reduced(targets[:, 0], -_losses_of_classes(logits), reduction)[1]


def target_gradient_not_divided(logits: Array, targets: Array) -> Answer:
    """The mean's derivative by the targets is that of the sum."""
    return every_option(logits, targets)[0], _losses_of_classes(logits)


def _losses_of_classes(logits: Array) -> Array:
    """-log p_j of each class, (N, K)."""
    with np.errstate(invalid="ignore"):
        losses = [row_losses(logits, np.full(len(logits), j)) for j in range(logits.shape[1])]
    return np.stack(losses, axis=1)


_T = {"derivative": "target_gradient", "targets": "probability"}

SPECIMENS = (
    Specimen(
        target_gradient_is_p_less_t,
        wrong="p_j - t_j is the derivative by logit x_j; that by target t_j is -log p_j",
        mend="-log p_j, times the class's weight and 1 - smoothing, over N for the mean",
        logits=[[0, 0]],
        labels=[[1, 0]],
        killed_by="derivative_is_right",
        claims=_T,
    ),
    Specimen(
        target_gradient_positive,
        wrong="log p_j, must be -log p_j: more of a target adds to the loss",
        mend="-log p_j, times the class's weight and 1 - smoothing, over N for the mean",
        logits=[[0, 0]],
        labels=[[1, 0]],
        killed_by="loss_is_linear_in_the_targets",
        claims=_T,
    ),
    Specimen(
        target_gradient_not_divided,
        wrong="-log p_j, without 1/N, for the mean",
        mend="divide by what the mean divides by",
        logits=[[0, 0], [0, 0]],
        labels=[[1, 0], [1, 0]],
        killed_by="loss_is_linear_in_the_targets",
        claims=_T,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
