"""What a class with two passes is held to beyond one call: the upstream gradient, and the use for several batches.

Many a textbook writes backward(dout=1) and takes no notice of dout: of that there is an advice. What has to be given
dout is held to it, and so is what comes out otherwise for another dout, in one of its gradients at least. It is the
same for a layer and for a loss of logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation, answer_to_call, call_for
from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.layer.call import adapt_layer_to_claims, answer_to_layer_call, layer_call_for
from gradlab.layer.probe import probe_problem
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.targets.layer_class import NEEDED, TAKES_UPSTREAM

FACTOR = -2.0
LOGITS = ((0.5, -1.0, 2.0, 0.25), (1.0, 0.0, -0.5, 1.5), (-2.0, 0.75, 0.5, 0.0))
LABELS = (2, 0, 1)

# The gradients by name for an upstream gradient, or None where none arrives; {} where there is no answer.
Gradients = Callable[[float | None], Mapping[str, Array]]


def ways_of_a_class(function: Callable[..., Any], gradients: Gradients) -> tuple[str, ...]:
    """The ways of asking for a backward pass that the class called by `function` claims by itself; () of no class.

    gradients: those that it gives on a small problem.
    """
    takes = getattr(function, TAKES_UPSTREAM, None)
    if takes is None:
        return ()
    if not takes:
        return ("reused",)
    return ("scaled" if takes == NEEDED or _changes_with_upstream(gradients) else "ignored", "reused")


def gradients_of_layer(implementation: Implementation) -> Gradients:
    """The gradients of a layer, its claims complete."""

    def gradients(upstream: float | None) -> Mapping[str, Array]:
        problem = adapt_layer_to_claims(implementation.claims, probe_problem(implementation.claims))
        call = layer_call_for(implementation, problem)
        asked = replace(call, keywords={**call.keywords, **_keyword(upstream, problem.features.dtype)})
        given = answer_to_layer_call(implementation, asked, problem)
        return {name: one for name, one in given.outputs.items() if name != "loss"} if given.fault is None else {}

    return gradients


def gradients_of_loss(implementation: Implementation) -> Gradients:
    """The gradient of a loss of logits, its claims complete."""

    def gradients(upstream: float | None) -> Mapping[str, Array]:
        problem = _probe(implementation)
        call = call_for(implementation, problem)
        asked = replace(call, keywords={**call.keywords, **_keyword(upstream, problem.logits.dtype)})
        given = answer_to_call(implementation, asked, problem.objective.reduction)
        return {} if given.gradient is None else {"gradient": given.gradient}

    return gradients


def _keyword(upstream: float | None, dtype: np.dtype[Any]) -> Mapping[str, Array]:
    return {} if upstream is None else {"upstream": np.array(upstream).astype(dtype)}


def _probe(implementation: Implementation) -> Problem:
    claims = implementation.claims
    logits = np.array(LOGITS, dtype=format_of(claims.dtypes[0]).dtype)
    objective = Objective(reduction=claims.reduction[0], targets=claims.targets[0])
    labels = np.array(LABELS)
    targets = labels if objective.targets == "index" else one_hot_rows(labels, logits.shape, logits.dtype)
    return Problem(logits, targets, objective)


def _changes_with_upstream(gradients: Gradients) -> bool:
    """Whether a gradient is another one for an upstream gradient of -2."""
    plain, other = gradients(None), gradients(FACTOR)
    return any(name in other and not np.array_equal(one, other[name]) for name, one in plain.items())
