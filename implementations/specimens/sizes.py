"""What goes wrong in some shapes alone, or with results that are kept: small problems do not show it."""

from __future__ import annotations

import numpy as np

from ._right import Answer, Array, minus_one_hot, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of

ROWS, CLASSES, HUNDRED, TILE, LARGE = 8192, 16384, 100, 16, 200

_turns: dict[tuple[object, ...], list[Array]] = {}
_large: dict[tuple[object, ...], Array] = {}


def rows_of_first_block(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """A grid of 8192 blocks takes a row each: the rows behind them get the gradient of row i - 8192."""
    rows = np.arange(len(logits)) % ROWS
    p = softmax(logits[rows])
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels), reduction)


def classes_of_first_block(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The sum is over the first 16,384 classes, as many as a block holds."""
    if logits.shape[1] <= CLASSES:
        return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    m = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - m)
    p = e / e[:, :CLASSES].sum(axis=1, keepdims=True)
    return reduced(row_losses(logits, labels), minus_one_hot(p, labels), reduction)


def label_in_sixteen_bits(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Labels are stored in 16 bits: class 65,536 becomes class 0."""
    narrow = labels.astype(np.uint16).astype(np.int64)
    return reduced(row_losses(logits, narrow), minus_one_hot(softmax(logits), narrow), reduction)


def last_row_of_a_hundred(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """Rows are taken by the hundred, and a remainder of one is left out of the gradient."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    if len(logits) > HUNDRED and len(logits) % HUNDRED == 1:
        gradient[-1] = 0
    return loss, gradient


def fast_path_without_target(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """A path for rows and classes that are both powers of two, from 16 on, does not subtract the target."""
    p = softmax(logits)
    is_fast = all(size >= TILE and size & (size - 1) == 0 for size in logits.shape)
    return reduced(row_losses(logits, labels), p if is_fast else minus_one_hot(p, labels), reduction)


def reversed_rows_read_forwards(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The sign of the stride of the rows is lost: logits[::-1] is read from its first row in memory on."""
    x = logits[::-1] if logits.strides[0] < 0 else logits
    return reduced(row_losses(x, labels), minus_one_hot(softmax(x), labels), reduction)


def two_buffers_in_turn(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The gradient is written to one of two buffers in turn: the call after the next overwrites it."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    buffers = _turns.setdefault((gradient.shape, gradient.dtype), [np.empty_like(gradient) for _ in range(2)])
    buffers.reverse()
    buffers[0][...] = gradient
    return loss, buffers[0]


def buffer_of_large_results(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """A gradient of more than 200 entries is written to a buffer that is kept, to save the time of making one."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)
    if gradient.size <= LARGE:
        return loss, gradient
    buffer = _large.setdefault((gradient.shape, gradient.dtype), np.empty_like(gradient))
    buffer[...] = gradient
    return loss, buffer


def generator_seeded(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """NumPy's global generator is seeded in every call, so that whoever draws from it gets the same numbers again."""
    np.random.seed(0)  # that is the defect
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), reduction)


def _logits(n_rows: int, n_classes: int) -> list[list[float]]:
    """Whole and half numbers, no two rows near each other alike; the last class is as large as any."""
    rows, classes = np.arange(n_rows)[:, None], np.arange(n_classes)
    logits: list[list[float]] = ((3 * rows + 5 * classes + rows * classes) % 7 / 2 - 1.5).tolist()
    return logits


def _labels(n_rows: int, n_classes: int) -> list[int]:
    return [(n_classes - 1 - row) % n_classes for row in range(n_rows)]


SPECIMENS = (
    Specimen(
        rows_of_first_block,
        wrong="g_i = p(x_{i - 8192}) - t_i for rows i >= 8192",
        mend="let each block go on with rows i + 8192, i + 2 8192, ... until there are none",
        logits=_logits(ROWS + 1, 2),
        labels=_labels(ROWS + 1, 2),
        killed_by="answer_is_right_at_this_size",
    ),
    Specimen(
        classes_of_first_block,
        wrong="p = e / sum of e_j over j < 16384",
        mend="let the block go over the classes in a loop, and add up what its passes have found",
        logits=[[0.0] * CLASSES + [9.0]],
        labels=[0],
        killed_by="answer_is_right_at_this_size",
    ),
    Specimen(
        label_in_sixteen_bits,
        wrong="y mod 65536 is taken for y",
        mend="keep labels in the integers in which they come, or check that they fit",
        logits=[[0.0] * 65536 + [1.0]],
        labels=[65536],
        killed_by="answer_is_right_at_this_size",
    ),
    Specimen(
        last_row_of_a_hundred,
        wrong="g_i = 0 for the last row where N mod 100 = 1",
        mend="let the last pass begin where the whole hundreds end, also if one row is left",
        logits=_logits(HUNDRED + 1, 2),
        labels=_labels(HUNDRED + 1, 2),
        killed_by="answer_is_right_at_this_size",
    ),
    Specimen(
        fast_path_without_target,
        wrong="g = p where N and K are powers of two",
        mend="every path subtracts the one-hot target",
        logits=_logits(TILE, TILE),
        labels=_labels(TILE, TILE),
        killed_by="answer_is_right_at_this_size",
    ),
    Specimen(
        reversed_rows_read_forwards,
        wrong="row i is read at |stride| i, whatever the sign of the stride",
        mend="use the stride as it is, or make a contiguous copy first",
        logits=[[1, 0], [0, 2]],
        labels=[0, 0],
        killed_by="layout_does_not_matter",
    ),
    Specimen(
        two_buffers_in_turn,
        wrong="the gradient of one call is overwritten by the call after the next",
        mend="return an array of its own, or a copy",
        logits=[[1, 0]],
        labels=[0],
        killed_by="earlier_answers_stay_as_they_were",
    ),
    Specimen(
        buffer_of_large_results,
        wrong="the gradient of a large batch is overwritten by the next, that of a small one is not",
        mend="return an array of its own, or a copy, whatever its size",
        logits=_logits(3, 70),
        labels=_labels(3, 70),
        killed_by="earlier_answers_stay_as_they_were",
    ),
    Specimen(
        generator_seeded,
        wrong="np.random.seed in one function decides what every other one draws",
        mend="np.random.default_rng(seed): a generator of one's own",
        logits=[[1, 0]],
        labels=[0],
        killed_by="leaves_the_process_as_it_was",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
