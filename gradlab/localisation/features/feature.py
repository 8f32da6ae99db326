"""What a feature of a row is, and what all features are worked out from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gradlab.localisation.trial import Outcome, Trial
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem

MAX_ROWS = 96  # of one problem that are looked at: the wrong ones first, and rows at the edges
FIRST = 16  # rows that are looked at in any case: more than there are kinds of rows in a problem of few kinds
ROUND = (2, 4, 8, 10, 16, 32, 64, 100, 128, 256, 512, 1000, 1024)  # what code is unrolled and tiled by
THRICE = (3, 6, 12, 24, 48, 96, 192, 384, 768)
MODULI = (*ROUND, *THRICE, 5, 7, 9, 11, 13, 20, 50, 500)
MODULI_OF_PRODUCTS = (*MODULI, 2048, 4096, 8192, 16384, 32768, 65536)  # of N K


@dataclass(frozen=True)
class Feature:
    """A number that each row of a trial has.

    noun: what it is called, in a formula. cost: how far-fetched it is; of two descriptions the cheaper is the better.
    whole: whether it is a whole number. said: the words for a relation and a value, "== 0", or for a relation and any
    value, ">=", with {} for it; "{noun} {relation} {value}" where there are none. names: of its values, where these
    are numbers of names. steep: how much dearer a value that nothing speaks for is with each doubling. like: another
    feature, which is spoken of where all that is known has the same value of both.
    """

    name: str
    noun: str
    cost: float = 1.0
    whole: bool = False
    said: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    modulus: int = 0
    steep: float = 0.1
    like: str = ""

    @property
    def is_coded(self) -> bool:
        """Whether its values are names, yes and no, or remainders, of which no one is greater than another."""
        return bool(self.names) or self.modulus > 0 or set(self.said) == {"== 0", "== 1"}


@dataclass(frozen=True, eq=False)
class View:
    """A problem on its way to its features; rows: those that are looked at."""

    trial: Trial
    rows: Array

    @property
    def problem(self) -> Problem:
        return self.trial.problem

    @cached_property
    def x(self) -> Array:
        """The logits of these rows."""
        return np.asarray(self.problem.logits64[self.rows])

    @cached_property
    def finite(self) -> Array:
        """The same, NaN where not finite."""
        return np.where(np.isfinite(self.x), self.x, np.nan)

    @cached_property
    def labels(self) -> Array:
        """The label of each row of the batch; that of the largest target, where there are probabilities."""
        targets = self.problem.targets
        return np.asarray(targets if targets.ndim == 1 else targets.astype(np.float64).argmax(axis=1))

    @cached_property
    def y(self) -> Array:
        """The labels of these rows."""
        return np.asarray(self.labels[self.rows])

    @cached_property
    def inside(self) -> Array:
        """The labels of these rows, where there is one to be ignored some class."""
        return np.clip(self.y, 0, self.problem.n_classes - 1)

    @cached_property
    def at_label(self) -> Array:
        return np.asarray(self.x[np.arange(len(self.rows)), self.inside])

    @cached_property
    def largest(self) -> Array:
        return np.asarray(self.x.max(axis=1))

    @cached_property
    def others(self) -> Array:
        """The logits without the label's."""
        without = self.x.copy()
        without[np.arange(len(self.rows)), self.inside] = np.nan
        return without

    @cached_property
    def sizes(self) -> Array:
        """Of every finite logit."""
        return np.abs(self.finite)

    @cached_property
    def targets(self) -> Array:
        """The coefficients of these rows."""
        return np.asarray(coefficients_of(self.problem)[self.rows])


Value = Callable[[View], Array]


@dataclass(frozen=True)
class Row:
    """A feature, and how it is worked out: a number for each row that is looked at, or one for all."""

    feature: Feature
    value: Value


def truth(name: str, yes: str, no: str, cost: float = 1.0) -> Feature:
    """A feature that is 1 or 0."""
    return Feature(name, name, cost, True, {"== 1": yes, "== 0": no})


def modular(
    name: str, noun: str, value: Callable[[View], Array | int], moduli: tuple[int, ...] = MODULI
) -> Iterator[Row]:
    """The remainders of a number."""
    for modulus in moduli:
        more = 0.1 * math.log2(modulus) + (0.0 if modulus not in (*THRICE, 20, 50, 500) else 0.1)
        cost = 1.6 + (0.05 * modulus if modulus % 2 and modulus > 3 else more)
        feature = Feature(f"{name}_mod_{modulus}", noun, cost, True, modulus=modulus)
        yield Row(feature, _remainder(value, modulus))


def _remainder(value: Callable[[View], Array | int], modulus: int) -> Value:
    return lambda view: np.asarray(value(view)) % modulus


BLOCKS = tuple(sorted(m for m in MODULI if 4 <= m <= 512))
BLOCKS_OF_ROWS = (*BLOCKS, 1000, 1024, 2048, 4096, 8192)  # long batches are cut into chunks


def left_over(
    name: str,
    noun: str,
    value: Callable[[View], Array],
    count: Callable[[View], int],
    blocks: tuple[int, ...] = BLOCKS,
) -> Iterator[Row]:
    """Whether a number from 0 on is beyond the last whole block of so many."""
    for m in blocks:
        said = f"{noun} is beyond the last whole block of {m}", f"{noun} is in a whole block of {m}"
        cost = 1.5 + m / 1000 if m <= BLOCKS[-1] else 1.5 + math.log2(m) / 20
        yield Row(truth(f"{name}_beyond_blocks_of_{m}", *said, cost), _is_left_over(value, count, m))


def _is_left_over(value: Callable[[View], Array], count: Callable[[View], int], m: int) -> Value:
    return lambda view: np.asarray(value(view) >= count(view) // m * m)


EXACT = {"float16": 11, "bfloat16": 8}  # bits of a whole number that is exact in the dtype, whatever its size


def exact_in(name: str, noun: str, value: Callable[[View], Array | int]) -> Iterator[Row]:
    """Whether a whole number is exact in half precision."""
    for dtype, bits in EXACT.items():
        said = f"{noun} is exact in {dtype}", f"{noun} is not exact in {dtype}"
        yield Row(truth(f"{name}_exact_in_{dtype}", *said, 0.95), _is_exact(value, bits))


def _is_exact(value: Callable[[View], Array | int], bits: int) -> Value:
    def work_out(view: View) -> Array:
        size = np.abs(np.asarray(value(view)).astype(np.int64))
        return np.asarray(size // np.maximum(size & -size, 1) < 2**bits)

    return work_out


def looked_at(outcome: Outcome) -> Array:
    """The rows of a problem that are looked at: all of a small one; of a large one some of every kind."""
    n = outcome.problem.n_rows
    if n <= MAX_ROWS:
        return np.arange(n)
    wrong = np.flatnonzero(outcome.wrong_rows)
    edges = [place for power in range(n.bit_length()) for place in (2**power - 1, 2**power) if place < n]
    spread = np.linspace(0, n - 1, 24).astype(int).tolist()
    at_wrong = [*wrong[:8], *wrong[-8:], *wrong[:: max(1, len(wrong) // 8)]]
    chosen = {*range(FIRST), n - 2, n - 1, *edges, *spread, *map(int, at_wrong)}
    for place in (*wrong[:1], *wrong[-1:]):
        chosen |= {max(0, int(place) - 1), min(n - 1, int(place) + 1)}
    return np.array(sorted(chosen))
