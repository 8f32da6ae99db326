"""Options: each one that is claimed, as the objective defines it; held to the enclosure and its bound."""

from __future__ import annotations

from collections.abc import Callable

from gradlab.checks.accuracy import values_within_bound
from gradlab.checks.check import Findings
from gradlab.evaluation.call import Implementation
from gradlab.problems.options import RealOption
from gradlab.problems.problem import Problem

CheckFunction = Callable[[Implementation, Problem], Findings]


def other_reduction_is_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """Every reduction claimed besides the first: none keeps a loss per row, sum does not divide, mean divides by N."""
    return values_within_bound(implementation, problem)


def probability_targets_are_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """With probabilities q as targets the gradient is (sum q) p - q, also where q does not sum to 1."""
    return values_within_bound(implementation, problem)


def real_option_is_as_defined(name: str, option: RealOption) -> CheckFunction:
    """The check of an option that is one number: NAME_is_as_defined, which states what the option does."""

    def as_defined(implementation: Implementation, problem: Problem) -> Findings:
        return values_within_bound(implementation, problem)

    as_defined.__name__ = as_defined.__qualname__ = f"{name}_is_as_defined"
    as_defined.__doc__ = f"With {name}, {option.meaning}; loss and gradient follow."
    return as_defined


def label_smoothing_is_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """Smoothing by epsilon makes every target (1 - epsilon) t + epsilon/K, in the loss and in the gradient."""
    return values_within_bound(implementation, problem)


def class_weights_are_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """Each class's term is multiplied by its weight, and the mean over labels divides by the labels' weights."""
    return values_within_bound(implementation, problem)


def sample_weights_are_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """Each row's loss, its terms too, and its gradient are multiplied by the row's sample weight."""
    return values_within_bound(implementation, problem)


def upstream_is_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """Each row of the gradient is multiplied by its upstream gradient, and the losses are as they are without."""
    return values_within_bound(implementation, problem)


def mean_is_over_what_is_claimed(implementation: Implementation, problem: Problem) -> Findings:
    """The mean divides by the sum of the weights, the rows that count or all rows, whichever is claimed."""
    return values_within_bound(implementation, problem)


def ignore_index_is_as_defined(implementation: Implementation, problem: Problem) -> Findings:
    """An ignored row has loss and gradient 0 whatever its logits, and does not count in the mean."""
    return values_within_bound(implementation, problem)
