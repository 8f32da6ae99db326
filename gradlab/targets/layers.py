"""Loading a layer: the implementation that `layer:...` stands for.

`layer:path/file.py:callable` and `layer:package.module:callable` are a function of X, W, b and targets; a class with
`forward(x, t)` and `backward(dout)` that keeps W and b is a layer, too. `layer:torch:...` and the like are what an
adapter makes of the rest, see LAYER_PREFIXES; `layer:NAME` is one that ships.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.layer.call import layer_claims
from gradlab.layer.option_recognition import recognise_options
from gradlab.layer.recognition import UnclearError, is_near_on_probe, recognise_layer
from gradlab.targets.callables import Found, callable_at, did_you_mean
from gradlab.targets.claiming import given_claims, with_required_options, with_what_is_claimed
from gradlab.targets.class_upstream import gradients_of_layer, ways_of_a_class
from gradlab.targets.importing import TargetError, import_name, require
from gradlab.targets.layer_class import is_layer_class, with_class_called
from gradlab.targets.load import found_of, watched
from gradlab.targets.packed_layer import unpacked
from gradlab.targets.prefixes import LAYER
from gradlab.targets.shipped import layers, needs_of

LAYER_PREFIXES = {
    "torch": "gradlab.adapters.torch_layer",
    "jax": "gradlab.adapters.jax_layer",
    "sklearn": "gradlab.adapters.sklearn_layer",
    "statsmodels": "gradlab.adapters.statsmodels_layer",
    "mlxtend": "gradlab.adapters.mlxtend_layer",
    "liger": "gradlab.adapters.liger_layer",
    "megatron": "gradlab.adapters.megatron_layer",
    "c": "gradlab.adapters.c_layer",
    "exec": "gradlab.adapters.program_layer",
}


def load_layer(target: str, claims: Mapping[str, Any], dtypes: Iterable[str] = ()) -> Implementation:
    """The layer that `layer:...` stands for.

    claims: what the caller claims for it. dtypes: what is claimed for one that says nothing of dtypes. Raises
    TargetError, in one line, where it does not exist or import, where a claim is unknown, and where it is not clear
    what it takes and returns.
    """
    (found,) = watched(target, lambda: [_claim_layer(_find(target), claims, tuple(dtypes))])
    return found


def layer_of(function: Callable[..., Any], claims: Mapping[str, Any], dtypes: Iterable[str] = ()) -> Implementation:
    """The layer that is `function`, or a class; as `load_layer`."""
    (found,) = watched("the function", lambda: [_claim_layer(_called(found_of(function)), claims, tuple(dtypes))])
    return found


def _find(target: str) -> Found:
    reference = target.removeprefix(LAYER)
    prefix, _, rest = reference.partition(":")
    if reference.isidentifier():
        if reference not in layers():
            raise TargetError(f"{target} is no layer that ships{did_you_mean(reference, layers())}")
        function, module = layers()[reference]
        require(target, needs_of(module))
        return Found(reference, function, module, target)
    if prefix in LAYER_PREFIXES:
        adapter = importlib.import_module(LAYER_PREFIXES[prefix])
        require(target, needs_of(adapter))
        for package in needs_of(adapter):
            import_name(package)  # so that a broken installation is one line, too
        adapted: Found = adapter.resolve(rest, target)
        return adapted
    found = callable_at(reference, target)
    if found is None:
        known = ", ".join(f"{LAYER}{one}:" for one in LAYER_PREFIXES)
        raise TargetError(f"{target} must be module:callable or file.py:callable after {LAYER}, or begin with {known}")
    return _called(found)


def _called(found: Found) -> Found:
    """What was found, a class as a function that makes an instance and calls it."""
    return with_class_called(found) if is_layer_class(found.function) else found


def _claim_layer(found: Found, claims: Mapping[str, Any], dtypes: tuple[str, ...]) -> Implementation:
    shown = found.target or found.name
    try:
        given = given_claims(found, claims, dtypes)
        complete = with_required_options(found.function, claims_from({"layer": {}, **given}))
        claimed = _recognise(found, complete, "targets" not in given)
        if "backward" not in given and (ways := ways_of_a_class(found.function, gradients_of_layer(claimed))):
            claimed = replace(claimed, claims=replace(claimed.claims, backward=ways))
        if "options" not in given:
            claimed = replace(claimed, claims=recognise_options(claimed, "mean_over" not in given))
    except (ValueError, TypeError) as error:
        raise TargetError(f"{shown}: {error}") from error
    fault = _call_fault(claimed.function, claimed.claims)
    if fault is not None:
        raise TargetError(f"{shown} {fault}")
    return claimed


def _recognise(found: Found, claims: Claims, is_kind_open: bool) -> Implementation:
    """The layer with all claims that are left open; where that is not clear, weight and bias may be one argument."""

    def implementation(one: Found) -> Implementation:
        function = with_what_is_claimed(one.function, claims)
        bare = Implementation(found.name, function, claims, found.target)
        return replace(bare, claims=recognise_layer(bare, is_kind_open))

    try:
        return implementation(found)
    except UnclearError:
        fitting = []
        for one in unpacked(found):
            with contextlib.suppress(UnclearError):
                fitting.append(implementation(one))
        if not fitting:
            raise
        return next(filter(is_near_on_probe, fitting), fitting[0])


def _call_fault(function: Callable[..., Any], claims: Claims) -> str | None:
    """Why it cannot be called with what it is claimed to take, or None if it can or if nothing is known."""
    layer = layer_claims(claims)
    keywords = [*filter(None, layer.taken.values()), *claims.keyword_of.values()]
    places = [name for name, keyword in layer.taken.items() if not keyword]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*places, **dict.fromkeys(keywords))
    except TypeError as error:
        shown = ", ".join([*places, *(f"{name}=..." for name in keywords)])
        return f"must be callable as ({shown}); its signature is {signature}: {error}"
    return None
