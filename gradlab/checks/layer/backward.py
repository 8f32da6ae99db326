"""The backward pass of a layer that a framework differentiates: the gradient that arrives, and how often it is asked.

Upstream gradients are powers of two, which multiply and divide floating-point numbers exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.checks.backward import FACTOR
from gradlab.checks.check import Findings
from gradlab.checks.layer.outputs import GRADIENTS, Outputs, agree_in, bounds_of, in_float64, outputs_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import answer_to_layer_call, layer_call_for
from gradlab.layer.problem import OUTPUTS, LayerProblem

LOSS_SCALES = {"float16": 2.0**8, "bfloat16": 2.0**16}  # of mixed precision; products in float16 end at 65504


def upstream_gradient_multiplies_the_gradients_of_a_layer(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """With an upstream gradient of -2 for the loss, dX, dW and db are -2 times those of the loss."""
    return _agree(implementation, problem, _divided(implementation, problem, "scaled", FACTOR))


def scaled_loss_gives_the_same_gradients_of_a_layer(implementation: Implementation, problem: LayerProblem) -> Findings:
    """With a loss scale of mixed precision, 2^16, or 2^8 in float16, the gradients are right once they are divided."""
    return _agree(
        implementation, problem, _divided(implementation, problem, "scaled", LOSS_SCALES[problem.format.name])
    )


def second_backward_pass_of_a_layer_gives_the_same_gradients(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """A second backward pass through the same graph, with the same upstream gradient, gives the same gradients."""
    return _agree(implementation, problem, _divided(implementation, problem, "twice", FACTOR))


def gradients_of_a_layer_accumulate(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Two passes whose gradients are added to one array leave the sums there, twice the gradients."""
    total = _asked(implementation, problem, {"backward": "accumulated"})
    halved = {name: array / 2 if name in GRADIENTS else array for name, array in total.items()}
    return _agree(implementation, problem, halved)


def features_weight_and_bias_may_need_no_gradient(implementation: Implementation, problem: LayerProblem) -> Findings:
    """The loss of features, weight and bias that need no gradient is the same."""
    return _agree(implementation, problem, _asked(implementation, problem, {"backward": "detached"}))


def _agree(implementation: Implementation, problem: LayerProblem, seen: Outputs) -> Findings:
    bounds = bounds_of(implementation, problem)
    limits = {name: 2 * bounds.output(name).error for name in OUTPUTS}
    return agree_in(OUTPUTS, seen, outputs_of(implementation, problem), limits)


def _divided(implementation: Implementation, problem: LayerProblem, way: str, factor: float) -> Outputs:
    """The outputs for this upstream gradient, the gradients divided by it."""
    upstream = np.array(factor).astype(problem.features.dtype)
    found = _asked(implementation, problem, {"backward": way, "upstream": upstream})
    return {name: array / factor if name in GRADIENTS else array for name, array in found.items()}


def _asked(implementation: Implementation, problem: LayerProblem, keywords: Mapping[str, Any]) -> Outputs:
    """The outputs with these keywords. Raises NoAnswerError."""
    call = layer_call_for(implementation, problem)
    call = replace(call, keywords={**call.keywords, **keywords})
    return in_float64(answer_to_layer_call(implementation, call, problem), problem)
