"""What logit maps, row terms and factors of rows add to the bounds is what the docstrings say, constant by constant."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order, options, row_factors
from gradlab.bounds.conditioning import Conditioning, conditioning, rows_in_range, slopes
from gradlab.bounds.options import RowErrors
from gradlab.bounds.running_error import Bounded, parameter
from gradlab.problems.coefficients import gradient_factors, loss_factors
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from tests.bounds import documented
from tests.bounds import written_out as written
from tests.bounds.documented import SAMPLES, WEIGHTS, problem_with

OBJECTIVES = {
    "none": Objective("none"),
    "softcap": Objective(softcap=2.0),
    "temperature": Objective("none", temperature=0.7),
    "temperature, high": Objective("mean", temperature=3.0),
    "z_loss": Objective("mean", z_loss=0.3),
    "z_loss-ignoring": Objective("mean", z_loss=0.3, ignore_index=3),
    "poly_epsilon": Objective("sum", "probability", 0.1, WEIGHTS, poly_epsilon=2.3),
    "everything": Objective("mean", "index", 0.1, softcap=5.0, temperature=0.3, z_loss=0.2, poly_epsilon=-0.5),
    "sampled": Objective("none", sample_weights=SAMPLES, upstream=(-2.0, 1.0, 0.25)),
    "sampled-small": Objective("mean", sample_weights=(0.01, 0.0, 0.02)),
    "sampled-everything": Objective("mean", softcap=5.0, z_loss=0.2, poly_epsilon=2.0, sample_weights=SAMPLES),
}
LOGITS = [[0.5, -1.0, 0.25, 3.0], [1.5, 0.5, -2.5, 1.5], [-1.0, 0.0, 2.25, 0.5]]


def problem_of(objective: Objective, dtype: str) -> Problem:
    return problem_with(LOGITS, objective, dtype)


def assert_same(found: Array, expected: Array) -> None:
    documented.assert_same(found, np.broadcast_to(expected, np.shape(found)))


@pytest.fixture(params=[(name, dtype) for name in OBJECTIVES for dtype in DTYPE_NAMES], ids="-".join)
def problem(request: pytest.FixtureRequest) -> Problem:
    name, dtype = request.param
    return problem_of(OBJECTIVES[name], dtype)


def state_of(problem: Problem) -> RowErrors:
    c = conditioning(problem)
    return RowErrors(problem, c, first_order.rounding_count(problem, c), first_order.coefficient_errors(problem))


def mapped(problem: Problem, radius: float) -> tuple[Bounded, Bounded]:
    """The logits within the radius after the maps, and the maps' slopes, with the errors of computing them."""
    objective, fmt, x = problem.objective, problem.format, problem.logits64
    z = Bounded(x - radius, x + radius, np.zeros(x.shape), fmt)
    one = np.ones(x.shape)
    slope = Bounded(one, one, np.zeros(x.shape), fmt)
    if objective.softcap < math.inf:
        cap = parameter(objective.softcap, fmt)
        t = np.tanh(z / cap)
        z, slope = cap * t, 1 - t * t
        slope = slope * 1.0
    if objective.temperature != 1:
        heat = parameter(objective.temperature, fmt)
        z, own = z / heat, 1 / heat
        slope = own * slope if objective.softcap < math.inf else own * 1.0
    return z, slope


def gamma(problem: Problem, carried: Any) -> Array:
    v: float = written.Unit(problem.format).v
    return np.expm1(np.asarray(carried) * v)


def maps(problem: Problem) -> bool:
    return problem.objective.softcap < math.inf or problem.objective.temperature != 1


@pytest.mark.parametrize("radius", [0.0, 0.25])
def test_conditioning_moves_every_size_by_what_the_radius_and_the_errors_of_maps_move_the_logits(
    problem: Problem, radius: float
) -> None:
    c, x = conditioning(problem, radius), problem.mapped64
    z = mapped(problem, radius)[0]
    top = x.argmax(axis=1)[:, None]
    error = np.broadcast_to(z.error, x.shape) if maps(problem) else np.zeros(x.shape)
    away = np.maximum(np.maximum(z.high - x, x - z.low), 0) if maps(problem) else radius
    reach = (away + error).max(axis=1, keepdims=True)
    reach[problem.ignored_rows] = 0 if maps(problem) else radius
    at_top = np.take_along_axis(error, top, axis=1)
    moved = np.minimum(error + at_top, 700.0) / written.Unit(problem.format).v
    np.put_along_axis(moved, top, 0.0, axis=1)
    valid = ~problem.ignored_rows[:, None]
    assert_same(c.reach * np.ones((3, 1)), reach)
    assert_same(c.moved * np.ones(x.shape), np.where(valid, moved, 0))
    assert_same(c.lse_error * np.ones((3, 1)), np.where(valid, at_top, 0))
    x = np.where(valid, x, 0.0)
    d = x.max(axis=1, keepdims=True) - x
    s = np.exp(-d).sum(axis=1, keepdims=True)
    assert_same(c.distance, d + 2 * reach)
    assert_same(c.log_sum, (np.log(s) + 2 * reach)[:, 0])
    assert_same(c.probabilities, np.minimum(np.exp(2 * reach - d) / s, 1))
    assert_same(c.lse * np.ones((3, 1)), x.max(axis=1, keepdims=True) + np.log(s))
    assert_same(c.losses, (c.coefficients * (np.log(s) + d + 2 * reach)).sum(axis=1))
    assert_same(c.largest, np.full(3, (np.abs(x) + reach).max()))


