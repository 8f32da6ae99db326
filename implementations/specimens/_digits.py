"""An accurate softmax cross-entropy in stages, each of them right: a specimen replaces one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._compensated import exponentials_of_difference, fast_two_sum, two_difference
from .._rows import maximum
from ._right import Answer, Array, picked, reduced

Pair = tuple[Array, Array]


def exact_sums(terms: Array, corrections: Array) -> Pair:
    """The sum of each row of terms and corrections as a pair, right to the last digit of its second part."""
    sums, rests = [], []
    for row in np.concatenate([terms, corrections], axis=1).tolist():
        total = float(terms.dtype.type(math.fsum(row)))
        sums.append(total)
        rests.append(math.fsum([*row, -total]))
    return np.array(sums, terms.dtype), np.array(rests, terms.dtype)


def below_where_subnormal_terms_count(others: Array, n_classes: int) -> Array:
    """Which rows have others that are taken for themselves: K terms may be off by half the smallest number each."""
    far: Array = others < 1024 * n_classes * np.finfo(others.dtype).tiny
    return far


@dataclass(frozen=True)
class Digits:
    """The stages. exponentials: (x, max x) to terms and corrections; sums: these to a pair (high, low) for each row.

    normalised: a pair to one whose low is below half the last place of high. is_far: (high, K) to the rows whose others
    are summed beside the largest of them.
    """

    exponentials: Callable[[Array, Array], Pair] = exponentials_of_difference
    sums: Callable[[Array, Array], Pair] = exact_sums
    normalised: Callable[[Array, Array], Pair] = fast_two_sum
    is_far: Callable[[Array, int], Array] = below_where_subnormal_terms_count


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def answer_by(digits: Digits, logits: Array, labels: Array, reduction: str) -> Answer:
    """Loss and gradient by these stages, in the dtype of the logits."""
    rows, largest = np.arange(len(logits)), maximum(logits)
    terms, corrections = digits.exponentials(logits, largest)
    own, rest = picked(terms, labels), picked(corrections, labels)
    terms[rows, labels] = corrections[rows, labels] = 0
    high, low = digits.normalised(*digits.sums(terms, corrections))
    total, error = two_difference(own, -high)
    total, missed = digits.normalised(total, error + (rest + low))
    rho = missed / total
    gradient = (terms + (corrections - terms * rho[:, None])) / total[:, None]
    target, is_top = (high + (low - rho * high)) / total, picked(logits, labels) == largest[:, 0]
    smaller = np.where(is_top, high + low, ((high - 1) + (low + rest)) + own)
    far = is_top & digits.is_far(high, logits.shape[1])
    target[far] = smaller[far] = _far_sums(logits[far], labels[far], largest[far])
    gradient[rows, labels] = -target
    distance, error = two_difference(largest[:, 0], picked(logits, labels))
    error[~np.isfinite(distance)] = 0
    return reduced(distance + (error + np.log1p(smaller)), gradient, reduction)


def _far_sums(logits: Array, labels: Array, largest: Array) -> Array:
    """The sum of exp(x_j - max x) over all but the label, rounded to a subnormal number once."""
    others = logits.copy()
    others[np.arange(len(logits)), labels] = -np.inf
    second = others.max(axis=1, keepdims=True)
    second = np.where(second > -np.inf, second, largest)
    difference, lost = two_difference(second, largest)
    half = np.exp(difference / 2)[:, 0]
    lost[half == 0] = 0
    total, rest = exact_sums(*exponentials_of_difference(others, second, lost=lost))
    sums: Array = (half * total + half * rest) * half
    return sums
