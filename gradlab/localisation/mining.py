"""The simplest rules that tell wrong answers from right ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.evidence import Effect, Evidence
from gradlab.localisation.features import FEATURES
from gradlab.localisation.rules import Condition, Rule
from gradlab.problems.problem import Array

PLAIN = 4.5  # the cost of a rule of two conditions beside which none of three is looked for
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
    return list(unique.values())[:MAX_RULES]


def _where_it_shows(wrong: Sequence[Evidence], right: Sequence[Evidence]) -> list[Rule]:
    """Where a mistake shows that is made everywhere, and changes nothing on most problems, but for some by chance."""
    if len(right) <= len(wrong) / 2:
        return []
    search = Search([one.features[one.blamed] for one in wrong], np.concatenate([one.features for one in right]))
    rules = [Rule((one,), by_rows=True) for one in search.conditions]
    met = [sum(bool(rule.rows(one.features).any()) for one in right) for rule in rules]
    found = [rule for rule, count in zip(rules, met, strict=True) if count <= BY_CHANCE * len(right)]
    return sorted(found, key=lambda rule: rule.cost)[:1]


def _by_rows(wrong: Sequence[Evidence], shown: Array, effect: Effect) -> list[Rule]:
    """Rules that tell every single row that is wrong from the right ones, those of wrong answers too."""
    if not effect.in_gradient or any(one.outcome.raised for one in wrong):
        return []
    bad = np.concatenate([one.features[one.blamed] for one in wrong])
    good = [one.features[~one.blamed & one.telling(effect)] for one in wrong]
    rows = [row[None] for row in bad[:: max(1, len(bad) // MAX_SINGLE)]]
    return [replace(rule, by_rows=True) for rule in Search(rows, np.concatenate([shown, *good])).rules()]


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
        on_right = np.stack([one.holds(self.right) for one in self.conditions])
        self.on_wrong = np.stack([one.holds(self.stacked) for one in self.conditions])
        alone = [Rule((self.conditions[i],)) for i in np.flatnonzero(~on_right.any(axis=1))]
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
