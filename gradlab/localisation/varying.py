"""Problems made of others, one thing varied at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.localisation.trial import LARGEST
from gradlab.problems.families.options import one_hot
from gradlab.problems.problem import Array, Problem

Rng = np.random.Generator
Variation = Callable[[Problem, Rng], Problem]
LEVELS = 16  # different logits that many more classes of a row get: a sum of few different terms has a cheap truth
PLAIN = 1 << 12  # entries of a problem that may be anything
FEW = 400  # rows, or classes, of most problems that are varied at random
OF_AN_OPTION = 4  # times as often as another thing the value of an option is varied
DIFFERENT = 7  # rows of a larger one: no power of two, so that no row is that of a block further on
ROWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33, 64, 65, 100)
CLASSES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 31, 32, 33, 64, 65, 100)


def with_logits(problem: Problem, logits: Array) -> Problem:
    """The problem with other logits, cut off at the largest number of the format."""
    top = problem.format.largest
    cut = np.where(np.isfinite(logits), np.clip(logits, -top, top), logits)
    with np.errstate(all="ignore"):
        return problem.replace(logits=cut.astype(problem.logits.dtype))


def with_labels(problem: Problem, labels: Array) -> Problem:
    """The problem with other labels; where it has probabilities, one-hot ones; ignored rows stay ignored."""
    labels = np.where(problem.ignored_rows, problem.targets, labels) if problem.ignored_rows.any() else labels
    if problem.objective.targets == "index":
        return problem.replace(targets=labels.astype(np.int64))
    index = problem.replace(
        targets=labels.astype(np.int64), objective=replace(problem.objective, targets="index"), vector=None
    )
    return one_hot(index)


def with_ignore_index(problem: Problem, ignored: int) -> Problem:
    """The problem with another label to be ignored, in the same rows and where it is a label already."""
    targets = np.where(problem.ignored_rows, ignored, problem.targets).astype(np.int64)
    return problem.replace(targets=targets, objective=replace(problem.objective, ignore_index=ignored))


def labels_of(problem: Problem) -> Array:
    """The labels, or the places of the largest targets."""
    targets = problem.targets
    return np.asarray(targets if targets.ndim == 1 else targets.astype(np.float64).argmax(axis=1))


def with_rows(problem: Problem, n: float | np.integer[Any], rng: Rng | None = None) -> Problem:
    """n rows: the first of them, or all in turn."""
    return problem.rows(np.arange(max(1, min(int(n), LARGEST // problem.n_classes))) % problem.n_rows)


def with_classes(problem: Problem, k: float | np.integer[Any], rng: Rng) -> Problem:
    """k classes: the first, or more with logits between those of the row; a last label may stay the last."""
    k, old = max(1, min(int(k), LARGEST // problem.n_rows)), problem.n_classes
    if k == old:
        return problem
    x = problem.logits64[:, :k]
    if k > old:
        finite = np.where(np.isfinite(x), x, np.nan)
        with np.errstate(all="ignore"):
            low, high = np.nanmin(finite, axis=1, keepdims=True), np.nanmax(finite, axis=1, keepdims=True)
        low, high = np.nan_to_num(low), np.nan_to_num(high)
        parts = (rng.integers(0, LEVELS, (problem.n_rows, k - old)) + 0.5) / LEVELS
        x = np.concatenate([x, low + (high - low) * parts], axis=1)
    y = labels_of(problem)
    if rng.random() < 0.5:
        y = np.where(y == old - 1, k - 1, y)
    return _reshaped(problem, x, np.where(problem.ignored_rows, y, np.minimum(y, k - 1)))


def _reshaped(problem: Problem, x: Array, labels: Array) -> Problem:
    objective = problem.objective
    if objective.class_weights is not None:
        objective = replace(objective, class_weights=tuple(np.resize(objective.class_weights, x.shape[1]).tolist()))
    with np.errstate(all="ignore"):
        logits = np.clip(x, -problem.format.largest, problem.format.largest).astype(problem.logits.dtype)
    index = Problem(logits, labels, replace(objective, targets="index"), problem.family)
    return index if objective.targets == "index" else one_hot(index)


def some_rows(problem: Problem, rng: Rng) -> Array:
    """All rows, or one."""
    chosen = np.ones(problem.n_rows, dtype=bool)
    if problem.n_rows > 1 and rng.random() < 0.5:
        chosen[:] = False
        chosen[rng.integers(problem.n_rows)] = True
    return chosen[:, None]


def mapped_rows(problem: Problem, rng: Rng, change: Callable[[Array], Array]) -> Problem:
    x = problem.logits64
    with np.errstate(all="ignore"):
        return with_logits(problem, np.where(some_rows(problem, rng), change(x), x))


def _redrawn(problem: Problem, rng: Rng) -> Problem:
    """Uniform logits of the same size, or another."""
    x = problem.logits64
    size = float(rng.choice([0.5, 1.0, 3.0, 3.0, 8.0]))
    centre = float(rng.choice([0.0, 0.0, 0.0, 5.0, -5.0]))
    return with_logits(problem, np.asarray(centre + rng.uniform(-size, size, x.shape)))


def _reordered(problem: Problem, rng: Rng) -> Problem:
    return mapped_rows(problem, rng, lambda x: x[:, rng.permutation(x.shape[1])])


def _tied(problem: Problem, rng: Rng) -> Problem:
    """Two logits of each row alike, the largest or others."""
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    first, second = rng.integers(0, problem.n_classes, (2, problem.n_rows))
    x[rows, first] = x[rows, second] if rng.random() < 0.5 else x.max(axis=1)
    return with_logits(problem, x)


def _masked(problem: Problem, rng: Rng) -> Problem:
    """Some logits -inf, not the label's mostly."""
    x = problem.logits64.copy()
    marks = (rng.random(x.shape) < 0.3) & some_rows(problem, rng)
    if problem.objective.targets == "index" and rng.random() < 0.8:
        marks[np.arange(problem.n_rows), np.clip(problem.targets, 0, problem.n_classes - 1)] = False
    x[marks] = -np.inf
    return with_logits(problem, x)


