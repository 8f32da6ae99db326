"""The kernel of `fused`, compiled by numba: row by row, in the first-level cache.

What is let loose is the order in which the terms of one short sum are added, where that is harmless.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float32, float64, intp, void

from ._elementary import compiled, disjoint, exponential, full_width, larger, largest_of, settled
from ._keeping import CHUNK, keep, row_signatures


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _sum_of_chunk(terms: Any) -> Any:
    full_width()
    total = terms.dtype.type(0)
    for j in range(terms.size):
        total += terms[j]
    return total


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _exponentials_of_chunk(logits: Any, largest: Any, terms: Any, following: Any) -> Any:
    """(sum, largest of following): writes exp(fl(x - largest)) into terms, and reads the next row along the way.

    While it is read, the exponentials keep the processor busy, and where it lies far off nothing waits for it.
    """
    full_width()
    disjoint()
    zero = logits.dtype.type(0)
    total, behind = zero, following[0]
    for j in range(logits.size):
        term = exponential(logits[j] - largest, zero)
        terms[j] = term
        total += term
        behind = larger(behind, following[j])
    return total, settled(behind)


@compiled()  # type: ignore[untyped-decorator]
def _sum(terms: Any) -> float:
    full_width()
    if terms.size <= CHUNK:  # a slice costs as much as several entries
        return np.float64(_sum_of_chunk(terms))
    total = 0.0
    for start in range(0, terms.size, CHUNK):
        total += _sum_of_chunk(terms[start : start + CHUNK])
    return total


@compiled()  # type: ignore[untyped-decorator]
def _exponentials(logits: Any, largest: Any, terms: Any, following: Any) -> Any:
    """As `_exponentials_of_chunk`, for rows of any length; the sum in float64."""
    full_width()
    if terms.size <= CHUNK:
        total, behind = _exponentials_of_chunk(logits, largest, terms, following)
        return np.float64(total), behind
    total, behind = 0.0, following[0]
    for start in range(0, terms.size, CHUNK):
        stop = start + CHUNK
        part, of_chunk = _exponentials_of_chunk(logits[start:stop], largest, terms[start:stop], following[start:stop])
        total += part
        behind = max(behind, of_chunk)
    return total, behind


@compiled()  # type: ignore[untyped-decorator]
def _scale(terms: Any, factor: Any) -> None:
    full_width()
    for j in range(terms.size):
        terms[j] *= factor


@keep(row_signatures())
def fast_rows(logits: Any, labels: Any, answer: Any, rows: Any) -> None:
    """Writes the losses, float64, and the gradient: answer = (losses, gradient, its divisor), rows = (first, last).

    The target's entry is minus the sum of the others, taken again where the label's exponential is more than half.
    """
    full_width()
    losses, gradient, divisor = answer
    first, last = rows
    largest = logits.dtype.type(0) if first == last else largest_of(logits[first])
    for i in range(first, last):
        x, g, y = logits[i], gradient[i], labels[i]
        total, following = _exponentials(x, largest, g, logits[min(i + 1, last - 1)])
        own = np.float64(g[y])
        others = total - own
        if own > 0.5 * total:
            g[y] = 0
            others = _sum(g)
            total = others + own
        distance = np.float64(largest) - np.float64(x[y])
        losses[i] = math.log1p(others) if distance == 0 else distance + math.log(total)
        _scale(g, logits.dtype.type(1 / (total * divisor)))
        g[y] = -(others / total) / divisor
        largest = following


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _exponentials_alone(logits: Any, largest: Any, terms: Any) -> Any:
    full_width()
    zero = logits.dtype.type(0)
    total = zero
    for j in range(logits.size):
        term = exponential(logits[j] - largest, zero)
        terms[j] = term
        total += term
    return total


@keep([void(kind[::1], kind, kind[::1], intp) for kind in (float32, float64)])
def repeated_exponentials(logits: Any, largest: Any, terms: Any, times: Any) -> None:
    """Writes exp(fl(x - largest)) into terms so many times: what the exponentials alone take, for benchmarks."""
    for _ in range(times):
        _exponentials_alone(logits, largest, terms)
