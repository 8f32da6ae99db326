"""Which known mistake explains weights that are not those of exact descent.

A mistake explains them where it comes as near to them as sound code may be, in every training that went wrong, and is
itself further than three times that from what is right in one of them. The number of a family is estimated on one of
the trainings; it has to hold on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.descent import Iterate, descend
from gradlab.trainer.mistakes import FAMILIES, MISTAKES, Family, Mistake, Named
from gradlab.trainer.order import Way, usual_ways
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.wrong_descent import descend_with

APART_NAMES = ("labels_shuffled_apart", "labels_shuffled_apart_and_first")  # whose labels have draws of their own
ROUGHLY = 1e-5  # relative to the norm: what an estimate at float32's precision may leave
_GRID, _NARROWINGS = 33, 40


@dataclass(frozen=True, eq=False)
class Wrong:
    """A training that went wrong. parameters: what came back; exact: where it should be; room: how far code may be."""

    problem: TrainerProblem
    parameters: Array
    exact: Array
    room: float


def wrong_training(problem: TrainerProblem, parameters: Array, end: Iterate) -> Wrong:
    """What came back, with exact descent's end."""
    return Wrong(problem, parameters, end.parameters, end.proved + end.radius)


def explain(trainings: Sequence[Wrong]) -> dict[str, Named]:
    """What explains all trainings, by name; the numbers of steps among it. Empty where nothing does."""
    asked = [one for one in trainings if one.problem.n_steps]
    if not asked:
        return {}
    found = _number_of_steps(asked)
    known = {name: one for name, one in MISTAKES.items() if _explains(one, asked)}
    found |= {name: Named(name, one.sentence) for name, one in known.items()}
    return found or _fitting_family(asked) or _unmatched_labels(asked)


def is_explained(training: Wrong) -> bool:
    """Whether a known mistake explains this training."""
    return any(_explains(one, [training]) for one in MISTAKES.values())


def named_mistake(name: str, training: Wrong) -> Named | None:
    """The mistake of this name, with the number that is in it, where it predicts a training that went wrong.

    It is suspected already, so it need not be far from what is right, as a mistake has to be that nobody has seen.
    """
    if name in ("more_steps", "fewer_steps", "stops_early"):
        found = _number_of_steps([training])
        return next(iter(found.values()), None) if name == "stops_early" else found.get(name)
    mistake = _mistake_called(name)
    return Named(name, mistake.sentence) if mistake is not None and _predicts(mistake, training) else None


def unsettled_mistake(name: str, training: Wrong) -> Named | None:
    """The mistake of this name, where with it roundings grow so far that they may come to what the training came to.

    Whether something else is wrong too cannot be told then. One rounding is put into the start, in float64, and each
    step has one like it.
    """
    mistake = _mistake_called(name)
    if mistake is None:
        return None
    problem = training.problem
    expected = descend_with(problem, mistake)
    carried = _distance(expected, descend_with(_with_one_rounding(problem, training.parameters), mistake))
    is_within = _distance(training.parameters, expected) <= problem.n_steps * carried
    return Named(name, mistake.sentence) if is_within else None


def _with_one_rounding(problem: TrainerProblem, end: Array) -> TrainerProblem:
    """The problem with each weight of its start moved up or down by a rounding of the largest weight at the end."""
    move = float(np.abs(end).max()) * problem.format.unit_roundoff
    signs = np.random.default_rng(0).choice((-1.0, 1.0), problem.weight.shape)
    return problem.replace(weight=(problem.weight + move * signs).astype(problem.weight.dtype))


def _mistake_called(name: str) -> Mistake | None:
    """The mistake of a name; None where it was found by an experiment, and no model foretells what comes back."""
    family, _, value = name.rpartition("_")
    if name in MISTAKES:
        return MISTAKES[name]
    return FAMILIES[family].at(float(value)) if family in FAMILIES else None


def _predicts(mistake: Mistake, training: Wrong) -> bool:
    return bool(_distance(training.parameters, descend_with(training.problem, mistake)) <= training.room)


def _explains(mistake: Mistake, trainings: Sequence[Wrong]) -> bool:
    differs = False
    for one in trainings:
        wrong = descend_with(one.problem, mistake)
        if not _distance(one.parameters, wrong) <= one.room:
            return False
        differs = differs or not _distance(one.exact, wrong) <= 3 * one.room
    return differs


