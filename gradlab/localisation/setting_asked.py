"""Trials made of others, by what is asked for: the label to be ignored, layouts and integer types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.evaluation.layouts import PLAIN_INTEGERS, PLAIN_LAYOUT
from gradlab.localisation.features.asked import (
    BY_COLUMNS,
    COLUMNS_IN_REVERSE,
    CONTIGUOUS,
    INTEGER_NAMES,
    LAYOUT_NAMES,
    ROWS_IN_REVERSE,
)
from gradlab.localisation.features.ignored import BITS
from gradlab.localisation.trial import Trial
from gradlab.localisation.varying import Rng, some_rows, with_ignore_index, with_rows
from gradlab.problems.problem import Array, Problem

Respelling = Callable[[Trial, float, Rng], Trial]
Relabelling = Callable[[Problem, float, Rng], Problem]


def _integers_that(value: Callable[[str], float]) -> Respelling:
    """The trial with labels of some integer type of which this is the value."""

    def set_to(trial: Trial, wanted: float, rng: Rng) -> Trial:
        some = [name for name in INTEGER_NAMES if value(name) == wanted]
        return replace(trial, integers=str(rng.choice(some))) if some else trial

    return set_to


def _layout_not_in(names: tuple[str, ...]) -> Respelling:
    """The trial in one of the other layouts for 1, in one of these for 0."""

    def set_to(trial: Trial, wanted: float, rng: Rng) -> Trial:
        return replace(trial, layout=str(rng.choice([one for one in LAYOUT_NAMES if (one in names) != bool(wanted)])))

    return set_to


def _layout_in(names: tuple[str, ...]) -> Respelling:
    """The trial in one of these layouts for 1, in one of the others for 0."""
    return _layout_not_in(tuple(one for one in LAYOUT_NAMES if one not in names))


def _cut_index(trial: Trial, wanted: float, rng: Rng) -> Trial:
    """The trial with so many rows, and labels of 8 bits, that row K + label is a number of theirs, or is none."""
    k = trial.problem.n_classes
    name = "int8" if k <= 2**7 else "uint8"
    most = max(1, np.iinfo(name).max // k)
    n = most + 2 + int(rng.integers(0, most + 1)) if wanted else 1 + int(rng.integers(most))
    return replace(trial, problem=with_rows(trial.problem, n), integers=name)


SPELLINGS: dict[str, Respelling] = {
    "integers": lambda trial, value, rng: replace(trial, integers=INTEGER_NAMES[int(value)]),
    "layout": lambda trial, value, rng: replace(trial, layout=LAYOUT_NAMES[int(value)]),
    "other_integers": _integers_that(lambda name: float(name != PLAIN_INTEGERS)),
    "integer_bits": _integers_that(lambda name: 8.0 * np.dtype(name).itemsize),
    "unsigned": _integers_that(lambda name: float(name.startswith("u"))),
    "apart": _layout_not_in(CONTIGUOUS),
    "labels_apart": lambda trial, value, rng: replace(trial, labels_apart=bool(value)),
    "by_columns": _layout_in(BY_COLUMNS),
    "rows_in_reverse": _layout_in(ROWS_IN_REVERSE),
    "columns_in_reverse": _layout_in(COLUMNS_IN_REVERSE),
    "index_is_cut": _cut_index,
    "other_layout": _layout_not_in((PLAIN_LAYOUT,)),
}


def _relabelled(problem: Problem, chosen: Array, label: int) -> Problem:
    """The problem with this label in the chosen rows."""
    return problem.replace(targets=np.where(chosen, label, problem.targets).astype(np.int64))


def _unless_ignored(problem: Problem, rng: Rng) -> Problem:
    """The problem with no row ignored, and labels by chance."""
    objective = problem.objective
    places = rng.integers(0, problem.n_classes, problem.n_rows)
    if objective.ignore_index is not None and problem.n_classes > 1:
        places = np.where(places == objective.ignore_index, (places + 1) % problem.n_classes, places)
    return problem.replace(targets=places.astype(np.int64))


def _is_class(problem: Problem, wanted: float, rng: Rng) -> Problem:
    k = problem.n_classes
    values = [int(rng.integers(k)), k - 1] if wanted else [-1, -100, k, k + 3, -k, 2**16 + 1, 2**32 + 1]
    return with_ignore_index(problem, int(rng.choice(values)))


def _n_ignored(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """So many rows ignored, by chance which; at least one where it is just some."""
    order = rng.permutation(problem.n_rows)
    label = problem.objective.ignore_index
    return _relabelled(_unless_ignored(problem, rng), order < wanted, 0 if label is None else label)


def _n_kept(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """All rows but so many ignored, of a batch that has as many."""
    problem = with_rows(problem, max(problem.n_rows, int(wanted)))
    return _n_ignored(problem, problem.n_rows - wanted, rng)


def _ignored(problem: Problem, wanted: float, rng: Rng) -> Problem:
    return _n_ignored(problem, 1 + int(rng.integers(problem.n_rows)) if wanted else 0, rng)


def _in_bits(bits: int) -> Relabelling:
    """A label that is the one to be ignored in so many bits, which is a class and more."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        if not wanted:
            return _unless_ignored(problem, rng)
        ignored = problem.objective.ignore_index or 0
        if ignored in range(problem.n_classes) or ignored % 2**bits >= problem.n_classes or rng.random() < 0.5:
            ignored = 2**bits * int(rng.choice([1, 1, 2])) + int(rng.integers(problem.n_classes))
        problem = with_ignore_index(problem, ignored)
        return _relabelled(problem, some_rows(problem, rng)[:, 0], ignored % 2**bits)

    return set_to


def _less_ignored(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """Labels that are ignore_index + K and so much more."""
    k = problem.n_classes
    label = int(rng.integers(k))
    problem = with_ignore_index(problem, int(label - k - wanted))
    return _relabelled(problem, some_rows(problem, rng)[:, 0], label)


def _met(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """-1 is ignored in one row, and the last class is the label of the row before; or no row is ignored."""
    if not wanted or problem.n_rows < 2:
        return _unless_ignored(problem, rng)
    problem = with_ignore_index(problem, -1)
    row = int(rng.integers(1, problem.n_rows))
    places = np.arange(problem.n_rows)
    return _relabelled(_relabelled(problem, places == row, -1), places == row - 1, problem.n_classes - 1)


IGNORING: dict[str, Relabelling] = {
    "ignore_index": lambda problem, value, rng: with_ignore_index(problem, int(value)),
    "ignored_is_class": _is_class,
    "ignored": _ignored,
    "n_ignored": _n_ignored,
    "n_kept": _n_kept,
    "all_ignored": lambda problem, value, rng: _n_ignored(problem, problem.n_rows - (0 if value else 1), rng),
    "label_less_ignored": _less_ignored,
    "label_met_by_ignored": _met,
    **{f"ignored_in_{bits}_bits": _in_bits(bits) for bits in BITS},
}


def set_asked(trial: Trial, name: str, value: float, rng: Rng) -> Trial:
    """The trial with a feature of what is asked for set to a value; the trial itself where it has none."""
    if name in SPELLINGS:
        return SPELLINGS[name](trial, value, rng)
    objective = trial.problem.objective
    if name in IGNORING and objective.ignore_index is not None and objective.targets == "index":
        return replace(trial, problem=IGNORING[name](trial.problem, value, rng))
    return trial
