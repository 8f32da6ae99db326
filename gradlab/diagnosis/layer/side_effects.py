"""What calls of a layer also do: which known defects are seen in calls that are made to look for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.checks.layer.backward import ADDED, instance_of_a_layer_can_be_used_again
from gradlab.checks.layer.outputs import GRADIENTS
from gradlab.diagnosis.layer.observation import Observation, observe
from gradlab.evaluation.call import Implementation
from gradlab.layer.call import answer_to_layer_call, layer_call_for, problem_as_left
from gradlab.layer.problem import LayerProblem
from gradlab.problems.problem import Array
from gradlab.result import Fact, largest_ratio

INPUTS = "leaves_features_weight_and_bias_alone"
UPSTREAM = "upstream_gradient_multiplies_the_gradients_of_a_layer"
IGNORED = "upstream_of_the_loss_ignored"  # by the name that it has at the logits
IN_SOME = "upstream_ignored_in_some_gradients"
ADDED_UP = "gradients_added_over_calls"
KEPT = "earlier_batch_kept"
NOISY = {"same_call_of_a_layer_gives_same_bits", "calls_of_a_layer_leave_no_state"}  # then all that is used differs
USED_AGAIN = "instance_of_a_layer_can_be_used_again"
MAX_USED = 8  # problems for which an instance is used again, to see what it does
IMPLIED_BY_IGNORING = (
    UPSTREAM,
    "scaled_loss_gives_the_same_gradients_of_a_layer",
    "second_backward_pass_of_a_layer_gives_the_same_gradients",
)
FACTOR = -2.0
ROUNDED = 64  # units of roundoff, where what is multiplied is not the gradient itself


def side_effects_of(
    implementation: Implementation, problems: Sequence[LayerProblem], failed: Sequence[str]
) -> Mapping[str, str]:
    """The defects that are seen at work, each with the failed check that it explains."""
    found = _overwritten(implementation, problems) if INPUTS in failed else {}
    asked = [one for one in problems if one.n_rows]
    if UPSTREAM in failed:
        found = {**found, **dict.fromkeys(_named_by_upstream(implementation, asked), UPSTREAM)}
    if USED_AGAIN in failed and not NOISY.intersection(failed):
        found = {**found, **dict.fromkeys(_named_by_use(implementation, asked[:MAX_USED]), USED_AGAIN)}
    return found


def observe_for_what_is_left(implementation: Implementation, problem: LayerProblem) -> Observation | None:
    """The outputs beside what is right for features, weight and bias as the call leaves them; None without any.

    They are right there where something is overwritten before anything is worked out of it.
    """
    call = layer_call_for(implementation, problem)
    given = answer_to_layer_call(implementation, call, problem)
    left = problem_as_left(implementation.claims, problem, call.arrays)
    return observe(implementation, left, given) if given.fault is None and left.is_judged else None


def _named_by_upstream(implementation: Implementation, problems: Sequence[LayerProblem]) -> tuple[str, ...]:
    """The defect that shows for another upstream gradient: it is ignored in all gradients, or in some of them."""
    ignored, multiplied = set[str](), set[str]()
    for problem in problems:
        upstream = np.array(FACTOR).astype(problem.features.dtype)
        plain = outputs_with(implementation, problem, {})
        other = outputs_with(implementation, problem, {"backward": "scaled", "upstream": upstream})
        if not plain or not other:
            return ()
        for name in (one for one in GRADIENTS if one in plain and plain[one].any()):
            if np.array_equal(plain[name], other[name], equal_nan=True):
                ignored.add(name)
            elif np.allclose(other[name], FACTOR * plain[name], ROUNDED * problem.format.unit_roundoff, equal_nan=True):
                multiplied.add(name)
            else:
                return ()
    if not ignored or ignored & multiplied:
        return ()
    return (IN_SOME,) if multiplied else (IGNORED,)


def outputs_with(
    implementation: Implementation, problem: LayerProblem, keywords: Mapping[str, Any]
) -> Mapping[str, Array]:
    """The outputs of a call with these keywords, too; nothing where there is no answer."""
    call = layer_call_for(implementation, problem)
    asked = replace(call, keywords={**call.keywords, **keywords})
    given = answer_to_layer_call(implementation, asked, problem)
    return given.outputs if given.fault is None else {}


def _named_by_use(implementation: Implementation, problems: Sequence[LayerProblem]) -> tuple[str, ...]:
    """The defect that shows in a second batch: gradients that are added up, or what else is kept of the first."""
    findings = [one for problem in problems for one in instance_of_a_layer_can_be_used_again(implementation, problem)]
    wrong = [one for one in findings if largest_ratio([one]) > 1]
    if not wrong:
        return ()
    return (ADDED_UP,) if all(isinstance(one, Fact) and one.observed == ADDED for one in wrong) else (KEPT,)


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
