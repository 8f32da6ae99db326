"""Loss and gradient at enclosed logits, from those at float64 numbers beside them.

The logits are z = h + l +- e with h in float64 and |l| at most half a unit of h. At h the oracle of the logits has the
gradient g, the losses and, asked for the sum over labels `top`, the softmax p, p_top being 1 - q with a q that does not
cancel; top is the class of a largest h. What is left is to move from h to z. Softmax does not change when all logits
of a row are moved alike, so that only

    delta_j = l_j - l_top,    off by at most    E_j = e_j + e_top + u |delta_j|,    delta_top = E_top = 0

count. With x_j = exp(delta_j) - 1 and sigma = sum_{j != top} p_j x_j the moved probabilities are p_j (1 + rho_j),

    rho_j = (1 + x_j)/(1 + sigma) - 1 = (x_j - sigma)/(1 + sigma),

and the gradient s f (A p_j - t_j), s being the reduction's share and f the row's factor, moves by s f A p_j rho_j; the
row's loss A lse - sum_j t_j z_j moves by f (A log(1 + sigma) - sum_j t_j delta_j). Neither the rho of the largest class
nor sigma has a term of the size of p_top: both are accurate relative to 1 - p_top, however small that is.

Bounds. M = max_j |delta_j| + E_j, which must be below MAX_MOVE.
x_j = delta_j + delta_j^2/2 in float64 is off by at most tau_j = (1 + 2 M) E_j + M^3 + 3 u |delta_j|: where delta_j is
off by d, exp moves by exp(M) d at most, the series' rest is below M^3 exp(M)/6, and three operations are rounded;
tau_top = 0.
sigma: p_j is off by 2 u, being `nearest` of an enclosure of a relative radius below 2^-70; the sum over K terms and the
products carry K + 1 roundings: sum_j p_j tau_j + (K + 4) u sum_j p_j |x_j| =: eps.
rho_j: (tau_j + eps)(1 + 4 M) + 4 u (|x_j| + |sigma|).
s f A p_j in float64 carries at most 2 K + N + 16 roundings: A is a sum over K classes, the denominator one over N rows,
and p_top = 1 - q, at least 1/K, is off by 2 u.
log(1 + sigma) = sigma - sigma^2/2 is off by |sigma|^3 + (1 + 2 M) eps, and sum_j t_j delta_j by sum_j t_j E_j; what is
rounded in both carries no more than K + 16, t included.
What p loses by underflow, less than 2^-1074 for each class, is below 2^-1000 in all: that is added everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb, ctx

from gradlab.layer.oracle.logits import Plain
from gradlab.layer.oracle.slices import ADD_ERROR, NEGLIGIBLE, UPWARDS, add_double
from gradlab.oracle.double_double import UNIT
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.intervals import Array, Enclosures, ldexp
from gradlab.problems.coefficients import coefficients_of, denominator_of, gradient_factors, loss_factors
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

MAX_MOVE = 2.0**-10
_LARGEST = 400  # the largest exponent of an entry of the gradient
_FLUSHED = -900  # the exponent below which an entry is enclosed as 0 +- 2^(_FLUSHED + 1)
_ROW_PRECISION = 320  # bits of the balls of losses


class RowTruth(NamedTuple):
    """What is known of the rows: the gradient by the logits, (N, K), and each row's own loss as a ball, N of them.

    The loss of a row of infinite loss is left at any value.
    """

    gradient: Plain
    losses: list[arb]


class _Move(NamedTuple):
    """delta and E of each logit, x and tau, and the softmax p, (N, K); sigma and eps of each row and M, (N, 1)."""

    delta: Array
    away: Array
    x: Array
    tau: Array
    p: Array
    sigma: Array
    eps: Array
    farthest: Array


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def answer_rows_nearby(rounded: Problem, logits: Plain) -> RowTruth | None:
    """The rows' answers at the enclosed logits; rounded: the problem at their high parts, -inf where masked.

    Every row has a value, or is ignored; a mean is over something. The gradient is that of the reduced objective. None
    where a row's logits are not known well enough, where the gradient is beyond 2^400, or where the objective has
    options of one number: those are maps of the logits, or terms of the rows.
    """
    if rounded.objective.real_options:
        return None
    move = _move(rounded, logits)
    if not (move.farthest < MAX_MOVE).all():
        return None
    truth = enclose(rounded)
    if truth.gradient.exponent.max(initial=0) > _LARGEST:
        return None
    gradient = _move_gradient(rounded, _as_plain(truth.gradient), move)
    with ctx.workprec(_ROW_PRECISION):
        changes, errors = (one.tolist() for one in _loss_changes(rounded, move))
        pairs = zip(balls_of(truth.losses), changes, errors, strict=True)
        losses = [loss + arb(change, error) for loss, change, error in pairs]
    return RowTruth(gradient, losses)


def balls_of(values: Enclosures) -> list[arb]:
    """Balls that contain the enclosures, of shape (n,), at the working precision."""
    columns = zip(*(part.tolist() for part in (values.high, values.low, values.radius, values.exponent)), strict=True)
    return [(arb(high, radius) + arb(low)) * arb((1, exponent)) for high, low, radius, exponent in columns]


def _move(rounded: Problem, logits: Plain) -> _Move:
    shape = rounded.logits.shape
    top = rounded.logits64.argmax(axis=1)
    at_top = (np.arange(shape[0]), top)
    delta = np.where(rounded.masked, 0.0, logits.low - logits.low[at_top][:, None])
    away = (logits.radius + logits.radius[at_top][:, None] + UNIT * np.abs(delta)) * UPWARDS
    away[rounded.masked] = 0.0
    away[at_top] = 0.0
    farthest = (np.abs(delta) + away).max(axis=1, keepdims=True) * UPWARDS
    x = delta + 0.5 * (delta * delta)
    tau = ((1 + 2 * farthest) * away + farthest**3 + 3 * UNIT * np.abs(delta)) * UPWARDS
    tau[at_top] = 0.0
    p = _softmax(rounded, top)
    sigma = (p * x).sum(axis=1, keepdims=True)
    rounding = (shape[1] + 4) * UNIT * (p * np.abs(x)).sum(axis=1, keepdims=True)
    eps = ((p * tau).sum(axis=1, keepdims=True) + rounding) * UPWARDS + NEGLIGIBLE
    return _Move(delta, away, x, tau, p, sigma, eps, farthest)


def _softmax(rounded: Problem, top: Array) -> Array:
    """The softmax of the rounded logits in float64, (N, K); the largest is 1 - q."""
    p = enclose(Problem(rounded.logits, top, Objective("sum"))).gradient.nearest()
    p[np.arange(len(top)), top] += 1.0
    return p


def _move_gradient(rounded: Problem, gradient: Plain, move: _Move) -> Plain:
    n_rows, n_classes = rounded.logits.shape
    mass = (coefficients_of(rounded).sum(axis=1) * gradient_factors(rounded) / denominator_of(rounded))[:, None]
    rho = (move.x - move.sigma) / (1 + move.sigma)
    rho_error = (move.tau + move.eps) * (1 + 4 * move.farthest) + 4 * UNIT * (np.abs(move.x) + np.abs(move.sigma))
    error = np.abs(mass) * move.p * (rho_error + (2 * n_classes + n_rows + 16) * UNIT * np.abs(rho)) * UPWARDS
    high, low = add_double((gradient.high, gradient.low), mass * move.p * rho)
    radius = (gradient.radius + error + ADD_ERROR * np.abs(high) + NEGLIGIBLE) * UPWARDS
    parts = (np.where(mass != 0, part, 0.0) for part in (high, low, radius))  # ignored rows have no gradient
    return Plain(*parts)


def _loss_changes(rounded: Problem, move: _Move) -> tuple[Array, Array]:
    """How far each row's own loss moves, and the error of that, (N,)."""
    t, sigma, eps = coefficients_of(rounded), move.sigma[:, 0], move.eps[:, 0]
    mass, size = t.sum(axis=1), np.abs(sigma)
    change = mass * (sigma - 0.5 * sigma * sigma) - (t * move.delta).sum(axis=1)
    error = mass * (size**3 + (1 + 2 * move.farthest[:, 0]) * eps) + (t * move.away).sum(axis=1)
    error += (rounded.n_classes + 16) * UNIT * (mass * size + (t * np.abs(move.delta)).sum(axis=1))
    factor = loss_factors(rounded)
    rounded_away = 4 * UNIT * np.abs(factor * change)
    return factor * change, (factor * (error * UPWARDS + NEGLIGIBLE) + rounded_away) * UPWARDS


def _as_plain(values: Enclosures) -> Plain:
    """The enclosures in float64; what is below 2^(_FLUSHED + 1) as 0."""
    small = (values.exponent < _FLUSHED) & ((values.high != 0) | (values.radius > 0))
    high, low, radius = (ldexp(part, values.exponent) for part in (values.high, values.low, values.radius))
    flushed = np.where(values.radius > 1, np.inf, 2.0 ** (_FLUSHED + 2))
    return Plain(np.where(small, 0.0, high), np.where(small, 0.0, low), np.where(small, flushed, radius))
