"""The probable bounds of the layer: sound code stays below them, and they notice what the proved ones do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.layer.bounds.arithmetic import arithmetic
from gradlab.layer.bounds.computed import Sizes, computed_problem
from gradlab.layer.bounds.outputs import Triple
from gradlab.layer.bounds.probable import LAMBDA, has_random_errors, probable_bounds
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.bounds.walks import partial_sums
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array
from tools.layer.forms import FORMS, Form, compute, one_after_another, shuffled
from tools.layer.ratios import draw_problem, largest_ratios, survey
from tools.layer.sensitivity import made_problem, smallest_noticed

LONG = made_problem("float32", (1000, 20, 12))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_sound_code_is_within_both_bounds(dtype: str) -> None:
    largest, counts = survey(dtype, range(4))
    assert counts["proved"] == 4
    assert all(ratio <= 1 for ratio in largest.values())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("by_label", [False, True], ids=["as they come", "sorted by label"])
def test_long_sums_are_within_the_probable_bounds(form: Any, by_label: bool) -> None:
    problem = LONG.replace(targets=np.sort(LONG.targets)) if by_label else LONG
    assert has_random_errors(problem)
    ratios = largest_ratios(compute(form, problem), enclose_layer(problem), probable_bounds(problem))
    assert max(ratios.values()) <= 1


def test_they_are_much_narrower_where_sums_are_long() -> None:
    probable, proved = probable_bounds(LONG), proved_bounds(LONG)
    for name in OUTPUTS:
        assert (probable.output(name).error <= proved.output(name).error).all()
    assert (probable.dW.error < proved.dW.error / 5).all()
    assert (probable.db.error < proved.db.error / 3).all()
    assert "2^-40" in probable.dW.source


def test_they_notice_what_the_proved_bounds_do_not() -> None:
    truth, found = enclose_layer(LONG), compute(FORMS[0], LONG)
    found["dW"] = found["dW"] + 2 * probable_bounds(LONG).dW.error.astype(np.float32)
    assert largest_ratios(found, truth, proved_bounds(LONG))["dW"] < 1
    assert largest_ratios(found, truth, probable_bounds(LONG))["dW"] > 1


def rounded_down(values: Array, bits: int) -> Array:
    """The values cut off, not rounded, after so many bits."""
    fraction, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.floor(np.ldexp(fraction, bits)), exponent - bits))


def test_sums_that_are_cut_off_and_not_rounded_are_noticed() -> None:
    rng = np.random.default_rng(4)
    n_rows = 8_000
    labels = np.zeros(n_rows, int)  # so that the partial sums only grow
    problem = LayerProblem(1 + rng.random((n_rows, 1)), 0.1 * rng.random((1, 2)), None, labels)
    problem = problem.replace(features=problem.features.astype("f4"), weight=problem.weight.astype("f4"))
    found, truth = compute(FORMS[0], problem), enclose_layer(problem)
    logits = problem.float64_logits
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    G = p - np.eye(2)[problem.targets]
    total = np.zeros((1, 2))
    for row in range(n_rows):
        total = rounded_down(total + problem.features64[row][:, None] * G[row], 24)
    assert largest_ratios(found, truth, probable_bounds(problem))["dW"] <= 1
    found["dW"] = (total / n_rows).astype(np.float32)
    assert largest_ratios(found, truth, proved_bounds(problem))["dW"] <= 1
    assert largest_ratios(found, truth, probable_bounds(problem))["dW"] > 1


@pytest.mark.parametrize(
    "changes",
    [
        {"features": np.repeat(LONG.features[:1], 1000, axis=0)},
        {"features": (LONG.features > 0).astype(np.float32)},
        {"weight": np.ones_like(LONG.weight)},
        {"weight": 1e4 * LONG.weight},
        {"objective": Objective(temperature=2.0)},
        {"features": np.where(np.arange(1000)[:, None] == 3, np.float32(np.nan), LONG.features)},
    ],
    ids=["equal rows", "binary features", "equal weights", "huge logits", "temperature", "nan"],
)
def test_they_are_not_for_problems_whose_errors_are_not_random(changes: dict[str, Any]) -> None:
    assert has_random_errors(LONG)
    assert not has_random_errors(LONG.replace(**changes))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sums_of_equal_terms_are_within_the_probable_bounds(smoothing: float) -> None:
    """Those of the labels' part of db, 1/N and eps/K, and of a feature of ones: their errors have one sign."""
    rng = np.random.default_rng(9)
    features = rng.standard_normal((7001, 9)).astype(np.float32)
    features[:, 4] = 1.0
    weight = (0.1 * rng.standard_normal((9, 2))).astype(np.float32)
    labels = (rng.random(7001) < 0.02).astype(int)
    problem = LayerProblem(features, weight, None, labels, Objective(label_smoothing=smoothing))
    assert has_random_errors(problem)
    truth, bounds = enclose_layer(problem), probable_bounds(problem)
    for form in (Form("in order", one_after_another, split=True), Form("shuffled", shuffled, split=True)):
        found = compute(form, problem)
        assert max(largest_ratios(found, truth, bounds).values()) <= 1
        if form.name == "in order":
            error = absolute_error(found["db"], truth.db)
            assert (error > 0.3 * _without_repeated(problem).db).any()  # the random part alone is hardly enough


