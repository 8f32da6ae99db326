"""How a function is asked: by which keyword arguments, and whether its signature takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.evaluation.required_options import neutral_values
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem


def signature_fault(function: Callable[..., Any], keywords: Iterable[str] = ()) -> str | None:
    """Why `function` cannot be called as (logits, labels), or None if it can or if nothing is known.

    keywords: what is also passed in every call.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(None, None, **dict.fromkeys(keywords))
    except TypeError as error:
        shown = ", ".join(["logits", "labels", *(f"{name}=..." for name in keywords)])
        is_method = next(iter(signature.parameters), "") == "self"
        hint = "; it is a method of a class: check a function that makes an instance and calls it" if is_method else ""
        return f"must be callable as ({shown}); its signature is {signature}: {error}{hint}"
    return None


def keywords_for(
    claims: Claims, objective: Objective, dtype: np.dtype[Any], shape: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """The keyword arguments by which `objective` is asked for; weights become an array in `dtype`.

    What is required is there also where it is off; shape: (N, K), without which arrays are not. Where it is no mean of
    which rules make a difference, and its rule is not claimed, the first one that is stands.
    """
    keywords: dict[str, Any] = {**neutral_values(claims.keyword_of, dtype, shape), **objective.options}
    arrays = ["class_weights"] if objective.class_weights is not None else []
    for name in (*arrays, *objective.per_row_options):
        keywords[name] = np.array(keywords[name]).astype(dtype)
    if len(claims.mean_over) > 1:
        known = objective.mean_over in claims.mean_over
        keywords["mean_over"] = objective.mean_over if known else claims.mean_over[0]
    if len(claims.reduction) > 1:
        keywords["reduction"] = objective.reduction
    return {claims.keyword_of.get(name, name): value for name, value in keywords.items()}


def keywords_of(claims: Claims, problem: Problem) -> dict[str, Any]:
    """All keyword arguments by which a problem is asked: those of its objective, and its vector where it has one."""
    keywords = keywords_for(claims, problem.objective, problem.logits.dtype, problem.logits.shape)
    return keywords if problem.vector is None else {**keywords, "vector": problem.vector.copy()}
