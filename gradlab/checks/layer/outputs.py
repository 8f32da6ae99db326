"""What a layer returned, and how far each output may be off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.bounds.bound import Bound
from gradlab.checks.check import Findings, NoAnswerError
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.bounds.flushing import with_flushing
from gradlab.layer.bounds.outputs import LayerBounds
from gradlab.layer.bounds.proved import proved_bounds, proved_loss
from gradlab.layer.call import layer_answer
from gradlab.layer.problem import LayerProblem
from gradlab.problems.problem import Array
from gradlab.result import within

GRADIENTS = ("dX", "dW", "db")
Outputs = Mapping[str, Array]


def outputs_of(implementation: Implementation, problem: LayerProblem) -> Outputs:
    """What a plain call returns of loss, dX, dW and db, by name, in float64. Raises NoAnswerError."""
    return in_float64(layer_answer(implementation, problem), problem)


def in_float64(given: LayerAnswer, problem: LayerProblem) -> Outputs:
    """The outputs of an answer in float64. Raises NoAnswerError where there are none."""
    if given.fault is not None:
        raise NoAnswerError(given.fault, problem)
    with np.errstate(invalid="ignore"):
        return {name: array.astype(np.float64) for name, array in given.outputs.items()}


def bounds_of(implementation: Implementation, problem: LayerProblem) -> LayerBounds:
    """The proved bounds for what the implementation claims of its sums, and of subnormal numbers."""
    return as_claimed(implementation, problem, proved_bounds(problem, sums_of(implementation, problem)))


def as_claimed(implementation: Implementation, problem: LayerProblem, bounds: LayerBounds) -> LayerBounds:
    """These bounds, with what flushing subnormal numbers may cost where the implementation claims to flush them."""
    if not implementation.claims.flushes_subnormals:
        return bounds
    return with_flushing(bounds, problem, sums_of(implementation, problem))


def loss_bound_of(implementation: Implementation, problem: LayerProblem) -> Bound:
    """That of the loss alone, in less than half of the time."""
    if implementation.claims.flushes_subnormals:
        return bounds_of(implementation, problem).loss
    return proved_loss(problem, sums_of(implementation, problem))


def sums_of(implementation: Implementation, problem: LayerProblem) -> str | None:
    """The dtype in which the implementation claims to add up products; None where it claims nothing."""
    claimed = implementation.claims.accumulates_in
    return {"recognised": None, "logits": problem.format.name}.get(claimed, claimed)


def entry_of(output: str, array: Array) -> str:
    """What an entry of an output is called, with a place for each index: "dW[{}, {}]"."""
    return output + (f"[{', '.join(['{}'] * array.ndim)}]" if array.ndim else "")


def data_part(name: str, array: Array, problem: LayerProblem) -> Array:
    """An output without what the penalty adds to it; of the loss without the penalty itself."""
    penalty = problem.penalty
    if not penalty.is_on:
        return array
    bias = problem.bias64 if penalty.takes_bias else np.zeros(problem.n_classes)
    squares = (problem.weight64**2).sum() + (bias**2).sum()
    added = {"loss": penalty.slope / 2 * squares, "dW": penalty.slope * problem.weight64, "db": penalty.slope * bias}
    return np.asarray(array - added[name]) if name in added else array


def agree_in(names: tuple[str, ...], seen: Outputs, wanted: Outputs, limits: Mapping[str, Array]) -> Findings:
    """The findings that outputs agree, each within its limit; names: of which, where both are returned."""
    source = "the proved bounds of both answers"
    return [
        within(entry_of(name, seen[name]), seen[name], wanted[name], limits[name], source)
        for name in names
        if name in seen and name in wanted
    ]
