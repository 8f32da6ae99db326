"""What the outputs of a layer are made of, in float64: the terms whose sum, each taken once, is right.

A loss is that of the data and the penalty; a gradient is the probabilities' term less the targets' and the penalty's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradlab.layer.problem import LayerProblem
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import coefficients_of, denominator_of, gradient_factors
from gradlab.problems.problem import Array

SIGNS = {"loss": (1.0, 1.0), "dX": (1.0, -1.0), "dW": (1.0, -1.0, 1.0), "db": (1.0, -1.0, 1.0)}


@dataclass(frozen=True, eq=False)
class Parts:
    """The arrays of a layer, each of which a mistake may replace.

    features: (N, D), of which dW is made. weight: (D, K), of which dX is made. log_probabilities, targets: (N, K), the
    second what each row's class counts. totals: (N,), their sums where all is right. shares: (N,), of each row, 1 where
    all is right. denominator: of the mean. penalised: (D, K), the weights of the penalty. penalises_bias: whether the
    bias has a term of the penalty. finish: what is made of each term of an output in the end. change_residual: what is
    made of the gradient of each row by its logits, (N, K), before it is divided; both its terms are in the first then.
    """

    problem: LayerProblem
    features: Array
    weight: Array
    log_probabilities: Array
    targets: Array
    totals: Array
    shares: Array
    denominator: float
    penalised: Array
    penalises_bias: bool
    finish: Callable[[str, Array], Array] = lambda output, term: term
    change_residual: Callable[[Array, Parts], Array] | None = None

    def with_logits(self, logits: Array) -> Parts:
        """The same with the softmax of other logits."""
        return replace(self, log_probabilities=log_softmax(logits))

    def terms(self, output: str) -> tuple[Array, ...]:
        """The terms of an output, each of its shape; each taken once, with its sign in `SIGNS`, is right."""
        if output == "loss":
            return self._losses, np.asarray(self._penalty)
        scale = (self.shares / self.denominator)[:, None]
        probabilities, targets = self.totals[:, None] * np.exp(self.log_probabilities), self.targets
        if self.change_residual is not None:
            probabilities, targets = self.change_residual(probabilities - targets, self), np.zeros_like(targets)
        found = [self._through(output, scale * one) for one in (probabilities, targets)]
        found = [self.finish(output, one) for one in found]
        slope, problem = self.problem.penalty.slope, self.problem
        if output == "dW":
            found.append(slope * self.penalised)
        if output == "db" and self.penalises_bias:
            found.append(slope * problem.bias64)
        return tuple(found)

    def _through(self, output: str, residual: Array) -> Array:
        """What comes of one part of the gradient by the logits, (N, K)."""
        if output == "dX":
            return np.asarray(residual @ self.weight.T)
        return np.asarray(self.features.T @ residual if output == "dW" else residual.sum(axis=0))

    @property
    def _losses(self) -> Array:
        """The loss of the data: of the batch, or of each row."""
        with np.errstate(invalid="ignore"):
            entries = np.where(self.targets != 0, self.targets * self.log_probabilities, 0.0)
        rows = -self.shares * entries.sum(axis=1) / self.denominator
        return np.asarray(rows if self.problem.objective.reduction == "none" else rows.sum())

    @property
    def _penalty(self) -> float:
        bias = self.problem.bias64 if self.problem.penalty.takes_bias else np.zeros(1)
        return float(self.problem.penalty.slope / 2 * ((self.penalised**2).sum() + (bias**2).sum()))


@remember(256)
def parts_of(problem: LayerProblem) -> Parts:
    """The parts of a layer that is right, of an objective without options of one number."""
    frame = problem.at_logits(problem.float64_logits)
    factors = gradient_factors(frame)
    targets = coefficients_of(frame) * factors[:, None]
    return Parts(
        problem,
        problem.features64,
        problem.weight64,
        log_softmax(problem.float64_logits),
        targets,
        targets.sum(axis=1),
        np.ones(problem.n_rows),
        denominator_of(frame) or 1.0,
        problem.weight64,
        problem.penalty.takes_bias,
    )


def log_softmax(logits: Array, axis: int | None = 1) -> Array:
    """log p of each row, or over another axis, or over all, float64."""
    with np.errstate(all="ignore"):
        shifted = logits - logits.max(axis=axis, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))
