"""No faithful way of writing a Hessian, its diagonal, its product or a target gradient exceeds the bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import derivative_bound, flushed_bound, second_order
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.vectors import KINDS, with_vector
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

STANDARD = ("quotient", "log_space", "one_pass", "complement", "quotient_in_base_two", "log_space_in_base_two")
MODERATE = (*STANDARD, "textbook", "log_of_quotient", "shifted_by_the_batch", "log_sum_exp", "log_sum_exp_in_base_two")
ULPS = (3, -3)  # on top of the rounding: 3.5 ULP in all, where BETA allows 4

Answer = Callable[[Problem, Any, int], tuple[Array, Array]]
Strain = Callable[[str, int, Objective, bool], Problem]
Forms = dict[str, Any]


def summed(terms: Array) -> Array:
    """The sum over the last axis, in float32 at least, rounded to the terms' dtype; kept as an axis."""
    wide = terms.astype(np.float32) if terms.itemsize < 4 else terms
    return np.asarray(wide.sum(axis=-1, keepdims=True).astype(terms.dtype))


def probabilities(problem: Problem, form: Any, how: tuple[Answer, int]) -> Array:
    """p_j as a form computes it: its gradient at another label, where t_j is 0."""
    answer, ulps = how
    plain = problem.replace(targets=np.zeros(problem.n_rows, dtype=np.int64), objective=Objective("none"))
    first = answer(plain, form, ulps)[1]
    if problem.n_classes == 1:
        return np.asarray(first + first.dtype.type(1))
    second = answer(plain.replace(targets=np.ones(problem.n_rows, dtype=np.int64)), form, ulps)[1]
    return np.where(np.arange(problem.n_classes) == 0, second, first)


def log_probabilities(problem: Problem, form: Any, how: tuple[Answer, int]) -> Array:
    """-log p_j as a form computes it: its loss at each label."""
    answer, ulps = how
    plain = problem.replace(targets=np.zeros(problem.n_rows, dtype=np.int64), objective=Objective("none"))
    labels = (np.full(problem.n_rows, j) for j in range(problem.n_classes))
    return np.stack([answer(plain.replace(targets=one), form, ulps)[0] for one in labels], axis=1)


def mass_and_divisor(problem: Problem) -> tuple[Array, Array]:
    """A, (N, 1), and what the batch is divided by, each step in the dtype."""
    dtype, objective = problem.logits.dtype, problem.objective
    q, weights = problem.targets, np.ones(problem.n_classes)
    if objective.targets == "index":
        q = (np.arange(problem.n_classes) == problem.targets[:, None]).astype(dtype)
    if objective.class_weights is not None:
        weights = np.array(objective.class_weights)
    eps, one = np.asarray(objective.label_smoothing, dtype=dtype), np.asarray(1, dtype=dtype)
    smoothed = (one - eps) * q + eps / np.asarray(problem.n_classes, dtype=dtype) if objective.label_smoothing else q
    mass = summed(smoothed * weights.astype(dtype))
    mass[problem.ignored_rows] = 0
    if objective.reduction != "mean":
        return mass, one
    if objective.targets == "index" and objective.class_weights is not None:
        return mass, summed(weights.astype(dtype)[problem.targets[~problem.ignored_rows]])[0]
    return mass, np.asarray(np.sum(~problem.ignored_rows), dtype=dtype)


def others(p: Array) -> Array:
    """The sum of the other probabilities, for each class."""
    away = ~np.eye(p.shape[1], dtype=bool)
    return summed(np.where(away, p[:, None, :], np.zeros((), p.dtype)))[..., 0]


def hessians(p: Array, a: Array, d: Array) -> dict[str, Array]:
    """The Hessian in several ways of writing it."""
    eye, a, one = np.eye(p.shape[1], dtype=p.dtype), a[:, :, None], np.ones((), p.dtype)
    covariance = p[:, :, None] * (eye - p[:, None, :])
    diagonal, outer = p[:, :, None] * eye, p[:, :, None] * p[:, None, :]
    double = np.stack([p * unit - p * summed(p * unit) for unit in eye], axis=2)
    apart = np.where(eye == 1, (p * others(p))[:, :, None], -outer)
    return {
        "A late": a * covariance / d,
        "A early": (a * p[:, :, None]) * (eye - p[:, None, :]) * (one / d),
        "difference of parts": (diagonal - outer) * (a / d),
        "double differentiation": a * (double / d),
        "complement": a * apart / d,
    }


