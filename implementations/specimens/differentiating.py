"""A gradient that is not the derivative of its own loss: a term too many or too few, another sign, another label."""

from __future__ import annotations

import numpy as np

from ._digits import Digits, answer_by
from ._right import (
    Answer,
    Array,
    minus_one_hot,
    one_hot,
    picked,
    reduced,
    row_losses,
    softmax,
)
from ._specimen import Specimen, claims_of


def double_softmax_in_gradient(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient applies softmax to what is a softmax already."""
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(softmax(logits)), labels), reduction)


def diagonal_jacobian(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Of the softmax's Jacobian only the diagonal: the target's own entry, and 0 for the other classes."""
    gradient = minus_one_hot(softmax(logits), labels) * one_hot(labels, logits)
    return reduced(row_losses(logits, labels), gradient, reduction)


def sigmoid_chain(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """dL/dp_j p_j (1 - p_j), the chain rule of a sigmoid, with p_j - t_j taken for dL/dp_j."""
    p = softmax(logits)
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels) * p * (1 - p), reduction)


def sign_flipped(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The target minus the probability: the direction of descent, not the gradient."""
    return reduced(row_losses(logits, labels), -minus_one_hot(softmax(logits), labels), reduction)


def one_hot_forgotten(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The probabilities alone: the gradient of log sum exp, and not of the loss."""
    return reduced(row_losses(logits, labels), softmax(logits), reduction)


def broadcast_index(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """g[:, y] -= 1 takes 1 from every row at the labels of all rows."""
    gradient = softmax(logits)
    gradient[:, labels] -= 1
    return reduced(row_losses(logits, labels), gradient, reduction)


def label_of_the_next_row(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient takes the labels one row on: they were shuffled, or shifted, for one of the two passes only."""
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), np.roll(labels, 1)), reduction)


def label_counted_from_one(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient takes the labels for numbers from 1 to K."""
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels - 1), reduction)


def kink_at_ties(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """With two classes the loss is max(h, 0) + log1p(exp(-|h|)); at h = 0 both slopes are taken as 0."""
    gradient = minus_one_hot(softmax(logits), labels)
    if logits.shape[1] == 2:
        gradient[logits[:, 0] == logits[:, 1]] = 0
    return reduced(row_losses(logits, labels), gradient, reduction)


def small_entries_skipped(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Entries of less than 2^-12 are not computed, to save time."""
    gradient = minus_one_hot(softmax(logits), labels)
    gradient[np.abs(gradient) < 2.0**-12] = 0
    return reduced(row_losses(logits, labels), gradient, reduction)


def quotient_through_softmax(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """-1/p_y is chained through the softmax's Jacobian: -1/p_y times p_y is inf times 0 where p_y underflows."""
    p = softmax(logits)
    along = -one_hot(labels, logits) / picked(p, labels)[:, None]
    gradient = p * (along - (along * p).sum(axis=1, keepdims=True))
    return reduced(row_losses(logits, labels), gradient, reduction)


def target_less_one(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The target's entry as p_y - 1, which keeps no digit once p_y rounds to 1; the loss keeps all of its digits."""
    losses, gradient = answer_by(Digits(), logits, labels, "none")
    gradient[np.arange(len(labels)), labels] = picked(softmax(logits), labels) - 1
    return reduced(losses, gradient, reduction)


SPECIMENS = (
    Specimen(
        double_softmax_in_gradient,
        wrong="g = softmax(p) - one_hot(y) in place of p - one_hot(y)",
        mend="g = p - one_hot(y): p is a softmax already",
        logits=[[1, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
    ),
    Specimen(
        diagonal_jacobian,
        wrong="g_y = p_y - 1 and g_j = 0 for the other classes: dp_i/dx_j = -p_i p_j is left out for i != j",
        mend="dp_i/dx_j = p_i ([i = j] - p_j), so that g_j = p_j - [j = y] for every class",
        logits=[[0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
        seen="newbe.dev, a copy of a question on Stack Overflow",
    ),
    Specimen(
        sigmoid_chain,
        wrong="g_j = (p_j - [j = y]) p_j (1 - p_j): the derivative of a sigmoid on top of the whole gradient",
        mend="g = p - one_hot(y) is the gradient with respect to the logits: nothing is left to chain",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="newbe.dev, a copy of a question on Stack Overflow",
    ),
    Specimen(
        sign_flipped,
        wrong="g = one_hot(y) - p",
        mend="g = p - one_hot(y); the sign belongs to the step, not to the gradient",
        logits=[[0, 0]],
        labels=[0],
        killed_by="entries_have_the_right_sign_and_size",
        seen="mistnet #29; fatal001.com, a copy of a question on Stack Overflow",
    ),
    Specimen(
        one_hot_forgotten,
        wrong="g = p: the gradient of log sum exp x alone",
        mend="subtract 1 at the label of each row",
        logits=[[0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
    ),
    Specimen(
        broadcast_index,
        wrong="g_ij = p_ij - [j is the label of any row]",
        mend="index rows and labels together: g[np.arange(N), y] -= 1",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        killed_by="rows_sum_to_zero",
    ),
    Specimen(
        label_of_the_next_row,
        wrong="g_i = p_i - one_hot(y_(i-1)), while the loss of row i takes y_i",
        mend="keep the labels of the forward pass for the backward pass",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
    ),
    Specimen(
        label_counted_from_one,
        wrong="g = p - one_hot(y - 1); label 0 hits the last class",
        mend="labels are numbers from 0 to K - 1",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
    ),
    Specimen(
        kink_at_ties,
        wrong="g = 0 at x_0 = x_1, where it is (-1/2, 1/2): d|h|/dh and d max(h, 0)/dh are taken as 0 at h = 0",
        mend="write the loss without kinks, or take the subgradients 0 and 1/2, which cancel",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="Keras #23616; tensorflow #127232; jax #2107",
    ),
    Specimen(
        small_entries_skipped,
        wrong="g_j = 0 where |g_j| < 2^-12: with a vocabulary of 50,000 words that may be most of the mass",
        mend="compute every entry, or state that the gradient is filtered",
        logits=[[9, 0]],
        labels=[1],
        killed_by="gradient_within_forward_error",
        seen="ml-cross-entropy #14",
    ),
    Specimen(
        quotient_through_softmax,
        wrong="g_j = p_j ((-1/p_y) [j = y] + 1) is 0 inf = NaN where p_y underflows",
        mend="cancel p_y by hand: g = p - one_hot(y)",
        logits=[[800, 0]],
        labels=[1],
        killed_by="gradient_within_forward_error",
        seen="FluxML/NNlib.jl #68, #126; Theano #3162; optax #1762",
    ),
    Specimen(
        target_less_one,
        wrong="g_y = p_y - 1 is off by u, whatever its size: 100% from a margin of 17 in float32, 37 in float64",
        mend="g_y = -sum of the other p_j",
        logits=[[17, 0]],
        labels=[0],
        killed_by="target_entry_within_a_few_ulp",
        seen="every framework that was measured; Liger-Kernel #1329",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
