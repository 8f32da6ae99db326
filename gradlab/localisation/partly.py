"""Conditions outside which all is right, where no rule tells the wrong answers among those that meet them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradlab.localisation.drawing import expected_right, expected_wrong
from gradlab.localisation.either import starts_of
from gradlab.localisation.evidence import Effect, Evidence, evidence_of
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.mining import Search
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.where import MIN_FORETOLD
from gradlab.localisation.words import spelled_rule
from gradlab.problems.problem import Array

ROUNDS = 5
FRESH = 24  # problems that do not meet the conditions, which all have to be right
WITHIN = 12  # problems that meet them, of which some are wrong
OFTEN = 1 / 3  # of the problems that meet them: of a few, what they have alike may be so by chance
LEAST = 0.06  # of the right answers, that one condition has to leave out
MAX_CONDITIONS = 2
SMALL = 1e-6  # a threshold of no meaning
DEARER = 0.02  # of the right answers more, that a condition has to leave out for each unit of its cost
CHANCE = 2.0**-8  # that as many were wrong if each were so with 1/2, where "most" is said: 11 of 12, 8 of 8


@dataclass(frozen=True)
class Partly:
    """A rule outside which n_foretold of n_fresh fresh problems were right.

    Of n_within fresh ones that meet it n_wrong were wrong. effect: what comes out there; where that is known, only
    problems count that would show it.
    """

    rule: Rule
    n_foretold: int
    n_fresh: int
    n_wrong: int
    n_within: int
    effect: Effect

    @property
    def where(self) -> str:
        """In words, with how many of the fresh problems that meet the rule were wrong."""
        counted = f"{self.n_wrong} of {self.n_within} fresh ones"
        if not self.rule.conditions:
            return f"wrong on most problems ({counted})"
        often = "mostly" if self.n_wrong == self.n_within else "not always"
        return f"{spelled_rule(self.rule)}, and there {often} ({counted})"

    @property
    def is_settled(self) -> bool:
        """Whether it may be said."""
        if not self.rule.conditions:
            return _chance_of_as_many(self.n_wrong, self.n_within) <= CHANCE
        often = self.n_wrong >= OFTEN * self.n_within > 0
        return often and self.n_fresh >= FRESH / 2 and self.n_foretold >= MIN_FORETOLD * self.n_fresh


def _chance_of_as_many(n_wrong: int, n_asked: int) -> float:
    """How likely n_wrong or more of n_asked are wrong, where each is wrong with a chance of 1/2."""
    return sum(math.comb(n_asked, n) for n in range(n_wrong, n_asked + 1)) / 2.0**n_asked


def partly(investigation: Investigation) -> Partly | None:
    """The conditions that every wrong answer meets and that leave out most right ones; None where none hold up."""
    for _ in range(ROUNDS):
        effect = investigation.effect_again()
        rule = _necessary(investigation.evidence, effect)
        if rule is None or investigation.laboratory.is_spent:
            return None
        outside = _asked(investigation, rule, effect, FRESH, inside=False) if rule.conditions else []
        if all(outside):
            within = _asked(investigation, rule, effect, WITHIN, inside=True)
            effect = investigation.effect_kept(effect)  # does it foretell what came out since?
            found = Partly(rule, sum(outside), len(outside), within.count(False), len(within), effect)
            return found if found.is_settled else None
    return None


def _asked(investigation: Investigation, rule: Rule, effect: Effect, count: int, *, inside: bool) -> list[bool]:
    """Whether fresh problems that can show it are answered rightly, inside the rule; or outside, up to a wrong one."""
    found = list[bool]()
    for _ in range(2 * count):
        wrong, right = investigation.wrong, investigation.right
        if inside:
            trial = expected_wrong(rule, wrong, investigation.rng, investigation.masks)
        else:
            trial = expected_right(rule, wrong, right, investigation.rng, investigation.masks)
        outcome = None if trial is None else investigation.ask(trial)
        if outcome is not None and (outcome.is_wrong or _tells(evidence_of(outcome), effect)):
            found.append(not outcome.is_wrong)
        if len(found) == count or (found and not inside and not found[-1]):
            break
    return found


def _necessary(evidence: Sequence[Evidence], effect: Effect) -> Rule | None:
    """The conditions that some blamed row of every wrong answer meets, and that leave out the most right answers.

    Right answers that would not show the effect, such as twice a gradient of 0, are left out of account.
    """
    wrong = [one for one in evidence if one.is_wrong]
    right = [one for one in evidence if not one.is_wrong and _tells(one, effect)]
    if not wrong or not right:
        return None
    search = Search([one.features[one.blamed] for one in wrong], np.concatenate([one.features for one in right]))
    plain = [one for one in search.conditions if _is_plain(one)]
    in_wrong = _Answers(np.array([one.holds(search.stacked) for one in plain]), search.starts)
    in_right = _Answers(
        np.array([one.holds(search.right) for one in plain]), starts_of([one.features for one in right])
    )
    costs = np.array([Rule((one,)).cost for one in plain])
    chosen = list[int]()
    for _ in range(MAX_CONDITIONS if plain else 0):
        covers = in_wrong.met(chosen).all(axis=1)
        left_out = in_right.met(chosen[:-1])[chosen[-1]] if chosen else np.ones(len(right), dtype=bool)
        left_out = (left_out & ~in_right.met(chosen)).sum(axis=1)
        worth = np.where(covers, left_out / len(right) - DEARER * (costs[chosen].sum() + costs), -np.inf)
        if worth.max() < LEAST - DEARER * (len(chosen) + 1):
            break
        chosen.append(int(worth.argmax()))
    return Rule(tuple(_as_wide(plain[place]) for place in chosen))


@dataclass(frozen=True, eq=False)
class _Answers:
    """Which rows meet each of some conditions, (conditions, rows), and where the rows of each answer begin."""

    marks: Array
    starts: Array

    def met(self, chosen: Sequence[int]) -> Array:
        """For each condition, in which answers some row meets it and those that are chosen; (conditions, answers)."""
        together = self.marks & self.marks[list(chosen)].all(axis=0)
        return np.asarray(np.logical_or.reduceat(together, self.starts, axis=1))


def _tells(right: Evidence, effect: Effect) -> bool:
    """Whether a right answer says something: it would not be right with the effect, as far as that is known."""
    return not effect.is_known or bool(right.telling(effect).any())


def _is_plain(one: Condition) -> bool:
    """Whether its threshold, if it is one, is of a usual size, and it is no remainder but 0, nor any odd number."""
    if one.feature.modulus > 2 and (one.relation == "!=" or one.value):
        return False  # of so many remainders one leaves out some right answers by chance
    if one.relation == "==" and not one.is_natural:
        return False
    size = abs(one.beyond)
    return one.feature.whole or not one.is_threshold or size == 0 or SMALL < size < 1 / SMALL


def _as_wide(one: Condition) -> Condition:
    """The condition with its threshold beside the nearest value at which an answer was right."""
    if not one.is_threshold or not math.isfinite(one.beyond):
        return one
    sign = 1 if one.relation == ">=" else -1
    return replace(one, value=one.beyond + sign if one.feature.whole else math.nextafter(one.beyond, sign * math.inf))
