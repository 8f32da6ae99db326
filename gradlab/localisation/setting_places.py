"""Trials made of others: the label's place among the logits, and a row beside other rows."""

from __future__ import annotations

import numpy as np

from gradlab.localisation.features.places import MODULI_OF_PLACES
from gradlab.localisation.setting_shapes import Setting
from gradlab.localisation.varying import Rng, labels_of, some_rows, with_classes, with_labels, with_logits, with_rows
from gradlab.problems.problem import Array, Problem


def _chosen_labels(problem: Problem, labels: Array, rng: Rng) -> Problem:
    """Other labels in all rows, or in one."""
    places = np.clip(labels, 0, problem.n_classes - 1)
    return with_labels(problem, np.where(some_rows(problem, rng)[:, 0], places, labels_of(problem)))


def _rank(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """The label of which so many logits are larger, where no two are equal."""
    place = int(np.clip(wanted, 0, problem.n_classes - 1))
    return _chosen_labels(problem, np.argsort(-problem.logits64, axis=1, kind="stable")[:, place], rng)


def _above_smallest(problem: Problem, wanted: float, rng: Rng) -> Problem:
    x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
    if wanted <= 0:
        return _chosen_labels(problem, x.argmin(axis=1), rng)
    labels = np.clip(labels_of(problem), 0, problem.n_classes - 1)
    others = x.copy()
    others[rows, labels] = np.inf
    x[rows, labels] = np.where(some_rows(problem, rng)[:, 0], others.min(axis=1) + wanted, x[rows, labels])
    return with_logits(problem, x)


def _largest_less_label(problem: Problem, wanted: float, rng: Rng) -> Problem:
    return _chosen_labels(problem, (problem.logits64.argmax(axis=1) - int(wanted)) % problem.n_classes, rng)


def _place_at_remainder(m: int) -> Setting:
    """The largest logit in a place with this remainder."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        places = np.arange(int(wanted), problem.n_classes, m)
        if not places.size:
            return problem
        x, rows = problem.logits64.copy(), np.arange(problem.n_rows)
        at, to = x.argmax(axis=1), rng.choice(places, problem.n_rows)
        x[rows, at], x[rows, to] = x[rows, to], x[rows, at].copy()
        return with_logits(problem, x)

    return set_to


def _repeats(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """Logits of the row before in some rows; or of no other row."""
    if not wanted:
        return with_logits(problem, problem.logits64 + rng.uniform(-0.5, 0.5, problem.logits.shape))
    problem = with_rows(problem, max(2, problem.n_rows))
    x = problem.logits64.copy()
    row = int(rng.integers(1, problem.n_rows))
    x[row] = x[row - 1]
    return with_logits(problem, x)


def _label_less_rows(problem: Problem, wanted: float, rng: Rng) -> Problem:
    label = problem.n_rows + int(wanted)
    if label >= problem.n_classes:
        problem = with_classes(problem, label + 1 + rng.integers(0, 3), rng)
    return _chosen_labels(problem, np.full(problem.n_rows, max(label, 0)), rng)


def _n_alike(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """So many rows with one label, and the other labels by turns."""
    n = max(1, int(wanted))
    problem = with_rows(problem, max(n, problem.n_rows))
    labels = np.arange(problem.n_rows) % problem.n_classes
    labels[rng.permutation(problem.n_rows)[:n]] = int(rng.integers(problem.n_classes))
    return with_labels(problem, labels)


def _n_best(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """The label at the largest logit in so many rows, elsewhere at the smallest."""
    problem = with_rows(problem, max(int(wanted), problem.n_rows))
    best = rng.permutation(problem.n_rows) < wanted
    x = problem.logits64
    return with_labels(problem, np.where(best, x.argmax(axis=1), x.argmin(axis=1)))


OF_PLACES: dict[str, Setting] = {
    "label_rank": _rank,
    "above_smallest": _above_smallest,
    "largest_less_label": _largest_less_label,
    **{f"place_of_largest_mod_{m}": _place_at_remainder(m) for m in MODULI_OF_PLACES},
    "repeats_row_before": _repeats,
    "repeats_earlier_row": _repeats,
    "label_less_rows": _label_less_rows,
    "n_alike": _n_alike,
    "n_best": _n_best,
    "n_hits": _n_best,
}
