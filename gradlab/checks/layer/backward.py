"""The backward pass of a layer that a framework differentiates: the gradient that arrives, and how often it is asked.

Upstream gradients are powers of two, by which floating-point numbers are multiplied and divided exactly: what comes
back is divided by them again, and must be what a plain call returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.checks.backward import FACTOR, LOSS_SCALES
from gradlab.checks.check import Findings
from gradlab.checks.layer.outputs import GRADIENTS, Outputs, agree_in, bounds_of, in_float64, outputs_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import answer_to_layer_call, layer_call_for
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.result import Fact

ADDED = "is the sum of the gradients of both batches"


def upstream_gradient_multiplies_the_gradients_of_a_layer(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """With an upstream gradient of -2 for the loss, dX, dW and db are -2 times those of a plain call."""
    return _scaled(implementation, problem, "scaled", FACTOR)


def scaled_loss_gives_the_same_gradients_of_a_layer(implementation: Implementation, problem: LayerProblem) -> Findings:
    """With the loss scale of mixed precision, 2^16, or 2^15 in float16, the gradients are the same once divided."""
    return _scaled(implementation, problem, "scaled", LOSS_SCALES[problem.format.name])


def second_backward_pass_of_a_layer_gives_the_same_gradients(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """A second backward pass through the same graph, with the same upstream gradient, gives the same gradients."""
    return _scaled(implementation, problem, "twice", FACTOR)


def gradients_of_a_layer_accumulate(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Two passes whose gradients are added to the same arrays leave the sums there, twice the gradients."""
    return _divided(implementation, problem, {"backward": "accumulated"}, 2.0)


def instance_of_a_layer_can_be_used_again(implementation: Implementation, problem: LayerProblem) -> Findings:
    """An instance that has been used for other examples, as many and twice as many, gives what a new one gives.

    Where its class has a method that sets gradients to zero, that is called before each use.
    """
    findings: Findings = []
    others = problem.replace(features=-problem.features, targets=problem.targets[::-1].copy())
    for before in (others, others.rows(np.tile(np.arange(problem.n_rows), 2))):
        arrays = layer_call_for(implementation, before).arrays
        earlier = {"earlier_features": arrays["X"], "earlier_targets": arrays["targets"]}
        seen = _asked(implementation, problem, {"backward": "reused", **earlier})
        added = _sums(implementation, seen, problem, before)
        findings += [Fact(f"{name} of an instance used for a second batch", ADDED, "its own", False) for name in added]
        findings += _as_plain(implementation, problem, {name: seen[name] for name in seen if name not in added})
    return findings


def backward_pass_of_a_layer_takes_the_gradient_that_arrives(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """With an upstream gradient of -2 given to backward, which may be left out, the gradients are -2 times as large."""
    return _scaled(implementation, problem, "scaled", FACTOR)


def features_and_weight_may_need_no_gradient(implementation: Implementation, problem: LayerProblem) -> Findings:
    """The loss of features, weight and bias that need no gradient is the same."""
    seen = _asked(implementation, problem, {"backward": "detached"})
    return _as_plain(implementation, problem, {name: seen[name] for name in ("loss",) if name in seen})


def _sums(
    implementation: Implementation, seen: Outputs, problem: LayerProblem, before: LayerProblem
) -> tuple[str, ...]:
    """The gradients that are the sum of those of both batches, and not those of the second alone."""
    first, second = outputs_of(implementation, before), outputs_of(implementation, problem)
    bounds = [bounds_of(implementation, one) for one in (before, problem)]
    room = {name: 2 * sum(one.output(name).error for one in bounds) for name in ("dW", "db") if name in seen}
    return tuple(
        name
        for name, limit in room.items()
        if (np.abs(seen[name] - first[name] - second[name]) <= limit).all() and not (np.abs(first[name]) <= limit).all()
    )


def _scaled(implementation: Implementation, problem: LayerProblem, way: str, factor: float) -> Findings:
    upstream = np.array(factor).astype(problem.features.dtype)
    return _divided(implementation, problem, {"backward": way, "upstream": upstream}, factor)


def _divided(
    implementation: Implementation, problem: LayerProblem, keywords: Mapping[str, Any], factor: float
) -> Findings:
    """That the outputs of a call with these keywords are those of a plain one, the gradients once they are divided."""
    seen = _asked(implementation, problem, keywords)
    divided = {name: array / (factor if name in GRADIENTS else 1) for name, array in seen.items()}
    return _as_plain(implementation, problem, divided)


def _as_plain(implementation: Implementation, problem: LayerProblem, seen: Outputs) -> Findings:
    bounds = bounds_of(implementation, problem)
    limits = {name: 2 * bounds.output(name).error for name in OUTPUTS}
    return agree_in(OUTPUTS, seen, outputs_of(implementation, problem), limits)


def _asked(implementation: Implementation, problem: LayerProblem, keywords: Mapping[str, Any]) -> Outputs:
    """What a call with these keywords returns. Raises NoAnswerError."""
    call = layer_call_for(implementation, problem)
    asked = replace(call, keywords={**call.keywords, **keywords})
    return in_float64(answer_to_layer_call(implementation, asked, problem), problem)
