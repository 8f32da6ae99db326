"""The objective of a problem as coefficients t of its rows, and what is made of these: factors of rows, denominators.

Before its terms and its factor a row's loss is sum_j t_ij (lse_i - x_ij).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradlab.problems.caching import remember
from gradlab.problems.problem import Array, Problem
from gradlab.reference import numpy_forms

_NO_LABEL = -1  # labels are at least 0, so that no row carries it


def coefficients_of(problem: Problem) -> Array:
    """The coefficients t, float64, shape (N, K); rows that are ignored hold 0. Read-only, and remembered."""
    return _coefficients(problem, problem.objective.label_smoothing)


def unsmoothed_coefficients_of(problem: Problem) -> Array:
    """As coefficients_of, with the smoothing off: each class's weight times its share of the target."""
    return _coefficients(problem, 0.0)


@remember(1024)
@np.errstate(over="ignore")
def denominator_of(problem: Problem) -> float:
    """What the mean divides by, which `Objective.mean_over` says; 1 for the other reductions; remembered.

    Infinite where float64 does not hold it: `conditioning.rows_in_range` has no such problem.
    """
    if problem.objective.reduction != "mean":
        return 1.0
    return float(denominators_of(problem, problem.objective.mean_over).sum())


@remember(1024)
@np.errstate(all="ignore")
def denominators_of(problem: Problem, mean_over: str) -> Array:
    """What each row adds to the denominator of a mean over that, one of `options.MEANS`; shape (N,); remembered."""
    sample_weights = np.asarray(problem.objective.sample_weights or np.ones(problem.n_rows), dtype=np.float64)
    if problem.objective.targets == "probability":
        return numpy_forms.PROBABILITY_DENOMINATORS[mean_over](sample_weights)
    if problem.objective.counts_rows_alike:
        return np.full(problem.n_rows, _denominator_of_any_row(problem.n_classes, mean_over))
    own = (problem.targets, _weights(problem), sample_weights, _ignored_label(problem))
    return numpy_forms.INDEX_DENOMINATORS[mean_over](*own)


@lru_cache(maxsize=1024)
def _denominator_of_any_row(n_classes: int, mean_over: str) -> float:
    """The same of one row where all count alike: the rule looks at every class for each row."""
    label = np.zeros(1, dtype=np.int64)
    return float(numpy_forms.INDEX_DENOMINATORS[mean_over](label, np.ones(n_classes), np.ones(1), _NO_LABEL)[0])


def loss_factors(problem: Problem) -> Array:
    """What each row's loss is multiplied by, its terms too, before the reduction; shape (N,)."""
    return _factors(problem)[0]


def gradient_factors(problem: Problem) -> Array:
    """What each row of the gradient is multiplied by, before the mean divides it; shape (N,)."""
    return _factors(problem)[1]


@np.errstate(all="ignore")
def _factors(problem: Problem) -> tuple[Array, Array]:
    of_loss = of_gradient = np.ones(problem.n_rows)
    for name, values in problem.objective.per_row_options.items():
        own = numpy_forms.ROW_FACTORS[name](np.asarray(values, dtype=np.float64))
        of_loss, of_gradient = of_loss * own[0], of_gradient * own[1]
    return of_loss, of_gradient


@remember(1024)
@np.errstate(over="ignore")
def _coefficients(problem: Problem, smoothing: float) -> Array:
    weights = _weights(problem)
    if problem.objective.targets == "probability":
        return _read_only(numpy_forms.coefficients_probability(problem.targets, smoothing, weights))
    t = numpy_forms.coefficients_index(problem.targets, problem.n_classes, smoothing, weights)
    return _read_only(t * numpy_forms.kept(problem.targets, _ignored_label(problem)))


def _read_only(values: Array) -> Array:
    values.flags.writeable = False
    return values


def _weights(problem: Problem) -> Array:
    weights = problem.objective.class_weights
    return np.ones(problem.n_classes) if weights is None else np.asarray(weights)


def _ignored_label(problem: Problem) -> int:
    ignored = problem.objective.ignore_index
    return _NO_LABEL if ignored is None else ignored
