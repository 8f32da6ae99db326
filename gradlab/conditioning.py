"""What the bounds on rounding errors need to know of a problem, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.coefficients import coefficients_of
from gradlab.problems.mapping import RowTerms, mapped, maps_logits, row_terms
from gradlab.problems.problem import Array, Problem
from gradlab.remembering import remembered
from gradlab.roundings import unit
from gradlab.running_errors import Bounded, parameter

_FARTHEST = 700.0  # exp of it is a large float64


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Sizes that bounds are made of, in float64 (they need no certified digits); d_j = x_j - max x, S = sum exp(d_j).

    x is what the softmax gets: the logits, or what softcap and temperature make of them. At a radius r each but the
    coefficients bounds what it names for all logits within r of the problem's.
    probabilities, distance = |d_j|, rises (how often the running maximum rises after class j), coefficients t_j:
    shape (N, K). log_sum = log S, losses = sum_j t_j (lse - x_j), mass = A = sum t_j: shape (N,). largest, of the same
    shape: the largest |x_j| of the batch, since a form may shift all rows alike.
    moved: what x_j less the largest logit carries from the maps, (N, K); reach: how far x may be from `lse`'s, the
    errors of the maps included, (N, 1); lse = log sum exp x, (N, 1); lse_error: how far it may be off for the maps'
    errors, (N, 1). All of them 0 but lse, and of any shape, where there is no map and no radius.
    Rows without a value (NaN, +inf, only -inf) and ignored rows hold the sizes of equal logits, with t = 0.
    """

    probabilities: Array
    distance: Array
    rises: Array
    coefficients: Array
    log_sum: Array
    losses: Array
    mass: Array
    largest: Array
    moved: Array
    reach: Array
    lse: Array
    lse_error: Array


def conditioning(problem: Problem, radius: float = 0.0) -> Conditioning:
    """The conditioning of each row, for all logits within `radius` of the problem's; remembered.

    Where what the softmax gets moves by at most r: the maximum, lse and max |x| move by at most r, so |d_j|, log S and
    lse - x_j by at most 2 r, and p_j = exp(x_j - lse) grows by a factor of exp(2 r) at most. r is the radius, or where
    there are maps how far they take it, their rounding errors included.

    Computed with x'_j = x_j + e_j, exp(x_j - x_a) carries (|e_j| + |e_a|)/v, for any a and none at a itself. As softmax
    is the same whatever is subtracted, a is the largest logit here, whichever the computation takes.
    """
    return _conditioning(problem, radius)


def slopes(problem: Problem, radius: float = 0.0) -> Bounded:
    """How fast each logit's image moves with it, (N, K), as it is computed: see `mapped_logits`."""
    return _mapped_logits(problem, radius)[1]


def terms_of(problem: Problem, letters: tuple[Bounded, Bounded, Bounded]) -> RowTerms:
    """The rows' terms and their derivatives, for M, m and A with their errors; columns, or plain numbers."""
    return row_terms(problem.objective, letters, lambda value: parameter(value, problem.format))


@lru_cache(maxsize=1024)
def rows_in_range(problem: Problem) -> Array:
    """Where nothing overflows on the way, in the maps and in the row's terms and their slopes; boolean, shape (N,).

    Elsewhere sound code may return inf or NaN, as z_loss lse^2 does where lse^2 alone is too large, and no bound says
    anything.
    """
    fmt, fine = problem.format, np.ones((problem.n_rows, 1), dtype=bool)
    if not problem.objective.real_options:
        return fine[:, 0]
    finite = np.isfinite(problem.logits64)
    for image in _mapped_logits(problem, 0.0):
        fine &= (np.where(finite, image.size + image.error, 0.0) < fmt.largest / 2).all(axis=1, keepdims=True)
    c, nothing = conditioning(problem), Bounded(np.zeros(()), np.zeros(()), np.zeros(()), fmt)
    terms = terms_of(problem, (Bounded(c.lse, c.lse, np.asarray(c.lse_error), fmt), nothing, nothing))
    for part in terms:
        if isinstance(part, Bounded):
            fine &= part.size + part.error < fmt.largest / 2
    return fine[:, 0]