def products(p: Array, v: Array, a: Array, d: Array) -> dict[str, Array]:
    """The product with v in several ways of writing it."""
    one = np.ones((), p.dtype)
    mean = summed(p * v)
    whole = hessians(p, a, d)["complement"]
    shifted = {
        "largest": v - v.max(axis=1, keepdims=True),
        "first": v - v[:, :1],
        "mean": v - mean,
    }
    pairs = p[:, :, None] * p[:, None, :] * (v[:, :, None] - v[:, None, :])
    return {
        "A late": a * (p * (v - mean)) / d,
        "A early": p * (a * v - summed(p * (a * v))) / d,
        "two products": (p * v - p * mean) * (a / d),
        "divided first": p * (v / d - summed(p * (v / d))) * a,
        "p divided first": (p * (one / d)) * (a * (v - mean)),
        "by the Hessian": summed(whole * v[:, None, :])[..., 0],
        "by pairs": a * summed(pairs)[..., 0] / d,
        **{f"less its {name}": a * p * (less - summed(p * less)) / d for name, less in shifted.items()},
    }


def diagonals(p: Array, a: Array, d: Array, moderate: bool) -> dict[str, Array]:
    """The diagonal in several ways of writing it; from 1/4 where what that loses counts for nothing."""
    one, half = np.ones((), p.dtype), np.asarray(0.5, p.dtype)
    from_quarter = {"from 1/4": a * (half * half - (p - half) ** 2) / d} if moderate else {}
    return {
        **from_quarter,
        "one less": a * p * (one - p) / d,
        "square": (p - p * p) * (a / d),
        "complement": a * (p * others(p)) / d,
    }


def worst(problem: Problem, found: dict[str, Array]) -> tuple[float, str]:
    """The largest error over its bound, and in which way of writing: all of them at once."""
    bound, truth = derivative_bound(problem)[0], enclose(problem).derivative
    ratios = (absolute_error(np.stack(list(found.values())), truth) / bound)[:, ~problem.ignored_rows]
    largest = ratios.reshape(len(found), -1).max(axis=1, initial=0.0)
    return float(largest.max()), list(found)[largest.argmax()]


def named(ways: dict[str, Array], *how: object) -> dict[str, Array]:
    """The same under the name of the way and of what else was chosen."""
    return {", ".join(map(str, (way, *how))): values for way, values in ways.items()}


def asking(problem: Problem, derivative: str) -> Problem:
    return problem.replace(objective=replace(problem.objective, derivative=derivative))


@pytest.mark.parametrize("moderate", [True, False])
@pytest.mark.parametrize("n_classes", [1, 2, 5])
@np.errstate(all="ignore")
def test_no_way_of_writing_second_derivatives_exceeds_the_bound(
    dtype: str, objective: Objective, n_classes: int, moderate: bool, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, n_classes, objective, moderate)
    a, d = mass_and_divisor(problem)
    asked = with_vector(problem)
    assert asked.vector is not None
    whole, diagonal, product = dict[str, Array](), dict[str, Array](), dict[str, Array]()
    for form in MODERATE if moderate else STANDARD:
        for ulps in ULPS:
            p = probabilities(problem, forms[form], (answer, ulps))
            whole |= named(hessians(p, a, d), form, ulps)
            diagonal |= named(diagonals(p, a, d, moderate), form, ulps)
            product |= named(products(p, asked.vector, a, d), form, ulps)
    for derivative, ways in {"hessian": whole, "hessian_diagonal": diagonal}.items():
        ratio, way = worst(asking(problem, derivative), ways)
        assert ratio <= 1, (derivative, way)
    if second_order.stays_in_range(asked):
        ratio, way = worst(asked, product)
        assert ratio <= 1, way


