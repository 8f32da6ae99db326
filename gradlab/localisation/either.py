"""Rules of two parts, of which a row has to meet one: for mistakes with an "or", and for two mistakes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.localisation.features import FEATURES
from gradlab.localisation.rules import Condition, Rule
from gradlab.problems.problem import Array

MOST = 400  # parts of which pairs are looked at: those that account for most, and the plainest of these
PLAIN = 1.4  # what a feature costs at most beside which a threshold of another one is looked for
NUMBERS = np.flatnonzero([not feature.is_coded for feature in FEATURES])
LEAST = 2  # wrong answers that each part accounts for alone


@dataclass(frozen=True, eq=False)
class Part:
    """Conditions that no right row meets, and which of the wrong answers they account for."""

    conditions: tuple[Condition, ...]
    accounts: Array

    @property
    def key(self) -> tuple[float, list[tuple[str, str]]]:
        """By which the parts of a rule are ordered, the same every time."""
        return self.cost, [(one.name, one.relation) for one in self.conditions]

    @property
    def cost(self) -> float:
        return Rule(self.conditions).cost


def either_of(wrong: list[Array], right: Array) -> list[Rule]:
    """The plainest rule of two parts that accounts for every wrong answer and for no right row; none where none does.

    wrong: of each wrong answer the features of the rows that may be to blame. right: of rows that are right.
    """
    parts = list(_parts(wrong, right))
    parts = sorted(parts, key=lambda one: one.cost - 3 * one.accounts.mean())[:MOST]
    if not parts:
        return []
    accounts = np.stack([one.accounts for one in parts]).astype(np.float32)
    missed = (1 - accounts) @ (1 - accounts).T  # wrong answers that neither part accounts for
    alone = accounts @ (1 - accounts).T  # that the first alone accounts for
    first, second = np.nonzero(np.triu((missed == 0) & (alone >= LEAST) & (alone.T >= LEAST), 1))
    two = [(parts[i], parts[j]) for i, j in zip(first, second, strict=True)]
    pairs = [sorted(pair, key=lambda one: one.key) for pair in two if _are_apart(*pair)]
    rules = [Rule(one.conditions, others=other.conditions) for one, other in pairs]
    return sorted(rules, key=lambda rule: rule.cost)[:1]


def _are_apart(first: Part, second: Part) -> bool:
    """Whether two parts have no threshold of one number in common, on which the rest of each may hang by chance."""
    thresholds = [{(one.name, one.relation) for one in part.conditions if one.is_threshold} for part in (first, second)]
    return thresholds[0].isdisjoint(thresholds[1])


def starts_of(parts: Sequence[Array]) -> Array:
    """The row at which each of these begins once they are stacked, (parts,)."""
    return np.concatenate([[0], np.cumsum([len(one) for one in parts])[:-1]])


def _parts(wrong: list[Array], right: Array) -> Iterator[Part]:
    """Single conditions, and pairs of which one is that a feature has a name, or is so or not."""
    stacked = np.concatenate(wrong)
    starts = starts_of(wrong)
    named = [one for place in range(len(FEATURES)) for one in _named(place, stacked)]
    marks = [bool(one.holds(right).any()) for one in named]
    pure = [one for one, mark in zip(named, marks, strict=True) if not mark]
    bases = [(), *((one,) for one, mark in zip(named, marks, strict=True) if mark and one.feature.cost <= PLAIN)]
    yield from _pure_pairs([one for (one,) in bases[1:]], right, stacked, starts)
    numbers, right_numbers = stacked[:, NUMBERS], right[:, NUMBERS]
    for base in bases:
        in_wrong, in_right = Rule(base).rows(stacked), Rule(base).rows(right)
        found = [] if base else pure
        for one in [*found, *_thresholds(numbers[in_wrong], right_numbers[in_right])]:
            rows = one.holds(stacked) & in_wrong
            if rows.any():
                yield Part((*base, one), np.logical_or.reduceat(rows, starts))


def _pure_pairs(some: list[Condition], right: Array, stacked: Array, starts: Array) -> Iterator[Part]:
    """Two conditions of these that no right row meets together."""
    if not some:
        return
    on_right, on_wrong = (np.stack([one.holds(rows) for one in some]) for rows in (right, stacked))
    together = on_right.astype(np.float32) @ on_right.T.astype(np.float32)
    for i, j in zip(*np.nonzero(np.triu(together == 0, 1)), strict=True):
        rows = on_wrong[i] & on_wrong[j]
        if rows.any():
            yield Part((some[i], some[j]), np.logical_or.reduceat(rows, starts))


def _named(place: int, stacked: Array) -> Iterator[Condition]:
    """That a feature has one of its names, is so or not, or has one of the values that have words of their own."""
    feature, column = FEATURES[place], stacked[:, place]
    for value in np.unique(column[~np.isnan(column)]):
        if feature.is_coded or f"== {value:g}" in feature.said:
            yield Condition(feature.name, "==", float(value))
    if feature.modulus > 2 and (column == 0).any():
        yield Condition(feature.name, "!=", 0.0)


def _thresholds(wrong: Array, right: Array) -> Iterator[Condition]:
    """The thresholds beyond which no row is right; of the features that are numbers alone."""
    if not (len(wrong) and len(right)):
        return
    for relation, sign in ((">=", 1), ("<=", -1)):
        known, found = (np.nan_to_num(sign * values, nan=-np.inf) for values in (right, wrong))
        tops = known.max(axis=0)
        beyond = np.where(found > tops, found, np.inf).min(axis=0)
        for place in np.flatnonzero(np.isfinite(tops) & np.isfinite(beyond)):
            least, top = float(beyond[place]), float(tops[place])
            yield Condition(FEATURES[NUMBERS[place]].name, relation, sign * least).between(sign * top, sign * least)
