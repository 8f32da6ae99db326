"""Covering arrays: few combinations of values in which every t of the factors take all the values that go together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np

from gradlab.problems.problem import Array

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
    left = _all_left(factors, list(settings_of(factors, allowed, strength)))
    found: list[Combination] = []
    for setting in left.settings:
        if left.holds(setting):
            left.remove(setting)
            full = _completed(dict(setting), factors, allowed, _Gain(left, len(found), usual))
            if full is not None:
                left.remove(full.items())
                found.append({name: full[name] for name in factors})
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
class _Left:
    """The settings that are not covered yet.

    settings: all that there are. numbers: of each value of each factor. marked: with an axis for each value of a
    setting, True in every order of their numbers while it is left.
    """

    settings: Sequence[Setting]
    numbers: Mapping[tuple[str, Hashable], int]
    marked: Array

    def holds(self, setting: Setting) -> bool:
        """Whether a setting is left."""
        return bool(self.marked[tuple(self.numbers[item] for item in setting)])

    def remove(self, items: Iterable[tuple[str, Hashable]]) -> None:
        """These values are covered together."""
        self.marked[_crossed([[self.numbers[item] for item in items]] * self.marked.ndim)] = False

    def met_by(self, name: str, values: Sequence[Hashable], known: Mapping[str, Hashable]) -> Array:
        """How many settings are met by each of the values of a factor beside those known, times one constant."""
        own, others = [self.numbers[name, value] for value in values], [self.numbers[item] for item in known.items()]
        met = self.marked[_crossed([own, *[others] * (self.marked.ndim - 1)])]
        return np.asarray(met.reshape(len(own), -1).sum(axis=1))


def _all_left(factors: Factors, settings: Sequence[Setting]) -> _Left:
    """All of these settings, of values of these factors."""
    items = [(name, value) for name, values in factors.items() for value in values]
    numbers = {item: number for number, item in enumerate(items)}
    places = np.array([[numbers[item] for item in setting] for setting in settings], np.intp)
    marked = np.zeros([len(items)] * (places.shape[1] if settings else 1), bool)
    for order in permutations(range(marked.ndim)) if settings else ():
        marked[tuple(places[:, order].T)] = True
    return _Left(settings, numbers, marked)


def _crossed(numbers: Sequence[Sequence[int]]) -> tuple[Array, ...]:
    """What np.ix_ returns, which takes four times as long."""
    n_axes = len(numbers)
    return tuple(np.array(some).reshape((-1,) + (1,) * (n_axes - 1 - axis)) for axis, some in enumerate(numbers))


@dataclass(frozen=True, eq=False)
class _Gain:
    """What a combination may still gain: the settings left.

    number: how many combinations are made. usual: as in `covering_array`.
    """

    left: _Left
    number: int
    usual: Collection[str]

    def in_turn(self, name: str, values: Sequence[Hashable]) -> Sequence[Hashable]:
        """The values of a factor, beginning with the one that comes first among equals."""
        turn = 0 if name in self.usual else self.number % len(values)
        return (*values[turn:], *values[:turn])


def _completed(known: Combination, factors: Factors, allowed: Allowed, gain: _Gain) -> Combination | None:
    """The combination with a value for each factor, or None where some factor has none that is allowed."""
    for name, values in factors.items():
        if name in known:
            continue
        fitting = [one for one in gain.in_turn(name, values) if allowed(known | {name: one})]
        if not fitting:
            return None
        known[name] = fitting[int(gain.left.met_by(name, fitting, known).argmax())]
    return known


def _settings_in(one: Mapping[str, Hashable], order: Sequence[str], strength: int) -> Iterator[Setting]:
    yield from combinations([(name, one[name]) for name in order], strength)
