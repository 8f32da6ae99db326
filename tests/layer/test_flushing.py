"""A layer that flushes subnormal numbers to 0, as XLA does, is right where it claims that, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.checks.layer.outputs import bounds_of, outputs_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from tests.layer_claims import claims_of_all, questions


def _flushed(values: Any) -> Any:
    values = np.asarray(values)
    return np.where(np.abs(values) < np.finfo(values.dtype).smallest_normal, values.dtype.type(0), values)


def flushing(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    """Operands and results below the smallest normal number are 0."""
    X, W, b = (_flushed(one) for one in (X, W, b))
    n, z = X.dtype.type(len(X)), _flushed(X @ W + b)
    z = z - z.max(axis=1, keepdims=True)
    e = _flushed(np.exp(z))
    sums = e.sum(axis=1, keepdims=True)
    g = _flushed(e / sums)
    loss = (np.log(sums[:, 0]) - z[np.arange(len(X)), labels]).mean()
    g[np.arange(len(X)), labels] -= 1
    g = _flushed(g / n)
    slope = X.dtype.type(l2)
    penalty = slope / 2 * (W * W).sum() if l2 else 0
    d_w = X.T @ g + (slope * W if l2 else 0)
    return tuple(_flushed(one) for one in (X.dtype.type(loss + penalty), g @ W.T, d_w, g.sum(axis=0)))


FAR = LayerProblem(
    np.array([[1, -2, 1, -1]], np.float32),
    np.array([[200, 100, -200], [0, -200, -200], [100, 0, -200], [-200, -100, -100]], np.float32),
    np.zeros(3, np.float32),
    np.array([2]),
)


def _is_right(problem: LayerProblem, *, claims_it: bool) -> bool:
    claims = claims_of_all("float32", flushes_subnormals=claims_it)
    layer = Implementation("flushing", flushing, claims)
    seen, truth, bounds = outputs_of(layer, problem), enclose_layer(problem), bounds_of(layer, problem)
    return all(
        (np.abs(seen[name] - truth.output(name).nearest()) <= bounds.output(name).error).all() for name in OUTPUTS
    )


@pytest.mark.parametrize("claims_it", [True, False])
def test_a_probability_that_is_flushed_is_right_where_that_is_claimed(claims_it: bool) -> None:
    assert _is_right(FAR, claims_it=claims_it) is claims_it


def test_a_layer_that_flushes_is_right_on_all_families() -> None:
    asked = [one.problem for one in questions("float32", ()) if one.problem.is_judged and one.problem.n_rows]
    assert len(asked) > 30
    assert [one.family for one in asked if not _is_right(one, claims_it=True)] == []


def test_flushing_does_not_loosen_what_is_far_above_the_smallest_normal_number() -> None:
    problem = next(one.problem for one in questions("float32", ()) if one.problem.n_rows > 3)
    plain, flushed = (
        bounds_of(Implementation("flushing", flushing, claims_of_all("float32", flushes_subnormals=one)), problem)
        for one in (False, True)
    )
    for name in OUTPUTS:
        np.testing.assert_allclose(flushed.output(name).error, plain.output(name).error, rtol=1e-6, atol=1e-30)
