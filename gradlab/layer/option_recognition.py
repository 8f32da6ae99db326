"""Options that a layer takes without a claim: recognised by the names of their parameters, and by calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.parameters import parameters_of
from gradlab.layer.probe import is_near, probe_problem, right_outputs
from gradlab.layer.problem import LayerProblem
from gradlab.problems.options import MEANS

IGNORING, WEIGHTS = "ignore_index", ("class_weights", "sample_weights")
IGNORED = -7  # no label of a row, and not the -100 that some ignore without being asked
TRIED: Mapping[str, Any] = {
    "label_smoothing": 0.25,
    "class_weights": (0.5, 1.0, 2.0, 4.0),
    "sample_weights": (0.5, 1.0, 2.0, 4.0, 1.0),
    "softcap": 2.0,
    "temperature": 2.0,
    "z_loss": 0.25,
    "poly_epsilon": 2.0,
}  # numbers with which each option changes all outputs


def recognise_options(implementation: Implementation, is_rule_open: bool) -> Claims:
    """The claims of a layer with those options among its own for which it has a parameter.

    It is held to ignore_index by the name alone: an ignored row has loss and gradient 0. Of what an option of TRIED
    means there are several rules: it is held to the one here where one of its outputs is right by it. is_rule_open:
    whether the rule of the mean may be the one by which the answers with the option are right.
    """
    claims = implementation.claims
    named = {one.name for one in parameters_of(implementation.function) or () if one.default is not one.empty}
    named |= set(claims.keyword_of)
    rules = tuple(MEANS) if is_rule_open and "mean" in claims.reduction else claims.mean_over[:1]
    if "index" in claims.targets and not claims.one_hot and IGNORING in named - set(claims.options):
        claims = replace(claims, options=(*claims.options, IGNORING))
        right = [rule for rule in rules if all(_right(implementation, claims, IGNORING, rule).values())]
        claims = replace(claims, mean_over=tuple(right[:1]) or claims.mean_over)
    for name in TRIED:
        if name in named - set(claims.options):
            claims = _with_option(implementation, claims, name, rules)
    return claims


def _with_option(implementation: Implementation, claims: Claims, option: str, rules: Sequence[str]) -> Claims:
    """The claims with this option and with the rule of the mean by which most is right, if anything is.

    The loss counts more than the gradients. Where another option has found a rule of its own, it is that one.
    """
    found = replace(claims, options=(*claims.options, option))
    own = rules if claims.mean_over == implementation.claims.mean_over else claims.mean_over
    right = {rule: _right(implementation, found, option, rule) for rule in own}

    def worth(rule: str) -> tuple[bool, bool, int]:
        return all(right[rule].values()), right[rule].get("loss", False), sum(right[rule].values())

    best = max(own, key=worth)
    if not any(right[best].values()):
        return claims
    return replace(found, mean_over=(best,) if len(rules) > 1 and option in WEIGHTS else found.mean_over)


def _right(implementation: Implementation, claims: Claims, option: str, rule: str) -> Mapping[str, bool]:
    """Of each output, whether it is right to some digits with the option on, and the mean over this; {} for a fault."""
    own = replace(claims, mean_over=(rule,), targets=("index",) if option == IGNORING else claims.targets[:1])
    problem = adapt_layer_to_claims(own, _with_option_on(probe_problem(own), option))
    answer, expected = evaluate_layer(replace(implementation, claims=own), problem), right_outputs(problem)
    if answer.fault is not None:
        return {"": False}
    return {name: is_near(one, expected[name], own) for name, one in answer.outputs.items()}


def _with_option_on(problem: LayerProblem, option: str) -> LayerProblem:
    if option != IGNORING:
        return problem.replace(objective=replace(problem.objective, **{option: TRIED[option]}))
    labels = np.array([IGNORED, *problem.targets[1:]])
    return problem.replace(targets=labels, objective=replace(problem.objective, ignore_index=IGNORED))