def unmasked(problem: Problem, rng: Rng) -> Problem:
    x = problem.logits64
    return with_logits(problem, np.where(np.isfinite(x), x, rng.uniform(-1, 1, x.shape)))


def _places(problem: Problem, rng: Rng) -> Array:
    """Labels by one of a few rules."""
    n, k, x = problem.n_rows, problem.n_classes, np.nan_to_num(problem.logits64)
    rules = (
        lambda: rng.integers(0, k, n),
        lambda: rng.integers(0, k, n),
        lambda: np.full(n, k - 1),
        lambda: np.zeros(n, dtype=np.int64),
        lambda: np.full(n, rng.integers(0, k)),
        lambda: x.argmax(axis=1),
        lambda: x.argmin(axis=1),
        lambda: np.arange(n) % k,
    )
    return np.asarray(rules[rng.integers(len(rules))]())


def _any_number(rng: Rng) -> int:
    """A number of rows or classes: one of a few hundred, the small ones more often, or a multiple of a small one."""
    if rng.random() < 0.5:
        return int(np.exp(rng.uniform(0, np.log(FEW))))
    return int(rng.integers(2, 25) * rng.integers(1, 11))


VARIATIONS: tuple[Variation, ...] = (
    lambda p, rng: with_rows(p, _any_number(rng)),
    lambda p, rng: with_classes(p, _any_number(rng), rng),
    lambda p, rng: with_rows(p, rng.choice(ROWS)),
    lambda p, rng: with_rows(p, p.n_rows + rng.integers(-2, 3)),
    lambda p, rng: with_classes(p, rng.choice(CLASSES), rng),
    lambda p, rng: with_classes(p, p.n_classes + rng.integers(-2, 3), rng),
    lambda p, rng: with_labels(p, _places(p, rng)),
    lambda p, rng: with_labels(p, _places(p, rng)),
    _redrawn,
    _redrawn,
    _reordered,
    _tied,
    lambda p, rng: mapped_rows(p, rng, lambda x: x * rng.choice([0.5, 0.9, 1.1, 2.0, 4.0])),
    lambda p, rng: mapped_rows(p, rng, lambda x: x + rng.choice([-20.0, -4.0, -1.0, 1.0, 4.0, 20.0])),
    lambda p, rng: mapped_rows(p, rng, lambda x: -x),
    lambda p, rng: mapped_rows(p, rng, np.rint),
    lambda p, rng: mapped_rows(p, rng, lambda x: np.sort(x, axis=1)),
    lambda p, rng: mapped_rows(p, rng, np.abs),
)
TO_MASKS: tuple[Variation, ...] = (_masked, _masked, unmasked)

