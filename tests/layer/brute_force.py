"""The layer's exact answers once more, from the definition as it is in docs/objective.md, in thousands of bits.

Nothing is taken from gradlab but the problem: no oracle, no generated code, no coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flint import arb, ctx

from gradlab.layer.problem import LayerProblem

BITS = 6000

Matrix = list[list[arb]]


@dataclass
class Exact:
    """Loss (one ball, or one for each row), dX, dW and db, as nested lists of balls."""

    loss: arb | list[arb]
    dX: Matrix
    dW: Matrix
    db: list[arb]


def exact_answers(problem: LayerProblem) -> Exact:
    """The answers to a problem in the domain that is judged, whose mean is over something."""
    with ctx.workprec(BITS):
        return _answers(problem)


def _answers(problem: LayerProblem) -> Exact:
    features, weight = problem.features64.tolist(), problem.weight64.tolist()
    rows, features_range, classes = range(problem.n_rows), range(problem.n_features), range(problem.n_classes)
    pairs = [_row(problem, row, features[row], weight) for row in rows]
    objective = problem.objective
    total = _denominator(problem) if objective.reduction == "mean" else arb(1)
    G = [[g / total for g in gradient] for _, gradient in pairs]
    losses = [loss for loss, _ in pairs]
    slope = arb(problem.penalty.strength) * (1 if problem.penalty.halved else 2)
    on_bias = slope if problem.penalty.takes_bias else arb(0)
    bias = [b if math.isfinite(b) else 0.0 for b in problem.bias64.tolist()]
    dX = [[sum((G[i][j] * weight[d][j] for j in classes), arb(0)) for d in features_range] for i in rows]
    dW = [
        [sum((G[i][j] * features[i][d] for i in rows), arb(0)) + slope * weight[d][j] for j in classes]
        for d in features_range
    ]
    db = [sum((G[i][j] for i in rows), arb(0)) + on_bias * bias[j] for j in classes]
    if objective.reduction == "none":
        return Exact(losses, dX, dW, db)
    squares = sum((arb(w) ** 2 for row in weight for w in row), arb(0)) * slope
    squares += sum((arb(b) ** 2 for b in bias), arb(0)) * on_bias
    return Exact(sum(losses, arb(0)) / total + squares / 2, dX, dW, db)


def _row(problem: LayerProblem, row: int, features: list[float], weight: list[list[float]]) -> tuple[arb, list[arb]]:
    """A row's loss and its gradient by the logits, with its factors, before the mean divides."""
    objective, classes = problem.objective, range(problem.n_classes)
    zero = [arb(0)] * problem.n_classes
    sample = arb(objective.sample_weights[row]) if objective.sample_weights else arb(1)
    if (objective.ignore_index is not None and problem.targets[row] == objective.ignore_index) or sample == 0:
        return arb(0), zero
    bias = problem.bias64.tolist()
    z = [sum((arb(x) * weight[d][j] for d, x in enumerate(features)), arb(0)) + bias[j] for j in classes]
    x, slope = list(z), [arb(1)] * problem.n_classes
    if objective.softcap != math.inf:
        c = arb(objective.softcap)
        shares = [arb(-1) if bias[j] == -math.inf else (z[j] / c).tanh() for j in classes]
        x, slope = [c * share for share in shares], [1 - share * share for share in shares]
    tau = arb(objective.temperature)
    kept = [j for j in classes if bias[j] != -math.inf or objective.softcap != math.inf]
    x, slope = [one / tau for one in x], [one / tau for one in slope]
    largest = max((x[j] for j in kept), key=float)
    e = [(x[j] - largest).exp() if j in kept else arb(0) for j in classes]
    total = sum(e, arb(0))
    p, lse = [one / total for one in e], largest + total.log()
    t = _coefficients(problem, row)
    mass = sum(t, arb(0))
    loss = sum((t[j] * (lse - x[j]) for j in kept), arb(0))
    m = sum((t[j] * p[j] for j in classes), arb(0))
    lam, phi = arb(objective.z_loss), arb(objective.poly_epsilon)
    loss += lam * lse * lse + phi * (mass - m)
    own = [mass * p[j] - t[j] + 2 * lam * lse * p[j] - phi * p[j] * (t[j] - m) for j in classes]
    above = arb(objective.upstream[row]) if objective.upstream else arb(1)
    return sample * loss, [sample * above * slope[j] * own[j] for j in classes]


def _coefficients(problem: LayerProblem, row: int) -> list[arb]:
    objective, n_classes = problem.objective, problem.n_classes
    epsilon = arb(objective.label_smoothing)
    if objective.targets == "index":
        q = [arb(int(j == problem.targets[row])) for j in range(n_classes)]
    else:
        q = [arb(float(one)) for one in problem.targets[row]]
    w = objective.class_weights or (1.0,) * n_classes
    return [arb(w[j]) * ((1 - epsilon) * q[j] + epsilon / n_classes) for j in range(n_classes)]


def _denominator(problem: LayerProblem) -> arb:
    objective = problem.objective
    if objective.mean_over == "all_rows":
        return arb(problem.n_rows)
    ignored = objective.ignore_index
    index = objective.targets == "index"
    total = arb(0)
    for row in range(problem.n_rows):
        if index and ignored is not None and problem.targets[row] == ignored:
            continue
        if objective.mean_over == "number_of_rows":
            total += 1
            continue
        sample = arb(objective.sample_weights[row]) if objective.sample_weights else arb(1)
        by_class = index and objective.class_weights is not None
        total += sample * (arb((objective.class_weights or ())[problem.targets[row]]) if by_class else 1)
    return total
