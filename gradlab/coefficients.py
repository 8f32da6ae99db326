"""The objective of a problem as coefficients t of its rows: loss_i = sum_j t_ij (lse_i - x_ij)."""

from __future__ import annotations

import numpy as np

from gradlab.problems.problem import Array, Problem
from gradlab.reference import numpy_forms

_NO_LABEL = -1  # labels are at least 0, so that no row carries it


def coefficients_of(problem: Problem) -> Array:
    """The coefficients t, float64, shape (N, K); rows that are ignored hold 0."""
    return _coefficients(problem, problem.objective.label_smoothing)


def unsmoothed_coefficients_of(problem: Problem) -> Array:
    """As coefficients_of, with the smoothing off: each class's weight times its share of the target."""
    return _coefficients(problem, 0.0)


def denominator_of(problem: Problem) -> float:
    """What the mean divides by: the labels' weights (the rows kept, without weights), or N for probabilities."""
    objective = problem.objective
    if objective.reduction != "mean":
        return 1.0
    if objective.targets == "probability":
        return float(problem.n_rows)
    return float(numpy_forms.denominators(problem.targets, _weights(problem), _ignored(problem)).sum())


def _coefficients(problem: Problem, smoothing: float) -> Array:
    weights = _weights(problem)
    if problem.objective.targets == "probability":
        return numpy_forms.coefficients_probability(problem.targets, smoothing, weights)
    t = numpy_forms.coefficients_index(problem.targets, problem.n_classes, smoothing, weights)
    return t * numpy_forms.kept(problem.targets, _ignored(problem))


def _weights(problem: Problem) -> Array:
    weights = problem.objective.class_weights
    return np.ones(problem.n_classes) if weights is None else np.asarray(weights)


def _ignored(problem: Problem) -> int:
    ignored = problem.objective.ignore_index
    return _NO_LABEL if ignored is None else ignored
