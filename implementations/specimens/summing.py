"""What is summed: the wrong axis, too many classes, too few, or in too few bits."""

from __future__ import annotations

import numpy as np

from ._right import Answer, Array, below_maximum, minus_one_hot, picked, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def whole_matrix_sum(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Every exp is divided by the sum over the whole batch."""
    d = below_maximum(logits)
    e = np.exp(d)
    p = e / e.sum()
    return reduced(np.log(e.sum()) - picked(d, labels), minus_one_hot(p, labels), reduction)


def softmax_over_the_batch(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The softmax runs down the columns: axis 0 is the batch."""
    d = logits - logits.max(axis=0, initial=-np.inf)
    e = np.exp(d)
    p = e / e.sum(axis=0)
    return reduced(picked(np.log(e.sum(axis=0)) - d, labels), minus_one_hot(p, labels), reduction)


def reduced_twice(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Two workers hold the gathered logits, and their sums are added up once more: S is doubled."""
    d = below_maximum(logits)
    e = np.exp(d)
    sums = e.sum(axis=1) + e.sum(axis=1)
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(e / sums[:, None], labels), reduction)


def zero_padded_lanes(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The classes are padded with 0 up to a whole number of blocks of eight, and the padding is summed too."""
    n_padded = -logits.shape[1] % 8
    padded = np.pad(logits, ((0, 0), (0, n_padded)))
    gradient = minus_one_hot(softmax(padded), labels)[:, : logits.shape[1]]
    return reduced(row_losses(padded, labels), gradient, reduction)


def finite_padded_lanes(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The padding of the last block is -30 and not -inf: it went through a soft cap, which makes -inf a number."""
    n_padded = -logits.shape[1] % 8
    padded = np.pad(logits, ((0, 0), (0, n_padded)), constant_values=-30)
    gradient = minus_one_hot(softmax(padded), labels)[:, : logits.shape[1]]
    return reduced(row_losses(padded, labels), gradient, reduction)


def last_block_dropped(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Blocks of four classes, K // 4 of them: the classes of a last block that is not full are not summed."""
    n_classes = logits.shape[1]
    whole = n_classes - n_classes % 4 if n_classes >= 4 else n_classes
    d = below_maximum(logits)
    e = np.exp(d)
    sums = e[:, :whole].sum(axis=1)
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(e / sums[:, None], labels), reduction)


def online_without_rescaling(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """One pass over the classes: the sum so far is kept as it is when a new maximum comes."""
    largest = np.full(len(logits), -np.inf, dtype=logits.dtype)
    sums = np.zeros(len(logits), dtype=logits.dtype)
    for column in logits.T:
        largest = np.maximum(largest, column)
        sums = sums + np.exp(column - largest)
    d = logits - largest[:, None]
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(np.exp(d) / sums[:, None], labels), reduction)


def online_without_guard(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """One pass over the classes, where a first class of -inf makes the rescaling exp(-inf - -inf)."""
    largest = np.full(len(logits), -np.inf, dtype=logits.dtype)
    sums = np.zeros(len(logits), dtype=logits.dtype)
    for column in logits.T:
        new = np.maximum(largest, column)
        sums = sums * np.exp(largest - new) + np.exp(column - new)
        largest = new
    d = logits - largest[:, None]
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(np.exp(d) / sums[:, None], labels), reduction)


def half_precision_sum(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The sum is accumulated in float16, one class after the other: it stops growing at 2048."""
    d = below_maximum(logits)
    e = np.exp(d)
    sums = np.cumsum(e.astype(np.float16), axis=1, dtype=np.float16)[:, -1].astype(logits.dtype)
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(e / sums[:, None], labels), reduction)


def sharded_gradient(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Two workers hold half of the classes each; the one without the label gets no gradient."""
    middle = (logits.shape[1] + 1) // 2
    on_first = np.arange(logits.shape[1]) < middle
    owner = on_first == (labels < middle)[:, None]
    gradient = minus_one_hot(softmax(logits), labels)
    return reduced(row_losses(logits, labels), np.where(owner, gradient, gradient.dtype.type(0)), reduction)


SPECIMENS = (
    Specimen(
        whole_matrix_sum,
        wrong="p_ij = exp(d_ij) / sum_ik exp(d_ik): the probabilities of the whole batch sum to 1",
        mend="sum over the classes of each row: e.sum(axis=1, keepdims=True)",
        logits=[[0, 0], [0, 0]],
        labels=[0, 0],
        killed_by="rows_sum_to_zero",
        seen="the many answers to 'how to implement the softmax function in Python'",
    ),
    Specimen(
        softmax_over_the_batch,
        wrong="p_ij = exp(x_ij) / sum_i exp(x_ij): the sum runs over the examples",
        mend="the classes are the last axis: axis=1, or axis=-1",
        logits=[[0, 0], [1, 0]],
        labels=[0, 0],
        killed_by="rows_are_independent",
        seen="euclidesdb #2; UNO #4; DeepRLInAction #32; nntrainer #430; Paddle #27311",
    ),
    Specimen(
        reduced_twice,
        wrong="S = 2 sum_j exp(d_j): the loss is log 2 too large, and every p_j half of what it is",
        mend="reduce over the workers once: either gather the logits, or add up their partial sums",
        logits=[[0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
        seen="Megatron-LM #7452",
    ),
    Specimen(
        zero_padded_lanes,
        wrong="S = sum_j exp(x_j - m) + r exp(0 - m) for r lanes of padding that hold 0",
        mend="load -inf into the lanes beyond the last class, so that their exp is 0",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_right",
        seen="vllm #55009; verl #2899",
    ),
    Specimen(
        finite_padded_lanes,
        wrong="S = sum_j exp(x_j - m) + r exp(-30 - m) for r lanes of padding: cap tanh(-inf / cap) is -cap",
        mend="mask the lanes after the soft cap, not before it",
        logits=[[-20, -20]],
        labels=[0],
        killed_by="gradient_within_forward_error",
        seen="unsloth #10616",
    ),
    Specimen(
        last_block_dropped,
        wrong="S = sum of exp(d_j) over j < 4 floor(K/4): the last classes have no share in it",
        mend="round the number of blocks up, and mask the lanes beyond the last class",
        logits=[[0, 0, 0, 0, 0]],
        labels=[0],
        killed_by="rows_sum_to_zero",
        seen="verl #2899",
    ),
    Specimen(
        online_without_rescaling,
        wrong="s <- s + exp(x_j - m_j) with the maximum so far: the old sum lacks its factor exp(m_old - m_new)",
        mend="s <- s exp(m_old - m_new) + exp(x_j - m_new)",
        logits=[[0, 1]],
        labels=[0],
        killed_by="permuting_classes_permutes_the_gradient",
    ),
    Specimen(
        online_without_guard,
        wrong="s exp(m_old - m_new) is 0 exp(-inf - -inf) = NaN where the first class is -inf",
        mend="while the maximum is -inf, rescale by 1: subtract 0 in its place",
        logits=[[-np.inf, 0]],
        labels=[1],
        killed_by="masked_class_has_probability_zero",
        seen="flash-attention #1930, #1948; pytorch/xla #2553",
    ),
    Specimen(
        half_precision_sum,
        wrong="fl16(s + 1) = s from s = 2048 on: 4096 equal logits sum to 2048, and the probabilities to 2",
        mend="accumulate in float32 at least, whatever the dtype of the logits",
        logits=[[0] * 4096],
        labels=[0],
        killed_by="gradient_within_forward_error",
        seen="candle #3727; tract #2586; executorch #20090; Chainer #6366; google-research/last #43",
    ),
    Specimen(
        sharded_gradient,
        wrong="g_j = p_j - [j = y] on the worker that holds y, and 0 on the others",
        mend="every worker has p_j for its own classes: only the one-hot part belongs to the owner of the label",
        logits=[[0, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="ms-swift #9947",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
