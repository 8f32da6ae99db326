"""What a layer adds for large weights, recognised by calls with two strengths of the penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layer_claims import LayerClaims
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.probe import probe_problem
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.problem import Array

STRENGTH = 8.0
NEAR = 2.0**-4  # relative: half and whole, with the bias and without it, differ by far more
# The derivative of each over l2 times the weight. Those over N are claimed, and not recognised: a penalty that is
# averaged along with the loss is a known defect, too.
FORMS = {"half": 1.0, "whole": 2.0}


@dataclass(frozen=True)
class Form:
    """A penalty: its name in FORMS, and whether it takes the bias."""

    name: str
    takes_bias: bool


def recognise_penalty(implementation: Implementation) -> Claims:
    """The claims with the form of the penalty, where there is one: that of the loss, or else that of the gradients.

    Where the strength changes nothing, or something else, it is the first that the claims admit: it is held to that.
    """
    claims, layer = implementation.claims, implementation.claims.layer
    if layer is None or "l2" not in layer.taken or claims.reduction[0] == "none":
        return claims
    if layer.l2_form not in ("", *FORMS):
        return replace(claims, layer=replace(layer, l2_takes_bias=bool(layer.l2_takes_bias)))
    forms = [
        Form(name, takes_bias) for takes_bias in (False, True) for name in FORMS if _admits(layer, name, takes_bias)
    ]
    form = _recognise(implementation, forms) if len(forms) > 1 else forms[0]
    return replace(claims, layer=replace(layer, l2_form=form.name, l2_takes_bias=form.takes_bias))


def _admits(layer: LayerClaims, name: str, takes_bias: bool) -> bool:
    if layer.l2_form not in ("", name) or (takes_bias and "b" not in layer.taken):
        return False
    return layer.l2_takes_bias in (None, takes_bias)


def _recognise(implementation: Implementation, forms: list[Form]) -> Form:
    problem = adapt_layer_to_claims(implementation.claims, probe_problem(implementation.claims, Penalty(STRENGTH)))
    without = problem.replace(penalty=Penalty())
    changes = _changes(evaluate_layer(implementation, without), evaluate_layer(implementation, problem))
    for outputs in (["loss"], ["dW", "db"]):
        seen = {name: changes[name] for name in outputs if name in changes}
        if not any(np.any(change) for change in seen.values()):
            continue
        for form in forms:
            expected = _expected(form, problem)
            if all(_is_near(change, expected[name]) for name, change in seen.items()):
                return form
    return forms[0]


def _changes(without: LayerAnswer, penalised: LayerAnswer) -> Mapping[str, Array]:
    """What a strength of 1 changes in each output, in float64."""
    found = {}
    for name, before in without.outputs.items():
        if name in penalised.outputs:
            after = penalised.outputs[name]
            found[name] = (after.astype(np.float64) - before.astype(np.float64)) / STRENGTH
    return found


def _expected(form: Form, problem: LayerProblem) -> Mapping[str, Array]:
    """What a strength of 1 adds to each output."""
    slope, with_bias = FORMS[form.name], float(form.takes_bias)
    squares = (problem.weight64**2).sum() + with_bias * (problem.bias64**2).sum()
    return {
        "loss": np.asarray(slope / 2 * squares),
        "dW": slope * problem.weight64,
        "db": with_bias * slope * problem.bias64,
    }


def _is_near(change: Array, expected: Array) -> bool:
    scale = max(float(np.abs(expected).max()), NEAR)
    return bool((np.abs(change - expected) <= NEAR * scale).all())
