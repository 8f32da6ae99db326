"""What calls of a layer also do: which known defects are seen in calls that are made to look for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradlab.checks.layer.outputs import GRADIENTS
from gradlab.diagnosis.layer.observation import Observation, observe
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import answer_to_layer_call, layer_call_for, problem_as_left
from gradlab.layer.problem import LayerProblem

INPUTS = "leaves_features_weight_and_bias_alone"
UPSTREAM = "upstream_gradient_multiplies_the_gradients_of_a_layer"
IGNORED = "upstream_of_the_loss_ignored"  # by the name that it has at the logits
IMPLIED_BY_IGNORING = (
    UPSTREAM,
    "scaled_loss_gives_the_same_gradients_of_a_layer",
    "second_backward_pass_of_a_layer_gives_the_same_gradients",
)
FACTOR = -2.0


def side_effects_of(
    implementation: Implementation, problems: Sequence[LayerProblem], failed: Sequence[str]
) -> Mapping[str, str]:
    """The defects that are seen at work, each with the failed check that it explains."""
    found = _overwritten(implementation, problems) if INPUTS in failed else {}
    if UPSTREAM in failed and all(_ignores_upstream(implementation, one) for one in problems if one.n_rows):
        found = {**found, IGNORED: UPSTREAM}
    return found


def observe_for_what_is_left(implementation: Implementation, problem: LayerProblem) -> Observation | None:
    """The outputs beside what is right for features, weight and bias as the call leaves them; None without any.

    They are right there where something is overwritten before anything is worked out of it.
    """
    call = layer_call_for(implementation, problem)
    given = answer_to_layer_call(implementation, call, problem)
    left = problem_as_left(implementation.claims, problem, call.arrays)
    return observe(implementation, left, given) if given.fault is None and left.is_judged else None


def _ignores_upstream(implementation: Implementation, problem: LayerProblem) -> bool:
    """Whether the gradients are the same for another upstream gradient of the loss."""
    call = layer_call_for(implementation, problem)
    upstream = np.array(FACTOR).astype(problem.features.dtype)
    asked = replace(call, keywords={**call.keywords, "backward": "scaled", "upstream": upstream})
    plain, other = (answer_to_layer_call(implementation, one, problem) for one in (call, asked))
    if plain.fault is not None or other.fault is not None:
        return False
    names = [name for name in GRADIENTS if name in plain.outputs]
    return all(np.array_equal(plain.outputs[name], other.outputs[name], equal_nan=True) for name in names)


def _overwritten(implementation: Implementation, problems: Sequence[LayerProblem]) -> Mapping[str, str]:
    """What of its inputs it writes to, as defects."""
    for problem in problems:
        call = layer_call_for(implementation, problem)
        before = {name: array.copy() for name, array in call.arrays.items()}
        answer_to_layer_call(implementation, call, problem)
        changed = [name for name in before if not np.array_equal(before[name], call.arrays[name], equal_nan=True)]
        names = {"X": "features_overwritten", "W": "weight_overwritten", "b": "bias_overwritten"}
        found = {names[name]: INPUTS for name in changed if name in names}
        if found:
            return found
    return {}