@remembered(1024)
def _conditioning(problem: Problem, radius: float) -> Conditioning:
    x, d, t = _parts(problem)
    reach, moved, lse_error = _reached(problem, radius, x)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        p = np.exp(d)
        s = p.sum(axis=1)
        log_sum = np.log(s)
        p *= np.exp(np.minimum(2 * reach, _FARTHEST)) / s[:, None]
        np.minimum(p, 1.0, out=p)
        losses = np.where(t > 0, t * (log_sum[:, None] - d + 2 * reach), 0.0).sum(axis=1)
        largest = np.full(len(x), (np.where(np.isfinite(x), np.abs(x), 0.0) + reach).max(initial=0.0))
    lse = x.max(axis=1, keepdims=True, initial=-np.inf) + log_sum[:, None]
    log_sum = log_sum + 2 * np.broadcast_to(reach, (len(x), 1))[:, 0]
    sizes = (p, 2 * reach - d, _rises(x, reach), t, log_sum, losses, t.sum(axis=1), largest)
    return Conditioning(*sizes, moved, reach, lse, lse_error)


@remembered(256)
def _parts(problem: Problem) -> tuple[Array, Array, Array]:
    """What the softmax gets, less its maximum, and the coefficients, float64, (N, K); 0 in rows that have no loss."""
    x, t = problem.mapped64, coefficients_of(problem)
    valid = (problem.rows_with_value & ~problem.ignored_rows & (x < np.inf).all(axis=1))[:, None]
    valid &= ((x > -np.inf) | problem.masked).all(axis=1, keepdims=True)
    if not valid.all():
        x, t = np.where(valid, x, 0.0), np.where(valid, t, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return x, x - x.max(axis=1, keepdims=True, initial=-np.inf), t


def _reached(problem: Problem, radius: float, x: Array) -> tuple[Array, Array, Array]:
    """What `Conditioning` says of reach, moved and lse_error."""
    if not maps_logits(problem.objective):
        return np.full((1, 1), radius), np.zeros(()), np.zeros(())
    z = _mapped_logits(problem, radius)[0]
    known = np.isfinite(x) & np.isfinite(z.error)
    error = np.where(known, z.error, 0.0)
    away = np.maximum(np.where(known, z.high, 0.0) - np.where(known, x, 0.0), 0.0)
    away = np.maximum(away, np.where(known, x, 0.0) - np.where(known, z.low, 0.0))
    places = (np.arange(len(x)), x.argmax(axis=1))
    top = error[places][:, None]
    moved = np.minimum(error + top, _FARTHEST) / unit(problem.format)  # gamma of more is cut off there
    moved[places] = 0.0
    reach = (away + error).max(axis=1, keepdims=True, initial=0.0)
    lost = ~(problem.rows_with_value & ~problem.ignored_rows)[:, None]
    return np.where(lost, 0.0, reach), np.where(lost, 0.0, moved), np.where(lost, 0.0, top)


@remembered(256)
def _mapped_logits(problem: Problem, radius: float) -> tuple[Bounded, Bounded]:
    """The logits within `radius` of the problem's after the maps, and the maps' slopes, (N, K), as they are computed.

    An infinite logit counts as the largest number, NaN as 0: what becomes of them is the domain's matter.
    """
    fmt = problem.format
    x = np.nan_to_num(problem.logits64, nan=0.0, posinf=fmt.largest, neginf=-fmt.largest)
    given = Bounded(x - radius, x + radius, np.zeros(x.shape), fmt)
    z, slope = mapped(problem.objective, given, lambda value: parameter(value, fmt))
    if not isinstance(slope, Bounded):
        slope = Bounded(np.asarray(slope), np.asarray(slope), np.zeros(()), fmt)
    return z, slope


def _rises(x: Array, reach: Array) -> Array:
    """How often the running maximum can rise after each class, shape (N, K): where x_k > the maximum so far - 2 r."""
    highest = np.maximum.accumulate(x, axis=1)
    rise = np.zeros(x.shape, dtype=bool)
    np.greater(x[:, 1:], highest[:, :-1] - 2 * reach, out=rise[:, 1:])
    so_far = rise.cumsum(axis=1, dtype=np.float64)
    return np.asarray(so_far[:, -1:] - so_far)
