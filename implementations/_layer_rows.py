"""The kernels of `layer_fused`, compiled by numba: a block of logits becomes the gradient by them, in the cache.

The block of a row may be all of its classes, or some; what is found of the others is kept in two numbers a row, as in
`online`. What is let loose is the order in which the terms of one short sum are added, where that is harmless.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float32, float64, intp, types, void

from ._elementary import compiled, disjoint, exponential, full_width, larger, settled
from ._keeping import CHUNK, LABELS, keep

__all__ = ["add_bias_and_sum", "finish_rows", "gradient_in_place"]


@compiled()  # type: ignore[untyped-decorator]
def _add(row: Any, bias: Any) -> Any:
    """Adds the bias to a row; its largest entry, anything where it holds a NaN."""
    full_width()
    disjoint()
    largest = row[0] + bias[0]
    for j in range(row.size):
        value = row[j] + bias[j]
        row[j] = value
        largest = larger(largest, value)
    return settled(largest)


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _sum_of_chunk(row: Any, largest: Any) -> Any:
    full_width()
    zero = row.dtype.type(0)
    total = zero
    for j in range(row.size):
        total += exponential(row[j] - largest, zero)
    return total


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _gradient_of_chunk(row: Any, largest: Any, factor: Any, sums: Any) -> None:
    full_width()
    disjoint()
    zero = row.dtype.type(0)
    for j in range(row.size):
        g = exponential(row[j] - largest, zero) * factor
        row[j] = g
        sums[j] += g


@compiled()  # type: ignore[untyped-decorator]
def _sum(row: Any, largest: Any) -> float:
    """The sum of exp(x - largest), the sums of chunks added in float64."""
    total = 0.0
    for start in range(0, row.size, CHUNK):
        total += _sum_of_chunk(row[start : start + CHUNK], largest)
    return total


_KINDS = (float32, float64)
_ROW_NUMBERS = float64[:, ::1]  # of each row: the largest of the others' logits, their sum, and the label's logit


@keep([void(kind[:, ::1], types.Array(kind, 1, "C", readonly=True), LABELS, intp, _ROW_NUMBERS) for kind in _KINDS])
def add_bias_and_sum(block: Any, bias: Any, labels: Any, first: Any, numbers: Any) -> None:
    """Adds the bias of the classes from `first` on, and takes the block into each row's numbers, but for its label.

    numbers: the largest m of the logits without the label's, -inf before the first block; the sum of exp(x - m) over
    them; and the label's logit.
    """
    for i in range(block.shape[0]):
        row = block[i]
        largest = _add(row, bias)
        label = labels[i] - first
        is_here = 0 <= label < row.size
        if is_here:
            numbers[i, 2] = row[label]
            row[label] = -np.inf
            if not largest > numbers[i, 2]:
                largest = row[0]
                for j in range(row.size):
                    largest = max(largest, row[j])
        before, total = numbers[i, 0], numbers[i, 1]
        most = max(before, np.float64(largest))
        if most > -np.inf:
            scale = 1.0 if most == before else math.exp(before - most)
            numbers[i, 0], numbers[i, 1] = most, total * scale + _sum(row, row.dtype.type(most))
        if is_here:
            row[label] = numbers[i, 2]


@keep([void(_ROW_NUMBERS, float64, float64[::1], float64[:, ::1])])
def finish_rows(numbers: Any, divisor: Any, losses: Any, shares: Any) -> None:
    """Writes each row's loss, and in its shares the shift, the factor of exp(x - shift), and the label's entry."""
    for i in range(losses.size):
        most, total, own = numbers[i]
        shift = max(most, own)
        others = total * math.exp(most - shift) if total > 0 else total
        term = math.exp(own - shift)
        losses[i] = math.log1p(others) if own >= most else (most - own) + math.log1p(total - 1 + math.exp(own - most))
        shares[i, 0], shares[i, 1] = shift, 1 / ((others + term) * divisor)
        shares[i, 2] = -others / (others + term) / divisor


@keep([void(kind[:, ::1], LABELS, intp, float64[:, ::1], kind[::1]) for kind in _KINDS])
def gradient_in_place(block: Any, labels: Any, first: Any, shares: Any, sums: Any) -> None:
    """The block of logits becomes the gradient by them, and each column's sum is added to the sums."""
    for i in range(block.shape[0]):
        row = block[i]
        label = labels[i] - first
        shift, factor = row.dtype.type(shares[i, 0]), row.dtype.type(shares[i, 1])
        is_here = 0 <= label < row.size
        if is_here:
            before = sums[label]
        _gradient_of_chunk(row, shift, factor, sums)
        if is_here:
            row[label] = shares[i, 2]
            sums[label] = before + row[label]