def row_of(problem: Problem, c: Conditioning, i: int) -> Any:
    """What `written_out` knows of a row, from its conditioning."""
    shape = c.probabilities.shape
    moved = (c.moved * np.ones(shape))[i].tolist()
    d, p, rises, t = (one[i].tolist() for one in (c.distance, c.probabilities, c.rises, c.coefficients))
    return written.Row(written.Unit(problem.format), d, [], p, rises, t, [], float(c.log_sum[i]), 0.0, 0.0, 1.0, moved)


def test_what_probabilities_carry_counts_the_errors_of_maps(problem: Problem) -> None:
    c = conditioning(problem)
    expected = [written.carried(row_of(problem, c, i)) for i in range(3)]
    assert_same(first_order.rounding_count(problem, c), np.array(expected))


def terms(state: RowErrors) -> tuple[Bounded | float, Bounded | float]:
    """The rows' terms, and what they add to an entry of the gradient, each with its error."""
    problem, c, objective, fmt = state.problem, state.c, state.problem.objective, state.problem.format
    unit = written.Unit(fmt)
    underflow, n = 5 * unit.eta, unit.sums(4)
    p = Bounded(
        c.probabilities * np.exp(-4 * c.reach),
        c.probabilities,
        gamma(problem, state.k) * c.probabilities + underflow,
        fmt,
    )
    t = Bounded(c.coefficients, c.coefficients, state.delta, fmt)
    top = np.take_along_axis(state.k, c.distance.argmin(axis=1)[:, None], axis=1)
    size = np.abs(c.lse) + c.reach + 2 * c.log_sum[:, None]
    error = gamma(problem, top) + c.lse_error + gamma(problem, 4 + unit.base) * size + 4 * underflow
    lse = Bounded(c.lse - c.reach, c.lse + c.reach, error, fmt)
    value: Any = 0.0
    more: Any = 0.0
    if objective.z_loss:
        factor = parameter(objective.z_loss, fmt)
        value, more = (lse * lse) * factor + value, 2 * lse * factor + more
    if objective.poly_epsilon:
        factor, m = parameter(objective.poly_epsilon, fmt), (t * p).summed(n)
        value = factor * (t.summed(n) - m) + value
        more = (0 + more) * p + (-factor + 0.0) * (p * (t - m))
        return value, more
    return value, more * p + 0.0 * (p * (t - (t * p).summed(n)))


def size_of(value: Any) -> Array:
    return value.size if isinstance(value, Bounded) else np.full((1, 1), abs(value))


def error_of(value: Any) -> Array:
    return value.error if isinstance(value, Bounded) else np.zeros((1, 1))


OWN = np.array([[0.25], [0.5], [0.125]])


def counts(problem: Problem) -> Array:
    return np.where(problem.ignored_rows, 0.0, 1.0)


def has_options(problem: Problem) -> bool:
    return bool(problem.objective.real_options)


def loss_error(state: RowErrors) -> Array:
    """The error of the rows' losses, with their terms, from errors OWN."""
    value = terms(state)[0]
    room = gamma(state.problem, 3) * (state.c.losses + size_of(value)[..., 0])
    more = (error_of(value)[..., 0] + room) * counts(state.problem)
    return OWN[:, 0] + more if has_options(state.problem) else OWN[:, 0]


def gradient_error(state: RowErrors) -> Array:
    problem, c = state.problem, state.c
    own = OWN * np.ones((3, 4)) * 2.0**-9
    if not has_options(problem):
        return own
    more = terms(state)[1]
    size = c.coefficient_sum[:, None] * c.probabilities + c.coefficients + size_of(more)
    last = 3 + written.division(problem)
    error, slope = own + error_of(more) + gamma(problem, last) * size, mapped(problem, 0.0)[1]
    off = slope.error + gamma(problem, 6 * 4 + 12) * slope.size
    moved = slope.size * error + off * (size + error) + gamma(problem, last) * slope.size * size
    eta: float = problem.format.smallest_subnormal
    return np.asarray((moved + 2 * eta) * counts(problem)[:, None])


