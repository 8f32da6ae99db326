"""The optimum of the objective, enclosed: a point and a proved distance within which it lies.

V holds all parameters, f is the objective, g its gradient and H its Hessian at V. A number added to all entries of a
row of V changes no probability, so the rows of an optimum have the sum 0 where there is a penalty, and may be given it
where there is none. So V and V + h are compared in S, the space of those whose rows all have the sum 0; g and H there
are those of any V, without what lies outside S.

Along a line phi(t) = f(V + t h), with the logits z_i + t d_i, d_i = h^T x~_i: phi'' is the mean of the variances of d_i
under p_i, and a penalty; phi''' is the mean of the third central moments, so |phi'''| <= max_i (max d_i - min d_i)
phi'', and max d_i - min d_i <= sqrt(2) |d_i| <= R |h| with R = sqrt(2) max_i |x~_i|. That is what F. Bach calls
self-concordance (Self-concordant analysis for logistic regression, Electronic Journal of Statistics 4, 2010,
proposition 1). So phi''(t) >= phi''(0) exp(-R |h| t), and with phi''(0) >= m |h|^2 and phi'(0) >= -|g| |h|

    phi'(1) >= |h| (m (1 - exp(-R |h|))/R - |g|).

That is above 0 where |h| is more than r = -log(1 - R |g|/m)/R: beyond r the objective rises in every direction, and the
optimum lies within r. |g| is enclosed. m <= lambda_min(H) on S is proved by a Cholesky decomposition, see `curvature`.

Features are divided by powers of 2 first, so that none is large: exactly, and parameters grow by them, so that r holds
for the parameters themselves, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.layer.oracle.truth import LayerTruth, enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ends import ends_of
from gradlab.problems.problem import Array
from gradlab.trainer.curvature import UNIT, is_semidefinite
from gradlab.trainer.gradient import FLOAT64, UPWARDS, batch_of, step_gradient
from gradlab.trainer.problem import TrainerProblem

LARGEST = 4000  # parameters, of which the Hessian is still made
STEP_LIMIT = 60
NEAR = 0.1  # a step that moves no logit by more than this is followed by one of less than half, but for rounding


@dataclass(frozen=True, eq=False)
class Optimum:
    """A point (n_parameters, n_classes), the distance within which an optimum lies, and the ends of its objective."""

    problem: TrainerProblem
    parameters: Array
    radius: float
    least: float
    most: float

    def distance_to(self, parameters: Array) -> tuple[float, float]:
        """How far parameters are from the nearest optimum, at least and at most."""
        apart = float(np.linalg.norm(_without_gauge(parameters - self.parameters, self.problem)))
        return max(apart / UPWARDS - self.radius, 0.0), (apart + self.radius) * UPWARDS


def optimum_of(problem: TrainerProblem, near: Array) -> Optimum | None:
    """The optimum, looked for from a point that is near; None where there is none, or none is proved."""
    scaled = Scaled(problem)
    if near.size > LARGEST or not np.isfinite(near).all() or _has_none(scaled, near):
        return None
    try:
        found = _by_newton(scaled, near)
        return _proved(scaled, found) if found is not None else None
    except np.linalg.LinAlgError:
        return None


def gradient_norm(problem: TrainerProblem, truth: LayerTruth, scales: Array | None = None) -> float:
    """An upper bound of the norm of the whole gradient, its rows divided by the scales (n_parameters, 1)."""
    parts = [truth.dW] if problem.bias is None else [truth.dW, truth.db]
    sizes = [np.atleast_2d(np.maximum(*map(np.abs, ends_of(part)))) for part in parts]
    whole = np.concatenate(sizes)
    return float(np.linalg.norm(whole if scales is None else whole / scales)) * UPWARDS


def layer_at(problem: TrainerProblem, parameters: Array) -> LayerProblem:
    """The layer's problem at these parameters, all in float64, exactly."""
    soft = problem.targets.ndim == 2
    wide = problem.replace(
        features=problem.features.astype(np.float64),
        targets=problem.targets.astype(np.float64) if soft else problem.targets,
        weight=parameters[: problem.n_features],
        bias=None if problem.bias is None else parameters[-1],
    )
    return wide.at(wide.weight, wide.bias)


@dataclass(frozen=True, eq=False)
class Scaled:
    """A problem with its features divided by powers of 2, (n_parameters, 1), and the parameters multiplied by them."""

    problem: TrainerProblem

    @cached_property
    def scales(self) -> Array:
        """At least 1; of a feature with a mean square of 1 or less, 1."""
        squares = np.square(self.problem.extended64).mean(axis=0)
        return np.asarray(np.exp2(np.ceil(np.log2(np.maximum(squares, 1.0)) / 2))[:, None])

    @cached_property
    def features(self) -> Array:
        return np.asarray(self.problem.extended64 / self.scales.T)

    @cached_property
    def slopes(self) -> Array:
        return np.asarray(self.problem.slopes / self.scales / self.scales)

    @cached_property
    def squares(self) -> Array:
        """At least |x~_i|^2 for each row, (n_rows,)."""
        return np.asarray(np.square(self.features).sum(axis=1) * UPWARDS)

    @cached_property
    def range_per_length(self) -> float:
        """R."""
        return math.sqrt(2 * float(self.squares.max())) * UPWARDS