def _without_repeated(problem: LayerProblem) -> Triple:
    rows = Sizes(problem, arithmetic(problem.format))
    walks = partial_sums(rows, computed_problem(rows, 0.0), LAMBDA)
    sizes = LAMBDA * 2.0**-24 * walks.random
    return Triple(np.zeros(problem.features.shape), sizes[:-1], sizes[-1])


def test_a_penalty_is_allowed() -> None:
    problem = LONG.replace(penalty=Penalty(0.01))
    assert has_random_errors(problem)
    assert (
        max(largest_ratios(compute(FORMS[0], problem), enclose_layer(problem), probable_bounds(problem)).values()) <= 1
    )


def test_a_claim_of_wider_sums_makes_them_narrower() -> None:
    wide, own = probable_bounds(LONG, "float64"), probable_bounds(LONG)
    assert (wide.dW.error < own.dW.error).all()


def test_a_bridge_times_a_normal_number_is_as_rare_as_said() -> None:
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((20_000, 256))
    walks = np.cumsum(steps, axis=1) / 16
    bridges = walks - np.arange(1, 257) / 256 * walks[:, -1:]
    products = np.sqrt((bridges**2).mean(axis=1)) * np.abs(rng.standard_normal(20_000))
    for z in (0.8, 1.2, 1.6):
        rate = (products > z).mean()
        assert math.exp(-math.pi * z) / 4 < rate < 4 * math.exp(-math.pi * z)


def test_errors_of_sums_in_random_orders_are_within_the_walks() -> None:
    problem = made_problem("float64", (500, 3, 4))
    sizes = Sizes(problem, arithmetic(problem.format))
    allowed = LAMBDA * partial_sums(sizes, computed_problem(sizes, 0.0), LAMBDA).random
    logits = problem.float64_logits
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    terms = problem.features64[:, :, None] * (p - np.eye(4)[problem.targets])[:, None] / problem.n_rows
    rng = np.random.default_rng(1)
    for _ in range(200):
        sums = np.cumsum(terms[rng.permutation(500)], axis=0)
        errors = (sums * rng.uniform(-1, 1, sums.shape)).sum(axis=0)
        assert (np.abs(errors) < allowed[:-1]).all()


def test_the_smallest_error_that_is_noticed_is_the_smallest_bound() -> None:
    truth, bounds = enclose_layer(LONG), probable_bounds(LONG)
    least, _ = smallest_noticed(compute(FORMS[0], LONG)["dW"], truth.dW, bounds.dW)
    assert least == pytest.approx(bounds.dW.error.min(), rel=0.05)


def test_drawn_problems_have_the_dtype_that_is_asked_for() -> None:
    assert draw_problem(np.random.default_rng(0), "bfloat16").features.dtype == as_dtype("bfloat16")
