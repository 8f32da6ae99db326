"""The backward pass of code that a framework differentiates: the gradient that arrives, and how often it is asked.

Upstream gradients here are powers of two, by which floating-point numbers are multiplied and divided exactly: what
comes back is divided by them again, and held to the same bound as the plain gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.checks.accuracy import derivative_against, loss_against
from gradlab.checks.check import Findings, Values, values_of
from gradlab.evaluation.call import Implementation, answer_to_call, call_for
from gradlab.problems.problem import PRODUCT, Problem

FACTOR = -2.0  # of both another size and another sign
LOSS_SCALES = {"float16": 2.0**15, "bfloat16": 2.0**16}  # the usual ones of mixed precision; float16 ends at 65504


def upstream_gradient_multiplies_the_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """With an upstream gradient of -2 for the loss, the gradient is -2 times that of the loss."""
    return _scaled(implementation, problem, FACTOR)


def scaled_loss_gives_the_same_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """With the loss scale of mixed precision, 2^16, or 2^15 in float16, the gradient is right once it is divided."""
    return _scaled(implementation, problem, LOSS_SCALES[problem.format.name])


def second_backward_pass_gives_the_same_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """A second backward pass through the same graph, with the same upstream gradient, gives the same gradient."""
    values = _divided(implementation, problem, "twice", FACTOR)
    return _right(implementation, problem, values, "gradient[{}, {}] / -2 of the second backward pass")


def gradients_accumulate(implementation: Implementation, problem: Problem) -> Findings:
    """Two passes whose gradients are added to one array leave the sum there, twice the gradient."""
    loss, total = _asked(implementation, problem, {"backward": "accumulated"})
    return _right(
        implementation, problem, Values(loss, total / 2), "gradient[{}, {}] / 2, accumulated over two passes,"
    )


def logits_may_need_no_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """The loss of logits that need no gradient is the same."""
    values = _asked(implementation, problem, {"backward": "detached"})
    return _right(implementation, problem, values, "gradient[{}, {}]")


def gradient_can_be_differentiated_again(implementation: Implementation, problem: Problem) -> Findings:
    """The gradient of (gradient . vector) is the Hessian times the vector."""
    drawn = np.random.default_rng(int(problem.digest, 16)).integers(-3, 4, problem.logits.shape)
    vector = drawn.astype(problem.logits.dtype)
    asked = problem.replace(objective=replace(problem.objective, derivative=PRODUCT), vector=vector)
    values = _asked(implementation, problem, {"backward": "double", "vector": vector})
    return [derivative_against(values.derivative, implementation, asked, "product[{}, {}], by a second backward pass,")]


def instance_can_be_used_again(implementation: Implementation, problem: Problem) -> Findings:
    """An instance that has been used for other examples, as many and twice as many, gives what a new one gives.

    Where its class has a method that sets gradients to zero, that is called before each use.
    """
    others = problem.replace(logits=-problem.logits, targets=problem.targets[::-1].copy())
    findings: Findings = []
    for before in (others, others.rows(np.tile(np.arange(problem.n_rows), 2))):
        earlier = {"earlier_logits": before.logits.copy(), "earlier_targets": before.targets.copy()}
        values = _asked(implementation, problem, {"backward": "reused", **earlier})
        findings += _right(implementation, problem, values, "gradient[{}, {}] of an instance used for a second batch")
    return findings


def backward_pass_takes_the_gradient_that_arrives(implementation: Implementation, problem: Problem) -> Findings:
    """With an upstream gradient of -2 given to backward, which may be left out, the gradient is -2 times as large."""
    return _scaled(implementation, problem, FACTOR)


def _scaled(implementation: Implementation, problem: Problem, factor: float) -> Findings:
    name = f"gradient[{{}}, {{}}] / {factor:g} for an upstream gradient of {factor:g}"
    return _right(implementation, problem, _divided(implementation, problem, "scaled", factor), name)


def _right(implementation: Implementation, problem: Problem, values: Values, quantity: str) -> Findings:
    return [
        loss_against(values.loss, implementation, problem),
        derivative_against(values.derivative, implementation, problem, quantity),
    ]


def _divided(implementation: Implementation, problem: Problem, way: str, factor: float) -> Values:
    """The loss, and the gradient for this upstream gradient divided by it."""
    upstream = np.array(factor).astype(problem.logits.dtype)
    loss, gradient = _asked(implementation, problem, {"backward": way, "upstream": upstream})
    return Values(loss, gradient / factor)


def _asked(implementation: Implementation, problem: Problem, keywords: Mapping[str, Any]) -> Values:
    """Loss and gradient with these keywords. Raises NoAnswerError."""
    call = call_for(implementation, problem)
    call = replace(call, keywords={**call.keywords, **keywords})
    return values_of(answer_to_call(implementation, call, problem.objective.reduction), problem)
