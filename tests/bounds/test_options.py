"""No faithful implementation of a logit map or a row's term exceeds its bound, in whichever sound way it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order, loss_bound
from gradlab.bounds.conditioning import rows_in_range
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from tests.bounds.ratios import ULPS, any_form_bounds, exceeding, forward_bounds, worst_ratios

WEIGHTS = (0.3, 2.0, 1.7, 0.01, 1.0)

OBJECTIVES = {
    "softcap": Objective("none", softcap=2.0),
    "a softcap that is wide": Objective(softcap=30.0),
    "a softcap of 1/3": Objective("sum", softcap=1 / 3),
    "temperature": Objective(temperature=0.7),
    "temperature, high": Objective("none", temperature=3.1),
    "z_loss": Objective("none", z_loss=0.3),
    "z_loss, small": Objective(z_loss=1e-4),
    "z_loss, ignoring": Objective(z_loss=2.0, ignore_index=-7),
    "poly_epsilon": Objective("none", poly_epsilon=2.3),
    "poly_epsilon, probabilities": Objective("none", "probability", poly_epsilon=-1.0),
    "maps": Objective("none", softcap=5.0, temperature=0.3),
    "everything": Objective("sum", "index", 0.1, WEIGHTS, None, 20.0, 0.6, 0.2, 1.5),
    "everything, probabilities": Objective("none", "probability", 0.25, WEIGHTS, None, 20.0, 1.6, 0.01, -0.5),
}

Row = Callable[[Array, Array], tuple[Array, Array]]
Strain = Callable[[str, int, Objective, bool], Problem]
Answer = Callable[[Problem, Any, int], tuple[Array, Array]]


@dataclass(frozen=True)
class Way:
    """One sound way of writing the options: how the slope of tanh, the temperature and the sum of G_j are written."""

    slope: Callable[[Array, Array, Any], Array]
    divided: Callable[[Array, Any], Array]
    shifted_first: bool
    added: Callable[[Array, Array, Array, Array], Array]


def less_square(a: Array, bent: Array, exact: Any) -> Array:
    return np.asarray(1 - bent * bent)


def of_two_factors(a: Array, bent: Array, exact: Any) -> Array:
    return np.asarray((1 - bent) * (1 + bent))


def of_exponentials(a: Array, bent: Array, exact: Any) -> Array:
    e = exact.exp(-2 * np.abs(a))
    return np.asarray(4 * e / ((1 + e) * (1 + e)))


def by_quotient(x: Array, t: Any) -> Array:
    return np.asarray(x / t)


def by_reciprocal(x: Array, t: Any) -> Array:
    return np.asarray(x * (x.dtype.type(1) / t))


def one_after_another(a: Array, p: Array, t: Array, more: Array) -> Array:
    return np.asarray((a * p - t) + more * p)


def factors_of_p_first(a: Array, p: Array, t: Array, more: Array) -> Array:
    return np.asarray((a + more) * p - t)


WAYS = {
    "as defined": Way(less_square, by_quotient, False, one_after_another),
    "other products": Way(of_two_factors, by_reciprocal, False, factors_of_p_first),
    "after the shift": Way(of_exponentials, by_quotient, True, one_after_another),
}


def written(way: Way, rows: Any, objective: Objective) -> Any:
    """The algorithm `rows` with the objective's maps and terms, every step in the logits' dtype."""

    def algorithm(logits: Array, t: Array, exact: Any) -> tuple[Array, Array]:
        number = logits.dtype.type
        x, slope = logits, np.ones((), logits.dtype)
        if objective.softcap < np.inf:
            c = number(objective.softcap)
            bent = exact._off(np.tanh((x / c).astype(np.float64)), logits.dtype)
            slope, x = way.slope(x / c, bent, exact), c * bent
        top = x.max(axis=1, keepdims=True)
        if objective.temperature != 1:
            tau = number(objective.temperature)
            x = way.divided(x - top if way.shifted_first else x, tau)
            top = way.divided(top, tau)
            slope = way.divided(np.asarray(slope), tau)
        losses, gradient = rows(x, t, exact)
        d = x - x.max(axis=1, keepdims=True)
        e = exact.exp(d)
        wide = e.astype(np.float32) if e.itemsize < 4 else e
        s = wide.sum(axis=1, keepdims=True).astype(x.dtype)
        p, mass = e / s, t.sum(axis=1, keepdims=True)
        if objective.z_loss:
            factor, lse = number(objective.z_loss), top + exact.log(s)
            losses = losses + (factor * lse * lse)[:, 0]
            gradient = way.added(mass, p, t, 2 * factor * lse) if way.shifted_first else gradient + 2 * factor * lse * p
        if objective.poly_epsilon:
            factor, m = number(objective.poly_epsilon), (t * p).sum(axis=1, keepdims=True)
            losses = losses + factor * (mass - m)[:, 0]
            gradient = gradient - factor * (p * (t - m))
        return losses, gradient * slope

    return algorithm


@pytest.mark.parametrize("n_classes", [1, 2, 5, 40])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", OBJECTIVES)
@pytest.mark.parametrize("dtype_name", DTYPE_NAMES)
def test_the_standard_algorithm_with_options_is_within_the_forward_bound(
    dtype_name: str, case: str, way: str, n_classes: int, strain: Strain, answer: Answer, forms: dict[str, Any]
) -> None:
    problem = within_range(strain(dtype_name, n_classes, OBJECTIVES[case], False))
    names = ("quotient", "log_space", "complement", "one_pass", "quotient_in_base_two")
    tried = {form: written(WAYS[way], forms[form], problem.objective) for form in names}
    assert exceeding(problem, tried, forward_bounds(problem), answer) == []


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("case", OBJECTIVES)
@pytest.mark.parametrize("dtype_name", DTYPE_NAMES)
def test_all_forms_with_options_are_within_their_bound_on_moderate_logits(
    dtype_name: str, case: str, n_classes: int, strain: Strain, answer: Answer, forms: dict[str, Any]
) -> None:
    problem = moderate_rows(strain(dtype_name, n_classes, OBJECTIVES[case], True))
    tried = {name: written(WAYS["as defined"], form, problem.objective) for name, form in forms.items()}
    assert exceeding(problem, tried, any_form_bounds(problem), answer) == []


@pytest.mark.parametrize("case", ["softcap", "temperature", "z_loss", "poly_epsilon", "maps"])
@pytest.mark.parametrize("dtype_name", ["float32", "float64"])
def test_the_forward_bound_with_options_is_within_a_factor_of_sixty_of_what_happens(
    dtype_name: str, case: str, strain: Strain, answer: Answer, forms: dict[str, Any]
) -> None:
    problem = strain(dtype_name, 2, OBJECTIVES[case], True)
    found = [answer(problem, written(WAYS["as defined"], forms["log_space"], problem.objective), u) for u in ULPS]
    of_loss, of_gradient = worst_ratios(problem, found, forward_bounds(problem))
    assert of_loss.max() > 1 / 60
    assert of_gradient.max() > 1 / 60


def test_rows_that_a_map_takes_out_of_range_have_no_bound() -> None:
    problem = Problem(np.array([[0, 1], [3e38, 0]], dtype=np.float32), np.array([0, 1]), Objective(temperature=0.5))
    assert rows_in_range(problem).tolist() == [True, False]
    assert np.isinf(first_order.forward_gradient(problem)[0]).tolist() == [[False, False], [True, True]]
    assert np.isinf(loss_bound(problem)[0])


def test_rows_whose_squared_log_sum_exp_overflows_have_no_bound_although_the_term_does_not() -> None:
    logits = np.array([[0, 1], [1e20, 0]], dtype=np.float32)
    problem = Problem(logits, np.array([0, 0]), Objective("none", z_loss=1e-4))
    assert rows_in_range(problem).tolist() == [True, False]
    assert np.isinf(loss_bound(problem)[0]).tolist() == [False, True]


@cache
def within_range(problem: Problem) -> Problem:
    return part(problem, np.flatnonzero(rows_in_range(problem)).tolist())


@cache
def moderate_rows(problem: Problem) -> Problem:
    return part(problem, [place for place in range(problem.n_rows) if part(problem, [place]).is_moderate])


def part(problem: Problem, rows: list[int]) -> Problem:
    return problem.replace(logits=problem.logits[rows], targets=problem.targets[rows])
