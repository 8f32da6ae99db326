"""Digits that go where many small terms are summed: each specimen is an accurate algorithm with one threshold wrong."""

from __future__ import annotations

import numpy as np

from ._digits import Digits, Pair, answer_by
from ._right import Answer, Array
from ._specimen import Specimen, claims_of


def pair_not_normalised(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The sum is a pair whose second part may be K u sigma: 1 - rho, taken for 1/(1 + rho), is off by rho^2."""
    stages = Digits(sums=_cut_sums, normalised=lambda high, low: (high, low))
    return answer_by(stages, logits, labels, reduction)


def lower_parts_dropped(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The terms are cut where their upper parts add up exactly, and the lower parts are left out."""
    return answer_by(Digits(sums=_upper_sums), logits, labels, reduction)


def cut_at_one_place(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """All rows are cut at one place, above 1: small terms have only a lower part, and those are added one by one."""
    return answer_by(Digits(sums=_cut_sums), logits, labels, reduction)


def added_one_by_one(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The terms are added up one by one in the precision of the logits, each sum rounded."""
    stages = Digits(sums=lambda terms, corrections: (_one_by_one(terms), _one_by_one(corrections)))
    return answer_by(stages, logits, labels, reduction)


def difference_rounded(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """exp is taken of the rounded difference fl(x_j - max x), and its rounding error is not corrected."""
    return answer_by(Digits(exponentials=_rounded_difference), logits, labels, reduction)


def subnormal_terms_summed(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The target's entry is the sum of the others' exponentials, also where these are subnormal, a few digits each."""
    stages = Digits(is_far=lambda others, n_classes: np.zeros(len(others), dtype=bool))
    return answer_by(stages, logits, labels, reduction)


def far_from_the_smallest_normal(logits: Array, labels: Array, reduction: str = "mean") -> Answer:
    """The others are summed beside the largest of them only where their sum is subnormal: K terms are earlier."""
    stages = Digits(is_far=lambda others, n_classes: others < np.finfo(others.dtype).tiny)
    return answer_by(stages, logits, labels, reduction)


def _cut_sums(terms: Array, corrections: Array) -> Pair:
    """The upper parts' sum, exact, and that of the lower parts, one after the other; not normalised."""
    cut = terms.dtype.type(2.0 ** (terms.shape[1] + 2).bit_length())
    upper = (terms + cut) - cut
    return upper.sum(axis=1), _one_by_one((terms - upper) + corrections)


def _upper_sums(terms: Array, corrections: Array) -> Pair:
    """The upper parts' sum, cut above the largest term of each row."""
    above = np.frexp(terms.max(axis=1, keepdims=True))[1] + (terms.shape[1] + 2).bit_length()
    cut = np.ldexp(terms.dtype.type(1), above)
    return ((terms + cut) - cut).sum(axis=1), corrections.sum(axis=1)


def _one_by_one(values: Array) -> Array:
    sums: Array = np.cumsum(values, axis=1, dtype=values.dtype)[:, -1]
    return sums


def _rounded_difference(logits: Array, largest: Array) -> Pair:
    terms = np.exp(logits - largest)
    return terms, np.zeros_like(terms)


NORMALISE = "high, low = high + low, low - ((high + low) - high): then low^2 is far below u^2"

SPECIMENS = (
    Specimen(
        pair_not_normalised,
        wrong="1/(h + l) = (1 - l/h)/h is off by (l/h)^2, where l, the sum of K lower parts, is up to K u sigma",
        mend=NORMALISE,
        logits=[[0, *[-25] * (2**17 - 1)]],
        labels=[1],
        killed_by="target_entry_within_a_few_ulp",
        claims={"dtypes": ["float64"]},
    ),
    Specimen(
        lower_parts_dropped,
        wrong="S = sum of (e_j + sigma) - sigma: the rest of each e_j, up to u sigma, is in no sum",
        mend="add up e_j - upper_j too: the lower parts, whose rounding is of the order u^2",
        logits=[[0, *[-1] * 4095]],
        labels=[1],
        killed_by="other_entries_within_a_few_ulp",
    ),
    Specimen(
        cut_at_one_place,
        wrong="O = sum of lower parts one by one where all e_j < u sigma: an error of up to K u of it",
        mend="where the sum comes out small, cut once more, above the largest term of the row",
        logits=[[0, *[-41] * 4095]],
        labels=[0],
        killed_by="target_entry_within_a_few_ulp",
    ),
    Specimen(
        added_one_by_one,
        wrong="fl(s + e_j) for j = 1..K: an error of up to K u in the sum, and in every probability",
        mend="pairwise, compensated or exact summation: numpy.sum along the last axis, or math.fsum",
        logits=[[0, *[-1] * 4095]],
        labels=[1],
        killed_by="other_entries_within_a_few_ulp",
    ),
    Specimen(
        difference_rounded,
        wrong="exp(fl(x_j - m)) is off by u |x_j - m|, up to 64 u in float32 and 512 u in float64",
        mend="keep the rounding error delta of x_j - m, by two-sum: exp(d + delta) = exp(d) + exp(d) delta",
        logits=[[0.3, -80.1]],
        labels=[0],
        killed_by="other_entries_within_a_few_ulp",
        seen="every framework that we know, where it is within the forward error",
    ),
    Specimen(
        subnormal_terms_summed,
        wrong="O = sum of exp(x_j - m), each of them off by half the smallest number: K/2 of them where O is subnormal",
        mend="O = exp(x_2 - m) times the sum of exp(x_j - x_2), x_2 being the largest of the others",
        logits=[[0, *[-97.92] * 2699], [0, *[-719.3] * 2699]],
        labels=[0, 0],
        killed_by="target_entry_within_a_few_ulp",
    ),
    Specimen(
        far_from_the_smallest_normal,
        wrong="O >= omega, the smallest normal number, is summed of terms O/K < omega, which are rounded as subnormal",
        mend="take the largest of the others out of the sum from O < 1024 K omega on: its terms are normal above",
        logits=[[0, *[-95.05] * 2699], [0, *[-716.1] * 2699]],
        labels=[0, 0],
        killed_by="target_entry_within_a_few_ulp",
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
