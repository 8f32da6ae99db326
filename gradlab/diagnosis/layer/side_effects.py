"""What calls of a layer also do: which known defects are seen in calls that are made to look for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.layer.call import answer_to_layer_call, layer_call_for
from gradlab.layer.problem import LayerProblem

INPUTS = "leaves_features_weight_and_bias_alone"


def side_effects_of(
    implementation: Implementation, problems: Sequence[LayerProblem], failed: Sequence[str]
) -> Mapping[str, str]:
    """The defects that are seen at work, each with the failed check that it explains."""
    if INPUTS not in failed:
        return {}
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