@pytest.mark.parametrize("tiny", [False, True])
@pytest.mark.parametrize("moderate", [True, False])
@np.errstate(all="ignore")
def test_no_way_of_weighting_rows_exceeds_the_bound(
    dtype: str, tiny: bool, moderate: bool, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, 5, Objective(), moderate)
    scale = 2.0 ** (problem.format.min_exponent // 4) if tiny else 1.0  # as problems have it
    given = scale * np.resize([0.3, 2.0, 0.0, 1.7, 0.01], problem.n_rows)
    s = given.astype(problem.logits.dtype)[:, None]
    for reduction in ("mean", "none"):
        weights = tuple(s[:, 0].astype(np.float64).tolist())
        weighted = problem.replace(objective=Objective(reduction, sample_weights=weights))
        one = np.ones((), s.dtype)
        d = summed(s[:, 0])[0] if reduction == "mean" else one
        asked = with_vector(weighted)
        assert asked.vector is not None
        whole, diagonal, product = dict[str, Array](), dict[str, Array](), dict[str, Array]()
        for form in MODERATE if moderate else STANDARD:
            p = probabilities(problem, forms[form], (answer, 3))
            for place, (a, divided, late) in enumerate(
                ((s, d, one), (s / d, one, one), (np.ones_like(s), one, s / d), (s, one, one / d))
            ):
                second = hessians(p, a, divided)
                whole |= named(
                    {way: values * np.asarray(late)[..., None] for way, values in second.items()}, form, place
                )
                straight = diagonals(p, a, divided, moderate)
                diagonal |= named({way: values * late for way, values in straight.items()}, form, place)
                made = products(p, asked.vector, a, divided)
                product |= named({way: values * late for way, values in made.items()}, form, place)
        for derivative, ways in {"hessian": whole, "hessian_diagonal": diagonal}.items():
            ratio, way = worst(asking(weighted, derivative), ways)
            assert ratio <= 1, (derivative, way)
        if second_order.stays_in_range(asked):
            ratio, way = worst(asked, product)
            assert ratio <= 1, way


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weights", [None, (0.3, 2.0, 1.7, 0.01, 1.0)])
@pytest.mark.parametrize("moderate", [True, False])
@np.errstate(all="ignore")
def test_no_way_of_writing_the_target_gradient_exceeds_the_bound(
    dtype: str, smoothing: float, weights: Any, moderate: bool, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, 5, Objective("mean", "probability", smoothing, weights), moderate)
    asked = asking(problem, "target_gradient")
    number = problem.logits.dtype.type
    share = np.ones(5, dtype=number) if weights is None else np.array(weights).astype(number)
    d = number(problem.n_rows)
    found = dict[str, Array]()
    for form in MODERATE if moderate else STANDARD:
        for ulps in ULPS:
            nll = log_probabilities(problem, forms[form], (answer, ulps))
            ways = {
                "late": share * number(1 - smoothing) * nll / d,
                "early": (share * (number(1) - number(smoothing)) / d) * nll,
                "in turn": (nll * share) * (number(1 - smoothing) / d),
            }
            found |= named(ways, form, ulps)
    ratio, way = worst(asked, found)
    assert ratio <= 1, way


@pytest.mark.parametrize("kind", KINDS)
@np.errstate(all="ignore")
def test_no_kind_of_vector_exceeds_the_bound(
    kind: str, dtype: str, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, 5, Objective(), False)
    rng, fmt = np.random.default_rng(1), format_of(dtype)
    vector = np.array([KINDS[kind](fmt, rng, 5) for _ in range(problem.n_rows)]).astype(problem.logits.dtype)
    asked = problem.replace(objective=Objective(derivative="hessian_vector_product"), vector=vector)
    a, d = mass_and_divisor(problem)
    found = dict[str, Array]()
    for form in STANDARD:
        found |= named(products(probabilities(problem, forms[form], (answer, 3)), vector, a, d), form)
    ratio, way = worst(asked, found)
    assert ratio <= 1, way


@np.errstate(all="ignore")
def test_the_bounds_are_within_a_factor_of_fifty_of_what_happens(
    dtype: str, strain: Strain, answer: Answer, forms: Forms
) -> None:
    problem = strain(dtype, 2, Objective("none"), False)
    a, d = mass_and_divisor(problem)
    found = dict[str, Array]()
    for form in STANDARD[:2]:
        for ulps in ULPS:
            found |= named(hessians(probabilities(problem, forms[form], (answer, ulps)), a, d), form, ulps)
    assert worst(asking(problem, "hessian"), found)[0] > 1 / 50


def wrong_diagonals(p: Array) -> dict[str, Array]:
    return {"p": p, "squared": p * p, "doubled": 2 * p * (1 - p), "negative": p * (p - 1)}


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("precise", ["float32", "float64"])
def test_a_wrong_diagonal_exceeds_the_bound(precise: str, n_classes: int, strain: Strain) -> None:
    problem = asking(strain(precise, n_classes, Objective("none"), True), "hessian_diagonal")
    p = np.exp(problem.logits64 - problem.logits64.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    for values in wrong_diagonals(p).values():
        assert worst(problem, {"": values.astype(problem.logits.dtype)})[0] > 1


def test_a_subnormal_number_flushed_to_zero_is_within_what_that_may_cost(dtype: str, strain: Strain) -> None:
    problem = asking(strain(dtype, 5, Objective(), False), "hessian_diagonal")
    exact, fmt = enclose(problem).derivative.nearest(), format_of(dtype)
    flushed = np.where(np.abs(exact) < fmt.smallest_normal, 0.0, exact)
    assert (np.abs(flushed - exact) <= flushed_bound(problem)).all()


def test_a_product_with_a_vector_near_the_largest_number_is_not_asked() -> None:
    objective = Objective(derivative="hessian_vector_product")
    problem = Problem(np.zeros((1, 2)), np.array([0]), objective, vector=np.full((1, 2), 1e308))
    assert not second_order.stays_in_range(problem)
    assert second_order.stays_in_range(problem.replace(vector=np.full((1, 2), 1e300)))