def loss_sizes(state: RowErrors) -> Array:
    return (
        np.asarray(state.c.losses + size_of(terms(state)[0])[..., 0]) if has_options(state.problem) else state.c.losses
    )


def entry_sizes(state: RowErrors) -> Array:
    c = state.c
    size = c.coefficient_sum[:, None] * c.probabilities + c.coefficients
    if not has_options(state.problem):
        return np.asarray(size)
    return np.asarray((size + size_of(terms(state)[1])) * mapped(state.problem, 0.0)[1].size)


def multiplied(problem: Problem, factors: Array, error: Array, sizes: Array) -> Array:
    if not problem.objective.per_row_options:
        return error
    grown = error + gamma(problem, 2.0 * len(problem.objective.per_row_options)) * sizes
    before = max(1.0, written.divided_by(problem))  # what underflows where f over D does, before the division
    underflow = (4 + 3 + 2 * sizes) * problem.format.smallest_subnormal * before
    return np.where(factors != 0, np.abs(factors) * grown + underflow, 0.0)


def test_the_error_of_losses_with_terms_and_factors_is_its_formula(problem: Problem) -> None:
    state = state_of(problem)
    known = rows_in_range(problem)
    assert_same(options.loss_error_with_terms(state, OWN[:, 0])[known], loss_error(state)[known])
    expected = multiplied(problem, loss_factors(problem), loss_error(state), loss_sizes(state))
    assert_same(row_factors.loss_error(state, OWN[:, 0]), np.where(known, expected, np.inf))


def test_the_error_of_entries_with_maps_terms_and_factors_is_its_formula(problem: Problem) -> None:
    state, own = state_of(problem), OWN * np.ones((3, 4)) * 2.0**-9
    known = rows_in_range(problem)
    assert_same(options.gradient_error_with_terms(state, own)[known], gradient_error(state)[known])
    expected = multiplied(problem, gradient_factors(problem)[:, None], gradient_error(state), entry_sizes(state))
    assert_same(row_factors.gradient_error(state, own), np.where(known[:, None], expected, np.inf))


def test_a_factor_may_multiply_both_terms_of_a_loss_that_is_computed_without_a_shift(dtype: str) -> None:
    problem, own = problem_of(OBJECTIVES["sampled"], dtype), []
    for i in range(3):
        row = written.row_of(problem, i)
        more = (8 + row.unit.base + 1 + 2 * 2) * (2 * row.largest + row.log_sum)
        own.append(written.loss(row, [k + more for k in written.carried(row)], problem.format.largest))
    expected = multiplied(problem, loss_factors(problem), np.array(own), conditioning(problem).losses)
    assert_same(first_order.any_form_losses(problem)[0], expected)


def test_the_sizes_of_losses_are_theirs_and_their_terms_times_their_factors(problem: Problem) -> None:
    c, nothing = conditioning(problem), np.zeros((3, 4))
    bare = RowErrors(problem, c, nothing, nothing)
    more = loss_sizes(bare) - c.losses
    expected = (c.losses + more * counts(problem)) * loss_factors(problem)
    assert_same(row_factors.loss_size(problem), expected)


def test_an_error_of_a_probability_grows_by_the_slopes_of_terms_and_maps(problem: Problem) -> None:
    objective, c = problem.objective, conditioning(problem)
    slope_size = max(1.0, float(mapped(problem, 0.0)[1].size.max()))
    along_lse = 2 * objective.z_loss * float((np.abs(c.lse) + c.reach).max())
    expected = (1 + along_lse + abs(objective.poly_epsilon)) * slope_size if has_options(problem) else 1.0
    assert options.magnification(problem) == pytest.approx(expected, rel=1e-9, abs=0)


def test_flushing_happens_in_each_product_by_a_factor_too() -> None:
    plain, sampled = (problem_of(OBJECTIVES[name], "float32") for name in ("none", "sampled"))
    assert row_factors.flushes(plain, 11.0) == 11
    assert row_factors.flushes(sampled, 11.0) == 11 * 7 + 4 + 3
    small = sampled.replace(objective=replace(sampled.objective, sample_weights=(0.5,) * 3, upstream=(1.0, 0.5, 0.25)))
    assert row_factors.flushes(small, 11.0) == 11 + 4 + 3
    upstream = sampled.replace(objective=replace(sampled.objective, sample_weights=None, upstream=(-3.0, 0.5, 0.25)))
    assert row_factors.flushes(upstream, 11.0) == 11 * 3 + 4 + 3


def test_conditioning_s_own_slopes_are_those_of_the_maps(problem: Problem) -> None:
    found, expected = slopes(problem), mapped(problem, 0.0)[1]
    for name in [one.name for one in fields(Bounded) if one.name != "fmt"]:
        assert_same(getattr(found, name) * np.ones((3, 4)), getattr(expected, name))
