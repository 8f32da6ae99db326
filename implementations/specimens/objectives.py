"""Another objective than the one that was asked for: with its own gradient, or with that of a third."""

from __future__ import annotations

import numpy as np

from .._rows import maximum
from ._right import (
    Answer,
    Array,
    below_maximum,
    minus_one_hot,
    one_hot,
    reduced,
    row_losses,
    softmax,
)
from ._specimen import Specimen, claims_of


def double_softmax(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The loss takes logits and gets probabilities: softmax of softmax, differentiated as it stands."""
    p = softmax(logits)
    inner = minus_one_hot(softmax(p), labels)
    gradient = p * (inner - (inner * p).sum(axis=1, keepdims=True))
    return reduced(row_losses(p, labels), gradient, reduction)


def temperature_left_in(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The logits are divided by a temperature of 2 that nobody asked for; loss and gradient belong together."""
    cooled = logits / logits.dtype.type(2)
    gradient = minus_one_hot(softmax(cooled), labels) / logits.dtype.type(2)
    return reduced(row_losses(cooled, labels), gradient, reduction)


def temperature_not_differentiated(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The same, and the gradient is that with respect to the cooled logits."""
    cooled = logits / logits.dtype.type(2)
    return reduced(row_losses(cooled, labels), minus_one_hot(softmax(cooled), labels), reduction)


def squared_error(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """What is called the loss is the sum of the squares of the gradient."""
    gradient = minus_one_hot(softmax(logits), labels)
    return reduced((gradient * gradient).sum(axis=1), gradient, reduction)


def sigmoid_for_softmax(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Every class is a question of its own: a sigmoid and a binary cross-entropy for each."""
    t = one_hot(labels, logits)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = (np.logaddexp(logits.dtype.type(0), logits) - t * logits).sum(axis=1)
        return reduced(losses, 1 / (1 + np.exp(-logits)) - t, reduction)


def z_loss_left_in(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """1e-4 lse^2 is added to the loss, and its gradient to the gradient."""
    lse = (maximum(logits) + np.log(np.exp(below_maximum(logits)).sum(axis=1, keepdims=True))).astype(logits.dtype)
    factor, p = logits.dtype.type(1e-4), softmax(logits)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = row_losses(logits, labels) + factor * lse[:, 0] ** 2
        return reduced(losses, minus_one_hot(p, labels) + 2 * factor * lse * p, reduction)


def penalty_left_in(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """1e-3 times half the sum of the squares of the logits is added, and its gradient too."""
    factor = logits.dtype.type(1e-3)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = row_losses(logits, labels) + factor * (logits * logits).sum(axis=1) / 2
        return reduced(losses, minus_one_hot(softmax(logits), labels) + factor * logits, reduction)


def smoothing_unasked(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient is that of a loss smoothed by 0.1, and the loss is not smoothed."""
    number = logits.dtype.type
    t = number(0.9) * one_hot(labels, logits) + number(0.1 / logits.shape[1])
    return reduced(row_losses(logits, labels), softmax(logits) - t, reduction)


SPECIMENS = (
    Specimen(
        double_softmax,
        wrong="loss = -log softmax(p)_y with p = softmax(x): never below log(1 + (K - 1)/e)",
        mend="give the logits to a loss that takes logits, or the probabilities to one that takes probabilities",
        logits=[[1, 0]],
        labels=[0],
        killed_by="loss_is_right",
        seen="Transformer-GCN-QA #32; graph_neural_net #37; AiDotNet #1404; EffectiveTensorflow #9",
    ),
    Specimen(
        temperature_left_in,
        wrong="loss(x/2) and its gradient (softmax(x/2) - one_hot(y))/2",
        mend="divide by a temperature only where the caller gives one",
        logits=[[1, 0]],
        labels=[0],
        killed_by="loss_is_right",
        seen="RL-Kernel #86; Kimi-Audio #161",
    ),
    Specimen(
        temperature_not_differentiated,
        wrong="loss(x/T) with the gradient softmax(x/T) - one_hot(y), which lacks the factor 1/T",
        mend="the chain rule: divide the gradient by T once more",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="MXNet #11466; RL-Kernel #86",
    ),
    Specimen(
        squared_error,
        wrong="loss = sum_j (p_j - [j = y])^2, with the gradient of the cross-entropy",
        mend="return the cross-entropy, or call the figure by its name",
        logits=[[1, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="thinc returns this sum as its loss, by design",
    ),
    Specimen(
        sigmoid_for_softmax,
        wrong="g_j = 1/(1 + exp(-x_j)) - [j = y]: the classes do not compete",
        mend="softmax, where exactly one class is right",
        logits=[[0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
        seen="teaching code",
    ),
    Specimen(
        z_loss_left_in,
        wrong="loss = -log p_y + 1e-4 lse^2: adding a constant to the logits changes it",
        mend="add the term only where it is asked for",
        logits=[[10, 10]],
        labels=[0],
        killed_by="adding_a_constant_changes_nothing",
        seen="an option of language models' losses",
    ),
    Specimen(
        penalty_left_in,
        wrong="loss = -log p_y + 5e-4 sum_j x_j^2: loss and gradient belong together, and to another objective",
        mend="penalise weights where they are, not in the loss of the logits",
        logits=[[3, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
    ),
    Specimen(
        smoothing_unasked,
        wrong="g = p - (0.9 one_hot(y) + 0.1/K) with loss = -log p_y",
        mend="smooth both, and only where it is asked for",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="teaching code",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
