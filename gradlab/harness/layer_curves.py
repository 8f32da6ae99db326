"""Curves of a layer: errors of its outputs along the axes of `gradlab.harness.curves`, and differences of its loss.

X is the identity, the rows of W are the logits, and the bias is 0: so X W is known without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checks.layer.outputs import bounds_of, loss_bound_of
from gradlab.evaluation.call import Implementation
from gradlab.harness.curves import Axis, Curve, PartErrors
from gradlab.harness.difference_curve import CLASS, LABEL, LOGITS, DifferenceCurve, curve_along, moved
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer, layer_answer, layer_claims
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.enclosure import Enclosures
from gradlab.oracle.ulp import error_in_ulp, ulp_exponent
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Array, Problem

if TYPE_CHECKING:  # loaded where something failed
    from gradlab.targets.shipped import Specimen

MAX_WAYS = 16  # of writing a set of defects, that are compared
NEAR = 1e-3  # relative: what a prediction may be off by, to be told from that of another way of writing

# The largest error of an output, what is allowed of that entry, and the largest error that is predicted, in ULP.
Errors = Mapping[str, tuple[float, float, float]]


def layer_curve_of(implementation: Implementation, axis: Axis, dtype: str, defects: Sequence[Specimen] = ()) -> Curve:
    """The errors of the outputs that a layer returns along an axis, beside those that these defects predict."""
    problems = _problems(implementation, axis, dtype)
    points = [_errors(implementation, one, defects) for one in problems.values()]
    n_curves = 3 if defects else 2
    parts = {
        name: PartErrors(*(tuple(float(point[name][number]) for point in points) for number in range(n_curves)))
        for name in points[0]
    }
    return Curve(axis.name, dtype, tuple(problems), parts)


def way_of_writing(
    implementation: Implementation, names: Sequence[str], axes: Sequence[Axis], dtype: str
) -> tuple[Specimen, ...]:
    """Defects of these names, each in the way of writing it with which they come the nearest to a layer's answers.

    None where one of them is no defect of layers that has a model.
    """
    from gradlab.diagnosis.layer.observation import predict
    from gradlab.targets.shipped import layer_specimens

    known = layer_specimens()
    if not names or any(name not in known or not known[name].stages for name in names):
        return ()
    ways = list(islice(product(*((known[name], *known[name].written_otherwise()) for name in names)), MAX_WAYS))
    if len(ways) == 1:
        return ways[0]
    problems = [one for axis in axes for one in _problems(implementation, axis, dtype).values()]
    answers = [(one, layer_answer(implementation, one).outputs) for one in problems]

    def n_met(way: Sequence[Specimen]) -> int:
        foretold = [(seen, predict(problem, way)) for problem, seen in answers]
        return sum(
            np.allclose(seen[name], some[name], rtol=NEAR, equal_nan=True) for seen, some in foretold for name in seen
        )

    return max(ways, key=n_met)


def _problems(implementation: Implementation, axis: Axis, dtype: str) -> dict[float, LayerProblem]:
    """The problems along an axis, by the number that is varied."""
    fmt = format_of(dtype)
    lifted = {value: _lifted(axis.problem(fmt, value)) for value in axis.values(fmt).tolist()}
    return {value: adapt_layer_to_claims(implementation.claims, one) for value, one in lifted.items()}


def layer_difference_curve_of(implementation: Implementation, dtype: str) -> DifferenceCurve | None:
    """The central differences of a layer's own loss along one entry of W; None where it returns no loss."""
    if "loss" not in layer_claims(implementation.claims).places:
        return None
    lifted = _lifted(make_problem(format_of(dtype), [LOGITS], [LABEL]))
    problem = adapt_layer_to_claims(implementation.claims, lifted)

    def after(move: float) -> LayerProblem:
        return problem.replace(weight=moved(problem.weight, move))

    def error_at(step: float) -> float:
        return max(float(np.max(loss_bound_of(implementation, after(move)).error)) for move in (step, -step))

    slope = float(enclose_layer(problem).dW.nearest()[0, CLASS])
    return curve_along(dtype, slope, lambda move: evaluate_layer(implementation, after(move)).loss, error_at)


def _lifted(problem: Problem) -> LayerProblem:
    """The same problem as one of a layer, whose weight has the logits as its rows."""
    identity = np.eye(problem.n_rows, dtype=problem.logits.dtype)
    return LayerProblem(identity, problem.logits, None, problem.targets, problem.objective)


def _errors(implementation: Implementation, problem: LayerProblem, defects: Sequence[Specimen]) -> Errors:
    from gradlab.diagnosis.layer.observation import predict

    outputs, truth = layer_answer(implementation, problem).outputs, enclose_layer(problem)
    bounds, foretold = bounds_of(implementation, problem), predict(problem, defects) if defects else {}
    returned = layer_claims(implementation.claims).places
    found = {}
    for name in (one for one in problem.outputs if one in returned):
        exact = truth.output(name)
        with np.errstate(all="ignore"):
            allowed = bounds.output(name).error / np.ldexp(1.0, ulp_exponent(exact, problem.format))
            seen, predicted = (_off(one, name, problem, exact) for one in (outputs, foretold))
        at = np.unravel_index(np.argmax(seen), seen.shape)
        found[name] = float(seen[at]), float(np.broadcast_to(allowed, seen.shape)[at]), float(predicted.max())
    return found


def _off(outputs: Mapping[str, Array], name: str, problem: LayerProblem, exact: Enclosures) -> Array:
    """The errors of an output in ULP; inf where it is not there, or of another shape."""
    shape = problem.shape_of(name)
    if name not in outputs or outputs[name].shape != shape:
        return np.full(shape, np.inf)
    return np.asarray(error_in_ulp(outputs[name].astype(np.float64), exact, problem.format))
