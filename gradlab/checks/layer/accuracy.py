"""Each output of a layer against its enclosure, by the proved and by the probable bound."""

from __future__ import annotations

import numpy as np

from gradlab.bounds.bound import Bound
from gradlab.checks.check import Check, Findings, NoAnswerError
from gradlab.checks.layer.conditions import Condition
from gradlab.checks.layer.outputs import as_claimed, bounds_of, entry_of, sums_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.bounds.probable import probable_bounds
from gradlab.layer.call import layer_answer
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ulp import absolute_error, error_in_ulp
from gradlab.problems.problem import Array
from gradlab.result import Comparison, ratio_of

WORDS = {"loss": "loss", "dX": "gradient by the features", "dW": "gradient by the weight", "db": "gradient by the bias"}


def check_within_proved_bound(output: str, applies: Condition) -> Check:
    """The check that an output of a layer is within its proved bound."""

    def check(implementation: Implementation, problem: LayerProblem) -> Findings:
        return _compare(implementation, problem, output, bounds_of(implementation, problem).output(output))

    return _named(
        check, f"{output.lower()}_of_the_layer_is_right", f"The {WORDS[output]} lies within its proved bound", applies
    )


def check_within_probable_bound(output: str, applies: Condition) -> Check:
    """The check that an output of a layer is within its probable bound."""

    def check(implementation: Implementation, problem: LayerProblem) -> Findings:
        probable = probable_bounds(problem, sums_of(implementation, problem))
        bounds = as_claimed(implementation, problem, probable)
        return _compare(implementation, problem, output, bounds.output(output))

    said = f"The {WORDS[output]} is no further off than rounding errors that are random are likely to bring it"
    return _named(check, f"{output.lower()}_of_the_layer_is_within_probable_error", said, applies, "improbable")


def _named(function: object, name: str, said: str, applies: Condition, failing_means: str = "wrong") -> Check:
    function.__name__ = name  # type: ignore[attr-defined]  # of a function
    function.__doc__ = f"{said}."
    return Check(function, "accuracy", applies, failing_means)  # type: ignore[arg-type]  # the same


def _compare(implementation: Implementation, problem: LayerProblem, output: str, bound: Bound) -> Findings:
    given = layer_answer(implementation, problem)
    if given.fault is not None:
        raise NoAnswerError(given.fault, problem)
    if output not in given.outputs:
        return []
    seen, truth = _at_most_float64(given.outputs[output]), enclose_layer(problem).output(output)
    tolerance = np.broadcast_to(bound.error, seen.shape)
    ratio = ratio_of(absolute_error(seen, truth), tolerance)

    def ulp(index: tuple[int, ...]) -> float:
        return float(error_in_ulp(seen[index], truth[index], problem.format))

    shown = entry_of(output, seen)
    return [Comparison(shown, seen, truth.nearest(), tolerance, ratio, bound.source, truth.describe, ulp)]


def _at_most_float64(values: Array) -> Array:
    return values if values.itemsize <= 8 else values.astype(np.float64)
