"""What is subtracted from the logits before exp: nothing, too much, too little, or not the same twice."""

from __future__ import annotations

import numpy as np

from .._rows import maximum
from ._right import Answer, Array, below_maximum, minus_one_hot, one_hot, picked, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def no_shift(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """exp of the logits as they are."""
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    return reduced(np.log(e.sum(axis=1)) - picked(logits, labels), minus_one_hot(p, labels), reduction)


def global_shift(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The largest logit of the whole batch is subtracted, not that of each row."""
    d = logits - logits.max(initial=-np.inf)
    e = np.exp(d)
    p = e / e.sum(axis=1, keepdims=True)
    return reduced(np.log(e.sum(axis=1)) - picked(d, labels), minus_one_hot(p, labels), reduction)


def shift_without_keepdims(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The rows' maxima, of shape (N,), are subtracted along the classes: class j is shifted by the maximum of row j."""
    d = logits - maximum(logits)[:, 0]
    e = np.exp(d)
    p = e / e.sum(axis=1, keepdims=True)
    return reduced(np.log(e.sum(axis=1)) - picked(d, labels), minus_one_hot(p, labels), reduction)


def shift_by_zero_or_more(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The running maximum starts at 0, so that rows far below 0 are not shifted."""
    d = logits - np.maximum(maximum(logits), 0)
    e = np.exp(d)
    p = e / e.sum(axis=1, keepdims=True)
    return reduced(np.log(e.sum(axis=1)) - picked(d, labels), minus_one_hot(p, labels), reduction)


def clamped_shift(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Logits more than 64 below the maximum are raised to 64 below it."""
    d = np.maximum(below_maximum(logits), logits.dtype.type(-64))
    e = np.exp(d)
    p = e / e.sum(axis=1, keepdims=True)
    return reduced(np.log(e.sum(axis=1)) - picked(d, labels), minus_one_hot(p, labels), reduction)


def log_of_softmax(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The logarithm of a probability that has been rounded to 0 already."""
    p = softmax(logits)
    return reduced(-np.log(picked(p, labels)), minus_one_hot(p, labels), reduction)


def lse_minus_logit(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The loss as lse - x_y: the maximum is added back before x_y is subtracted, and costs the digits."""
    lse = maximum(logits)[:, 0] + np.log(np.exp(below_maximum(logits)).sum(axis=1))
    return reduced(lse - picked(logits, labels), minus_one_hot(softmax(logits), labels), reduction)


def softmax_from_lse(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The probabilities as exp(x_j - lse): lse is rounded at the size of the logits."""
    lse = maximum(logits) + np.log(np.exp(below_maximum(logits)).sum(axis=1, keepdims=True))
    return reduced(row_losses(logits, labels), minus_one_hot(np.exp(logits - lse), labels), reduction)


def shift_differentiated(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The maximum is differentiated as if it were in the loss: the sum's part through it is left out."""
    p = softmax(logits)
    top = one_hot(logits.argmax(axis=1), logits)
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels) - top, reduction)


def two_shifts(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The maximum is rounded to a whole number before it is subtracted, and the loss uses the unrounded one."""
    largest = maximum(logits)
    d = logits - np.rint(largest)
    losses = np.log(np.exp(d).sum(axis=1)) - (picked(logits, labels) - largest[:, 0])
    return reduced(losses, minus_one_hot(softmax(logits), labels), reduction)


SPECIMENS = (
    Specimen(
        no_shift,
        wrong="p_j = exp(x_j) / sum_k exp(x_k) is inf/inf from x = 88.73 in float32, 709.79 in float64",
        mend="subtract the largest logit of each row before exp: p and the loss stay as they are, and exp is at most 1",
        logits=[[800, 0]],
        labels=[0],
        killed_by="gradient_within_forward_error",
        seen="deeplearning4j-examples #730; numenta/nupic #3819; tensorflow/models #181",
    ),
    Specimen(
        global_shift,
        wrong="p_ij = exp(x_ij - max X) / sum_k exp(x_ik - max X) is 0/0 in a row far below the largest logit of all",
        mend="subtract the largest logit of each row: logits.max(axis=1, keepdims=True)",
        logits=[[0, 0], [900, 0]],
        labels=[0, 0],
        killed_by="rows_are_independent",
        seen="crysx_nn #7; forum.devtalk.com 89716; shusei-e.github.io",
    ),
    Specimen(
        shift_without_keepdims,
        wrong="d_ij = x_ij - max_k x_jk: the maximum of row j instead of row i, where N = K; no answer elsewhere",
        mend="keep the axis: logits.max(axis=1, keepdims=True)",
        logits=[[0, 0], [2, 1]],
        labels=[0, 0],
        killed_by="returns_loss_and_gradient",
        seen="cnblogs kmeira/17798338",
    ),
    Specimen(
        shift_by_zero_or_more,
        wrong="m = max(0, max x) leaves a row of negative logits as it is: exp underflows, and p is 0/0",
        mend="start the running maximum at -inf, not at 0",
        logits=[[-10000, -10000]],
        labels=[0],
        killed_by="gradient_within_forward_error",
        seen="FluxML/NNlib.jl #43",
    ),
    Specimen(
        clamped_shift,
        wrong="d_j = max(x_j - max x, -64): a target further below costs 64, whatever it should cost",
        mend="do not clamp: exp of a large negative number is 0, and the loss needs the logit itself",
        logits=[[200, 0]],
        labels=[1],
        killed_by="loss_within_forward_error",
        seen="PaddlePaddle #21165",
    ),
    Specimen(
        log_of_softmax,
        wrong="loss = -log p_y is inf as soon as p_y underflows, although the loss is only max x - x_y",
        mend="loss = log sum exp(d) - d_y, with d = x - max x",
        logits=[[800, 0]],
        labels=[1],
        killed_by="loss_within_forward_error",
        seen="Theano #3162; Megatron-LM #7466",
    ),
    Specimen(
        lse_minus_logit,
        wrong="loss = (max x + log S) - x_y: at an offset of 1e8 the loss of three equal logits is 0, not log 3",
        mend="subtract first: loss = log S + (max x - x_y)",
        logits=[[2.0**30] * 3],
        labels=[0],
        killed_by="adding_2_to_30_exactly_changes_nothing",
        seen="pytorch #11752; mlx #4188; optax #1792",
    ),
    Specimen(
        softmax_from_lse,
        wrong="p_j = exp(x_j - lse) is off by u |lse| relative, since lse is rounded at the size of the logits",
        mend="p_j = exp(x_j - max x) / S, or exp(d_j - log S)",
        logits=[[2.0**30] * 2],
        labels=[0],
        killed_by="adding_2_to_30_exactly_changes_nothing",
        seen="Blanchard, D. Higham and N. Higham, IMA J. Numer. Anal. 41(4), 2021, section 4",
    ),
    Specimen(
        shift_differentiated,
        wrong="g = p - one_hot(y) - one_hot(argmax x): the maximum cancels in the loss, and must here too",
        mend="treat the maximum as a constant (stop_gradient, detach), in both places or in none",
        logits=[[1, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="jax #2260",
    ),
    Specimen(
        two_shifts,
        wrong="log S with d_j = x_j - rint(max x), less x_y - max x: the loss is off by max x - rint(max x)",
        mend="subtract the same number in both places",
        logits=[[0.25, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
