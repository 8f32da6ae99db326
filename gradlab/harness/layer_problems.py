"""The problems of the layer that an implementation is tried on: what its claims let through of the families."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.harness.few import few_of_each
from gradlab.harness.profiles import Profile
from gradlab.layer.call import adapt_layer_to_claims, admits_layer, layer_claims
from gradlab.layer.families import layer_family_problems
from gradlab.layer.families.drawn import drawn_layers
from gradlab.layer.families.options import layer_option_problems
from gradlab.layer.problem import LayerProblem
from gradlab.problems.dtypes import format_of

DRAWN = 4  # one is drawn for so many that Hypothesis draws at the level of the logits: families say more of a layer
OPTIONS = {"quick": 1, "standard": 4}  # problems of one option, at most


@lru_cache(maxsize=4)
def layer_problems_in_run(claims: Claims, dtype: str, profile: Profile, seed: int) -> tuple[LayerProblem, ...]:
    """All problems of a run: those of the families, of options and reductions that are claimed, and drawn ones."""
    fmt = format_of(dtype)
    families = tuple(adapt_layer_to_claims(claims, one) for one in layer_family_problems(fmt, profile.families, seed))
    if claims.targets[0] == "probability":
        families = tuple(map(_with_shares, families))
    families = tuple(one for one in families if layer_may_be_asked(claims, one))
    if profile.most is not None:
        return few_of_each(families, profile.most)
    drawn = [adapt_layer_to_claims(claims, one) for one in drawn_layers(fmt, profile.examples // DRAWN, seed)]
    if claims.targets[0] == "probability":
        drawn = list(map(_with_shares, drawn))
    others = [*_others(claims, dtype, profile, seed), *drawn]
    return families + tuple(one for one in others if layer_may_be_asked(claims, one))


def layer_may_be_asked(claims: Claims, problem: LayerProblem) -> bool:
    """Whether the claims admit a problem, and code is judged on it.

    A bias of -inf is no number to be penalised: 0 |b|^2, as sound code may write it without a condition, is NaN.
    """
    is_masked = problem.bias is not None and not np.isfinite(problem.bias64).all()
    takes_masks = claims.masks and not layer_claims(claims).l2_takes_bias
    return problem.is_judged and (takes_masks or not is_masked) and admits_layer(claims, problem)


def _others(claims: Claims, dtype: str, profile: Profile, seed: int) -> Iterator[LayerProblem]:
    """Problems of every reduction and option that is claimed; of the first reduction without options there are more."""
    fmt = format_of(dtype)
    for reduction in claims.reduction:
        own = replace(claims, reduction=(reduction,))
        seen: dict[str, int] = {}
        for rule in claims.mean_over if reduction == "mean" else claims.mean_over[:1]:
            ruled = replace(own, mean_over=(rule,))
            for one in layer_option_problems(fmt, seed, reduction, rule):
                adapted = adapt_layer_to_claims(ruled, one)
                plain = reduction == claims.reduction[0] and not one.objective.options
                if (plain and one.objective.targets == claims.targets[0]) or not admits_layer(claims, adapted):
                    continue
                seen[one.family] = seen.get(one.family, 0) + 1
                if seen[one.family] <= OPTIONS.get(profile.families, len(claims.options) + 100):
                    yield adapted


def _with_shares(problem: LayerProblem) -> LayerProblem:
    """The problem with one-hot probabilities in place of labels."""
    shares = np.zeros((problem.n_rows, problem.n_classes), dtype=problem.features.dtype)
    shares[np.arange(problem.n_rows), problem.targets] = 1
    return problem.replace(targets=shares, objective=replace(problem.objective, targets="probability"))
