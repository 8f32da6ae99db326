"""Label smoothing: what is spread, over how many classes, and in which of the two passes."""

from __future__ import annotations

import numpy as np

from ..every_option import every_option
from ._right import Answer, Array, one_hot
from ._specimen import Specimen, claims_of


def smoothed(logits: Array, labels: Array, share: float, on_top: float, reduction: str) -> Answer:
    """Loss and gradient for targets that give the share to every class, and what is on top to the label."""
    number = logits.dtype.type
    targets = number(share) + number(on_top) * one_hot(labels, logits)
    return every_option(logits, targets, reduction=reduction)


def smoothing_of_the_others(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> Answer:
    """epsilon is spread over the K - 1 other classes, and not over all K."""
    share = label_smoothing / max(logits.shape[1] - 1, 1)
    return smoothed(logits, labels, share, 1 - label_smoothing - share, reduction)


def smoothing_without_epsilon(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> Answer:
    """Every class gets 1/K and not epsilon/K."""
    share = 1 / logits.shape[1] if label_smoothing else 0.0
    return smoothed(logits, labels, share, 1 - label_smoothing, reduction)


def smoothing_of_the_wrong_part(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> Answer:
    """Every class gets (1 - epsilon)/K, and the label 1 - epsilon on top."""
    share = (1 - label_smoothing) / logits.shape[1] if label_smoothing else 0.0
    return smoothed(logits, labels, share, 1 - label_smoothing, reduction)


def smoothing_in_the_loss_only(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> Answer:
    """The loss is smoothed, and the gradient is p - one_hot(y)."""
    loss, _ = every_option(logits, labels, reduction=reduction, label_smoothing=label_smoothing)
    return loss, every_option(logits, labels, reduction=reduction)[1]


def smoothing_in_the_gradient_only(
    logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0
) -> Answer:
    """The gradient is smoothed, and the loss is -log p_y."""
    _, gradient = every_option(logits, labels, reduction=reduction, label_smoothing=label_smoothing)
    return every_option(logits, labels, reduction=reduction)[0], gradient


def smoothing_by_shard(logits: Array, labels: Array, reduction: str = "mean", label_smoothing: float = 0.0) -> Answer:
    """Two workers hold half of the classes each: the one with the label smooths over its own classes only."""
    middle = (logits.shape[1] + 1) // 2
    on_first = np.arange(logits.shape[1]) < middle
    owner = on_first == (labels < middle)[:, None]
    number = logits.dtype.type
    share = number(label_smoothing) / owner.sum(axis=1, keepdims=True).astype(logits.dtype)
    targets = number(1 - label_smoothing) * one_hot(labels, logits) + share * owner
    return every_option(logits, targets, reduction=reduction)


SMOOTHING = {"options": ["label_smoothing"]}

SPECIMENS = (
    Specimen(
        smoothing_of_the_others,
        wrong="t_y = 1 - eps and t_j = eps/(K - 1) elsewhere; defined as t = (1 - eps) one_hot(y) + eps/K",
        mend="t = (1 - eps) one_hot(y) + eps/K; where the other convention is meant, say so",
        logits=[[1, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        seen="fastai #1814; Megatron-LM #5522; pytorch #148884",
        claims=SMOOTHING,
    ),
    Specimen(
        smoothing_without_epsilon,
        wrong="t = (1 - eps) one_hot(y) + 1/K, which sums to 2 - eps",
        mend="spread eps, not 1: eps/K for every class",
        logits=[[0, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        seen="ConvE #55",
        claims=SMOOTHING,
    ),
    Specimen(
        smoothing_of_the_wrong_part,
        wrong="t = (1 - eps) one_hot(y) + (1 - eps)/K, which sums to 2 - 2 eps",
        mend="spread eps, not 1 - eps: eps/K for every class",
        logits=[[0, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        seen="aprender #2199",
        claims=SMOOTHING,
    ),
    Specimen(
        smoothing_in_the_loss_only,
        wrong="loss = sum_j t_j (-log p_j) with the smoothed t, and g = p - one_hot(y)",
        mend="g = p - t",
        logits=[[0, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        seen="aprender #2199",
        claims=SMOOTHING,
    ),
    Specimen(
        smoothing_in_the_gradient_only,
        wrong="g = p - t with the smoothed t, and loss = -log p_y",
        mend="loss = sum_j t_j (-log p_j)",
        logits=[[1, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        claims=SMOOTHING,
    ),
    Specimen(
        smoothing_by_shard,
        wrong="t_j = eps/K_local on the worker that holds the label, 0 on the others",
        mend="smooth over all K classes: every worker adds eps/K to its own",
        logits=[[1, 0, 0]],
        labels=[0],
        options={"label_smoothing": 0.1},
        killed_by="label_smoothing_is_as_defined",
        seen="Megatron-LM #737, #7464, #7466, #5522",
        claims=SMOOTHING,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
