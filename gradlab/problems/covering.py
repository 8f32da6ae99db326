"""Covering arrays: few combinations of values in which every t of the factors take all the values that go together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

Combination = dict[str, Hashable]  # a value for each factor, or for some of them
Setting = tuple[tuple[str, Hashable], ...]  # the values of t factors, in the order of the factors
Factors = Mapping[str, Sequence[Hashable]]
Allowed = Callable[[Mapping[str, Hashable]], bool]


def covering_array(factors: Factors, allowed: Allowed, strength: int, usual: Collection[str] = ()) -> list[Combination]:
    """Combinations in which every `strength` factors take all values that are allowed together; the same every time.

    allowed: whether some values go together, for a part of the factors too; a part of what is allowed must be allowed.
    usual: factors that take their first value wherever another covers no more; the others take each in turn.
    Each combination begins with the first values that no other has together, and is completed factor by factor by the
    value that covers most of what is left [one test at a time: Cohen, Dalal, Fredman, Patton, The AETG system, IEEE
    Trans. Softw. Eng. 23(7), 1997]. What cannot be completed is left out; it is missing from `settings_met`.
    """
    order = list(factors)
    left = dict.fromkeys(settings_of(factors, allowed, strength))
    found: list[Combination] = []
    while left:
        seed = next(iter(left))
        del left[seed]
        full = _completed(dict(seed), factors, allowed, _Gain(left, order, strength, len(found), usual))
        if full is not None:
            for setting in _settings_in(full, order, strength):
                left.pop(setting, None)
            found.append({name: full[name] for name in order})
    return found


def settings_of(factors: Factors, allowed: Allowed, strength: int) -> Iterator[Setting]:
    """The values of every `strength` factors that are allowed together."""
    for names in combinations(factors, strength):
        for values in product(*(factors[name] for name in names)):
            setting = tuple(zip(names, values, strict=True))
            if allowed(dict(setting)):
                yield setting


def settings_met(found: Iterable[Mapping[str, Hashable]], factors: Factors, strength: int) -> set[Setting]:
    """The values that `strength` factors take together in some of the combinations."""
    order = list(factors)
    return {setting for one in found for setting in _settings_in(one, order, strength)}


@dataclass(frozen=True, eq=False)
class _Gain:
    """What a combination may still gain: the settings left, of the factors in this order.

    number: how many are made. usual: as in `covering_array`.
    """

    left: Mapping[Setting, None]
    order: Sequence[str]
    strength: int
    number: int
    usual: Collection[str]

    def by(self, name: str, value: Hashable, known: Mapping[str, Hashable]) -> int:
        """How many of the settings left come up with this value beside those that are known."""
        own, place = (name, value), self.order.index(name)
        before = [(one, known[one]) for one in self.order[:place] if one in known]
        behind = [(one, known[one]) for one in self.order[place:] if one in known]
        gained = 0
        for n_before in range(self.strength):
            for first in combinations(before, n_before):
                for last in combinations(behind, self.strength - 1 - n_before):
                    gained += (*first, own, *last) in self.left
        return gained


def _completed(known: Combination, factors: Factors, allowed: Allowed, gain: _Gain) -> Combination | None:
    """The combination with a value for each factor, or None where some factor has none that is allowed."""
    for name, values in factors.items():
        if name in known:
            continue
        turn = 0 if name in gain.usual else gain.number % len(values)  # what comes first among equals
        fitting = [one for one in (*values[turn:], *values[:turn]) if allowed({**known, name: one})]
        if not fitting:
            return None
        known[name] = max(fitting, key=lambda value: gain.by(name, value, known))
    return known


def _settings_in(one: Mapping[str, Hashable], order: Sequence[str], strength: int) -> Iterator[Setting]:
    yield from combinations([(name, one[name]) for name in order], strength)
