"""What the bounds on rounding errors need to know of a problem, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.bounds.rounding_counts import unit
from gradlab.bounds.running_error import Bounded, parameter
from gradlab.problems.caching import remember
from gradlab.problems.coefficients import coefficients_of, denominators_of, gradient_factors, loss_factors
from gradlab.problems.mapping import RowSums, RowTerms, map_logits, maps_logits, row_terms
from gradlab.problems.problem import Array, Problem

_FARTHEST = 700.0  # exp of it is a large float64


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Sizes that bounds are made of, in float64 (they need no certified digits); d_j = x_j - max x, S = sum exp(d_j).

    x is what the softmax gets: the logits, or what softcap and temperature make of them. At a radius r each but the
    coefficients bounds what it names for all logits within r of the problem's.
    probabilities, distance = |d_j|, rises (how often the running maximum rises after class j), coefficients t_j:
    shape (N, K). log_sum = log S, losses = sum_j t_j (lse - x_j), coefficient_sum = A = sum t_j: shape (N,). largest,
    of the same shape: the largest |x_j| of the batch, since a form may shift all rows alike.
    Logits that are computed are off by their errors, which the reach includes; without an option of one number all is
    then meant for all logits that a code may have got, and how far these move the answers is in `moved_logits`. With
    one, they are errors like those of the maps.
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
    coefficient_sum: Array
    largest: Array
    moved: Array
    reach: Array
    lse: Array
    lse_error: Array


def conditioning(problem: Problem, radius: float = 0.0) -> Conditioning:
    """The conditioning of each row, for all logits within `radius` of the problem's; remembered.

    Where what the softmax gets moves by at most r: the maximum, lse and max |x| move by at most r, so |d_j|, log S and
    lse - x_j by at most 2 r, and p_j = exp(x_j - lse) grows by a factor of exp(2 r) at most. r is the radius, or where
    there are maps how far they take it, their rounding errors included. These alone may bring a p_j that is far below
    float64's range up to 1, as of an equal logit: so exp is taken of d_j + 2 r.

    Computed with x'_j = x_j + e_j, exp(x_j - x_a) carries (|e_j| + |e_a|)/v, for any a and none at a itself. As softmax
    is the same whatever is subtracted, a is the largest logit here, whichever the computation takes.
    """
    return _conditioning(problem, radius)


def moves_alone(problem: Problem) -> bool:
    """Whether the errors of computed logits move the answers by themselves, no option of one number being on."""
    return problem.computed is not None and not problem.objective.real_options


def slopes(problem: Problem, radius: float = 0.0) -> Bounded:
    """How fast each logit's image moves with it, (N, K), as it is computed: see `mapped_logits`."""
    return _mapped_logits(problem, radius)[1]


def terms_of(problem: Problem, sums: RowSums) -> RowTerms:
    """The rows' terms and their derivatives, for sums with their errors; columns, or plain numbers."""
    return row_terms(problem.objective, sums, lambda value: parameter(value, problem.format))


@np.errstate(all="ignore")
def softmax_parts(problem: Problem) -> tuple[Array, Array]:
    """p_j and 1 - p_j, each without a cancellation, at the problem's logits as they are; (N, K)."""
    e = np.exp(_parts(problem)[2])
    places = (np.arange(len(e)), e.argmax(axis=1))
    rest = e.copy()
    rest[places] = 0.0
    total, others = e.sum(axis=1, keepdims=True), rest.sum(axis=1)
    p = e / total
    complement = 1 - p
    complement[places] = others / total[:, 0]
    return p, complement


