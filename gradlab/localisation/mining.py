"""The simplest rules that tell wrong answers from right ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.either import either_of
from gradlab.localisation.evidence import Effect, Evidence
from gradlab.localisation.features import FEATURES
from gradlab.localisation.rules import Condition, Rule
from gradlab.problems.problem import Array

PLAIN = 4.5  # the cost of a rule of two conditions beside which none of three is looked for
SINGLE = 3.0  # the cost of a rule of one condition beside which none of two is looked for, as none costs less
MAX_PAIRS = 60  # of conditions that a third is added to
FEW_RIGHT = 0.02  # of all, that are right by chance
BY_CHANCE = 0.1  # of the right answers, where a mistake that is made everywhere may be expected to show
MAX_SINGLE = 300  # wrong rows that are told one by one
MAX_RULES = 4  # that are looked at of those that fit


def rules_for(evidence: Sequence[Evidence], effect: Effect) -> list[Rule]:
    """The simplest rules that tell what is wrong from what is right, the simplest first; none where none does.

    Rows that are wrong are blamed first; where that tells nothing, any row of a wrong answer may be to blame.
    """
    wrong = [one for one in evidence if one.is_wrong]
    right = [one for one in evidence if not one.is_wrong]
    if not wrong:
        return []
    shown = np.concatenate([np.zeros((0, len(FEATURES))), *(one.features[one.telling(effect)] for one in right)])
    if sum(bool(one.telling(effect).any()) for one in right) <= FEW_RIGHT * len(wrong):
        return [*_where_it_shows(wrong, right), Rule()]
    found = _by_rows(wrong, shown, effect)
    found += Search([one.features[one.blamed] for one in wrong], shown).rules()
    if any(len(one.blamed) != int(one.blamed.sum()) for one in wrong):
        found += Search([one.features for one in wrong], shown).rules()
    unique = {rule.conditions: rule for rule in sorted(found, key=lambda rule: rule.cost)}
    best = list(unique.values())[:MAX_RULES]
    if best and not _leaves_out_rows(best[0], wrong):
        return best
    either = _either_by_rows(wrong, shown, effect)
    if best or either:
        return either
    return either_of([one.features[one.blamed] for one in wrong], shown)


def _leaves_out_rows(rule: Rule, wrong: Sequence[Evidence]) -> bool:
    """Whether a rule tells which rows are wrong in most of the wrong answers, and leaves out some of others."""
    known = [one for one in wrong if not one.outcome.raised and one.outcome.wrong_entries.any()]
    told = [(rule.rows(one.features), one.blamed) for one in known]
    whole = sum(bool((expected >= blamed).all() and not expected.all()) for expected, blamed in told)
    left = sum(bool((blamed & ~expected).any()) for expected, blamed in told)
    return 0 < left < whole


def _where_it_shows(wrong: Sequence[Evidence], right: Sequence[Evidence]) -> list[Rule]:
    """Where a mistake shows that is made everywhere, and changes nothing on most problems, but for some by chance."""
    if len(right) <= len(wrong) / 2:
        return []
    search = Search([one.features[one.blamed] for one in wrong], np.concatenate([one.features for one in right]))
    rules = [Rule((one,), by_rows=True) for one in search.conditions if one.relation != "==" or one.is_natural]
    met = [sum(bool(rule.rows(one.features).any()) for one in right) for rule in rules]
    found = [rule for rule, count in zip(rules, met, strict=True) if count <= BY_CHANCE * len(right)]
    return sorted(found, key=lambda rule: rule.cost)[:1]


def _by_rows(wrong: Sequence[Evidence], shown: Array, effect: Effect) -> list[Rule]:
    """Rules that tell every single row that is wrong from the right ones, those of wrong answers too."""
    if not effect.in_gradient or any(one.outcome.raised for one in wrong):
        return []
    bad, good = _single_rows(wrong, shown, effect)
    return [replace(rule, by_rows=True) for rule in Search(bad, good).rules()]


def _either_by_rows(wrong: Sequence[Evidence], shown: Array, effect: Effect) -> list[Rule]:
    """The same with rules of two parts."""
    if not effect.in_gradient or any(one.outcome.raised for one in wrong):
        return []
    return [replace(rule, by_rows=True) for rule in either_of(*_single_rows(wrong, shown, effect))]


def _single_rows(wrong: Sequence[Evidence], shown: Array, effect: Effect) -> tuple[list[Array], Array]:
    """The rows that are wrong, each by itself, and all that are right."""
    bad = np.concatenate([one.features[one.blamed] for one in wrong])
    good = [one.features[~one.blamed & one.telling(effect)] for one in wrong]
    return [row[None] for row in bad[:: max(1, len(bad) // MAX_SINGLE)]], np.concatenate([shown, *good])


class Search:
    """Conditions that some blamed row of every wrong answer meets, and the smallest sets that no right row meets."""

    def __init__(self, wrong: list[Array], right: Array) -> None:
        self.wrong, self.right = wrong, right
        self.stacked = np.concatenate(self.wrong)
        self.starts = np.concatenate([[0], np.cumsum([len(one) for one in self.wrong])[:-1]])
        self.conditions = [one for place in range(len(FEATURES)) for one in self._conditions(place)]

    def rules(self) -> list[Rule]:
        if not self.conditions:
            return []
        on_right = _distinct_columns(np.stack([one.holds(self.right) for one in self.conditions]))
        alone = [Rule((self.conditions[i],)) for i in np.flatnonzero(~on_right.any(axis=1))]
        if alone and min(rule.cost for rule in alone) <= SINGLE:
            return sorted(alone, key=lambda rule: rule.cost)[: 3 * MAX_RULES]
        self.on_wrong = np.stack([one.holds(self.stacked) for one in self.conditions])
        together = on_right.astype(np.float32) @ on_right.T.astype(np.float32)
        pairs = self._pairs(together)
        found = [*alone, *pairs]
        if not found or min(rule.cost for rule in found) > PLAIN:
            found += self._triples(on_right, together)
        return sorted(found, key=lambda rule: rule.cost)[: 3 * MAX_RULES]

    def _conditions(self, place: int) -> Iterator[Condition]:
        column, name, whole = self.stacked[:, place], FEATURES[place].name, FEATURES[place].whole
        coded = FEATURES[place].is_coded
        right = self.right[:, place]
        known = np.where(np.isnan(column), -np.inf, column)
        least = float(np.maximum.reduceat(known, self.starts).min())
        known = np.where(np.isnan(column), np.inf, column)
        most = float(np.minimum.reduceat(known, self.starts).max())
        if not coded:
            below, above = right[right < least], right[right > most]
            if below.size and least > -np.inf:
                beyond = float(below.max())
                yield Condition(name, ">=", least).between(beyond, least)
            if above.size and most < np.inf:
                beyond = float(above.min())
                yield Condition(name, "<=", most).between(beyond, most)
        if FEATURES[place].modulus > 2 and (right == 0).any() and np.logical_or.reduceat(column > 0, self.starts).all():
            yield Condition(name, "!=", 0.0)
        shortest = min(self.wrong, key=len)[:, place]
        for value in dict.fromkeys(shortest[~np.isnan(shortest)].tolist()):
            if not whole and value != np.rint(value):
                continue  # no mistake is made at 0.3271 alone
            if np.logical_or.reduceat(column == value, self.starts).all() and (right != value).any():
                yield Condition(name, "==", float(value))

    def _covers(self, *places: int) -> bool:
        """Whether some blamed row of every wrong answer meets these conditions together."""
        rows = self.on_wrong[places[0]]
        for place in places[1:]:
            rows = rows & self.on_wrong[place]
        return bool(np.logical_or.reduceat(rows, self.starts).all())

    def _pairs(self, together: Array) -> list[Rule]:
        first, second = np.nonzero(np.triu(together == 0, 1))
        costs = np.array([one.cost for one in self.conditions])
        order = np.argsort(costs[first] + costs[second], kind="stable")[:400]
        found = []
        for i, j in zip(first[order], second[order], strict=True):
            if together[i, i] and together[j, j] and self._covers(int(i), int(j)):
                found.append(Rule((self.conditions[i], self.conditions[j])))
            if len(found) == 2 * MAX_RULES:
                break
        return found

    def _triples(self, on_right: Array, together: Array) -> list[Rule]:
        few = np.argsort(np.where(np.triu(together, 1) > 0, together, np.inf), axis=None, kind="stable")[:MAX_PAIRS]
        found = []
        for i, j in zip(*np.unravel_index(few, together.shape), strict=True):
            left = on_right[:, on_right[i] & on_right[j]]
            for k in np.flatnonzero(~left.any(axis=1)):
                if together[k, k] and self._covers(int(i), int(j), int(k)):
                    found.append(Rule((self.conditions[i], self.conditions[j], self.conditions[k])))
        return found


def _distinct_columns(marks: Array) -> Array:
    """Every column that there is, once: rows that the same conditions hold for tell the same."""
    if not marks.shape[1]:
        return marks
    packed = np.ascontiguousarray(np.packbits(marks, axis=0).T)
    _, first = np.unique(packed.view([("", np.void, packed.shape[1])]).ravel(), return_index=True)
    return np.asarray(marks[:, first])
