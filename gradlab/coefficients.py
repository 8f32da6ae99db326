"""The objective of a problem as coefficients t of its rows: loss_i = sum_j t_ij (lse_i - x_ij)."""

from __future__ import annotations

import numpy as np

from gradlab.problems.problem import Array, Problem


def coefficients_of(problem: Problem) -> Array:
    """The coefficients t, float64, shape (N, K); rows that are ignored hold 0."""
    objective, n_classes = problem.objective, problem.n_classes
    kept = ~problem.ignored_rows
    if objective.targets == "probability":
        t = problem.targets.astype(np.float64)
    else:
        t = np.zeros(problem.logits.shape)
        t[kept, problem.targets[kept]] = 1.0
    t = (1 - objective.label_smoothing) * t + objective.label_smoothing / n_classes
    if objective.class_weights is not None:
        t = t * np.asarray(objective.class_weights)
    return np.where(kept[:, None], t, 0.0)


def denominator_of(problem: Problem) -> float:
    """What the mean divides by: the labels' weights (the rows kept, without weights), or N for probabilities."""
    objective = problem.objective
    if objective.reduction != "mean":
        return 1.0
    if objective.targets == "probability":
        return float(problem.n_rows)
    labels = problem.targets[~problem.ignored_rows]
    if objective.class_weights is None:
        return float(len(labels))
    return float(np.asarray(objective.class_weights)[labels].sum())
