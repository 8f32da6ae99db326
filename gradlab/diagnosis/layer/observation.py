"""An answer of a layer beside the truth, and whether known defects predict it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradlab.checks.layer.conditions import divided
from gradlab.checks.layer.outputs import bounds_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.problems.caching import remember
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Array
from gradlab.targets.shipped import Specimen, layer_specimens

_ROOM = 4.0  # times the proved bound, for the prediction and for the answer
_RELATIVE = 64.0  # units of roundoff of a prediction itself, that what is large in it carries


@dataclass(frozen=True, eq=False)
class Observation:
    """A problem, what came back by name, what is right, and the bounds, all in float64."""

    problem: LayerProblem
    seen: Mapping[str, Array]
    truth: Mapping[str, Array]
    bounds: Mapping[str, Array]

    @cached_property
    def wrong_outputs(self) -> tuple[str, ...]:
        """The outputs that are beyond their bounds."""
        return tuple(name for name in self.seen if not is_close(self.seen[name], self.truth[name], self.bounds[name]))

    @property
    def is_wrong(self) -> bool:
        return bool(self.wrong_outputs)

    @property
    def is_near_the_truth(self) -> bool:
        """Whether what is wrong is no further off than what is predicted may be: any defect that does not show fits."""
        return all(self._is_near(name, self.truth[name], ()) for name in self.wrong_outputs)

    def is_predicted_by(self, defects: Sequence[Specimen], outputs: Sequence[str] = OUTPUTS) -> bool:
        """Whether a layer with these defects, or a sound one where there are none, gives these outputs."""
        if not defects:
            return not set(self.wrong_outputs).intersection(outputs)
        predicted = self._predict(defects)
        return all(self._is_near(name, predicted[name], defects) for name in self.seen if name in outputs)

    def outputs_explained(self, defect: Specimen) -> tuple[str, ...]:
        """The wrong outputs that a layer with this defect gives."""
        predicted = self._predict((defect,))
        return tuple(name for name in self.wrong_outputs if self._is_near(name, predicted[name], (defect,)))

    def is_closer_to(self, defects: Sequence[Specimen]) -> bool:
        """Whether what is wrong lies at least twice as close to what these defects predict as to the truth."""
        predicted = self._predict(defects)
        return all(
            _farthest(self.seen[name], predicted[name]) <= _farthest(self.seen[name], self.truth[name]) / 2
            for name in self.wrong_outputs
        )

    def has_numbers_of(self, defect: Specimen) -> bool:
        """Whether all that is wrong are numbers of the dtype that the defect rounds to, as what it predicts are."""
        predicted = self._predict((defect,))
        wide = [array for name in self.wrong_outputs for array in (self.seen[name], predicted[name])]
        with np.errstate(over="ignore", invalid="ignore"):
            return all(np.array_equal(one.astype(defect.coarse), one, equal_nan=True) for one in wide)

    def _predict(self, defects: Sequence[Specimen]) -> Mapping[str, Array]:
        return predict(self.problem, defects)

    @cached_property
    def _furthest_off(self) -> Mapping[str, int]:
        """Of each wrong output the place of the entry furthest beyond its bound, unless it is right as 0.

        That is what a masked class has, for which there is other room.
        """
        own = {name: _furthest(self.seen[name], self.truth[name], self.bounds[name]) for name in self.wrong_outputs}
        return {name: place for name, place in own.items() if place is not None and self.truth[name].flat[place] != 0}

    @cached_property
    def _largest(self) -> Mapping[str, float]:
        """The largest of what is right in each output, in size."""
        return {name: float(_sizes(self.truth[name]).max(initial=0.0)) for name in self.seen}

    def _is_near(self, name: str, predicted: Array, defects: Sequence[Specimen]) -> bool:
        seen, bounds = self.seen[name], self.bounds[name]
        if predicted.shape != seen.shape:
            return False
        coarser = max((format_of(one.coarse).unit_roundoff for one in defects if one.coarse), default=0.0)
        lost = self._lost_by_range(defects)
        beyond = (~np.isfinite(seen) | ~np.isfinite(predicted)) & bool(lost)  # partial sums overflow by their order
        unit, sizes, largest = self.problem.format.unit_roundoff, _sizes(predicted), self._largest[name]
        grown = max(1.0, float(sizes.max(initial=0.0)) / largest) if largest else 1.0
        wide, relative = _ROOM * grown * max(1.0, coarser / unit), _RELATIVE * max(unit, coarser)
        with np.errstate(invalid="ignore"):
            place = self._furthest_off.get(name)
            if place is not None:  # most of what is predicted is nowhere near: one entry tells
                room = wide * bounds.flat[place] + relative * sizes.flat[place] + lost
                if not beyond.flat[place] and not is_close(seen.flat[place], predicted.flat[place], room):
                    return False
            room = wide * bounds + relative * sizes + lost
        return is_close(
            np.where(beyond, 0.0, seen),
            np.where(beyond, 0.0, predicted),
            room + self._room_of_masked(name, predicted, sizes),
        )

    def _lost_by_range(self, defects: Sequence[Specimen]) -> float:
        """What sums of a row's terms may lose by underflow in a dtype of less range than the problem's; else 0."""
        formats = [format_of(one.coarse) for one in defects if one.coarse]
        narrow = [one for one in formats if one.largest < self.problem.format.largest / 2]
        return 2 * self.problem.n_rows * max((one.smallest_subnormal for one in narrow), default=0.0)

    def _room_of_masked(self, name: str, predicted: Array, sizes: Array) -> Array:
        """For entries of a masked class: right is 0 there, without a bound, and what is predicted may be a sum."""
        if sizes.ndim != 2:
            return np.array(0.0)
        both = (self.truth[name] == 0) & (self.seen[name] != 0) & (predicted != 0)
        largest = sizes.max(axis=0, initial=0.0)
        return np.where(both, _RELATIVE * self.problem.format.unit_roundoff * largest, 0.0)


def observe(implementation: Implementation, problem: LayerProblem, given: LayerAnswer) -> Observation:
    """The observation of an answer without a fault."""
    truth, bounds = enclose_layer(problem), bounds_of(implementation, problem)
    with np.errstate(invalid="ignore"):
        seen = {name: array.astype(np.float64) for name, array in given.outputs.items()}
    if not divided(implementation.claims, problem):
        seen.pop("loss", None)  # a mean over nothing: 0 is no worse than NaN
    right = {name: truth.output(name).nearest() for name in OUTPUTS}
    return Observation(problem, seen, right, {name: bounds.output(name).error for name in OUTPUTS})


def predict(problem: LayerProblem, defects: Sequence[Specimen]) -> Mapping[str, Array]:
    """What a layer with these defects answers, in the dtype of the problem; nothing where it raises."""
    joined = {name: stage for one in defects for name, stage in one.stages.items()}
    answer = _remembered_answer if len(defects) == 1 else _answer_of_stages  # sets are many, and each asked once
    return answer(problem, tuple(joined.items()))


def _answer_of_stages(problem: LayerProblem, stages: tuple[tuple[str, Callable[..., Any]], ...]) -> Mapping[str, Array]:
    """What a layer with these stages, by name, and sound ones otherwise answers; nothing where it raises."""
    layer = next(iter(layer_specimens().values()))  # any: what it is given, and the rest, is the same for all
    given = layer.given(
        *(np.array(one) for one in (problem.features, problem.weight)),
        None if problem.bias is None else np.array(problem.bias),
        np.array(problem.targets),
        problem.penalty.slope,
        problem.penalty.takes_bias,
        problem.objective.reduction,
        problem.objective.ignore_index,
    )
    try:
        with np.errstate(all="ignore"):
            found: Any = layer.run(dict(stages), given)
            return {name: np.asarray(one, dtype=np.float64) for name, one in zip(OUTPUTS, found, strict=True)}
    except (ValueError, IndexError):
        return {name: np.array(np.nan) for name in OUTPUTS}


_remembered_answer = remember(2**15)(_answer_of_stages)  # with each defect alone, as often as it is compared


def _sizes(values: Array) -> Array:
    """The sizes of the entries, 0 for those that are not finite."""
    return np.abs(np.where(np.isfinite(values), values, 0.0))


def _farthest(first: Array, second: Array) -> float:
    """The largest distance, infinite where only one of them is finite."""
    if first.shape != second.shape:
        return np.inf
    with np.errstate(all="ignore"):
        distance = np.where((first == second) | (np.isnan(first) & np.isnan(second)), 0.0, np.abs(first - second))
    return float(np.where(np.isnan(distance), np.inf, distance).max(initial=0.0))


def _furthest(seen: Array, truth: Array, bounds: Array) -> int | None:
    """The place, in C order, of the entry furthest beyond its bound, or without a value; None in another shape."""
    if seen.shape != truth.shape:
        return None
    with np.errstate(all="ignore"):
        beyond = np.abs(seen - truth) / bounds
    return int(np.argmax(np.where(np.isnan(beyond), np.inf, beyond)))


def is_close(seen: Array, wanted: Array, room: Array) -> bool:
    """Whether an output has the shape that is wanted, and each entry is within its room, or is the same, NaN too."""
    if seen.shape != wanted.shape:
        return False
    with np.errstate(all="ignore"):
        near = np.abs(seen - wanted) <= room
    return bool((near | (seen == wanted) | (np.isnan(seen) & np.isnan(wanted))).all())