IGNORED = (-1, -2, -100, 255, 256, 2**16 + 1, 2**31, 2**32, 2**32 + 2)  # labels to be ignored


def _otherwise_ignored(problem: Problem, rng: Rng) -> Problem:
    """Another label to be ignored: one of a few, or one beside the classes, or a class."""
    k = problem.n_classes
    some = IGNORED if rng.random() < 0.5 else (k, -k, k + 1, k - 1, int(rng.integers(k)))
    return with_ignore_index(problem, int(rng.choice(some)))


def _other_rows_ignored(problem: Problem, rng: Rng) -> Problem:
    """Some rows by chance, or nearly all, carry the label to be ignored."""
    chosen = rng.random(problem.n_rows) < rng.choice([0.4, 0.4, 0.9])
    ignored = problem.objective.ignore_index or 0
    return problem.replace(targets=np.where(chosen, ignored, problem.targets).astype(np.int64))


TO_IGNORED: tuple[Variation, ...] = (_otherwise_ignored, _otherwise_ignored, _other_rows_ignored)


WEIGHTS = (0.25, 0.5, 0.5, 1.0, 1.0, 1.5, 3.0)
SMOOTHING = (0.05, 0.1, 0.25, 0.4)


def _otherwise_weighted(problem: Problem, rng: Rng) -> Problem:
    """Other class weights, small ones or large ones, the largest of them below, at or above 1."""
    weights = rng.choice(WEIGHTS[: int(rng.integers(1, len(WEIGHTS) + 1))], problem.n_classes)
    weights *= rng.choice([0.125, 1.0, 1.0, 4.0])
    return problem.replace(objective=replace(problem.objective, class_weights=tuple(weights.tolist())))


def _otherwise_smoothed(problem: Problem, rng: Rng) -> Problem:
    """Another share that is smoothed away from the label."""
    return problem.replace(objective=replace(problem.objective, label_smoothing=float(rng.choice(SMOOTHING))))


def varied(problem: Problem, rng: Rng, masks: bool) -> Problem:
    """The problem with one to three things varied, among them the values of its options."""
    some = (*VARIATIONS, *TO_MASKS) if masks else VARIATIONS
    if problem.objective.class_weights is not None:
        some = (*some, *[_otherwise_weighted] * OF_AN_OPTION)
    if problem.objective.label_smoothing:
        some = (*some, *[_otherwise_smoothed] * OF_AN_OPTION)
    if problem.objective.ignore_index is not None and problem.objective.targets == "index":
        some = (*some, *TO_IGNORED, *TO_IGNORED)
    for place in rng.integers(0, len(some), rng.integers(1, 4)):
        problem = some[place](problem, rng)
    return problem


def cheap(problem: Problem) -> Problem:
    """A large problem with few different rows, and in each few different logits: its truth costs little."""
    if problem.logits.size <= PLAIN:
        return problem
    if problem.n_rows > DIFFERENT:
        problem = problem.rows(np.arange(problem.n_rows) % DIFFERENT)
    if problem.n_classes <= PLAIN // DIFFERENT:
        return problem
    x = problem.logits64
    with np.errstate(all="ignore"):
        top = x.max(axis=1, keepdims=True)
        near = top - np.rint(np.minimum(top - x, 20.0) * 2) / 2
    return with_logits(problem, np.where(np.isfinite(top), near, x))  # -inf too: a mask costs a large row dear
