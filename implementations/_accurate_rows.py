"""The kernel of `fused_accurate`, compiled by numba: the steps of docs/accuracy.md, row by row in the nearest cache.

What is let loose is the order in which the terms of one short sum are added, where that is harmless.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from ._elementary import compiled, disjoint, exponential, full_width, larger, largest_of, settled, two_product, two_sum
from ._keeping import CHUNK, keep, row_signatures


@compiled()  # type: ignore[untyped-decorator]
def _cut(value: Any, sigma: Any) -> Any:
    """The part of the value that is a multiple of sigma's ULP."""
    return (value + sigma) - sigma


@compiled()  # type: ignore[untyped-decorator]
def _difference(a: Any, b: Any) -> Any:
    return a - b  # here, since in a function that may reorder sums it would be part of one


@compiled()  # type: ignore[untyped-decorator]
def _exact_exponential(x: Any, largest: Any) -> Any:
    """exp(x - largest), of the exact difference."""
    d, delta = two_sum(x, -largest)
    return exponential(d, delta)


@compiled()  # type: ignore[untyped-decorator]
def _exact_exponentials32(rows: Any, largest: Any, terms: Any, sigma: Any) -> Any:
    full_width()
    disjoint()
    logits, following = rows
    behind = following[0]
    for j in range(logits.size):
        terms[j] = _exact_exponential(logits[j], largest)
        behind = larger(behind, following[j])
    return _sum32(terms, sigma), settled(
        behind
    )  # a loop with a number in float64 takes half as many float32 sigma a time


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _exact_exponentials_of_chunk(rows: Any, largest: Any, terms: Any, sigma: Any) -> Any:
    full_width()
    disjoint()
    logits, following = rows
    high, low, behind = 0.0, 0.0, following[0]
    for j in range(logits.size):
        term = _exact_exponential(logits[j], largest)
        terms[j] = term
        upper = _cut(term, sigma)
        high += upper
        low += _difference(term, upper)
        behind = larger(behind, following[j])
    return (high, low), settled(behind)


@compiled()  # type: ignore[untyped-decorator]
def _exact_exponentials64(rows: Any, largest: Any, terms: Any, sigma: Any) -> Any:
    full_width()
    if terms.size <= CHUNK:
        return _exact_exponentials_of_chunk(rows, largest, terms, sigma)
    logits, following = rows
    high, low, rest, behind = 0.0, 0.0, 0.0, following[0]
    for start in range(0, terms.size, CHUNK):
        stop = start + CHUNK
        some = (logits[start:stop], following[start:stop])
        (upper, lower), of_chunk = _exact_exponentials_of_chunk(some, largest, terms[start:stop], sigma)
        high += upper  # exactly, as all of them are multiples of sigma's ULP
        low, error = two_sum(low, lower)
        rest += error
        behind = max(behind, of_chunk)
    return (high, low + rest), behind


def _exact_exponentials(rows: Any, largest: Any, terms: Any, sigma: Any) -> Any:
    """((high, low), largest of following) for rows = (logits, following): writes exp(x - largest) into terms.

    high + low is their sum, of float64 terms by the parts above and below sigma's ULP; float32 terms add in float64.
    Compiled code takes one of the two above.
    """


@overload(_exact_exponentials, strict=False)  # type: ignore[untyped-decorator]
def _(rows: Any, largest: Any, terms: Any, sigma: Any) -> Any:
    if terms.dtype == types.float32:
        return lambda rows, largest, terms, sigma: _exact_exponentials32(rows, largest, terms, sigma)
    return lambda rows, largest, terms, sigma: _exact_exponentials64(rows, largest, terms, sigma)


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _sum32(terms: Any, most: Any) -> Any:
    """The sum of float32 terms as a pair: in float64 it is right to K 2^-53."""
    full_width()
    total = 0.0
    for j in range(terms.size):
        total += np.float64(terms[j])
    return total, 0.0


@compiled(fastmath={"reassoc"})  # type: ignore[untyped-decorator]
def _cut_sum_of_chunk(terms: Any, sigma: Any) -> Any:
    full_width()
    high, low = 0.0, 0.0
    for j in range(terms.size):
        upper = _cut(terms[j], sigma)
        high += upper
        low += _difference(terms[j], upper)
    return high, low


@compiled()  # type: ignore[untyped-decorator]
def _sum64(terms: Any, most: Any) -> Any:
    """The sum of float64 terms in [0, most] as a pair, cut as in `_compensated.sum_of_pairs`."""
    full_width()
    _, exponent = math.frexp(most)
    sigma = math.ldexp(1.0, exponent + _bits(terms.size + 2))
    high, low, rest = 0.0, 0.0, 0.0
    for start in range(0, terms.size, CHUNK):
        upper, lower = _cut_sum_of_chunk(terms[start : start + CHUNK], sigma)
        high += upper
        low, error = two_sum(low, lower)
        rest += error
    return high, low + rest


