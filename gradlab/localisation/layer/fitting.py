"""What comes out in the place of an output: a reading of the layer, and how often each of its terms is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice, product
from typing import Any

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.layer.factors import FACTORS, Factor, Taken, factors_for
from gradlab.localisation.layer.parts import SIGNS, parts_of
from gradlab.localisation.layer.read_off import read_off_sizes, readings_read_off
from gradlab.localisation.layer.reading import Reading
from gradlab.localisation.layer.readings import groups_of_readings
from gradlab.localisation.layer.trial import LayerOutcome
from gradlab.problems.problem import Array

MAX_SIZE = 1 << 12  # numbers of these
MAX_COMBINED = 60  # factors of all terms, that are tried for one reading
APART = 2.0**-7  # relative to the largest entry
ALMOST = 0.02  # of the right answers, in which what comes out everywhere may have to show by its bound


EXTENTS: tuple[Callable[[LayerOutcome], Any], ...] = (
    lambda one: (one.problem.n_rows > 1, one.problem.n_entries),
    lambda one: one.problem.n_rows,
    lambda one: one.problem.n_classes,
    lambda one: one.problem.n_features,
)  # by each of which the largest answers are looked at first


@dataclass(frozen=True, eq=False)
class Foretold:
    """What comes out in the place of an output, where it is wrong. rivals: what else suits the same answers."""

    output: str
    reading: Reading
    factors: tuple[Factor, ...]
    rivals: tuple[Foretold, ...] = ()
    _known: dict[str, Array] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those of the blocks that its factors count."""
        return tuple(one.size for one in self.factors)

    def predict(self, problem: LayerProblem) -> Array:
        """The output that is foretold, float64, of its shape."""
        if problem.digest not in self._known:
            terms = self.reading.change(parts_of(problem)).terms(self.output)
            taken = [sign * one.value(problem) for sign, one in zip(SIGNS[self.output], self.factors, strict=False)]
            self._known[problem.digest] = self.reading.finish(_total(taken, terms))
        return self._known[problem.digest]

    def agrees(self, outcome: LayerOutcome) -> bool:
        """Whether the output came out as foretold."""
        return outcome.is_near(self.output, self.predict(outcome.problem))

    def shows(self, outcome: LayerOutcome) -> bool:
        """Whether what is foretold is seen beside what is right."""
        return outcome.shows(self.output, self.predict(outcome.problem))

    def differs_from(self, other: Foretold, problem: LayerProblem) -> bool:
        """Whether another one foretells something else for a problem."""
        return _is_far(self.predict(problem), other.predict(problem))

    def differs(self, problem: LayerProblem) -> bool:
        """Whether what is foretold is far from what is right, without asking what is right exactly."""
        right = parts_of(problem).terms(self.output)
        return _is_far(_total(SIGNS[self.output][: len(right)], right), self.predict(problem))

    @property
    def said(self) -> str:
        """What comes out, in words."""
        names = [one.said for one in self.factors]
        data, penalty = (names[:1], names[1:]) if self.output == "loss" else (names[:2], names[2:])
        of_penalty = "" if set(names) == {names[0]} else _said_of_penalty(penalty)
        said = (_said_of_data(data), of_penalty, self.reading.said)
        return ", and ".join(filter(None, said))


def _is_far(first: Array, second: Array) -> bool:
    """Whether two outputs are finite, and apart in some entry."""
    largest = max(float(np.abs(one).max(initial=0.0)) for one in (first, second))
    return bool(np.isfinite(largest)) and not np.allclose(first, second, rtol=0, atol=APART * largest)


def _said_of_data(names: Sequence[str]) -> str:
    """How often the data's terms are taken, "" for once."""
    first, last = names[0], names[-1]
    if first == last:
        known = {"1": "", "0": "without the data's part", "-1": "the sign is wrong"}
        return known.get(first, f"{first} times what is right")
    left_out = {last: "without the targets", first: "without the probabilities"}.get("0")
    if left_out is not None:
        other = first if last == "0" else last
        return left_out if other == "1" else f"{left_out}, {other} times"
    return f"the probabilities are taken {_times(first)}, the targets {_times(last)}"


def _said_of_penalty(names: Sequence[str]) -> str:
    known = {"1": "", "0": "without the penalty's part"}
    return known.get(names[0], f"the penalty's part is taken {_times(names[0])}") if names else ""


def _times(factor: str) -> str:
    return {"1": "once"}.get(factor, f"{factor} times")


def _total(taken: Iterable[float], terms: Sequence[Array]) -> Array:
    """The sum of terms, each as often as it is taken."""
    added = [own * term for own, term in zip(taken, terms, strict=True)]
    return np.asarray(sum(added[1:], added[0]))


@np.errstate(all="ignore")
def foretell(output: str, outcomes: Sequence[LayerOutcome], likely: Sequence[Reading] = ()) -> Foretold | None:
    """What comes out in every answer in which the output is wrong; None where nothing tells that.

    likely: readings that tell other outputs. Where there is one that shows in few right answers, it is such.
    """
    own = [one for one in outcomes if output in one.wrong and not one.problem.objective.real_options]
    wrong = [one for one in own if one.is_plain]
    few = _telling(wrong)
    right = [one for one in outcomes if one.is_plain and output in one.seen and output not in one.wrong]
    if not few or 2 * len(wrong) < len(own):
        return None
    fitting = (_fitting(output, group, few) for group in groups_of_readings(read_off_sizes(output, few)))
    for some in chain((_fitting(output, likely, few),), fitting, (_as_read_off(output, few),)):
        best: Foretold | None = None
        for one in some:
            if all(map(one.agrees, wrong)):
                best = best or one
                if sum(map(one.shows, right)) <= ALMOST * len(right):
                    best = one
                    break
        if best is not None:
            return replace(best, rivals=tuple(one for one in _likewise(best, few) if all(map(one.agrees, wrong))))
    return None


