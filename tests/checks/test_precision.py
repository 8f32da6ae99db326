"""Half precision with float32 inside: recognised by the answers, or claimed; sound code of all kinds passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import run
from gradlab.checks.precision import Inside, accumulation, recognise
from gradlab.checks.table import check_named
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.shifted import shifted
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import FAMILIES, problems_in
from gradlab.problems.problem import Array
from gradlab.result import largest_ratio

HALF = ("bfloat16", "float16")
NAMES = ("loss_is_as_accurate_as_the_gradient", "gradient_is_as_accurate_as_the_loss")


def float32_inside(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, gradient = shifted(logits.astype(np.float32), labels)
    return loss.astype(logits.dtype), gradient.astype(logits.dtype)


def float32_answers(logits: Array, labels: Array) -> tuple[Any, Array]:
    loss, gradient = shifted(logits.astype(np.float32), labels)
    return loss, gradient


def probabilities_rounded(logits: Array, labels: Array) -> tuple[Any, Array]:
    """p goes into half precision before 1 is subtracted there, and 1/N is a number of it."""
    x, rows, one = logits.astype(np.float32), np.arange(len(labels)), logits.dtype.type(1)
    d = x - x.max(axis=1, keepdims=True)
    sums = np.exp(d).sum(axis=1, keepdims=True)
    p = (np.exp(d) / sums).astype(logits.dtype)
    p[rows, labels] -= one
    return float((np.log(sums[:, 0]) - d[rows, labels]).mean()), p * (one / logits.dtype.type(len(labels)))


def log_probabilities_rounded(logits: Array, labels: Array) -> tuple[Any, Array]:
    """S, log p and every answer are of half precision, as torch has them."""
    rows, one = np.arange(len(labels)), logits.dtype.type(1)
    d = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(d).astype(np.float32).sum(axis=1, keepdims=True).astype(logits.dtype)
    log_p = d - np.log(sums)
    gradient = np.exp(log_p)
    gradient[rows, labels] -= one
    loss = (-log_p[rows, labels]).astype(np.float32).mean().astype(logits.dtype)
    return loss, gradient / logits.dtype.type(len(rows))


def exponentials_rounded(logits: Array, labels: Array) -> tuple[Any, Array]:
    """Everything but the sum is of half precision."""
    rows, one = np.arange(len(labels)), logits.dtype.type(1)
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    sums = e.astype(np.float32).sum(axis=1, keepdims=True).astype(logits.dtype)
    gradient = e / sums
    gradient[rows, labels] -= one
    losses = np.log(sums[:, 0]) - d[rows, labels]
    return losses.astype(np.float32).mean().astype(logits.dtype), gradient / logits.dtype.type(len(rows))


SOUND = (
    float32_inside,
    float32_answers,
    probabilities_rounded,
    log_probabilities_rounded,
    exponentials_rounded,
)


def implementation_of(function: Callable[..., Any], **claims: Any) -> Implementation:
    return Implementation(function.__name__, function, claims_from({"dtypes": HALF, **claims}))


def worst(implementation: Implementation, dtype: str) -> float:
    """The largest ratio of both checks on the quick families."""
    drawn = [p for one in FAMILIES if one.profile == "quick" for p in problems_in(one, format_of(dtype), 3)]
    asked = [adapt_to_claims(implementation.claims, problem) for problem in drawn if problem.logits.size < 10_000]
    checks = [check_named(name) for name in NAMES]
    found = [(check, p) for p in asked for check in checks if check.applies(implementation.claims, p)]
    return max(largest_ratio(run(check, implementation, problem)) for check, problem in found)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("function", SOUND, ids=lambda function: function.__name__)
def test_sound_half_precision_of_every_kind_passes(function: Callable[..., Any], dtype: str) -> None:
    assert worst(implementation_of(function), dtype) <= 1


@pytest.mark.parametrize("dtype", HALF)
def test_float32_inside_is_recognised(dtype: str) -> None:
    implementation = implementation_of(float32_inside)
    assert recognise(implementation, dtype) == Inside(loss=True, gradient=True)
    assert accumulation(implementation, dtype) == "float32"


def off_by(factor: float) -> Callable[..., Any]:
    """Loss and gradient too large by a factor: nothing tells that they are worked out in float32."""

    def off(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = shifted(logits.astype(np.float32), labels)
        wrong = np.float32(factor)
        return (wrong * loss).astype(logits.dtype), (wrong * gradient).astype(logits.dtype)

    return off


@pytest.mark.parametrize("dtype", HALF)
def test_where_nothing_is_recognised_the_claim_says_it(dtype: str) -> None:
    both = off_by(1.015)
    assert accumulation(implementation_of(both), dtype) == dtype
    assert worst(implementation_of(both), dtype) == 0
    assert worst(implementation_of(both, accumulates_in="float32"), dtype) > 1


def test_a_claim_of_another_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="accumulates_in must be one of recognised, float32, logits, got 'float8'"):
        claims_from({"accumulates_in": "float8"})