@dataclass(frozen=True, eq=False)
class Curved:
    """Gradient and Hessian at a point in float64. The Hessian has an addition that is 0 on S, and above 0 outside.

    gradient: (n_parameters, K). hessian: (K n_parameters, K n_parameters), the classes outermost. lost: by how much the
    Hessian may be off, in the norm of matrices.
    """

    gradient: Array
    hessian: Array
    lost: float

    @property
    def newton_step(self) -> Array:
        """What Newton's method subtracts, (n_parameters, K). Raises LinAlgError."""
        solved = np.linalg.solve(self.hessian, self.gradient.T.ravel())
        return np.asarray(solved.reshape(self.gradient.shape[::-1]).T)


def curved_at(scaled: Scaled, parameters: Array) -> Curved:
    """Gradient and Hessian at scaled parameters (n_parameters, K).

    The weight w_jk = p_j ([j = k] - p_k) of row i is off by (1.1 e + 3 u) p_j on the diagonal and (2.1 e + 3 u) p_j p_k
    beside it, e the relative error of p_i: the matrix of these by 3.2 e + 6 u in norm, and all rows together by the
    mean of that times |x~_i|^2. The sums over rows are off by gamma_{N + 4} of the mean of |x~_i|^2/2, for the sizes of
    w have a norm of at most 1/2.
    """
    shares, features = scaled.problem.shares64, scaled.features
    found = step_gradient(batch_of(features, shares, slice(None)), parameters, scaled.slopes)
    p, n_rows = found.probabilities, len(features)
    count, n_classes = parameters.shape
    hessian = np.zeros((n_classes, count, n_classes, count))
    for j in range(n_classes):
        for k in range(j + 1):
            weights = p[:, j] * ((j == k) - p[:, k])
            hessian[j, :, k, :] = (features * weights[:, None]).T @ features / n_rows
            hessian[k, :, j, :] = hessian[j, :, k, :].T
    gauge = np.square(features).mean(axis=0) / n_classes
    places = np.arange(count)
    hessian[:, places, :, places] += gauge[:, None, None]
    for j in range(n_classes):
        hessian[j, places, j, places] += scaled.slopes[:, 0]
    flat = hessian.reshape(n_classes * count, -1)
    sums = (n_rows + 8) * UNIT / (1 - (n_rows + 8) * UNIT)
    errors = 3.2 * np.expm1(found.log_error(FLOAT64)) + 6 * UNIT + sums
    lost = float((errors * scaled.squares).mean()) + 4 * UNIT * float(np.diag(flat).max() + gauge.max() * n_classes)
    return Curved(found.value, (flat + flat.T) / 2, lost * UPWARDS)


def _has_none(scaled: Scaled, near: Array) -> bool:
    """Whether there is no single optimum, told at once.

    Features leave parameters without a penalty open, or the planes at the point itself part the classes.
    """
    free = scaled.slopes[:, 0] == 0
    features = scaled.features[:, free]
    values = np.linalg.eigvalsh(features.T @ features) if free.any() else np.ones(1)
    if values[0] <= 1e-14 * values[-1]:
        return True
    problem = scaled.problem
    if not free.all() or problem.targets.ndim == 2:
        return False
    logits = problem.extended64 @ near
    return bool((np.argmax(logits, axis=1) == problem.targets).all() and np.ptp(logits, axis=1).min() > 0)


def _by_newton(scaled: Scaled, near: Array) -> Array | None:
    """Scaled parameters from which no step leads further down; None where the steps do not come to an end.

    A step is log(1 + r)/r of Newton's, r being by how much it moves two logits of a row apart: that descends from
    everywhere (T. Sun and Q. Tran-Dinh, Generalized self-concordant functions, Mathematical Programming 178, 2019).
    """
    current, smallest = near * scaled.scales, math.inf
    for _ in range(STEP_LIMIT):
        step = curved_at(scaled, current).newton_step
        moved = float(np.ptp(scaled.features @ step, axis=1).max())
        if not math.isfinite(moved):
            return None
        if moved == 0 or smallest / 2 <= moved < NEAR:
            return current
        smallest = min(smallest, moved)
        current = current - math.log1p(moved) / moved * step
    return None


def _proved(scaled: Scaled, parameters: Array) -> Optimum | None:
    """The optimum near scaled parameters; None where they are not proved to be near enough."""
    problem, own = scaled.problem, _with_sums_of_zero(parameters / scaled.scales)
    truth = enclose_layer(layer_at(problem, own))
    norm = gradient_norm(problem, truth, scaled.scales)
    convexity = _convexity(curved_at(scaled, own * scaled.scales))
    share = scaled.range_per_length * norm / convexity * UPWARDS if convexity else math.inf
    if not share < 0.5:
        return None
    radius = -math.log1p(-share) / scaled.range_per_length * UPWARDS
    least, most = (float(end) for end in ends_of(truth.loss))
    least -= (norm * radius + 2 * UNIT * abs(least)) * UPWARDS
    return Optimum(problem, own, radius + 4 * UNIT * float(np.linalg.norm(own)), least, most)  # sums of 0, but for that


def _convexity(curved: Curved) -> float:
    """A proved lower bound of the Hessian's smallest eigenvalue; 0 where none above 0 is proved."""
    smallest = float(np.linalg.eigvalsh(curved.hessian)[0])
    size = float(np.diag(curved.hessian).max())
    for share in (0.99, 0.9, 0.5):
        bound = share * smallest
        less = curved.hessian - bound * np.eye(len(curved.hessian))
        if bound > 0 and is_semidefinite(less, curved.lost + 2 * UNIT * size):
            return bound
    return 0.0


def _without_gauge(apart: Array, problem: TrainerProblem) -> Array:
    """The differences without what changes nothing: the mean of a row that has no penalty."""
    return np.where(problem.slopes == 0, _with_sums_of_zero(apart), apart)


def _with_sums_of_zero(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=1, keepdims=True))