def _as_read_off(output: str, few: Sequence[LayerOutcome]) -> Iterator[Foretold]:
    """Outputs that are right but for a number that is read off."""
    for reading in readings_read_off(output, few):
        n_terms = len(parts_of(few[0].problem).terms(output))
        yield Foretold(output, reading, FACTORS[:1] * n_terms)


def _likewise(best: Foretold, few: Sequence[LayerOutcome]) -> Iterator[Foretold]:
    """The same in blocks of other sizes, as far as it suits the first answers."""
    yield from _fitting(best.output, best.reading.likewise, few)
    if any(one.size for one in best.factors):
        by_sizes = {one.sizes: one for one in reversed(list(_fitting(best.output, (best.reading,), few)))}
        yield from (one for sizes, one in by_sizes.items() if any(sizes) and sizes != best.sizes)


def _fitting(output: str, group: Iterable[Reading], few: Sequence[LayerOutcome]) -> Iterator[Foretold]:
    """What suits the first answers, of the readings of a group."""
    for reading in group:
        if output not in reading.outputs or (few[0].seen[output].ndim and _taken(output, reading, few[0]) is None):
            continue
        for one in islice(_with_factors(output, reading, few), MAX_COMBINED):
            if all(map(one.agrees, few)):
                yield one


def _telling(wrong: Sequence[LayerOutcome]) -> list[LayerOutcome]:
    """Wrong answers that tell a lot: with a penalty and without, those of most numbers, rows, classes and features."""
    small = [one for one in wrong if one.problem.n_entries <= MAX_SIZE]
    found: dict[int, LayerOutcome] = {}
    for mark in (True, False):
        side = [one for one in small if one.problem.penalty.is_on is mark]
        for extent in EXTENTS if side else ():
            largest = max(side, key=extent)
            found[id(largest)] = largest
    return list(found.values())


def _taken(output: str, reading: Reading, one: LayerOutcome) -> list[Taken] | None:
    """How often each term of a reading is taken, as it suits the output best; None where they do not come to it.

    NaN where it is not told: of a term that is 0 everywhere.
    """
    terms, seen = reading.change(parts_of(one.problem)).terms(output), one.seen[output]
    if any(term.shape != seen.shape or not np.isfinite(term).all() for term in terms) or not np.isfinite(seen).all():
        return None
    taken = _fitted(seen, terms)
    if not one.is_near(output, _total(np.nan_to_num(taken), terms)):
        return None
    return [Taken(one.problem, float(own * sign)) for own, sign in zip(taken, SIGNS[output], strict=False)]


def _fitted(seen: Array, terms: Sequence[Array]) -> Array:
    """How often each term is taken by least squares; NaN for one that is 0 everywhere."""
    matrix = np.stack([term.ravel() for term in terms], axis=1)
    used = matrix.any(axis=0)
    found = np.full(len(terms), np.nan)
    found[used] = np.linalg.lstsq(matrix[:, used], seen.ravel(), rcond=None)[0]
    return found


def _with_factors(output: str, reading: Reading, few: Sequence[LayerOutcome]) -> Iterator[Foretold]:
    """A reading with factors that come to what is taken of each term in the first answers, the plainest first."""
    if few[0].seen[output].ndim == 0:
        sets = _factors_of_loss(reading, few)
    else:
        known = [_taken(output, reading, one) for one in few]
        if any(own is None for own in known):
            return
        by_term = zip(*filter(None, known), strict=True)
        sets = product(*(factors_for([one for one in own if np.isfinite(one.value)]) for own in by_term))
    for factors in sorted(sets, key=_cost):
        yield Foretold(output, reading, factors)


def _factors_of_loss(reading: Reading, few: Sequence[LayerOutcome]) -> Iterator[tuple[Factor, ...]]:
    """Factors of the data's part and of the penalty: the first is read off where there is none of the second.

    Where there is a penalty in all answers, the data's part is taken once, or as often as the penalty.
    """
    numbers = [_LossOf(one.problem, float(one.seen["loss"]), *_numbers(reading, one.problem)) for one in few]
    plain = [Taken(one.problem, one.seen / one.data) for one in numbers if not one.penalty and one.data]
    for of_data in factors_for(plain):
        rest = [Taken(one.problem, one.beside(of_data) / one.penalty) for one in numbers if one.penalty]
        yield from ((of_data, of_penalty) for of_penalty in factors_for(rest))
    if not plain:
        whole = [Taken(one.problem, one.seen / one.right) for one in numbers if one.right]
        yield from ((one, one) for one in factors_for(whole))


@dataclass(frozen=True, eq=False)
class _LossOf:
    """A loss that came back, and its terms: those of the data and of the penalty."""

    problem: LayerProblem
    seen: float
    data: float
    penalty: float

    @property
    def right(self) -> float:
        return self.data + self.penalty

    def beside(self, of_data: Factor) -> float:
        """What is left where the data's part is taken so often."""
        return self.seen - of_data.value(self.problem) * self.data


def _numbers(reading: Reading, problem: LayerProblem) -> Iterator[float]:
    """The terms of the loss of a reading."""
    return map(float, reading.change(parts_of(problem)).terms("loss"))


def _cost(factors: Sequence[Factor]) -> float:
    """How far-fetched these are: least where they are alike, or 1."""
    names = [one.said for one in factors]
    return len(set(names)) + sum(name != "1" for name in names)