@lru_cache(maxsize=1024)
@np.errstate(all="ignore")
def rows_in_range(problem: Problem) -> Array:
    """Where nothing overflows on the way for the sake of an option, in whatever order it is done; boolean, shape (N,).

    Elsewhere sound code may return inf or NaN, as z_loss lse^2 does where lse^2 alone is too large, and no bound says
    anything: all are infinite there. These count, up to a half of the largest number, or a quarter where two are
    subtracted: the images of the logits and the maps' slopes; the terms and their slopes; A, and an entry's parts,
    times the row's factor, the slope and 1/D; and lse - x_j times whatever makes it larger, a coefficient above 1, the
    factor, 1/D. The weights must be numbers of the format, and where a mean divides by their sum D, neither that nor
    one of them may be 0 or subnormal in it. lse - x_j alone counts for nothing: where it overflows, so does the loss.
    """
    fine = np.full(problem.n_rows, _divides_in_range(problem))
    if not _scales(problem):
        return fine
    c, fmt = conditioning(problem), problem.format
    terms, slope, images = _terms_and_maps(problem, c)
    entry = np.maximum(_largest(terms.along_lse) + c.coefficient_sum * (1 + _largest(terms.along_target)), 1.0)
    times = np.maximum(np.abs(gradient_factors(problem)), 1.0) * max(1.0, 1 / _divisor(problem))
    fine &= np.maximum(images, _largest(terms.value)) < fmt.largest / 2
    fine &= entry * np.maximum(slope, 1.0) * times < fmt.largest / 4
    weights = max(problem.objective.class_weights or (1.0,))
    largest = np.maximum(c.coefficients.max(axis=1), max(weights, 1.0))
    times = largest * np.maximum(np.abs(loss_factors(problem)), 1.0) * max(1.0, 1 / _divisor(problem))
    counts = (c.coefficients > 0) & ~problem.masked  # at a masked class the loss is infinite in any order
    distance = np.where(counts, c.distance + c.log_sum[:, None], 0.0).max(axis=1)
    return np.asarray(fine & (times < fmt.largest / 2) & ((times == 1) | (distance * times < fmt.largest / 2)))


def _scales(problem: Problem) -> bool:
    """Whether anything but plain labels, smoothed or not, makes a row's loss and gradient."""
    objective = problem.objective
    plain = objective.targets == "index" and objective.class_weights is None
    return not plain or bool(objective.real_options or objective.per_row_options)


def _divides_in_range(problem: Problem) -> bool:
    """Whether the format holds what a mean over weights divides by, and each part of it; or it is 0 exactly."""
    objective, fmt = problem.objective, problem.format
    if not objective.has_ruled_mean or objective.mean_over != "sum_of_weights":
        return True
    own = denominators_of(problem, objective.mean_over)
    held = (own == 0) | ((own >= fmt.smallest_normal) & (own < fmt.largest))
    return bool(held.all() and own.sum() < fmt.largest / 2)


def _divisor(problem: Problem) -> float:
    """What a mean divides by; 1 where nothing is divided, or all is NaN."""
    objective = problem.objective
    return float(denominators_of(problem, objective.mean_over).sum()) or 1.0 if objective.reduction == "mean" else 1.0


def _terms_and_maps(problem: Problem, c: Conditioning) -> tuple[RowTerms, Array, Array]:
    """The rows' terms, of which m is known to lie in [0, A]; the largest slope and image of finite logits, (N,)."""
    fmt, finite = problem.format, np.isfinite(problem.logits64)
    coefficient_sum, nothing = c.coefficient_sum[:, None], np.zeros((problem.n_rows, 1))
    sums = RowSums(
        Bounded(c.lse - c.reach, c.lse + c.reach, nothing + c.lse_error, fmt),
        Bounded(nothing, coefficient_sum, nothing, fmt),
        Bounded(coefficient_sum, coefficient_sum, nothing, fmt),
    )
    images = slope = np.zeros(problem.n_rows)
    if maps_logits(problem.objective):
        both = _mapped_logits(problem, 0.0)
        images, slope = (np.where(finite, one.size + one.error, 0.0).max(axis=1) for one in both)
    return terms_of(problem, sums), slope, images


def _largest(value: Bounded | float) -> Array:
    """The largest that a computed value can be, for each row or for all."""
    return np.ravel(value.size + value.error if isinstance(value, Bounded) else abs(value))


