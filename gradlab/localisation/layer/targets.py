"""Readings of the targets, and of the options that are in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.localisation.layer.parts import Parts, parts_of
from gradlab.localisation.layer.reading import Reading
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array

OPTIONS = ("label_smoothing", "class_weights", "sample_weights", "ignore_index")
_OFF = Objective()


def readings_of_targets() -> Iterator[Reading]:
    for name in OPTIONS:
        yield Reading(f"{name} is left out", lambda parts, name=name: _without(parts, (name,)))  # type: ignore[misc]
        yield Reading(
            f"{name} is left out, and is in the denominator",
            lambda parts, name=name: replace(_without(parts, (name,)), denominator=parts.denominator),  # type: ignore[misc]
        )
    yield Reading("options of the objective are left out", lambda parts: _without(parts, OPTIONS))
    yield Reading("the bias takes the penalty, too", lambda parts: replace(parts, penalises_bias=True), ("db",))
    yield Reading("ignored rows have the targets of class 0 and count", _ignored_as_class_0)
    yield Reading("ignored rows have no target, and their probabilities count", _ignored_without_target)
    yield Reading("the target is the class before the label's", lambda parts: _with_targets(parts, np.roll, -1))
    yield Reading("the target is the class after the label's", lambda parts: _with_targets(parts, np.roll, 1))
    yield Reading("of rows with the same label only the last has its target", lambda parts: _one_of_each(parts, -1))
    yield Reading("of rows with the same label only the first has its target", lambda parts: _one_of_each(parts, 1))
    yield Reading("every row has the targets of all rows", _targets_of_all)
    yield Reading("every row has the target of the first row", lambda parts: _rows_of_targets(parts, _first))
    yield Reading("every row has the target of the row before it", lambda parts: _rows_of_targets(parts, _before))
    yield Reading("the rows have each other's targets, in reverse", lambda parts: _rows_of_targets(parts, _reversed))


def _without(parts: Parts, names: tuple[str, ...]) -> Parts:
    """The parts of the problem without these options; labels that are not ignored any more have to be classes."""
    objective = parts.problem.objective
    on = {name: getattr(_OFF, name) for name in names if getattr(objective, name) != getattr(_OFF, name)}
    if not on:
        return parts
    if "ignore_index" in on and not _labels_are_classes(parts.problem):
        on.pop("ignore_index")
    plain = parts_of(parts.problem.replace(objective=replace(objective, **on)))
    return replace(parts, targets=plain.targets, totals=plain.totals, denominator=plain.denominator)


def _labels_are_classes(problem: LayerProblem) -> bool:
    labels = problem.targets
    return labels.ndim == 1 and bool(((labels >= 0) & (labels < problem.n_classes)).all())


def _ignored(problem: LayerProblem) -> Array:
    """Which rows are ignored, boolean, (N,)."""
    ignored = problem.objective.ignore_index
    if ignored is None or problem.targets.ndim != 1:
        return np.zeros(problem.n_rows, dtype=bool)
    return np.asarray(problem.targets == ignored)


def _ignored_as_class_0(parts: Parts) -> Parts:
    ignored = _ignored(parts.problem)
    targets, totals = parts.targets.copy(), parts.totals.copy()
    targets[ignored, 0], totals[ignored] = 1, 1
    return replace(parts, targets=targets, totals=totals)


def _ignored_without_target(parts: Parts) -> Parts:
    return replace(parts, totals=np.where(_ignored(parts.problem), 1.0, parts.totals))


def _with_targets(parts: Parts, move: Callable[..., Array], by: int) -> Parts:
    return replace(parts, targets=move(parts.targets, by, axis=1))


def _one_of_each(parts: Parts, step: int) -> Parts:
    """Only one row of each label keeps its target: the first, or with -1 the last."""
    labels = parts.targets.argmax(axis=1)[::step]
    kept = np.zeros(len(labels), dtype=bool)
    kept[np.unique(labels, return_index=True)[1]] = True
    return replace(parts, targets=np.where(kept[::step][:, None], parts.targets, 0.0))


def _targets_of_all(parts: Parts) -> Parts:
    return replace(parts, targets=np.broadcast_to(parts.targets.max(axis=0, initial=0.0), parts.targets.shape))


def _rows_of_targets(parts: Parts, order: Callable[[int], Array]) -> Parts:
    return replace(parts, targets=parts.targets[order(len(parts.targets))])


def _first(n: int) -> Array:
    return np.zeros(n, dtype=int)


def _before(n: int) -> Array:
    return np.roll(np.arange(n), 1)


def _reversed(n: int) -> Array:
    return np.arange(n)[::-1]
