"""The layers that ship, against the certified truth: within the bounds, and the accurate one far within them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gradlab.layer.bounds.probable import has_random_errors, probable_bounds
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array
from gradlab.targets.importing import lacking
from gradlab.targets.layers import load_layer
from gradlab.targets.shipped import layers, needs_of
from tests.layer.random_problems import RANGES, random_problem

NAMES = [name for name, (_, module) in layers().items() if not lacking(needs_of(module))]
DTYPES = ("float32", "float64")
MAX_LOGIT = 1e4  # below it G is known to some digits from logits in float64


@cache
def problems(dtype: str) -> tuple[LayerProblem, ...]:
    """Plain problems with labels, of every range, small ones and one of some size."""
    rng = np.random.default_rng(11)
    drawn = [random_problem(rng, dtype, kind) for kind in (*RANGES, *RANGES)]
    sizes = [(70, 9, 40), (33, 65, 3)]
    normal = [
        LayerProblem(
            rng.standard_normal((n, d)).astype(dtype),
            rng.standard_normal((d, k)).astype(dtype),
            rng.standard_normal(k).astype(dtype),
            rng.integers(0, k, n),
        )
        for n, d, k in sizes
    ]
    return tuple(_plain(rng, one) for one in (*drawn, *normal) if one.is_judged)


def _plain(rng: np.random.Generator, problem: LayerProblem) -> LayerProblem:
    labels = rng.integers(0, problem.n_classes, problem.n_rows)
    return problem.replace(objective=Objective(), targets=labels, penalty=Penalty())


def largest(found: Array, exact: object, bound: Array) -> float:
    """The largest error over the bound; 0 where there is no error, or no bound."""
    error = absolute_error(found, exact)  # type: ignore[arg-type]  # Enclosures
    with np.errstate(all="ignore"):
        return float(np.where((error == 0) | np.isinf(bound), 0.0, error / bound).max(initial=0.0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_that_ships_is_within_the_proved_and_the_probable_bounds(name: str, dtype: str) -> None:
    found = load_layer(f"layer:{name}", {})
    for given in problems(dtype):
        problem = adapt_layer_to_claims(found.claims, given)
        answer, truth = evaluate_layer(found, problem), enclose_layer(problem)
        assert answer.fault is None
        bounds = [proved_bounds(problem), *([probable_bounds(problem)] if has_random_errors(problem) else [])]
        for bound in bounds:
            for output in OUTPUTS:
                ratio = largest(answer.outputs[output], truth.output(output), bound.output(output).error)
                assert ratio <= 1, (output, problem.features.shape, ratio)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_accurate_layer_is_right_to_the_terms_of_its_sums(dtype: str) -> None:
    """In float32 to half a unit of itself, in float64 to two of the sum of the sizes: |G| |W|^T, |X|^T |G| and |G|."""
    found = load_layer("layer:layer_accurate", {})
    known = [one for one in problems(dtype) if dtype == "float32" or _largest_logit(one) < MAX_LOGIT]
    assert len(known) >= 12
    for given in known:
        problem = adapt_layer_to_claims(found.claims, given)
        answer, truth = evaluate_layer(found, problem), enclose_layer(problem)
        for output, bound in _allowed(problem).items():
            ratio = largest(answer.outputs[output], truth.output(output), bound)
            assert ratio <= 1, (output, problem.features.shape, ratio)


def _largest_logit(problem: LayerProblem) -> float:
    return float(np.abs(problem.float64_logits[np.isfinite(problem.float64_logits)]).max(initial=0))


def _allowed(problem: LayerProblem) -> dict[str, Array]:
    truth, fmt = enclose_layer(problem), problem.format
    if fmt.name == "float32":
        exact = {output: np.abs(truth.output(output).nearest()) for output in OUTPUTS}
        return {output: 1.01 * fmt.unit_roundoff * one + fmt.smallest_subnormal for output, one in exact.items()}
    g = np.abs(enclose(problem.at_logits(problem.float64_logits)).gradient.nearest())
    features, weight = np.abs(problem.features64), np.abs(problem.weight64)
    sizes = {"dX": g @ weight.T, "dW": features.T @ g, "db": g.sum(0), "loss": np.abs(truth.loss.nearest())}
    return {output: 4 * fmt.unit_roundoff * one + fmt.smallest_normal for output, one in sizes.items()}


@pytest.mark.parametrize("offset", [2.0**20, 2.0**33, 2.0**45])
def test_an_offset_of_all_logits_costs_the_accurate_layer_nothing(offset: float) -> None:
    """The features and the weight are such that all offsets, and the logits, are exact sums of their bits."""
    rng = np.random.default_rng(4)
    features, weight = rng.integers(-8, 8, (6, 3)) / 8.0, rng.integers(-64, 64, (3, 5)) / 16.0
    plain = LayerProblem(features, weight, np.zeros(5), rng.integers(0, 5, 6))
    raised = plain.replace(
        features=np.hstack([features, np.ones((6, 1))]), weight=np.vstack([weight, np.full(5, offset)])
    )
    found = load_layer("layer:layer_accurate", {})
    near, far = evaluate_layer(found, plain), evaluate_layer(found, raised)
    np.testing.assert_array_equal(near.outputs["dW"], far.outputs["dW"][:-1])
    truth = enclose_layer(raised)
    assert largest(far.outputs["db"], truth.db, 4 * 2.0**-53 * np.abs(far.outputs["db"])) <= 1
    assert largest(far.outputs["loss"], truth.loss, 4 * 2.0**-53 * np.abs(far.outputs["loss"])) <= 1