@remember(1024)
@np.errstate(all="ignore")
def _conditioning(problem: Problem, radius: float) -> Conditioning:
    x, top, d, t = _parts(problem)
    reach, moved, lse_error = _reach(problem, radius, x)
    exponentials = np.exp(d)
    s = exponentials.sum(axis=1)
    log_sum = np.log(s)
    if reach.any():  # else the exponentials are those of d, which is 0 at most
        exponentials = np.exp(np.minimum(d + 2 * reach, _FARTHEST))  # d may be far below exp's range
    p = np.minimum(exponentials / s[:, None], 1.0)
    losses = np.where(t > 0, t * (log_sum[:, None] - d + 2 * reach), 0.0).sum(axis=1)
    largest = np.full(len(x), (np.where(np.isfinite(x), np.abs(x), 0.0) + reach).max(initial=0.0))
    lse = top + log_sum[:, None]
    log_sum = log_sum + 2 * np.ravel(reach)
    sizes = (p, 2 * reach - d, _rises(x, reach), t, log_sum, losses, t.sum(axis=1), largest)
    return Conditioning(*sizes, moved, reach, lse, lse_error)


@remember(256)
def _parts(problem: Problem) -> tuple[Array, Array, Array, Array]:
    """What the softmax gets, its maxima (N, 1), the one less the other, and the coefficients, float64, (N, K).

    0 in rows that have no loss.
    """
    x, t = problem.mapped64, np.minimum(coefficients_of(problem), np.finfo(np.float64).max)
    valid = problem.rows_with_value & ~problem.ignored_rows
    if not np.isfinite(x).all():
        valid = valid & (x < np.inf).all(axis=1) & ((x > -np.inf) | problem.masked).all(axis=1)
    if not valid.all():
        x, t = np.where(valid[:, None], x, 0.0), np.where(valid[:, None], t, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        top = x.max(axis=1, keepdims=True, initial=-np.inf)
        return x, top, x - top, t


def _reach(problem: Problem, radius: float, x: Array) -> tuple[Array, Array, Array]:
    """What `Conditioning` says of reach, moved and lse_error."""
    if moves_alone(problem):
        assert problem.computed is not None
        return radius + problem.computed.errors.max(axis=1, keepdims=True), np.zeros(()), np.zeros(())
    if not maps_logits(problem.objective) and problem.computed is None:
        return np.full((1, 1), radius), np.zeros(()), np.zeros(())
    z = _mapped_logits(problem, radius)[0]
    known = np.isfinite(x) & np.isfinite(z.error)
    error = np.where(known, z.error, 0.0)
    low, x, high = (np.where(known, one, 0.0) for one in (z.low, x, z.high))
    away = np.maximum(high - x, x - low)
    places = (np.arange(len(x)), x.argmax(axis=1))
    top = error[places][:, None]
    moved = np.minimum(error + top, _FARTHEST) / unit(problem.format)  # gamma of more is cut off there
    moved[places] = 0.0
    reach = (away + error).max(axis=1, keepdims=True, initial=0.0)
    lost = ~(problem.rows_with_value & ~problem.ignored_rows)[:, None]
    return np.where(lost, 0.0, reach), np.where(lost, 0.0, moved), np.where(lost, 0.0, top)


@remember(256)
def _mapped_logits(problem: Problem, radius: float) -> tuple[Bounded, Bounded]:
    """The logits within `radius` of the problem's after the maps, and the maps' slopes, (N, K), as they are computed.

    An infinite logit counts as the largest number, NaN as 0: what becomes of them is the domain's matter.
    """
    fmt = problem.format
    x = np.nan_to_num(problem.logits64, nan=0.0, posinf=fmt.largest, neginf=-fmt.largest)
    error = np.zeros(x.shape) if problem.computed is None else problem.computed.errors
    given = Bounded(x - radius, x + radius, error, fmt)
    z, slope = map_logits(problem.objective, given, lambda value: parameter(value, fmt))
    if not isinstance(slope, Bounded):
        slope = Bounded(np.asarray(slope), np.asarray(slope), np.zeros(()), fmt)
    return z, slope


def _rises(x: Array, reach: Array) -> Array:
    """How often the running maximum can rise after each class, shape (N, K): where x_k > the maximum so far - 2 r."""
    highest = np.maximum.accumulate(x, axis=1)[:, :-1]
    rise = np.zeros(x.shape, dtype=bool)
    np.greater(x[:, 1:], highest - 2 * reach if reach.any() else highest, out=rise[:, 1:])
    so_far = rise.cumsum(axis=1, dtype=np.float64)
    return np.asarray(so_far[:, -1:] - so_far)