def _fitting_family(trainings: Sequence[Wrong]) -> dict[str, Named]:
    """The first family whose number explains all trainings; estimated on the first of two steps or more."""
    first = next((one for one in trainings if one.problem.n_steps > 1), trainings[0])
    for name, family in FAMILIES.items():
        value = _estimated(family, first)
        if value is not None and _explains(mistake := family.at(value), trainings):
            return {f"{name}_{value:g}": Named(f"{name}_{value:g}", mistake.sentence)}
    return {}


def _unmatched_labels(trainings: Sequence[Wrong]) -> dict[str, Named]:
    """Whether rows are shuffled in a usual way, and their labels are not, or by themselves."""
    for way, by_epochs in product(usual_ways(), (True, False)):
        for name in ("labels_not_shuffled", *(() if way.drops else APART_NAMES)):
            ordered = (_ordered(one, way, by_epochs, 1 + (name in APART_NAMES)) for one in trainings)
            if all(_explains(MISTAKES[name], [one]) for one in ordered):
                return {name: Named(name, f"{MISTAKES[name].sentence}: {way.sentence}")}
    return {}


def _ordered(training: Wrong, way: Way, by_epochs: bool, times: int) -> Wrong:
    """The training in an order that is drawn for so many times as many steps."""
    problem, n_steps = training.problem, training.problem.n_steps
    ordered = way.ordered(problem.replace(n_steps=times * n_steps), by_epochs)
    return replace(training, problem=ordered.replace(n_steps=n_steps) if times > 1 else ordered)


def _estimated(family: Family, training: Wrong) -> float | None:
    """The number with which the family comes nearest; with few digits where they do. None where none is near."""

    def apart(place: float) -> float:
        value = float(np.exp(place)) if family.is_logarithmic else place
        distance = _distance(training.parameters, descend_with(training.problem, family.at(value)))
        return distance if np.isfinite(distance) else np.inf

    low, high = (np.log(end) if family.is_logarithmic else end for end in (family.low, family.high))
    place = _least(apart, float(low), float(high))
    size = float(np.linalg.norm(training.parameters))
    if not apart(place) <= training.room + ROUGHLY * size:
        return None
    value = float(np.exp(place)) if family.is_logarithmic else place
    for digits in range(1, 8):
        short = float(f"{value:.{digits}g}")
        wrong = descend_with(training.problem, family.at(short))
        if _distance(training.parameters, wrong) <= training.room:
            return short
    return None


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function is least: on a grid, then between the neighbours of that place, by thirds."""
    grid = np.linspace(low, high, _GRID)
    place = int(np.argmin([function(float(one)) for one in grid]))
    left, right = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, _GRID - 1)])
    for _ in range(_NARROWINGS):
        third = (right - left) / 3
        if function(left + third) <= function(right - third):
            right -= third
        else:
            left += third
    return (left + right) / 2


def _number_of_steps(trainings: Sequence[Wrong]) -> dict[str, Named]:
    """Whether each is exact descent after another number of steps; said of the training that is the furthest off."""
    said: list[Named] = []
    for one in trainings:
        found = next(_other_numbers(one), None)
        if found is None:
            return {}
        said.append(found)
    names = {one.name for one in said}
    return {said[-1].name: said[-1]} if len(names) == 1 else {}


def _other_numbers(training: Wrong) -> Iterator[Named]:
    problem, asked = training.problem, training.problem.n_steps
    iterates = list(descend(problem.replace(n_steps=asked + 2)))
    near = [one for one in iterates if one.n_steps != asked and _is_near(training, one)]
    if not near or _distance(training.exact, near[0].parameters) <= 3 * training.room:
        return
    taken = min(near, key=lambda one: _distance(training.parameters, one.parameters)).n_steps
    apart, word = abs(taken - asked), "more" if taken > asked else "fewer"
    steps = f"1 step {word} than asked for is" if apart == 1 else f"{apart:,} steps {word} than asked for are"
    yield Named(f"{word}_steps", f"{steps} taken")


def _is_near(training: Wrong, iterate: Iterate) -> bool:
    return _distance(training.parameters, iterate.parameters) <= training.room


def _distance(first: Array, second: Array) -> float:
    return float(np.linalg.norm(first - second))
