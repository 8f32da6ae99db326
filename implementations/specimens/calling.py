"""What a call also does: to its arguments, to its results, to the next call."""

from __future__ import annotations

import numpy as np

from .._rows import mean
from ._right import Answer, Array, below_maximum, minus_one_hot, picked, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of

_buffer = np.zeros(0)
_generator = np.random.default_rng(0)
_kept: dict[tuple[object, ...], Answer] = {}
_seen_by_shape: dict[tuple[object, ...], Array] = {}


def logits_shifted_in_place(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The maximum is subtracted from the caller's own array."""
    logits -= logits.max(axis=1, keepdims=True)
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)


def gradient_over_logits(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient is written into the caller's logits, to save memory."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    logits[...] = gradient
    return loss, logits


def buffer_returned(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient is a view of a buffer that the next call writes to."""
    global _buffer
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    if _buffer.size < gradient.size or _buffer.dtype != gradient.dtype:
        _buffer = np.empty(2 * gradient.size, dtype=gradient.dtype)
    view = _buffer[: gradient.size].reshape(gradient.shape)
    view[...] = gradient
    return loss, view


def answer_kept(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The answer is remembered by all it depends on, and handed out again as the same array."""
    key = (logits.tobytes(), logits.shape, logits.dtype, labels.tobytes(), labels.dtype, reduction)
    if key not in _kept:
        _kept[key] = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    return _kept[key]


def softmax_remembered(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The probabilities are remembered by the shape and labels of the batch, and never computed for them again."""
    key = (logits.shape, logits.dtype, labels.tobytes())
    p = _seen_by_shape.setdefault(key, softmax(logits))
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels), reduction)


def warnings_turned_off(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """NumPy's warnings are turned off for the whole process, and stay so."""
    np.seterr(all="ignore")
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)


def order_of_threads(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The sum is taken in another order in every call, as threads do that add to one number."""
    d = below_maximum(logits)
    e = np.exp(d)
    order = _generator.permutation(logits.shape[1])
    sums = np.cumsum(e[:, order], axis=1)[:, -1]
    return reduced(np.log(sums) - picked(d, labels), minus_one_hot(e / sums[:, None], labels), reduction)


def rows_assumed_contiguous(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Row i is read at i K numbers from the start of the memory, whatever the strides say."""
    x = logits.ravel(order="K").reshape(logits.shape)
    return reduced(row_losses(x, labels), minus_one_hot(softmax(x), labels), reduction)


def index_overflow(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The place i K + y of the target is computed in 16 bits, as larger arrays do with 32."""
    n_rows, n_classes = logits.shape
    with np.errstate(over="ignore"):
        starts = np.arange(n_rows).astype(np.int16) * np.int64(n_classes).astype(np.int16)
        places = starts + labels.astype(np.int16)
    gradient = np.ascontiguousarray(softmax(logits))
    gradient.reshape(-1)[places] -= 1
    return reduced(row_losses(logits, labels), gradient, reduction)


def empty_batch_refused(logits: Array, labels: Array) -> Answer:
    """A batch without rows divides by 0."""
    losses, gradient = row_losses(logits, labels), minus_one_hot(softmax(logits), labels)
    one_over_n = logits.dtype.type(1 / len(losses))
    return mean(losses), gradient * one_over_n


def single_row_squeezed(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient is squeezed: a batch of one row, or of one class, loses an axis."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    return loss, gradient.squeeze()


def always_float64(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """A Python float on the way makes the gradient float64, whatever the logits are."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    return loss, gradient.astype(np.float64)


SPECIMENS = (
    Specimen(
        logits_shifted_in_place,
        wrong="x <- x - max x in the caller's array",
        mend="write to an array of your own: d = logits - m",
        logits=[[1, 0]],
        labels=[0],
        killed_by="leaves_its_inputs_alone",
        seen="cnblogs wangbingbing/16537847; CPM-1-Finetune #22",
    ),
    Specimen(
        gradient_over_logits,
        wrong="x <- g in the caller's array: calling twice gives the gradient of the gradient",
        mend="write to an array of your own, or document that the logits are overwritten",
        logits=[[1, 0]],
        labels=[0],
        killed_by="leaves_its_inputs_alone",
        seen="unsloth #5002; Liger-Kernel #1251, #272, #262",
    ),
    Specimen(
        buffer_returned,
        wrong="the gradient of one call is overwritten by the next",
        mend="return an array of its own, or a copy",
        logits=[[1, 0]],
        labels=[0],
        killed_by="outputs_share_no_memory",
    ),
    Specimen(
        answer_kept,
        wrong="two equal calls return one array: what a caller does to it, the next one gets",
        mend="hand out a copy, or keep a copy",
        logits=[[1, 0]],
        labels=[0],
        killed_by="outputs_share_no_memory",
    ),
    Specimen(
        softmax_remembered,
        wrong="p of an earlier call with the same shape and labels",
        mend="a key must hold all that the value depends on",
        logits=[[1, 0]],
        labels=[0],
        killed_by="gradient_is_the_derivative_of_its_own_loss",
    ),
    Specimen(
        warnings_turned_off,
        wrong="np.seterr in one function decides what every other one warns of",
        mend="with np.errstate(...): it ends where the block does",
        logits=[[1, 0]],
        labels=[0],
        killed_by="leaves_the_process_as_it_was",
    ),
    Specimen(
        order_of_threads,
        wrong="fl(a + b + c) depends on the order, which depends on the call",
        mend="fix the order: sum per thread first, then over the threads",
        logits=[[0.1, 0.2, 0.3, 0.4, 0.5]],
        labels=[0],
        killed_by="same_call_gives_same_bits",
        seen="pytorch #17350, #46024, #71367",
    ),
    Specimen(
        rows_assumed_contiguous,
        wrong="x_ij is read at i K + j, where it lies at i s_0 + j s_1",
        mend="use the strides, or make the array contiguous first",
        logits=[[0, 1, 2], [3, 4, 5]],
        labels=[0, 0],
        killed_by="layout_does_not_matter",
        seen="pytorch #67167",
    ),
    Specimen(
        index_overflow,
        wrong="i K + y wraps at 2^15 here, at 2^31 there: 1 is subtracted in another row",
        mend="compute places in 64 bits",
        logits=[[0] * 1000] * 33,
        labels=[0] * 33,
        killed_by="gradient_is_the_derivative_of_its_own_loss",
        seen="pytorch #111484, #85786, #190139, #190184; triton #1058",
    ),
    Specimen(
        empty_batch_refused,
        wrong="1/N with N = 0",
        mend="divide by max(N, 1): the gradient of shape (0, K) has no entries",
        logits=[],
        labels=[],
        killed_by="empty_batch_is_answered",
        seen="pytorch #15870, #50224, #73165; Chainer #3559",
        claims={"empty_batch": True},
    ),
    Specimen(
        single_row_squeezed,
        wrong="g of shape (K,) where N = 1",
        mend="squeeze the axis that you mean, and no other",
        logits=[[0, 0]],
        labels=[0],
        killed_by="returns_loss_and_gradient",
    ),
    Specimen(
        always_float64,
        wrong="the gradient of float32 logits is float64: twice the memory, and half the speed of all that follows",
        mend="make constants in the dtype of the logits",
        logits=[[0, 0]],
        labels=[0],
        killed_by="keeps_the_dtype",
        claims={"keeps_dtype": True, "dtypes": ["float32"]},
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
