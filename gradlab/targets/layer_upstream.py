"""What a class that is a layer is held to beyond one call: the upstream gradient, and the use for several batches.

Many a textbook writes backward(dout=1) and takes no notice of dout: of that there is an advice. What has to be given
dout is held to it, and so is what comes out otherwise for another dout, in one of its gradients at least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.layer.call import adapt_layer_to_claims, answer_to_layer_call, layer_call_for
from gradlab.layer.probe import probe_problem
from gradlab.targets.layer_class import NEEDED, TAKES_UPSTREAM

FACTOR = -2.0


def ways_of_a_class(function: Callable[..., Any], implementation: Implementation) -> tuple[str, ...]:
    """The ways of asking for a backward pass that the class called by `function` claims by itself; () of no class.

    implementation: that class, its claims complete.
    """
    takes = getattr(function, TAKES_UPSTREAM, None)
    if takes is None:
        return ()
    if not takes:
        return ("reused",)
    return ("scaled" if takes == NEEDED or _changes_with_upstream(implementation) else "ignored", "reused")


def _changes_with_upstream(implementation: Implementation) -> bool:
    """Whether a gradient is another one for an upstream gradient of -2."""
    claims = implementation.claims
    problem = adapt_layer_to_claims(claims, probe_problem(claims))
    call = layer_call_for(implementation, problem)
    asked = replace(call, keywords={**call.keywords, "upstream": np.array(FACTOR).astype(problem.features.dtype)})
    plain, other = (answer_to_layer_call(implementation, one, problem) for one in (call, asked))
    if plain.fault is not None or other.fault is not None:
        return False
    return any(not np.array_equal(one, other.outputs[name]) for name, one in plain.outputs.items() if name != "loss")
