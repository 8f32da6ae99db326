"""The simplest rules that tell wrong answers from right ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.distinct import distinct_rows
from gradlab.localisation.either import either_of, starts_of
from gradlab.localisation.evidence import Effect, Evidence
from gradlab.localisation.features import FEATURES, PLACES
from gradlab.localisation.rules import Condition, Rule
from gradlab.problems.problem import Array

PLAIN = 4.5  # the cost of a rule of two conditions beside which none of three is looked for
SINGLE = 3.0  # the cost of a rule of one condition beside which none of two is looked for, as none costs less
MAX_TRIED = 400  # pairs of conditions, the cheapest first
MAX_PAIRS = 60  # of conditions that a third is added to
FEW_RIGHT = 0.02  # of all, that are right by chance
BY_CHANCE = 0.1  # of the right answers, where a mistake that is made everywhere may be expected to show
OF_PLACES = ("row", "row_from_end")  # features of a row's place
FEW_TO_TELL = 4  # wrong answers of several rows
MAX_SINGLE = 300  # wrong rows that are told one by one
MAX_RULES = 4  # that are looked at of those that fit
CODED = tuple(feature.is_coded for feature in FEATURES)


def rules_for(evidence: Sequence[Evidence], effect: Effect, left_out: Sequence[Evidence] = ()) -> list[Rule]:
    """The simplest rules that tell what is wrong from what is right, the simplest first; none where none does.

    Rows that are wrong are blamed first; where that tells nothing, any row of a wrong answer may be to blame.
    left_out: wrong answers to long batches, some row of which has to meet the rule; of these not all are looked at.
    """
    batches = _common_to_rows(left_out)
    return [rule for rule in _rules_for(evidence, effect, batches) if _may_hold(rule, batches)]


def _common_to_rows(left_out: Sequence[Evidence]) -> Array:
    """The features that all rows of a batch have alike, (batches, features); NaN where they differ, or are unknown."""
    alike = [np.where((one.features == one.features[:1]).all(axis=0), one.features[0], np.nan) for one in left_out]
    return np.stack(alike) if alike else np.zeros((0, len(FEATURES)))


def _may_hold(rule: Rule, batches: Array) -> bool:
    """Whether some row of every batch may meet a rule: no feature that its rows have alike speaks against it."""
    found = np.zeros(len(batches), dtype=bool)
    for part in rule.parts:
        met = [one.holds(batches) | np.isnan(batches[:, one.place]) for one in part.conditions]
        found |= np.logical_and.reduce(met) if met else True
    return bool(found.all())


def _rules_for(evidence: Sequence[Evidence], effect: Effect, batches: Array) -> list[Rule]:
    wrong = [one for one in evidence if one.is_wrong]
    right = [one for one in evidence if not one.is_wrong]
    if not wrong:
        return []
    shown = np.concatenate([np.zeros((0, len(FEATURES))), *(one.features[one.telling(effect)] for one in right)])
    if sum(bool(one.telling(effect).any()) for one in right) <= FEW_RIGHT * len(wrong):
        return [*_which_rows(wrong, shown, effect), *_where_it_shows(wrong, right), Rule()]
    found = _by_rows(wrong, shown, effect)
    found += Search([one.features[one.blamed] for one in wrong], shown, batches).rules()
    if any(len(one.blamed) != int(one.blamed.sum()) for one in wrong):
        found += Search([one.features for one in wrong], shown, batches).rules()
    found = [rule for rule in found if not _misplaces_rows(rule, wrong, effect)]
    unique = {rule.conditions: rule for rule in sorted(found, key=lambda rule: rule.cost)}
    best = _with_the_rows_first(list(unique.values())[:MAX_RULES], found, wrong, effect)
    if best and not _leaves_out_rows(best[0], wrong):
        return best
    either = _either_by_rows(wrong, shown, effect)
    if best or either:
        return either
    return either_of([one.features[one.blamed] for one in wrong], shown)


def _with_the_rows_first(best: list[Rule], found: list[Rule], wrong: Sequence[Evidence], effect: Effect) -> list[Rule]:
    """The rules; first one that tells the wrong rows themselves, where it is known what comes out and they do not."""
    rows = min((rule for rule in found if rule.by_rows), key=lambda rule: rule.cost, default=None)
    if effect.gradient is None or rows is None or not best or not _has_right_rows(best[0], wrong, effect):
        return best
    return [rows, *(rule for rule in best if rule.conditions != rows.conditions)][:MAX_RULES]


def _misplaces_rows(rule: Rule, wrong: Sequence[Evidence], effect: Effect) -> bool:
    """Whether a rule speaks of the places of rows, and most wrong answers have right rows in such places."""
    if rule.by_rows or not effect.in_gradient or rule.names.isdisjoint(OF_PLACES):
        return False
    return _has_right_rows(rule, wrong, effect)


def _has_right_rows(rule: Rule, wrong: Sequence[Evidence], effect: Effect) -> bool:
    """Whether most wrong answers have rows that meet a rule and are right, though it would show in them."""
    known = [one for one in wrong if not one.outcome.raised and one.outcome.wrong_entries.any()]
    right = [rule.rows(one.features) & ~one.blamed & one.telling(effect) for one in known]
    return 2 * sum(bool(rows.any()) for rows in right) > len(known)


def _leaves_out_rows(rule: Rule, wrong: Sequence[Evidence]) -> bool:
    """Whether a rule tells which rows are wrong in most of the wrong answers, and leaves out some of others."""
    known = [one for one in wrong if not one.outcome.raised and one.outcome.wrong_entries.any()]
    told = [(rule.rows(one.features), one.blamed) for one in known]
    whole = sum(bool((expected >= blamed).all() and not expected.all()) for expected, blamed in told)
    left = sum(bool((blamed & ~expected).any()) for expected, blamed in told)
    return 0 < left < whole


def _which_rows(wrong: Sequence[Evidence], shown: Array, effect: Effect) -> list[Rule]:
    """Which rows are wrong, where every problem has some, and the other rows of most of several are right."""
    several = [one for one in wrong if len(one.blamed) > 1 and not one.outcome.raised]
    partly = sum(bool((~one.blamed & one.telling(effect)).any()) for one in several)
    return _by_rows(wrong, shown, effect)[:1] if len(several) >= FEW_TO_TELL and 2 * partly > len(several) else []


def _where_it_shows(wrong: Sequence[Evidence], right: Sequence[Evidence]) -> list[Rule]:
    """Where a mistake shows that is made everywhere, and changes nothing on most problems, but for some by chance."""
    if len(right) <= len(wrong) / 2:
        return []
    search = Search([one.features[one.blamed] for one in wrong], np.concatenate([one.features for one in right]))
    starts = starts_of([one.features for one in right])
    rules = [Rule((one,), by_rows=True) for one in search.conditions if one.relation != "==" or one.is_natural]
    for rule in sorted(rules, key=lambda rule: rule.cost):
        met = np.logical_or.reduceat(rule.rows(search.right), starts).sum()  # by some row of so many right answers
        if met <= BY_CHANCE * len(right):
            return [rule]
    return []


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
    """Conditions that some blamed row of every wrong answer meets, and the smallest sets that no right row meets.

    batches: of wrong answers more, the features that all of their rows have alike; NaN where they do not.
    """

    def __init__(self, wrong: list[Array], right: Array, batches: Array | None = None) -> None:
        self.wrong, self.right = wrong, right
        self.stacked = np.concatenate(self.wrong)
        self.starts = starts_of(self.wrong)
        unknown = np.isnan(self.stacked)
        self.least = np.maximum.reduceat(np.where(unknown, -np.inf, self.stacked), self.starts).min(axis=0)
        self.most = np.minimum.reduceat(np.where(unknown, np.inf, self.stacked), self.starts).max(axis=0)
        if batches is not None and len(batches):
            self.least = np.fmin(self.least, np.fmin.reduce(batches))
            self.most = np.fmax(self.most, np.fmax.reduce(batches))
        self.conditions = [*self._conditions()]

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

    def _conditions(self) -> Iterator[Condition]:
        """Of one feature each, in the order of `FEATURES`; all features at once are looked at for what they have."""
        right, shortest = self.right, min(self.wrong, key=len)
        below, above, zero = right < self.least, right > self.most, (right == 0).any(axis=0)
        beyond_least = np.where(below, right, -np.inf).max(axis=0, initial=-np.inf)
        beyond_most = np.where(above, right, np.inf).min(axis=0, initial=np.inf)
        is_below, is_above = below.any(axis=0) & (self.least > -np.inf), above.any(axis=0) & (self.most < np.inf)
        for place, feature in enumerate(FEATURES):
            if feature.like and self._is_alike(place, PLACES[feature.like]):
                continue
            least, most = float(self.least[place]), float(self.most[place])
            if is_below[place] and not CODED[place]:
                yield Condition(feature.name, ">=", least).between(float(beyond_least[place]), least)
            if is_above[place] and not CODED[place]:
                yield Condition(feature.name, "<=", most).between(float(beyond_most[place]), most)
            if feature.modulus > 2 and zero[place] and least > 0:
                yield Condition(feature.name, "!=", 0.0)
            if most <= least:  # or no value is in every wrong answer
                yield from self._single_values(place, shortest[:, place])

    def _is_alike(self, place: int, other: int) -> bool:
        """Whether two features have the same values in all rows that are known."""
        return all(np.array_equal(rows[:, place], rows[:, other]) for rows in (self.stacked, self.right))

    def _single_values(self, place: int, some: Array) -> Iterator[Condition]:
        """That a feature has one of some values, which it has in every wrong answer."""
        feature = FEATURES[place]
        for value in dict.fromkeys(some[(some >= self.most[place]) & (some <= self.least[place])].tolist()):
            if not feature.whole and value != np.rint(value):
                continue  # no mistake is made at 0.3271 alone
            is_shared = np.logical_or.reduceat(self.stacked[:, place] == value, self.starts).all()
            if is_shared and (self.right[:, place] != value).any():
                yield Condition(feature.name, "==", float(value))

    def _cover(self, together: Array) -> Array:
        """For sets of conditions, given the rows that meet them: whether each is met in every wrong answer."""
        return np.asarray(np.logical_or.reduceat(together, self.starts, axis=1).all(axis=1))

    def _pairs(self, together: Array) -> list[Rule]:
        first, second = np.nonzero(np.triu(together == 0, 1))
        costs = np.array([one.cost for one in self.conditions])
        order = _places_of_least(costs[first] + costs[second], MAX_TRIED)
        first, second = first[order], second[order]
        told = (np.diag(together)[first] > 0) & (np.diag(together)[second] > 0)
        first, second = first[told], second[told]
        covering = np.flatnonzero(self._cover(self.on_wrong[first] & self.on_wrong[second]))[: 2 * MAX_RULES]
        return [Rule((self.conditions[first[i]], self.conditions[second[i]])) for i in covering]

    def _triples(self, on_right: Array, together: Array) -> list[Rule]:
        few = _places_of_least(np.where(np.triu(together, 1) > 0, together, np.inf).ravel(), MAX_PAIRS)
        found = []
        for i, j in zip(*np.unravel_index(few, together.shape), strict=True):
            left = on_right[:, on_right[i] & on_right[j]]
            third = np.flatnonzero(~left.any(axis=1) & (np.diag(together) > 0))
            covering = third[self._cover(self.on_wrong[third] & self.on_wrong[i] & self.on_wrong[j])]
            found += [Rule((self.conditions[i], self.conditions[j], self.conditions[k])) for k in covering]
        return found


def _places_of_least(values: Array, count: int) -> Array:
    """Where the smallest values are, the smallest first; of equal ones the first."""
    if len(values) > count:
        among = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
        return np.asarray(among[np.argsort(values[among], kind="stable")[:count]])
    return np.argsort(values, kind="stable")


def _distinct_columns(marks: Array) -> Array:
    """Every column that there is, once: rows that the same conditions hold for tell the same."""
    if not marks.shape[1]:
        return marks
    first, _ = distinct_rows(np.packbits(marks, axis=0).T)
    return np.asarray(marks[:, first])
