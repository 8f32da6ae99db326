"""What loss and gradient are divided by: too much, too little, or not the same for both."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._rows import mean
from ._right import Answer, Array, minus_one_hot, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def gradient_not_divided(logits: Array, labels: Array) -> Answer:
    """The mean of the losses, and the gradient of their sum."""
    return mean(row_losses(logits, labels)), minus_one_hot(softmax(logits), labels)


def one_hot_not_divided(logits: Array, labels: Array) -> Answer:
    """p is divided by N, and 1 is subtracted at the label after that."""
    loss, p = reduced(row_losses(logits, labels), softmax(logits), "mean")
    return loss, minus_one_hot(p, labels)


def loss_not_divided(logits: Array, labels: Array) -> Answer:
    """The sum of the losses, and the gradient of their mean."""
    total, _ = reduced(row_losses(logits, labels), logits, "sum")
    _, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "mean")
    return total, gradient


def divided_by_all_entries(logits: Array, labels: Array) -> Answer:
    """The mean over the one-hot matrix, N K entries, in loss and gradient."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "mean")
    n_classes = logits.dtype.type(logits.shape[1])
    return loss / n_classes, gradient / n_classes


def divided_by_classes(logits: Array, labels: Array) -> Answer:
    """Divided by the length of one row, K, in place of the number of rows."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "sum")
    n_classes = logits.dtype.type(logits.shape[1])
    return loss / n_classes, gradient / n_classes


def divided_twice(logits: Array, labels: Array) -> Answer:
    """The gradient is divided by N where it is made, and once more where it is used."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "mean")
    return loss, gradient / gradient.dtype.type(max(len(gradient), 1))


def sum_divided(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """With reduction sum it still divides by N."""
    losses, gradient = row_losses(logits, labels), minus_one_hot(softmax(logits), labels)
    return reduced(losses, gradient, "none" if reduction == "none" else "mean")


def mean_of_means(logits: Array, labels: Array) -> Answer:
    """Micro-batches of three rows, whose means are averaged: the last one may be shorter, and counts as much."""
    losses, gradient = row_losses(logits, labels), minus_one_hot(softmax(logits), labels)
    starts = range(0, len(logits), 3)
    means: list[Any] = []
    for start in starts:
        part = slice(start, start + 3)
        means.append(mean(losses[part]))
        gradient[part] /= gradient.dtype.type(len(losses[part]) * len(starts))
    return mean(np.array(means, dtype=logits.dtype)), gradient


def wrong_factor(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Twice the gradient, as if the loss were a square."""
    return reduced(row_losses(logits, labels), 2 * minus_one_hot(softmax(logits), labels), reduction)


def wrong_constant(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The loss is 1 too small; the gradient is right."""
    return reduced(row_losses(logits, labels) - logits.dtype.type(1), minus_one_hot(softmax(logits), labels), reduction)


def label_numbers_subtracted(logits: Array, labels: Array) -> Answer:
    """The gradient is the softmax less the labels themselves, and not one-hot rows."""
    return reduced(row_losses(logits, labels), softmax(logits) - labels[:, None].astype(logits.dtype), "mean")


SPECIMENS = (
    Specimen(
        gradient_not_divided,
        wrong="loss = (1/N) sum_i loss_i with g_i = p_i - one_hot(y_i), which lacks the 1/N",
        mend="divide the gradient by N as well, or sum the losses",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="MXNet #2215, #5981; fetchai/ledger #1580",
    ),
    Specimen(
        one_hot_not_divided,
        wrong="g_i = p_i/N - one_hot(y_i), where it is (p_i - one_hot(y_i))/N",
        mend="subtract 1 at the label first, and divide by N then; or subtract 1/N",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="gradient_is_right",
        seen="C kernels of lecture notes, in which the division by N is folded into the softmax",
    ),
    Specimen(
        loss_not_divided,
        wrong="loss = sum_i loss_i with g_i = (p_i - one_hot(y_i))/N",
        mend="divide the loss by N as well, or do not divide the gradient",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="z.id.vn, a copy of a question on Stack Overflow",
    ),
    Specimen(
        divided_by_all_entries,
        wrong="loss = (1/(N K)) sum_ij t_ij (-log p_ij): the mean also counts the zeros of the one-hot matrix",
        mend="sum over the classes, mean over the rows",
        logits=[[0, 0]],
        labels=[0],
        killed_by="loss_is_right",
        seen="z.id.vn, a copy of a question on Stack Overflow",
    ),
    Specimen(
        divided_by_classes,
        wrong="loss = (1/K) sum_i loss_i: len() of a row in place of len() of the batch",
        mend="divide by the number of rows, logits.shape[0]",
        logits=[[0, 0]],
        labels=[0],
        killed_by="loss_is_right",
        seen="z.id.vn, a copy of a question on Stack Overflow",
    ),
    Specimen(
        divided_twice,
        wrong="g_i = (p_i - one_hot(y_i))/N^2",
        mend="divide once, in the loss or in the optimiser",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="MXNet #2231, #4761",
    ),
    Specimen(
        sum_divided,
        wrong="with reduction sum the loss is (1/N) sum_i loss_i",
        mend="divide only where the mean is asked for",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        options={"reduction": "sum"},
        killed_by="other_reduction_is_as_defined",
        claims={"reduction": ["mean", "sum"]},
    ),
    Specimen(
        mean_of_means,
        wrong="loss = (1/B) sum_b (1/N_b) sum_(i in b) loss_i, which is the mean only if all N_b are equal",
        mend="add up the sums of the micro-batches, and divide by N once",
        logits=[[0, 0]] * 3 + [[1, 0]],
        labels=[0, 0, 0, 0],
        killed_by="loss_is_right",
        seen="transformers #35203; mlx-lm #1413; NeMo-Automodel #3829, #3830; OpenNMT-py #2209",
    ),
    Specimen(
        wrong_factor,
        wrong="g = 2 (p - one_hot(y)), or another factor, constant over all problems",
        mend="g = p - one_hot(y), over the same denominator as the loss; the logarithm is the natural one",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="teaching code",
    ),
    Specimen(
        wrong_constant,
        wrong="loss = -log p_y - 1, or with another constant",
        mend="loss = -log p_y, which is 0 where the label is certain",
        logits=[[0, 0]],
        labels=[0],
        killed_by="loss_is_not_negative",
    ),
    Specimen(
        label_numbers_subtracted,
        wrong="g_ij = (p_ij - y_i)/N with y_i the number of the class",
        mend="subtract one-hot rows: 1 at the label and 0 elsewhere",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="teaching code",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
