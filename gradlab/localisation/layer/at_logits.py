"""What experiments find about a layer as a loss of logits, with the identity as its weight or its features."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from gradlab.evaluation.adaptation import admits, is_left_open, takes
from gradlab.evaluation.call import Implementation
from gradlab.layer.at_logits import layer_as_loss
from gradlab.layer.call import layer_claims
from gradlab.layer.problem import LayerProblem
from gradlab.localisation.finding import localise
from gradlab.localisation.statements import Localisation
from gradlab.problems.problem import Problem

READ = {"dX": "weight", "dW": "features"}  # by which output the gradient is read: what is the identity then


def localise_at_logits(
    implementation: Implementation, problems: Sequence[LayerProblem], wrong: Collection[str]
) -> Localisation | None:
    """Where the loss of logits that a layer is goes wrong, and what comes out there; None if nothing sure.

    wrong: the outputs that are. Nothing is said of a layer that returns no loss, or neither dX nor dW.
    """
    returned = layer_claims(implementation.claims).places
    read = [name for name in READ if name in returned]
    if "loss" not in returned or not read:
        return None
    name = next((one for one in read if one in wrong), read[0])
    loss = layer_as_loss(implementation, (name,))
    given = [_at_logits(one) for one in problems if np.isfinite(one.float64_logits).all() and not one.penalty.is_on]
    found = localise(loss, [one for one in given if _may_be_asked(loss, one)], (), lambda one: _may_be_asked(loss, one))
    if found is None or not found.what:
        return found
    return replace(found, what=f"with the identity as its {READ[name]}, {found.what}")


def _at_logits(problem: LayerProblem) -> Problem:
    """The problem of the logits that a layer works out, rounded to its dtype."""
    return problem.at_logits(problem.float64_logits.astype(problem.features.dtype))


def _may_be_asked(loss: Implementation, problem: Problem) -> bool:
    """Whether a layer's claims admit a problem of finite logits to which one answer is right."""
    known = takes(loss.claims, problem.objective) and admits(loss.claims, problem)
    return bool(problem.n_rows) and problem.is_finite and known and not is_left_open(problem)
