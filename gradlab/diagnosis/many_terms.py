"""Digits lost in sums of many small terms: by how much an entry is off gives away where they went.

Each probe asks for one row of equal terms below one at 0, on which its defect moves an entry by a part r of itself that
can be worked out: far more than rounding does. It is named where the entry is off by that, and not otherwise; nor where
what has few terms is wrong too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gradlab.diagnosis.probe import Probe, Side
from gradlab.oracle.enclosure import enclose
from gradlab.problems.families.options import one_hot
from gradlab.problems.problem import Array, Problem

MIN_ULP = 20  # units in the last place: what is told from rounding
MOST = 0.5  # of itself by which an entry is predicted to be off
NEAR = 0.125  # how near to what is predicted, as a part of that
SEVERAL, MANY = 4095, 2**17 - 1  # equal terms
TRIED = 24  # depths, of which the one is taken where the defect shows most


@dataclass(frozen=True, eq=False)
class Asked:
    """A row, the class of the entry that is looked at, and r, by which part of itself it is predicted to be off."""

    problem: Problem
    place: int
    off: float


def pair_left_unnormalised(side: Side) -> str | None:
    """Entries are off by -rho^2, rho being the part of the sum that its small terms are."""
    fmt = side.problem.format
    row = _row(side, MANY, math.log2(MANY) - fmt.precision - 1.5, label=1)
    rho = MANY * _term(row)
    return "pair_not_normalised" if _is_off(side, Asked(row, 0, -(rho**2))) else None


def small_terms_left_out(side: Side) -> str | None:
    """Entries are what they would be without the small terms, which are above u/2 of the sum."""
    row = _row(side, SEVERAL, math.log2(SEVERAL) - side.problem.format.precision - 1.5, label=1)
    return "lower_parts_dropped" if _is_off(side, Asked(row, 0, SEVERAL * _term(row))) else None


def summed_one_by_one(side: Side) -> str | None:
    """Entries are over a sum that is off as one is that is taken term by term, of terms near 1."""
    depths = np.linspace(0.3, 1.9, TRIED)
    asked = (_over_a_sum(_row(side, SEVERAL, -depth, label=1)) for depth in depths)
    return "added_one_by_one" if _is_off(side, _clearest(asked)) else None


def small_terms_summed_one_by_one(side: Side) -> str | None:
    """The target's entry is off as a sum is that is taken term by term, of small terms alone; but no other sum is."""
    if summed_one_by_one(side) is not None:
        return None
    depths = 1.2 * side.problem.format.precision + np.linspace(0, 1, TRIED)
    asked = (_probe_sum(_row(side, SEVERAL, -depth, label=0)) for depth in depths)
    return "cut_at_one_place" if _is_off(side, _clearest(asked)) else None


def difference_was_rounded(side: Side) -> str | None:
    """An entry is off by what rounding took from x_j - max x."""
    fmt = side.problem.format
    depths = np.linspace(0.7, 0.95, TRIED) * -fmt.min_exponent * math.log(2)
    asked = (_after_rounding(side, depth) for depth in depths)
    return "difference_rounded" if _is_off(side, _clearest(asked)) else None


def subnormal_terms_were_summed(side: Side) -> str | None:
    """The target's entry, which is subnormal, is a sum of terms that were rounded each."""
    return "subnormal_terms_summed" if _is_off(side, _probe_subnormal_terms(side, bits=0.0)) else None


def normal_sum_of_subnormal_terms(side: Side) -> str | None:
    """The same of an entry above the smallest normal number, and of none below."""
    if subnormal_terms_were_summed(side) is not None:
        return None
    return "far_from_the_smallest_normal" if _is_off(side, _probe_subnormal_terms(side, bits=2.0)) else None


def _row(side: Side, n_terms: int, bits: float, label: int) -> Problem:
    """One logit at 0 and n_terms at bits log 2, as one row."""
    logits = np.full((1, n_terms + 1), bits * math.log(2))
    logits[0, 0] = 0.0
    return _problem(side, logits, label)