@compiled()  # type: ignore[untyped-decorator]
def _bits(count: int) -> int:
    """The bit length of a count."""
    bits = 0
    while count:
        count >>= 1
        bits += 1
    return bits


def _exact_sum(terms: Any, most: Any) -> Any:
    """The sum of the terms as a pair; compiled code takes one of the two above."""


@overload(_exact_sum, strict=False)  # type: ignore[untyped-decorator]
def _(terms: Any, most: Any) -> Any:
    if terms.dtype == types.float32:
        return lambda terms, most: _sum32(terms, most)
    return lambda terms, most: _sum64(terms, most)


@compiled()  # type: ignore[untyped-decorator]
def _divide(terms: Any, denominator: Any) -> None:
    """terms / denominator, rounded once but for u^2; the denominator is a pair."""
    full_width()
    high, low = denominator
    inverse = 1.0 / high
    product, error = two_product(inverse, high)
    rest = inverse * (((1.0 - product) - error) - inverse * low)
    first = terms.dtype.type(inverse)
    _times_pair(terms, first, terms.dtype.type((inverse - np.float64(first)) + rest))


@compiled(fastmath={"contract"})  # type: ignore[untyped-decorator]
def _times_pair(terms: Any, high: Any, low: Any) -> None:
    full_width()
    for j in range(terms.size):
        terms[j] = terms[j] * high + terms[j] * low


@compiled()  # type: ignore[untyped-decorator]
def _behind_in_parts(x: Any, y: Any, largest: Any) -> Any:
    """(half, high, low): the sum of exp(x_j - largest) without the label's is half (high + low).

    As in `accurate`, half^2 being exp(x_2 - largest); high + low is half times the sum of exp(x_j - x_2), unrounded.
    """
    full_width()
    second = x.dtype.type(-np.inf)
    for j in range(x.size):
        second = x[j] if j != y and x[j] > second else second
    if second == -np.inf:
        return 0.0, 0.0, 0.0
    d, lost = two_sum(np.float64(second), -np.float64(largest))
    half = math.exp(d / 2)
    lost = lost if half > 0 else 0.0
    total, rest = 0.0, 0.0
    for j in range(x.size):
        if j != y:
            d, delta = two_sum(x[j], -second)
            total, error = two_sum(total, np.float64(exponential(d, delta)))
            rest += error
    product, error = two_product(half, total)
    return half, product, error + half * (rest + total * lost)


@compiled(fastmath={"contract"})  # type: ignore[untyped-decorator]
def _times(high: Any, low: Any, factor: Any) -> Any:
    """(high + low) factor, rounded once where there is a fused multiply-add."""
    return high * factor + low * factor


@compiled()  # type: ignore[untyped-decorator]
def _without(own: float, pair: Any, sigma: float) -> Any:
    """The pair that `_exact_exponentials` returned, less one of its terms."""
    high, low = pair
    upper = _cut(own, sigma)
    return high - upper, low - (own - upper)


@keep(row_signatures())
def accurate_rows(logits: Any, labels: Any, answer: Any, rows: Any) -> None:
    """As `fast_rows`, by the steps of docs/accuracy.md; answer as there.

    Where the sum of the others is below near, it is taken again without the label's exponential, beside which its
    lower parts are lost; where it is below far, it owes too much to terms that are rounded as subnormal numbers.
    A pair is not normalised before denominator and rest are: until then nothing that is small beside it is left out.
    """
    full_width()
    losses, gradient, divisor = answer
    first, last = rows
    bits = _bits(logits.shape[1] + 2)
    single = logits.itemsize == 4
    sigma = 2.0**bits
    near = logits.shape[1] * 2.0**-19 if single else 2.0 ** (3 * bits - 43 if bits <= 10 else 2 * bits - 33)
    far = 1024.0 * logits.shape[1] * (2.0**-126 if single else 2.0**-1022)
    largest = logits.dtype.type(0) if first == last else largest_of(logits[first])
    for i in range(first, last):
        x, g, y = logits[i], gradient[i], labels[i]
        pair, following = _exact_exponentials((x, logits[min(i + 1, last - 1)]), largest, g, sigma)
        own = np.float64(g[y])
        high, low = _without(own, pair, sigma)  # of all but the label's
        if high < near:
            g[y] = 0
            high, low = _exact_sum(g, largest_of(g))
        total, error = two_sum(high, own)
        product, lost = two_product(total, divisor)
        denominator, rest = two_sum(product, lost + (error + low) * divisor)
        _divide(g, (denominator, rest))
        others = high + low
        if x[y] != largest:
            behind = ((high - 1) + low) + own  # of all but one of the largest, whose exponential is 1
            g[y] = -(others / denominator)
        elif others < far:
            half, high, low = _behind_in_parts(x, y, largest)
            behind = _times(high, low, half)
            g[y] = -_times(high / denominator, low / denominator, half)
        else:
            behind = others
            g[y] = -(others / denominator)
        distance, error = two_sum(np.float64(largest), -np.float64(x[y]))
        losses[i] = distance + ((error if distance < np.inf else 0.0) + math.log1p(behind))
        largest = following
