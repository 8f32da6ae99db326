"""A label to be ignored that a layer takes without a claim: recognised by the name of its parameter, and by a call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.parameters import parameters_of
from gradlab.layer.probe import is_near, probe_problem, right_outputs
from gradlab.layer.problem import LayerProblem
from gradlab.problems.options import MEANS

OPTION = "ignore_index"
IGNORED = -7  # no label of a row, and not the -100 that some ignore without being asked


def recognise_ignored_label(implementation: Implementation, is_rule_open: bool) -> Claims:
    """The claims of a layer with ignore_index among its options, where a parameter of that name has a default.

    It is held to that then: an ignored row has loss and gradient 0. is_rule_open: whether the rule of the mean, which
    says if ignored rows count in it, may be the one by which the answer to a batch with such a row is right.
    """
    claims = implementation.claims
    named = [one for one in parameters_of(implementation.function) or () if one.name == OPTION]
    takes_labels = "index" in claims.targets and not claims.one_hot
    if OPTION in claims.options or not takes_labels or not named or named[0].default is named[0].empty:
        return claims
    claims = replace(claims, options=(*claims.options, OPTION))
    if is_rule_open and "mean" in claims.reduction:
        rules = [rule for rule in MEANS if _is_right(replace(implementation, claims=claims), rule)]
        claims = replace(claims, mean_over=tuple(rules[:1]) or claims.mean_over)
    return claims


def _is_right(implementation: Implementation, rule: str) -> bool:
    """Whether all outputs are right to some digits where the first row is ignored, and the mean is over this."""
    claims = replace(implementation.claims, mean_over=(rule,), targets=("index",))
    problem = adapt_layer_to_claims(claims, _with_ignored_row(probe_problem(claims)))
    answer, expected = evaluate_layer(implementation, problem), right_outputs(problem)
    return answer.fault is None and all(is_near(one, expected[name], claims) for name, one in answer.outputs.items())


def _with_ignored_row(problem: LayerProblem) -> LayerProblem:
    labels = np.array([IGNORED, *problem.targets[1:]])
    return problem.replace(targets=labels, objective=replace(problem.objective, ignore_index=IGNORED))
