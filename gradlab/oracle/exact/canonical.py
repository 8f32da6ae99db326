"""Every objective in one form: loss_i = sum_j t_ij (lse_i - x_ij), gradient_ij = A_i p_ij - t_ij, A_i = sum_j t_ij.

Index targets y: t_j = w_j ((1 - eps) [j = y] + eps/K). Probability targets q: t_j = w_j ((1 - eps) q_j + eps/K).
eps and w are the exact values of the doubles in the objective. Also here: which rows have a value at all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from flint import arb, ctx

from gradlab.oracle.intervals import Array
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import (
    INDEX_DENOMINATORS,
    PROBABILITY_DENOMINATORS,
    REDUCTIONS,
    ROW_FACTORS,
    coefficients_index,
    coefficients_probability,
)

_NO_LABEL = -1


@dataclass(frozen=True)
class ClassCoefficients:
    """The balls that index coefficients are made of, one per class: t_j of another class, and t_j of the label."""

    other: list[arb]
    label: list[arb]


def class_coefficients(problem: Problem) -> ClassCoefficients:
    """w_j eps/K and w_j (1 - eps + eps/K) at the present working precision; what is 0 is exactly 0."""
    if problem.objective.class_weights is not None:
        return _class_coefficients(problem.n_classes, *_options(problem))
    smoothing = problem.objective.label_smoothing
    counted = problem.n_classes if smoothing else 1  # of which it is eps/K that is asked alone
    other, label = _unweighted_coefficients(counted, smoothing, ctx.prec)
    return ClassCoefficients([other] * problem.n_classes, [label] * problem.n_classes)


@lru_cache(maxsize=1024)
def _unweighted_coefficients(n_classes: int, label_smoothing: float, precision: int) -> tuple[arb, arb]:
    """What every class has without class weights, of another class and of the label, at this working precision."""
    with ctx.workprec(precision):
        alike = _class_coefficients(n_classes, arb(label_smoothing), [arb(1)] * n_classes)
    return alike.other[0], alike.label[0]


def _class_coefficients(n_classes: int, label_smoothing: arb, class_weights: list[arb]) -> ClassCoefficients:
    others = coefficients_index(_NO_LABEL, n_classes, label_smoothing, class_weights)
    return ClassCoefficients(others, coefficients_probability([arb(1)] * n_classes, label_smoothing, class_weights))


def row_coefficients(problem: Problem, row: int, classes: ClassCoefficients) -> list[arb]:
    """t_ij of one row that is not ignored, as K balls."""
    objective = problem.objective
    if objective.targets == "index":
        label = int(problem.targets[row])
        return [*classes.other[:label], classes.label[label], *classes.other[label + 1 :]]
    shares = [arb(share) for share in problem.targets[row].astype(np.float64).tolist()]
    if objective.label_smoothing == 0 and objective.class_weights is None:
        return shares
    return coefficients_probability(shares, *_options(problem))


def reduce_losses(problem: Problem, losses: list[arb]) -> arb:
    """The sum or the mean of the losses of all rows that count, at the present working precision; NaN for 0/0."""
    return arb(REDUCTIONS[problem.objective.reduction](losses, denominators(problem))[0])


def gradient_share(problem: Problem) -> arb:
    """What the reduction multiplies the gradient of each row's own loss by; 1 where a mean divides by 0.

    Whose gradient is NaN by the rules of the domain.
    """
    share = _share(problem)
    return share if share.is_finite() else arb(1)


def is_undefined(problem: Problem) -> bool:
    """Whether the reduction is a mean whose denominator is 0."""
    return not _share(problem).is_finite()


def _share(problem: Problem) -> arb:
    return arb(REDUCTIONS[problem.objective.reduction]([], denominators(problem))[1])


def denominators(problem: Problem) -> list[arb]:
    """What the rows add to the denominator of the mean, at the present working precision; equal rows as one ball."""
    objective = problem.objective
    if objective.reduction != "mean":
        return []
    sample_weights = objective.sample_weights
    if objective.targets == "probability":
        by_weight = PROBABILITY_DENOMINATORS[objective.mean_over]
        if sample_weights is None:
            return [problem.n_rows * by_weight(arb(1))]
        return [by_weight(arb(weight)) for weight in sample_weights]
    rule, class_weights, ignored = (
        INDEX_DENOMINATORS[objective.mean_over],
        _class_weights(problem),
        _ignored_label(problem),
    )
    labels = problem.targets.tolist()
    if sample_weights is None:
        return [n_rows * rule(label, class_weights, arb(1), ignored) for label, n_rows in Counter(labels).items()]
    rows = zip(labels, sample_weights, strict=True)
    return [rule(label, class_weights, arb(weight), ignored) for label, weight in rows]


def active_classes(problem: Problem) -> Array:
    """Which coefficients are not 0, exactly; boolean, shape (N, K). Rows that are ignored count as if they were not.

    Computed from the factors, so that no product underflows to 0.
    """
    objective, shape = problem.objective, problem.logits.shape
    if objective.label_smoothing > 0:
        active = np.ones(shape, dtype=bool)
    elif objective.targets == "probability":
        active = problem.targets.astype(np.float64) > 0
    else:
        active = np.arange(shape[1]) == problem.targets[:, None]
    if objective.class_weights is None:
        return active
    return np.asarray(active & (np.array(objective.class_weights) > 0))


def row_factors(problem: Problem, row: int) -> tuple[arb, arb]:
    """What a row's loss, and its gradient, is multiplied by before the reduction."""
    of_loss = of_gradient = arb(1)
    for name, values in problem.objective.per_row_options.items():
        own = ROW_FACTORS[name](arb(values[row]))
        of_loss, of_gradient = of_loss * own[0], of_gradient * own[1]
    return of_loss, of_gradient


@dataclass(frozen=True)
class RowKinds:
    """The rows by what the domain rules say of them; index arrays, disjoint, together all rows.

    ignored: loss 0 and gradient 0 whatever the logits, by the label or by a sample weight of 0.
    undefined: NaN, +inf or only -inf in it: loss and gradient NaN.
    infinite: a class masked where the coefficient is not 0: loss +inf, finite gradient. regular: the others.
    """

    ignored: Array
    undefined: Array
    infinite: Array
    regular: Array


def row_kinds(problem: Problem) -> RowKinds:
    """Every row's kind."""
    ignored = problem.ignored_rows | problem.weightless_rows
    if problem.is_finite:
        nothing = np.zeros(0, dtype=np.int64)
        return RowKinds(np.flatnonzero(ignored), nothing, nothing, np.flatnonzero(~ignored))
    undefined = ~ignored & ~problem.rows_with_value
    infinite = (problem.masked & active_classes(problem)).any(1) & ~ignored & ~undefined
    regular = ~(ignored | undefined | infinite)
    return RowKinds(*(np.flatnonzero(kind) for kind in (ignored, undefined, infinite, regular)))


def _options(problem: Problem) -> tuple[arb, list[arb]]:
    return arb(problem.objective.label_smoothing), _class_weights(problem)


@lru_cache(maxsize=4)  # the same at every precision, since a double is an exact ball
def _class_weights(problem: Problem) -> list[arb]:
    weights = problem.objective.class_weights
    return [arb(1)] * problem.n_classes if weights is None else [arb(weight) for weight in weights]


def _ignored_label(problem: Problem) -> int:
    ignored = problem.objective.ignore_index
    return _NO_LABEL if ignored is None else ignored
