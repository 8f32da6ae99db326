"""What a callable that was found claims, as the implementation that it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import ATTRIBUTE, Claims, claims_from
from gradlab.evaluation.keywords import signature_fault
from gradlab.evaluation.required_options import required_options
from gradlab.problems.options import PER_ROW_OPTIONS
from gradlab.problems.problem import PRODUCT
from gradlab.targets.callables import Found
from gradlab.targets.class_upstream import gradients_of_loss, ways_of_a_class
from gradlab.targets.importing import TargetError
from gradlab.targets.layer_class import has_passes, with_loss_class_called
from gradlab.targets.one_hot import as_one_hot
from gradlab.targets.prefixes import LAYER, split_prefix

ALWAYS_PASSED = {PRODUCT: ("vector",)}  # the keywords of each call for a derivative


def claim(found: Found, claims: Mapping[str, Any], dtypes: tuple[str, ...]) -> Implementation:
    """The implementation; claims: the caller's, dtypes: for one that says nothing of them. Raises TargetError."""
    shown = found.target or found.name
    found = with_loss_class_called(found) if has_passes(found.function) else found
    try:
        complete = claims_from(given_claims(found, claims, dtypes))
        taken = [name for name in found.takes if set(PER_ROW_OPTIONS[name].reductions) & set(complete.reduction)]
        complete = replace(complete, options=tuple(dict.fromkeys((*complete.options, *taken))))
        complete = with_required_options(found.function, complete)
    except (ValueError, TypeError) as error:
        raise TargetError(f"{shown}: {error}") from error
    if complete.layer is not None:
        raise TargetError(f"{shown} claims what a layer takes and returns; a layer is written {LAYER}{shown}")
    prefix, _ = split_prefix(found.target)
    if prefix and complete.derivative != "gradient":
        raise TargetError(f"{shown}: {prefix} gives the gradient alone, not derivative {complete.derivative}")
    always = ALWAYS_PASSED.get(complete.derivative, ())
    always = (*always, *complete.keyword_of.values())
    fault = signature_fault(found.function, always) or _keyword_fault(found.function, complete)
    if fault is not None:
        raise TargetError(f"{shown} {fault}")
    function = with_what_is_claimed(found.function, complete)
    function = as_one_hot(function) if complete.one_hot else function
    claimed = Implementation(found.name, function, complete, found.target)
    if not complete.backward and (ways := ways_of_a_class(found.function, gradients_of_loss(claimed))):
        claimed = replace(claimed, claims=replace(complete, backward=ways))
    return claimed


def given_claims(found: Found, claims: Mapping[str, Any], dtypes: tuple[str, ...]) -> Mapping[str, Any]:
    """All that is claimed: by the caller over what it states, over its adapter's, and the dtypes that are asked for.

    Raises TypeError where what it states is no mapping.
    """
    asked = {"dtypes": dtypes} if dtypes else {}
    return {**found.defaults, **asked, **_stated_claims(found), **claims}


def with_required_options(function: Callable[..., Any], claims: Claims) -> Claims:
    """The claims with the options that the function has to be given, but for those that are claimed already.

    Raises ValueError for a softcap: no number means none in c tanh(x/c), which is NaN for a c of inf.
    """
    found = [one.partition("=") for one in required_options(function)]
    if "softcap" in (name for name, _, _ in found if name not in claims.keyword_of):
        raise ValueError(
            "softcap must have a default that means no cap, such as None, or be claimed: required=['softcap']"
        )
    rows = {name: one.reductions for name, one in PER_ROW_OPTIONS.items()}
    own = [
        "".join(one)
        for one in found
        if one[0] not in claims.keyword_of and set(rows.get(one[0], claims.reduction)) & set(claims.reduction)
    ]
    return replace(claims, required=(*claims.required, *own))


def with_what_is_claimed(function: Callable[..., Any], claims: Claims) -> Callable[..., Any]:
    """The function, with the only reduction, and the only rule of the mean, bound to its keyword of another default."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function
    claimed = {"reduction": claims.reduction, "mean_over": claims.mean_over}
    told = {
        name: values[0]
        for name, values in claimed.items()
        if len(values) == 1 and name in parameters and parameters[name].default != values[0]
    }
    return functools.partial(function, **told) if told else function


def _stated_claims(found: Found) -> Mapping[str, Any]:
    """What its decorator, or else the CLAIMS beside it, says. Raises TypeError where that is no mapping."""
    marked = getattr(found.function, ATTRIBUTE, None)
    beside = getattr(found.module, "CLAIMS", {})
    own = marked if marked is not None else beside
    if not isinstance(own, Mapping):
        raise TypeError(f"CLAIMS must be a mapping, got {type(own).__name__}")
    if marked is None and own and all(isinstance(value, Mapping) for value in own.values()):
        for name in own:
            if not hasattr(found.module, name):
                raise TypeError(f"CLAIMS names {name}, and there is nothing of that name beside it")

        own = own.get(found.name, {})
    return own


def _keyword_fault(function: Any, claims: Claims) -> str | None:
    several = {"reduction": claims.reduction, "mean_over": claims.mean_over}
    always = (*ALWAYS_PASSED.get(claims.derivative, ()), *claims.keyword_of.values())
    wanted = [
        *(claims.keyword_of.get(name, name) for name in claims.options),
        *(("upstream", "backward") if claims.backward else ()),
        *(name for name, values in several.items() if len(values) > 1),
    ]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    for name in wanted:
        try:
            signature.bind(None, None, **dict.fromkeys([*always, name]))
        except TypeError:
            return f"claims {name}, so it must take the keyword {name}; its signature is {signature}"
    return None