def _problem(side: Side, logits: Array, label: int) -> Problem:
    """A row of logits, rounded to the dtype, with the objective of the side."""
    objective = side.problem.objective
    row = Problem(logits.astype(side.problem.logits.dtype), np.array([label]), replace(objective, targets="index"))
    return row if objective.targets == "index" else one_hot(row)


def _term(row: Problem) -> float:
    """The exponential of the lower logit."""
    return math.exp(float(row.logits64.min() - row.logits64.max()))


def _over_a_sum(row: Problem) -> Asked:
    """The largest logit's entry, over the sum of all exponentials term by term."""
    return Asked(row, 0, -_sum_is_off(np.exp(row.logits[0] - row.logits[0].max())))


def _probe_sum(row: Problem) -> Asked:
    """The entry of the label, the largest logit: the sum of the others' exponentials term by term."""
    return Asked(row, 0, _sum_is_off(np.exp(row.logits[0, 1:] - row.logits[0].max())))


def _sum_is_off(terms: Array) -> float:
    """By which part of itself the sum is off that is taken term by term in the dtype of the terms."""
    exact = sum(
        count * Fraction(float(term)) for term, count in zip(*np.unique(terms, return_counts=True), strict=True)
    )
    return float(Fraction(float(np.cumsum(terms, dtype=terms.dtype)[-1])) / exact - 1)


def _after_rounding(side: Side, depth: float) -> Asked:
    """The entry of the lower of two logits whose difference is rounded."""
    row = _problem(side, np.array([[1 / 3, -depth]]), 0)
    largest, lower = row.logits[0]
    exact = Fraction(float(lower)) - Fraction(float(largest))
    return Asked(row, 1, math.expm1(float(Fraction(float(lower - largest)) - exact)))


def _probe_subnormal_terms(side: Side, bits: float) -> Asked:
    """The label's entry, which is the sum of terms that are subnormal: about 2^bits times the smallest normal number.

    It is the depth, of several, where the terms' roundings come to most.
    """
    fmt, found = side.problem.format, []
    for more in np.linspace(0, 1, TRIED):
        row = _row(side, SEVERAL, fmt.min_exponent - math.log2(SEVERAL) + bits - more, label=0)
        term = Fraction(float(np.exp(row.logits[0, 1] - row.logits[0, 0])))
        gradient = enclose(row).gradient[0, 0]
        exact = Fraction(float(gradient.high)) + Fraction(float(gradient.low))
        exact *= -(Fraction(2) ** int(gradient.exponent))  # over the sum of all, which is 1 to far below u
        found.append(Asked(row, 0, float(SEVERAL * term / exact - 1)))
    return _clearest(found)


def _clearest(asked: Iterable[Asked]) -> Asked:
    """The one that is off most, among those that are not off by all there is: what is 0 has other reasons too."""
    return max(asked, key=lambda one: abs(one.off) if abs(one.off) <= MOST else 0.0)


def _is_off(side: Side, asked: Asked) -> bool:
    """Whether the entry is off as predicted, where that is clearly more than rounding, and few terms are right."""
    least, size = MIN_ULP * 2 * side.problem.format.unit_roundoff, abs(asked.off)
    answer = side.answer(asked.problem)
    if answer.gradient is None or not least <= size <= MOST or not side.is_right(side.problem):
        return False
    entry = enclose(asked.problem).gradient
    seen, true = float(answer.gradient[0, asked.place]), entry.nearest()[0, asked.place]
    off = (seen - true) / true if true else math.inf
    return bool(abs(off - asked.off) <= NEAR * size)


OF_SUMS: tuple[Probe, ...] = (pair_left_unnormalised, small_terms_left_out, summed_one_by_one)
OF_TARGET: tuple[Probe, ...] = (
    small_terms_summed_one_by_one,
    subnormal_terms_were_summed,
    normal_sum_of_subnormal_terms,
)
OF_TERMS: tuple[Probe, ...] = (difference_was_rounded,)
