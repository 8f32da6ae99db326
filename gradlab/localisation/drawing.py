"""Fresh problems on both sides of a rule: some that it expects to go wrong, some just beside it, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.setting import set_in
from gradlab.localisation.trial import LARGEST, Outcome, Trial
from gradlab.localisation.varying import PLAIN, Rng, cheap, varied

ATTEMPTS = 8
ELSEWHERE = 0.4  # of the trials that are expected to go wrong meet a condition by another value
SIZES = ("n_rows", "n_classes", "n_entries")
AS_POWERS = {"rows_as_power": "rows_power_of_two", "classes_as_power": "classes_power_of_two"}
# Multiples of all that code is unrolled by: where what is left over goes wrong, these are right.
COMPOSITE = tuple(sorted({2**i * n for i in range(2, 17) for n in (1, 3, 15)} | {200, 500, 1000, 2000, 5000, 10**4}))
MANY = 12  # of them beyond a threshold
MAX_BASES = 24  # outcomes from which fresh problems are made, the smallest first


def expected_wrong(rule: Rule, wrong: Sequence[Outcome], rng: Rng, masks: bool) -> Trial | None:
    """A fresh trial that the rule expects to go wrong, made of one that did."""
    rule = rule.parts[int(rng.integers(len(rule.parts)))]
    for _ in range(ATTEMPTS):
        base = _base(wrong, rng)
        trial = replace(base, problem=varied(base.problem, rng, masks))
        if rule.conditions and rng.random() < ELSEWHERE:
            one = rule.conditions[int(rng.integers(len(rule.conditions)))]
            trial = set_in(trial, one.name, inside(one, rng), rng)
        trial = repaired(rule, replace(trial, problem=cheap(trial.problem)), rng)
        if _fits(trial) and rule.expects(trial) and trial.problem.digest != base.problem.digest:
            return trial
    return None


def expected_by_one(rule: Rule, other: Rule, wrong: Sequence[Outcome], rng: Rng, masks: bool) -> Trial | None:
    """A fresh trial that one rule expects to go wrong, and another one mostly not: just beside that, if need be."""
    trial = expected_wrong(rule, wrong, rng, masks)
    if trial is None or not other.expects(trial):
        return trial
    beside = repaired(rule, _beside_all(other, trial, rng), rng)
    beside = replace(beside, problem=cheap(beside.problem))
    return beside if _fits(beside) and rule.expects(beside) else trial


def expected_right(
    rule: Rule, wrong: Sequence[Outcome], right: Sequence[Outcome], rng: Rng, masks: bool
) -> Trial | None:
    """A fresh trial that the rule expects to go right: one condition just not met, or something else varied."""
    for _ in range(ATTEMPTS):
        near = rule.conditions and rng.random() < 0.6
        if near:
            trial = expected_wrong(rule, wrong, rng, masks) if rng.random() < 0.5 else _base(wrong, rng)
            trial = None if trial is None else _beside_all(rule, trial, rng)
        else:
            base = _base(right if right and rng.random() < 0.6 else wrong, rng)
            trial = replace(base, problem=cheap(varied(base.problem, rng, masks)))
        if trial is not None and _fits(trial) and not rule.expects(trial):
            return trial
    return None


def _base(outcomes: Sequence[Outcome], rng: Rng) -> Trial:
    few = sorted(outcomes, key=lambda one: one.problem.logits.size)[:MAX_BASES]
    most = max(PLAIN, 2 * few[0].problem.logits.size)  # what is larger than need be costs dear
    few = [one for one in few if one.problem.logits.size <= most]
    return few[int(rng.integers(len(few)))].trial


def _fits(trial: Trial) -> bool:
    return 0 < trial.problem.logits.size <= LARGEST


def repaired(rule: Rule, trial: Trial, rng: Rng) -> Trial:
    """The trial with the conditions met that it does not meet."""
    for _ in range(2):
        for one in rule.conditions:
            if not rule.expects(trial) and not Rule((one,)).expects(trial):
                trial = set_in(trial, one.name, inside(one, rng), rng)
    for one in rule.conditions:
        if not rule.expects(trial):  # each is met by some row, but no row meets them together
            trial = set_in(trial, one.name, inside(one, rng), rng)
    return trial


def _beside_all(rule: Rule, trial: Trial, rng: Rng) -> Trial:
    """The trial just beside the parts of the rule that it meets, and some that it does not."""
    for part in rule.parts:
        if part.expects(trial) or rng.random() < 0.5:
            trial = _just_beside(part, trial, rng)
    return trial


def _just_beside(rule: Rule, trial: Trial, rng: Rng) -> Trial:
    one = rule.conditions[int(rng.integers(len(rule.conditions)))]
    if one.name in AS_POWERS and rng.random() < 0.5:
        return set_in(trial, AS_POWERS[one.name], 0.0, rng)
    return set_in(trial, one.name, outside(one, rng), rng)


def inside(one: Condition, rng: Rng) -> float:
    """A value that meets the condition, at its edge or further on."""
    if one.relation == "==":
        return one.value
    if one.relation == "!=":
        return float(rng.integers(1, one.feature.modulus))
    sign = 1 if one.relation == ">=" else -1
    composite = [number for number in COMPOSITE if one.admits(np.array(number))]
    if one.name in SIZES and composite and rng.random() < 0.5:
        return float(rng.choice(composite[:MANY] if sign > 0 else composite))
    if one.feature.whole:
        value = one.value + sign * int(
            rng.choice([0, 0, 1, 2, 3, abs(one.value) // 2, abs(one.value), abs(one.value) + 2])
        )
        return max(value, 0.0)
    return one.value + sign * float(rng.choice([0.02, 0.1, 0.5, 1.0])) * _step(one.value, rng)


def outside(one: Condition, rng: Rng) -> float:
    """A value that does not meet the condition, just beside it or further off."""
    if one.relation == "!=":
        return one.value
    if one.feature.is_coded:
        most = (one.feature.modulus or len(one.feature.names) or 2) - 1
        return float((one.value + rng.choice([1, most, (most + 1) // 2])) % (most + 1)) if most > 1 else 1 - one.value
    if one.relation == "==":  # beside it, and further off: twice as much, half, another multiple
        return max(one.value + float(rng.choice([-1, 1, 2, one.value, -(one.value // 2), 3 * one.value])), 0.0)
    sign = 1 if one.relation == ">=" else -1
    start = one.beyond if np.isfinite(one.beyond) else one.value - sign
    if one.feature.whole:
        further = abs(one.value) if sign < 0 else abs(one.value) // 2  # twice as much, or half
        return max(start - sign * int(rng.choice([0, 0, 1, 2, further - 1, further])), 0.0)
    return start - sign * float(rng.choice([0.0, 0.02, 0.1, 0.5])) * _step(start, rng)


def _step(value: float, rng: Rng) -> float:
    """How far from a value one goes: as far as it is from 0, or a half where that is less."""
    return abs(value) if rng.random() < 0.5 else max(abs(value), 0.5)
