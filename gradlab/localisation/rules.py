"""Descriptions of where an implementation is wrong: conditions on a row that hold together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gradlab.localisation.features import FEATURES, PLACES, feature_of
from gradlab.localisation.features.feature import Feature
from gradlab.localisation.numbers import roundest_between
from gradlab.localisation.trial import Trial
from gradlab.problems.problem import Array

FINE = 2.0**-9  # how near the two ends of a threshold that is no whole number are brought, relatively


@dataclass(frozen=True)
class Condition:
    """What holds of a row: a feature is at least, at most, exactly or anything but a value.

    beyond: the nearest value at which it was seen right, which the condition leaves out; infinite where none was. seen:
    the nearest at which it was seen wrong, where that is no whole number; the value is the roundest between the two.
    """

    name: str
    relation: str
    value: float
    beyond: float = math.inf
    seen: float = math.inf

    @property
    def place(self) -> int:
        return PLACES[self.name]

    @property
    def feature(self) -> Feature:
        return FEATURES[self.place]

    @property
    def is_threshold(self) -> bool:
        """Whether it is a threshold, which can be bisected."""
        return self.relation in (">=", "<=")

    @property
    def spelled_value(self) -> float | str:
        """The value, by its name where it has one; a number that is not finite as text."""
        if self.feature.names:
            return self.feature.names[int(self.value)]
        return self.value if math.isfinite(self.value) else str(self.value)

    @property
    def right_up_to(self) -> float | None:
        """The nearest value at which an answer was right, where that is a finite number."""
        return self.beyond if math.isfinite(self.beyond) else None

    def between(self, beyond: float, least: float) -> Condition:
        """The condition with a threshold beyond one value, at most the other, seen from where it holds."""
        if self.feature.whole:
            return replace(self, value=least, beyond=beyond)
        sign = 1 if self.relation == ">=" else -1
        return replace(self, value=sign * roundest_between(sign * beyond, sign * least), beyond=beyond, seen=least)

    def with_value(self, value: float) -> Condition:
        """The condition with another value."""
        return replace(self, value=value)

    @property
    def without_its_edge(self) -> Condition:
        """The condition that the threshold itself does not meet."""
        return self.with_value(math.nextafter(self.value, math.inf if self.relation == ">=" else -math.inf))

    def admits_some(self, trial: Trial, others: Rule) -> bool:
        """Whether some row meets this condition and the others."""
        return Rule((*others.conditions, self)).expects(trial)

    def middle(self, n_vain: int = 0) -> float | None:
        """The value to ask for next, between the two ends of the threshold; None where they are near enough.

        n_vain: how often that was asked for in vain; another whole number is taken then.
        """
        if not self.is_threshold or not np.isfinite(self.beyond):
            return None
        if self.feature.whole:
            return _middle_whole(self.beyond, self.value, n_vain)
        low, high = self.beyond, self.seen
        if abs(high - low) <= FINE * max(abs(low), abs(high)) or abs(high - low) <= FINE**2:
            return None
        if 0 in (low, high) and abs(high - low) < 4 * FINE:
            return None
        if low * high < 0:
            return 0.0
        middle = (low + high) / 2
        roundest = roundest_between(low, high)
        return roundest if abs(high - low) < abs(middle) / 4 and roundest != high else middle

    @property
    def is_natural(self) -> bool:
        """Whether its value is one that something speaks for: a name, yes or no, or one with words of its own."""
        return self.feature.is_coded or f"== {self.value:g}" in self.feature.said

    @property
    def cost(self) -> float:
        """How far-fetched it is; more so where the value is one that nothing speaks for."""
        if self.relation == "!=":
            return self.feature.cost + 0.2
        if self.relation != "==" or self.feature.names or f"== {self.value:g}" in self.feature.said:
            return self.feature.cost
        many = 0.0 if self.feature.is_coded else self.feature.steep * math.log2(1 + abs(self.value))
        return self.feature.cost + 0.15 + many

    def holds(self, features: Array) -> Array:
        """For which rows, given their features, shape (rows,)."""
        return self.admits(features[:, PLACES[self.name]])

    def rows_of(self, trial: Trial) -> Array:
        """For which rows of a trial."""
        return self.admits(feature_of(trial, self.name))

    def admits(self, values: Array) -> Array:
        """For which values of the feature."""
        with np.errstate(invalid="ignore"):
            if self.relation == ">=":
                return np.asarray(values >= self.value)
            if self.relation == "<=":
                return np.asarray(values <= self.value)
            other = (values != self.value) & ~np.isnan(values)
            return np.asarray(other if self.relation == "!=" else values == self.value)


@dataclass(frozen=True)
class Rule:
    """Conditions that a row of a problem has to fulfil together, for the problem to be answered wrongly.

    Without a condition: every problem is. by_rows: whether the rows that fulfil it are those that come out wrong.
    others: conditions that a row may fulfil instead, with the same consequence; none mostly.
    """

    conditions: tuple[Condition, ...] = ()
    by_rows: bool = False
    others: tuple[Condition, ...] = ()

    @property
    def parts(self) -> tuple[Rule, ...]:
        """The rules of which a row has to fulfil one."""
        own = replace(self, others=())
        return (own, replace(own, conditions=self.others)) if self.others else (own,)

    @property
    def names(self) -> set[str]:
        """The features that it speaks of."""
        return {one.name for one in (*self.conditions, *self.others)}

    @property
    def said_otherwise(self) -> Rule:
        """The same rule, its two parts in the other order."""
        return replace(self, conditions=self.others, others=self.conditions) if self.others else self

    @property
    def cost(self) -> float:
        """How far-fetched it is; what tells the wrong rows themselves may be more so."""
        either = 1.0 if self.others else 0.0
        own = sum(one.cost + 0.5 for one in (*self.conditions, *self.others))
        return own + either - (1.0 if self.by_rows else 0.0)

    def rows(self, features: Array) -> Array:
        """Which rows fulfil it."""
        found = np.ones(len(features), dtype=bool)
        for one in self.conditions:
            found &= one.holds(features)
        return found | self.parts[1].rows(features) if self.others else found

    def expects(self, trial: Trial) -> bool:
        """Whether a wrong answer is expected of a trial."""
        return bool(self.rows_of(trial).any())

    def rows_of(self, trial: Trial) -> Array:
        """Which rows of a trial fulfil it, boolean, (N,)."""
        found = np.ones(trial.problem.n_rows, dtype=bool)
        for one in self.conditions:
            found &= one.rows_of(trial)
        return found | self.parts[1].rows_of(trial) if self.others else found


def _middle_whole(low: float, high: float, n_vain: int) -> float | None:
    """A whole number between two others: of the round ones, powers of two and their neighbours, if there are some.

    n_vain: 0 for the middle one, 1 for one beside it, more for the one halfway.
    """
    first, last = sorted((int(low), int(high)))
    if last - first <= 1:
        return None
    step = 1 if high > low else -1
    powers = {2**i + more for i in range(1, 24) for more in (0, step)} | {10**i for i in range(1, 7)}
    round_ones = sorted(p for p in powers if first < p < last)
    if not round_ones or n_vain > 1:
        return float((first + last) // 2)
    return float(round_ones[len(round_ones) // 2 - n_vain])
