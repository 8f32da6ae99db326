"""Central differences of a layer's own loss in X, W and b, with a derived step and tolerance.

Along a direction in X alone, or in W and b alone, the logits move in a line, X (W + h V) + b + h v, so that what is
known of the third derivative along a line at the logits (`bounds.calculus`) holds here with the logits' direction; the
penalty is a parabola, whose central difference is exact. The error of the loss is its proved bound at the two points
themselves. On moderate problems alone: there a disagreement is an error of mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bounds.calculus import best_step, central_difference
from gradlab.checks.check import Findings
from gradlab.checks.layer.conditions import frame_of
from gradlab.checks.layer.outputs import Outputs, bounds_of, in_float64, loss_bound_of, outputs_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import evaluate_layer
from gradlab.layer.problem import LayerProblem
from gradlab.problems.coefficients import coefficients_of, denominator_of, loss_factors
from gradlab.problems.problem import Array
from gradlab.result import Comparison, asking, within

SMALL = 40  # numbers of X, or of W and b, up to which each is moved by itself
DIRECTIONS = 4  # on larger problems, along which all are moved at once
PARTS = {"dX": ("features",), "dW": ("weight",), "db": ("bias",)}


@dataclass(frozen=True, eq=False)
class Move:
    """A direction: how each of features, weight and bias moves; the ones that stay are not in it."""

    changes: dict[str, Array]

    def logits_change(self, problem: LayerProblem) -> Array:
        """How the logits move, (N, K)."""
        moved = np.zeros((problem.n_rows, problem.n_classes))
        if "features" in self.changes:
            moved += self.changes["features"] @ problem.weight64
        if "weight" in self.changes:
            moved += problem.features64 @ self.changes["weight"]
        return moved + self.changes.get("bias", 0.0)


def gradients_are_the_derivatives_of_its_own_loss(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Central differences of the implementation's own loss give dX, dW and db: entry by entry where there are few."""
    exact = _on_grid(problem)
    given = outputs_of(implementation, exact)
    findings: Findings = []
    for name, (field,) in PARTS.items():
        if name in given and getattr(exact, field) is not None:
            alone = getattr(exact, field).size <= SMALL
            compare = _entry_by_entry if alone else _along_directions
            findings.append(compare(implementation, exact, given, name))
    return asking(exact, findings)


def _entry_by_entry(implementation: Implementation, problem: LayerProblem, given: Outputs, name: str) -> Comparison:
    (field,) = PARTS[name]
    slopes, limits = np.empty(given[name].shape), np.empty(given[name].shape)
    for place in np.ndindex(*slopes.shape):
        unit = np.zeros(slopes.shape)
        unit[place] = 1.0
        slopes[place], limits[place], step = _slope(implementation, problem, Move({field: unit}))
    limits += bounds_of(implementation, problem).output(name).error
    quantity = f"{name}[{', '.join(['{}'] * slopes.ndim)}]"
    return within(quantity, given[name], slopes, limits, f"central difference of its own loss, h = {step:g}")


def _along_directions(implementation: Implementation, problem: LayerProblem, given: Outputs, name: str) -> Comparison:
    (field,) = PARTS[name]
    rng = np.random.default_rng(int(problem.digest, 16))
    drawn = [np.sign(rng.normal(size=given[name].shape)) for _ in range(DIRECTIONS)]
    found = [_slope(implementation, problem, Move({field: one})) for one in drawn]
    own = bounds_of(implementation, problem).output(name).error.sum()
    wanted = np.array([(given[name] * one).sum() for one in drawn])
    slopes, limits = (np.array([one[i] for one in found]) for i in range(2))
    source = f"central difference of its own loss, h = {found[0][2]:g}"
    return within(f"{name} along direction {{}} of signs", wanted, slopes, limits + own, source)


def _slope(implementation: Implementation, problem: LayerProblem, move: Move) -> tuple[float, float, float]:
    """(f(x + h v) - f(x - h v))/(2h) of its own loss, how far that may be from the derivative, and h."""
    curvature = _curvature(problem, move)
    error = float(np.sum(loss_bound_of(implementation, problem).error))
    step = best_step(error, max(error, curvature)) if curvature > 0 and error > 0 else 1.0
    step = max(step, *(_spacing(problem, name) for name in move.changes))
    ends = [_moved(problem, move, sign * step) for sign in (1.0, -1.0)]
    values = [float(np.sum(_loss(implementation, one))) for one in ends]
    errors = sum(float(np.sum(loss_bound_of(implementation, one).error)) for one in ends) / 2
    limit = float(central_difference(errors, curvature, step).error)
    return (values[0] - values[1]) / (2 * step), limit, step


def _loss(implementation: Implementation, problem: LayerProblem) -> Array:
    return in_float64(evaluate_layer(implementation, problem), problem)["loss"]


def _moved(problem: LayerProblem, move: Move, step: float) -> LayerProblem:
    def added(name: str, change: Array) -> Array:
        values = getattr(problem, f"{name}64") + step * change
        return np.asarray(values.astype(problem.features.dtype))

    return problem.replace(**{name: added(name, change) for name, change in move.changes.items()})


def _curvature(problem: LayerProblem, move: Move) -> float:
    """A (max v - min v)^3 of the logits' direction v, summed over the rows and divided as the loss is."""
    frame = frame_of(problem)
    sums = loss_factors(frame) * coefficients_of(frame).sum(axis=1) / (denominator_of(frame) or 1.0)
    return float((np.abs(sums) * np.ptp(move.logits_change(problem), axis=1) ** 3).sum())


def _on_grid(problem: LayerProblem) -> LayerProblem:
    """The problem with features, weight and bias rounded so that adding a step of up to 1 to any entry is exact."""

    def rounded(name: str) -> Array | None:
        if getattr(problem, name) is None:
            return None
        values, grid = getattr(problem, f"{name}64"), _spacing(problem, name)
        return np.asarray((np.rint(values / grid) * grid).astype(problem.features.dtype))

    return problem.replace(**{name: rounded(name) for name in ("features", "weight", "bias")})


def _spacing(problem: LayerProblem, name: str) -> float:
    """The spacing of the format's numbers around the largest entry and 1; smaller multiples of it are exact."""
    largest = float(np.abs(getattr(problem, f"{name}64")).max(initial=0.0)) + 1.0
    return float(2.0 ** (np.floor(np.log2(largest)) + 2 - problem.format.precision))
