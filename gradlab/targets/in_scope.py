"""Loading a target of whatever scope: a layer where it begins with `layer:`, else a loss of logits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.layer_claims import LAYER_NAMES
from gradlab.targets.importing import TargetError
from gradlab.targets.load import implementation_of, load, load_offered
from gradlab.targets.prefixes import LAYER, TRAINER

__all__ = ["load_callable", "load_in_scope", "load_offered"]


def load_in_scope(
    target: str, claims: Mapping[str, Any], dtypes: Iterable[str] = (), faults: list[str] | None = None
) -> list[Implementation]:
    """The implementations that a target stands for, as `load` and `load_layer` have them. Raises TargetError."""
    if target.startswith(LAYER):
        from gradlab.targets.layers import load_layer  # with the oracle, which no loss of logits needs here

        return [load_layer(target, claims, dtypes)]
    if target.startswith(TRAINER):
        raise TargetError(f"{target} is a trainer, which another command judges: gradlab certify {target}")
    if _claims_a_layer(claims):
        raise _not_written_as_layer(target)
    return [_refuse_layer(one, target) for one in load(target, claims, dtypes, faults)]


def load_callable(
    function: Callable[..., Any], claims: Mapping[str, Any], dtypes: Iterable[str] = ()
) -> Implementation:
    """The implementation that is `function`: a layer where a claim of layers is made. Raises TargetError."""
    if _claims_a_layer(claims):
        from gradlab.targets.layers import layer_of

        return layer_of(function, claims, dtypes)
    return _refuse_layer(implementation_of(function, claims, dtypes), getattr(function, "__name__", "the function"))


def _refuse_layer(one: Implementation, target: str) -> Implementation:
    if one.claims.layer is not None:
        raise _not_written_as_layer(target)
    return one


def _claims_a_layer(claims: Mapping[str, Any]) -> bool:
    return bool(set(LAYER_NAMES) & set(claims)) or claims.get("layer") is not None


def _not_written_as_layer(target: str) -> TargetError:
    return TargetError(f"{target} claims what layers claim, such as takes: write {LAYER}{target}")
