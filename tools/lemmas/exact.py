"""The exact values that the numbers of a row's computation stand for, as balls: the letters of docs/accuracy.md."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flint import arb, ctx

from gradlab.problems.dtypes import Format, format_of
from tools.lemmas.inequality import PRECISION
from tools.lemmas.row import Array, Row


@dataclass(frozen=True)
class Exact:
    """Of a row, to about 2^-300: terms e_j of each level, their sum S, O without the label's, B without one largest."""

    row: Row

    @cached_property
    def terms(self) -> list[arb]:
        """exp(x_j - m) of each level."""
        ctx.prec = PRECISION
        m = arb(self.row.levels[self.row.top])
        return [(arb(x) - m).exp() for x in self.row.levels]

    @cached_property
    def others(self) -> arb:
        """O, the sum of all terms but the label's."""
        return total(self.row.n_others, self.terms)

    @cached_property
    def sum(self) -> arb:
        """S, the sum of all terms."""
        return self.others + self.terms[self.row.label_level]

    @cached_property
    def smaller(self) -> arb:
        """B, the sum of all terms but one of the largest."""
        counts = [count - (level == self.row.top) for level, count in enumerate(self.row.counts)]
        return total(counts, self.terms)

    @cached_property
    def loss(self) -> arb:
        """Of the row: m - x_y + log(1 + B)."""
        levels = self.row.levels
        return arb(levels[self.row.top]) - arb(levels[self.row.label_level]) + self.smaller.log1p()

    def entry(self, level: int) -> arb:
        """e_j / (S N) for another class of the level."""
        return self.terms[level] / (self.sum * self.row.n_rows)

    @cached_property
    def target(self) -> arb:
        """O / (S N), minus which is the target's entry."""
        return self.others / (self.sum * self.row.n_rows)


def total(counts: Iterable[int] | Array, values: Iterable[arb]) -> arb:
    """The sum of values, each so many times."""
    ctx.prec = PRECISION
    return sum((value * int(count) for count, value in zip(counts, values, strict=True)), arb(0))


def ulp(value: arb, dtype: str) -> arb:
    """A unit in the last place of a value > 0: the smaller one where the ball holds a power of two."""
    fmt: Format = format_of(dtype)
    lower = value.abs_lower()
    if not lower > 0:
        return arb(fmt.smallest_subnormal)
    mantissa, exponent = lower.man_exp()
    binade = int(exponent) + int(mantissa).bit_length() - 1
    return arb(2) ** max(binade - fmt.precision + 1, fmt.min_exponent - fmt.precision + 1)


def is_beyond(got: float, truth: arb, dtype: str) -> bool:
    """Whether inf is the right answer: only where the truth is larger than every number, so that nothing else is."""
    return bool(got == math.inf and truth > format_of(dtype).largest)


def cut_of(upper_bound: float, n_classes: int) -> float:
    """The power of two at which terms below upper_bound are cut, frexp's exponent raised by the bits of K + 2."""
    return math.ldexp(1.0, math.frexp(upper_bound)[1] + (n_classes + 2).bit_length())
