"""Conditions under which a problem of the layer is answered wrongly, and the simplest that tell wrong from right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.layer.quantities import QUANTITIES, Quantity
from gradlab.localisation.numbers import roundest_between
from gradlab.localisation.words import EVERYWHERE
from gradlab.problems.problem import Array

MAX_PAIRED = 40  # conditions that are tried in pairs, those that leave out most
BOTH = 0.5  # what a second condition costs beside its own


@dataclass(frozen=True, eq=False)
class LayerCondition:
    """A quantity that is at least, at most, exactly or anything but a value.

    right: the nearest value at which an answer was right, for a threshold; infinite where none was.
    """

    quantity: Quantity
    relation: str
    value: float
    right: float = math.inf

    def holds(self, problem: LayerProblem) -> bool:
        return bool(self.admits(np.asarray(float(self.quantity.value(problem)))))

    def admits(self, values: Array) -> Array:
        """Which values of the quantity."""
        if self.relation == ">=":
            return np.asarray(values >= self.value)
        if self.relation == "<=":
            return np.asarray(values <= self.value)
        return np.asarray(values != self.value if self.relation == "!=" else values == self.value)

    @property
    def said(self) -> str:
        """The condition in words."""
        quantity, number = self.quantity, f"{self.value:.6g}"
        if quantity.kind == "truth":
            return quantity.said if self.value else quantity.no
        if quantity.kind == "remainder":
            name = quantity.said.split(" ")[0]
            if self.relation == "!=":
                return f"{name} is no {quantity.no.removeprefix('a ')}"
            return f"{name} is {quantity.no}" if not self.value else f"{quantity.said} is {number}"
        if self.relation == "==":
            return f"{quantity.said} is {number}"
        at_least = self.relation == ">="
        if at_least and quantity.kind == "real" and self.right == 0:
            return f"{quantity.said} is not 0"
        said = f"{quantity.said} is {number} {'or more' if at_least else 'or less'}"
        if quantity.kind != "whole" or not np.isfinite(self.right):
            return said
        return said + (f" (right up to {self.right:.0f})" if at_least else f" (right from {self.right:.0f} on)")


@dataclass(frozen=True, eq=False)
class LayerRule:
    """Conditions that hold together where a layer is wrong; none where it is wrong wherever that can be seen."""

    conditions: tuple[LayerCondition, ...] = ()

    def expects(self, problem: LayerProblem) -> bool:
        """Whether all conditions hold."""
        return all(one.holds(problem) for one in self.conditions)

    @property
    def said(self) -> str:
        """Where it is wrong, in words."""
        if not self.conditions:
            return EVERYWHERE
        return f"wrong only where {' and '.join(one.said for one in self.conditions)}"


def rule_for(wrong: Sequence[LayerProblem], right: Sequence[LayerProblem]) -> LayerRule | None:
    """The simplest rule that every wrong problem meets and no right one; None where none does.

    right: of the problems that are answered rightly, those in which a mistake would be seen if it were made.
    """
    if not right:
        return LayerRule()
    found = sorted(_conditions(wrong, right), key=lambda one: one[0].quantity.cost)
    for condition, left in found:
        if not left.any():
            return LayerRule((condition,))
    few = sorted(found, key=lambda one: int(one[1].sum()))[:MAX_PAIRED]
    pairs = [
        (first.quantity.cost + second.quantity.cost + BOTH, first, second)
        for (first, left), (second, other) in combinations(few, 2)
        if not (left & other).any()
    ]
    if not pairs:
        return None
    _, first, second = min(pairs, key=lambda one: one[0])
    return LayerRule((first, second))


def _conditions(wrong: Sequence[LayerProblem], right: Sequence[LayerProblem]) -> Iterator[tuple[LayerCondition, Array]]:
    """Conditions that every wrong problem meets, each with which right ones do, too, unless all do."""
    for quantity in QUANTITIES:
        with np.errstate(all="ignore"):
            at_wrong, at_right = (np.array([float(quantity.value(one)) for one in some]) for some in (wrong, right))
        for condition in _conditions_on(quantity, at_wrong, at_right):
            left = condition.admits(at_right)
            if not left.all():
                yield condition, left


def _conditions_on(quantity: Quantity, at_wrong: Array, at_right: Array) -> Iterator[LayerCondition]:
    low, high = float(at_wrong.min()), float(at_wrong.max())
    if low == high and (quantity.kind != "real"):
        yield LayerCondition(quantity, "==", low)
    if quantity.kind == "remainder" and low > 0:
        yield LayerCondition(quantity, "!=", 0.0)
    if quantity.kind in ("whole", "real"):
        below, above = at_right[at_right < low], at_right[at_right > high]
        if below.size:
            yield _between(quantity, ">=", float(below.max()), low)
        if above.size:
            yield _between(quantity, "<=", float(above.min()), high)


def _between(quantity: Quantity, relation: str, right: float, wrong: float) -> LayerCondition:
    """A threshold between a value that is right and one that is wrong."""
    value = wrong
    if quantity.kind == "real":
        value = roundest_between(right, wrong) if relation == ">=" else -roundest_between(-right, -wrong)
    return LayerCondition(quantity, relation, value, right)


def with_ends(condition: LayerCondition, right: float, wrong: float) -> LayerCondition:
    """A threshold of whole numbers with other ends."""
    return replace(condition, right=right, value=wrong)
