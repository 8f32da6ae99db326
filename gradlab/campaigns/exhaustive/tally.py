"""Errors over many margins: how many of which size, and the largest, where it was found and in which call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gradlab.campaigns.exhaustive.truth import ULP_ERROR
from gradlab.measure.accuracy import PARTS
from gradlab.oracle.intervals import Array

MEAN_LOSS = "mean loss"  # of a batch, where an implementation gives nothing else
N_SIZES = 34  # errors of at most 1/2, 1, 2, ..., 2^31 ULP, and larger ones


class Quantity(NamedTuple):
    """What errors are counted of: the label, 0 for the maximum or 1 for the other class, and the part of the answer."""

    label: int
    part: str


QUANTITIES = tuple(Quantity(label, part) for label in (0, 1) for part in (*PARTS, MEAN_LOSS))


@dataclass(frozen=True)
class Batch:
    """The rows of one call: the margins with these bits, the last one repeated until there are n_rows."""

    bits: range
    n_rows: int


@dataclass(frozen=True)
class Worst:
    """The largest error, in ULP, inf for NaN; the bits of its margin (of the first of a mean), the value observed.

    observed: that of the row itself, a gradient's entry times the rows that the implementation divided it by.
    """

    ulp: float
    bits: int
    observed: float
    batch: Batch


@dataclass(frozen=True)
class Tally:
    """Errors of one quantity. sizes[0]: how many of at most 1/2 ULP; sizes[i]: of more, and at most 2^(i - 1)."""

    sizes: tuple[int, ...] = (0,) * N_SIZES
    worst: Worst | None = None

    @property
    def count(self) -> int:
        return sum(self.sizes)


Tallies = Mapping[Quantity, Tally]


def nothing_yet() -> Tallies:
    """A tally of no errors for every quantity."""
    return dict.fromkeys(QUANTITIES, Tally())


def sizes_of(errors: Array) -> tuple[int, ...]:
    """How many of the errors, none of them NaN, are of which size; 1/2 ULP with the slack of what is reported."""
    counts, below = [], 0
    for i in range(N_SIZES - 1):
        up_to = int(np.count_nonzero(errors <= (2.0 ** (i - 1) if i else 0.5 + ULP_ERROR)))
        counts.append(up_to - below)
        below = up_to
        if below == errors.size:
            break
    counts += [0] * (N_SIZES - 1 - len(counts))
    return (*counts, errors.size - below)


def merge(first: Tally, second: Tally) -> Tally:
    """Both together; of equal errors the one at the smaller margin is kept, so that the order does not matter."""
    worsts = [worst for worst in (first.worst, second.worst) if worst is not None]
    sizes = tuple(a + b for a, b in zip(first.sizes, second.sizes, strict=True))
    return Tally(sizes, min(worsts, key=lambda worst: (-worst.ulp, worst.bits), default=None))


def merge_all(first: Tallies, second: Tallies) -> Tallies:
    """Both together, quantity by quantity."""
    return {quantity: merge(first[quantity], second[quantity]) for quantity in QUANTITIES}
