"""Coefficients of the rows by rules for weights, smoothing and denominators, which they are over: arrays (N, K).

Where both class weights and smoothing are on, the labels' weights sum to the number of rows, so that these rules are
told apart from each other and not by what the mean divides by.
"""

from __future__ import annotations

import numpy as np

from gradlab.campaigns.conformance.predictions import Predicted, Prediction, definition
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem


def over_entries(problem: Problem) -> Array:
    """A mean over rows and classes."""
    return coefficients_of(problem) / problem.logits.size


def over_own_sum(problem: Problem) -> Array:
    """Over the sum of all coefficients."""
    t = coefficients_of(problem)
    return np.asarray(t / t.sum())


def smoothed_over_others(problem: Problem) -> Array:
    """The label gets 1 - epsilon, and every other class epsilon/(K - 1)."""
    epsilon = problem.objective.label_smoothing
    return _average(np.where(_one_hot(problem) == 1, 1 - epsilon, epsilon / (problem.n_classes - 1)), problem)


def weighted_per_class(problem: Problem) -> Array:
    """Each class's share of the smoothed target by its own weight."""
    return _average(_smooth(problem) * _weights(problem), problem)


def weighted_by_the_label(problem: Problem) -> Array:
    """The whole smoothed target by the weight of the label."""
    return _average(_smooth(problem) * _weights(problem)[problem.targets][:, None], problem)


def label_part_weighted(problem: Problem) -> Array:
    """(1 - epsilon) of the label by its weight, epsilon/K of every class as it is."""
    epsilon = problem.objective.label_smoothing
    hard = (1 - epsilon) * _one_hot(problem) * _weights(problem)
    return _average(hard + epsilon / problem.n_classes, problem)


def divided_by_their_sum(problem: Problem) -> Array:
    """Probabilities divided by their sum."""
    return _average(problem.targets.astype(np.float64) / problem.targets.astype(np.float64).sum(1)[:, None], problem)


def without_first_row(problem: Problem) -> Array:
    """The mean or the sum over all rows but the first."""
    return first_row_bare(problem) / (problem.n_rows - 1 if problem.objective.reduction == "mean" else 1)


def first_row_bare(problem: Problem) -> Array:
    """No class of the first row is the target; not over anything yet."""
    t = coefficients_of(problem).copy()  # kept for all who ask, and read-only
    t[0] = 0.0
    return t


def modulo(label: int) -> Prediction:
    """As if the first row had the label modulo K, as Python counts from the end."""
    return lambda problem: _with_first_label(problem, label % problem.n_classes)


def nearest(label: int) -> Prediction:
    """As if the first row had the label in [0, K) that is nearest."""
    return lambda problem: _with_first_label(problem, min(max(label, 0), problem.n_classes - 1))


def _with_first_label(problem: Problem, label: int) -> Predicted:
    labels = problem.targets.copy()
    labels[0] = label
    return definition(problem.replace(targets=labels))


def _average(coefficients: Array, problem: Problem) -> Array:
    return coefficients / (problem.n_rows if problem.objective.reduction == "mean" else 1)


def _smooth(problem: Problem) -> Array:
    epsilon = problem.objective.label_smoothing
    return np.asarray((1 - epsilon) * _one_hot(problem) + epsilon / problem.n_classes)


def _one_hot(problem: Problem) -> Array:
    return np.eye(problem.n_classes)[problem.targets]


def _weights(problem: Problem) -> Array:
    return np.asarray(problem.objective.class_weights)
