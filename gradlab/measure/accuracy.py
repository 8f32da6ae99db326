"""How far off an implementation is: the largest error in ULP of each part of its answer, and where it was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.evaluation.call import Implementation, answer
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem

PARTS = ("loss", "target", "others")


@dataclass(frozen=True, eq=False)
class LargestError:
    """The largest error of one part, in ULP, inf where a value is missing; and where it was found, if anywhere."""

    ulp: float
    problem: Problem | None = None


def largest_errors(implementation: Implementation, problems: Iterable[Problem]) -> Mapping[str, LargestError]:
    """For the loss, the target's entries of the gradient and the others, over all the problems."""
    found = dict.fromkeys(PARTS, LargestError(0.0))
    for problem in problems:
        for part, errors in errors_on(implementation, problem).items():
            ulp = float(np.max(errors, initial=0.0))
            if ulp > found[part].ulp:
                found[part] = LargestError(ulp, problem)
    return found


def errors_on(implementation: Implementation, problem: Problem) -> Mapping[str, Array]:
    """The errors on one problem, in ULP, part by part; inf throughout where no answer came back."""
    given, truth = answer(implementation, problem), enclose(problem)
    if given.loss is None or given.gradient is None:
        return dict.fromkeys(PARTS, np.array([np.inf]))
    of_gradient = error_in_ulp(given.gradient, truth.gradient, problem.format)
    is_target = coefficients_of(problem) > 0
    return {
        "loss": np.atleast_1d(error_in_ulp(given.loss, truth.loss, problem.format)),
        "target": of_gradient[is_target],
        "others": of_gradient[~is_target],
    }
