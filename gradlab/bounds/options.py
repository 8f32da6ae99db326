"""What logit maps and row terms (softcap, temperature, z-loss, ...) add to the bounds of `first_order`.

Notation as there, x being what the softmax gets and z the logits: x_j = f(z_j), and the row's loss is
sum_j t_j (lse - x_j) + phi(M, m, A), M = lse and m = sum_j t_j p_j. Then with g_j = A p_j - t_j

    dloss/dz_j = f'(z_j) G_j,    G_j = g_j + dphi/dM p_j + dphi/dm p_j (t_j - m).

f, f', phi and its derivatives are generated code, run on numbers that carry their errors (`running_error`): those
of p_j and of lse are what `first_order` finds that they carry, the maps' own errors among it (`conditioning.moved`); a
sum of n terms carries n. For a sound computation that is written in another way:

- the parts of G_j may be added in any order, or A and dphi/dM first: gamma(3) (A p_j + t_j + |G_j - g_j|);
- lse is max x + log S, in another base too: gamma(4 + b)(|max x| + log S) on top of the error of log S;
- temperature may be applied to x_j - max x: what that carries is part of `conditioning.moved`;
- f' may be written so that it is relatively accurate, as 1/cosh^2, or as 4 e/(1 + e)^2 with e = exp(-2 |z|/c), where
  1 - tanh^2 is not: gamma(6 beta + 12) f'. The argument's error in these, 4 |z|/c, counts where |z|/c > 9, and is
  within that of tanh^2 there, since a/cosh^2 a <= 0.45.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradlab.bounds.conditioning import Conditioning, conditioning, slopes, terms_of
from gradlab.bounds.rounding_counts import BETA, base_roundings, division_roundings, gamma, sum_roundings
from gradlab.bounds.running_error import Bounded
from gradlab.problems.mapping import RowSums, RowTerms
from gradlab.problems.problem import Array, Problem

_OTHER_SLOPE = 6 * BETA + 12
_ORDER = 3.0


class RowErrors(NamedTuple):
    """A problem, its conditioning, k_j of `first_order.rounding_count`, (N, K), and its coefficients' errors."""

    problem: Problem
    c: Conditioning
    k: Array
    delta: Array


def exact_loss_size(problem: Problem, radius: float = 0.0) -> Array:
    """How large the exact losses of the rows can be, their terms included, shape (N,); ignored rows have no term."""
    c = conditioning(problem, radius)
    if not problem.objective.real_options:
        return c.losses
    nothing = np.zeros(problem.logits.shape)
    letters = _letters(RowErrors(problem, c, nothing, nothing))
    return np.asarray(c.losses + _where_counting(problem, _size(_terms(problem, letters).value)[:, 0]))


def loss_error_with_terms(state: RowErrors, own: Array) -> Array:
    """The error of each row's loss, shape (N,), from that of sum_j t_j (lse - x_j)."""
    if not state.problem.objective.real_options:
        return own
    term = _terms(state.problem, _letters(state)).value
    room = gamma(_ORDER, state.problem.format) * (state.c.losses + _size(term)[:, 0])
    return np.asarray(own + _where_counting(state.problem, _error(term)[:, 0] + room))


def gradient_error_with_terms(state: RowErrors, own: Array) -> Array:
    """The error of each row's own gradient, shape (N, K), from that of A p_j - t_j; before the batch divides."""
    problem, c, fmt = state.problem, state.c, state.problem.format
    if not problem.objective.real_options:
        return own
    letters, slope = _letters(state), slopes(problem)
    terms = _terms(problem, letters)
    more = _gradient_terms(terms, letters)
    size = c.coefficient_sum[:, None] * c.probabilities + c.coefficients + _size(more)
    last = _ORDER + division_roundings(problem)
    error = own + _error(more) + gamma(last, fmt) * size
    slope_error = slope.error + gamma(_OTHER_SLOPE, fmt) * slope.size
    moved = slope.size * error + slope_error * (size + error) + gamma(last, fmt) * slope.size * size
    return _where_counting(problem, moved + 2 * fmt.smallest_subnormal)


def computed_loss_size(state: RowErrors) -> Array:
    """The sum of the sizes of a loss's parts as they are computed, with their errors, shape (N,); of all rows."""
    if not state.problem.objective.real_options:
        return state.c.losses
    return np.asarray(state.c.losses + _size(_terms(state.problem, _letters(state)).value)[:, 0])


def computed_entry_size(state: RowErrors) -> Array:
    """The same of an entry of a row's own gradient, shape (N, K)."""
    size = state.c.coefficient_sum[:, None] * state.c.probabilities + state.c.coefficients
    if not state.problem.objective.real_options:
        return np.asarray(size)
    letters = _letters(state)
    more = _gradient_terms(_terms(state.problem, letters), letters)
    return np.asarray((size + _size(more)) * slopes(state.problem).size)


def magnification(problem: Problem) -> float:
    """By how much an absolute error of p_j can grow in loss and gradient, beside A; 1 without such an option."""
    if not problem.objective.real_options:
        return 1.0
    nothing = np.zeros(problem.logits.shape)
    terms = _terms(problem, _letters(RowErrors(problem, conditioning(problem), nothing, nothing)))
    largest = sum(float(_size(one).max(initial=0.0)) for one in (terms.along_lse, terms.along_target))
    return (1.0 + largest) * max(1.0, float(slopes(problem).size.max(initial=0.0)))


class _Letters(NamedTuple):
    """M, m and A, (N, 1), and p and t, (N, K), each with its error."""

    lse: Bounded
    m: Bounded
    coefficient_sum: Bounded
    p: Bounded
    t: Bounded


def _letters(state: RowErrors) -> _Letters:
    problem, c, k, delta = state
    fmt, n = problem.format, sum_roundings(problem.n_classes, problem.format)
    least = c.probabilities * np.exp(-4 * c.reach)  # 0 where the maps' errors leave no digit
    underflow = (BETA + 1) * fmt.smallest_subnormal
    p = Bounded(least, c.probabilities, gamma(k, fmt) * c.probabilities + underflow, fmt)
    t = Bounded(c.coefficients, c.coefficients, delta, fmt)
    top = np.take_along_axis(k, c.distance.argmin(axis=1)[:, None], axis=1)
    size = np.abs(c.lse) + c.reach + 2 * c.log_sum[:, None]
    error = gamma(top, fmt) + c.lse_error + gamma(4 + base_roundings(fmt), fmt) * size + problem.n_classes * underflow
    lse = Bounded(c.lse - c.reach, c.lse + c.reach, error, fmt)
    return _Letters(lse, (t * p).summed(n), t.summed(n), p, t)


def _gradient_terms(terms: RowTerms, letters: _Letters) -> Bounded | float:
    """What the terms add to an entry of the gradient along what the softmax gets."""
    added: Bounded | float = terms.along_lse * letters.p + terms.along_target * (letters.p * (letters.t - letters.m))
    return added


def _terms(problem: Problem, letters: _Letters) -> RowTerms:
    return terms_of(problem, RowSums(letters.lse, letters.m, letters.coefficient_sum))


def _where_counting(problem: Problem, values: Array) -> Array:
    """The values, (N,) or (N, K), and 0 in rows that have no loss of their own to be computed: ignored ones."""
    counting = ~problem.ignored_rows
    return np.where(counting if values.ndim == 1 else counting[:, None], values, 0.0)


def _size(value: Bounded | float) -> Array:
    return value.size if isinstance(value, Bounded) else np.full((1, 1), abs(value))


def _error(value: Bounded | float) -> Array:
    return value.error if isinstance(value, Bounded) else np.zeros((1, 1))
