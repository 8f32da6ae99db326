"""The bounds of level accurate at the layer: an accurate layer is within them at every margin, a plain one is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradlab.implementations.layer_accurate import layer_accurate
from gradlab.layer.bounds.accurate import accurate_bounds
from gradlab.layer.bounds.outputs import LayerBounds
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.problems.objective import Objective
from tools.layer.forms import FORMS, Outputs, compute
from tools.layer.ratios import largest_ratios


def confident_problem(dtype: str, margin: float) -> LayerProblem:
    """A head that is right with a margin of this size in most rows: the features point to the label's weights."""
    rng = np.random.default_rng(int(margin))
    weight = rng.standard_normal((16, 12))
    labels = rng.integers(0, 12, 40)
    features = weight.T[labels] * margin / (weight**2).sum(axis=0)[labels, None]
    features += 0.05 * margin * rng.standard_normal(features.shape) / 4
    bias = 0.1 * rng.standard_normal(12)
    return LayerProblem(features.astype(dtype), weight.astype(dtype), bias.astype(dtype), labels)


def answers(problem: LayerProblem) -> Outputs:
    found = layer_accurate(problem.features, problem.weight, problem.bias, problem.targets)
    return {name: np.asarray(one) for name, one in zip(OUTPUTS, found, strict=True)}


def ratios(found: Outputs, problem: LayerProblem, bounds: LayerBounds) -> dict[str, float]:
    return largest_ratios(found, enclose_layer(problem), bounds)


@pytest.mark.parametrize("margin", [1.0, 6.0, 10.0, 17.0, 40.0, 90.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_accurate_layer_is_within_them_at_every_margin(dtype: str, margin: float) -> None:
    problem = confident_problem(dtype, margin)
    assert max(ratios(answers(problem), problem, accurate_bounds(problem)).values()) <= 1


@pytest.mark.parametrize("margin", [17.0, 40.0])
def test_a_plain_layer_is_beyond_them_where_its_classes_are_certain(margin: float) -> None:
    problem = confident_problem("float32", margin)
    found = compute(FORMS[0], problem)
    assert max(ratios(found, problem, proved_bounds(problem)).values()) <= 1
    assert ratios(found, problem, accurate_bounds(problem))["dW"] > 10


def test_an_accurate_gradient_by_the_logits_and_plain_products_are_enough() -> None:
    problem = confident_problem("float32", 17.0)
    logits = problem.features @ problem.weight + problem.bias
    wide = logits.astype(np.float64)
    p = np.exp(wide - wide.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    label = (np.arange(problem.n_rows), problem.targets)
    p[label] = 0.0
    p[label] = -p.sum(axis=1)
    G = (p / problem.n_rows).astype(np.float32)
    found = {**answers(problem), "dX": G @ problem.weight.T, "dW": problem.features.T @ G, "db": G.sum(axis=0)}
    assert max(ratios(found, problem, accurate_bounds(problem)).values()) <= 1


def test_they_are_never_above_the_proved_ones() -> None:
    for margin in (1.0, 17.0):
        problem = confident_problem("float32", margin)
        for one, other in zip(accurate_bounds(problem), proved_bounds(problem), strict=True):
            assert (one.error <= other.error).all()


def test_they_are_the_proved_ones_with_an_option_of_one_number() -> None:
    problem = replace(confident_problem("float32", 6.0), objective=Objective(temperature=2.0))
    for one, other in zip(accurate_bounds(problem), proved_bounds(problem), strict=True):
        assert one.error.tolist() == other.error.tolist()


@pytest.mark.parametrize("objective", [Objective(label_smoothing=0.1), Objective("sum", class_weights=(2.0,) * 12)])
def test_they_hold_with_rules_of_coefficients_and_a_penalty(objective: Objective) -> None:
    problem = replace(confident_problem("float32", 2.0), objective=objective, penalty=Penalty(0.01))
    found = compute(replace(FORMS[0], inside="float64"), problem)
    assert max(ratios(found, problem, accurate_bounds(problem)).values()) <= 1
