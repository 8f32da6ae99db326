"""What the parameters of a layer may take, by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import product
from typing import Any

from gradlab.evaluation.claims import OPTIONS
from gradlab.evaluation.layer_claims import NEEDED, LayerClaims
from gradlab.layer.names import is_computed, is_one_hot, parameter_roles

Parameters = Sequence[inspect.Parameter]

KNOWN_KEYWORDS = frozenset({*OPTIONS, "reduction", "mean_over", "backward", "vector"})
OFTEN_SOMETHING_ELSE = frozenset({"alpha", "decay", "mu", "penalty", "strength"})  # where they have a default
ARRAYS = (*NEEDED, "b")  # what a parameter may take whose name says nothing
MAX_ASSIGNMENTS = 24


def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """The parameters that can be named, or None where the signature is not known."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [one for one in found if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def assignments(parameters: Parameters, claimed: LayerClaims, others: Collection[str] = ()) -> list[tuple[str, ...]]:
    """What they may take, each as the claim `takes`, the likeliest first; none where the names fit nothing.

    A required parameter whose name says nothing may take any array that is missing; an optional one is left alone, but
    for a bias, a penalty and a number of classes. others: the names of those that are handed over otherwise.
    """
    fixed = {keyword: name for name, keyword in claimed.taken.items() if keyword}
    left = [one for one in parameters if one.name not in fixed and one.name not in others]
    required = [one for one in left if one.default is one.empty]
    optional = [one for one in left if one.default is not one.empty]
    choices = [() if is_computed(one.name) else parameter_roles(one.name) or ARRAYS for one in required]
    found: list[tuple[str, ...]] = []
    for roles in product(*choices):
        taken = {one.name: role for one, role in zip(required, roles, strict=True)} | fixed
        if len(set(taken.values())) < len(taken):
            continue
        taken |= _optional_roles(optional, taken)
        if all(name in taken.values() for name in NEEDED):
            found.append(_as_takes(parameters, taken))
    return list(dict.fromkeys(found))[:MAX_ASSIGNMENTS]


def unknown_names(parameters: Parameters, others: Collection[str] = ()) -> list[str]:
    """The required parameters whose names say nothing; others: as in `assignments`."""
    bare = [one.name for one in parameters if one.default is one.empty and one.name not in others]
    return [name for name in bare if not parameter_roles(name)]


def names_one_hot(parameters: Parameters) -> bool:
    """Whether a parameter says that it takes one-hot rows."""
    return any(is_one_hot(one.name) for one in parameters)


def _optional_roles(optional: Parameters, taken: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in optional:
        known = (
            () if one.name in KNOWN_KEYWORDS or one.name.lower() in OFTEN_SOMETHING_ELSE else parameter_roles(one.name)
        )
        free = [role for role in known if role not in taken.values() and role not in found.values()]
        fitting = [role for role in free if _fits_default(role, one.default)]
        if fitting:
            found[one.name] = fitting[0]
    return found


def _fits_default(role: str, default: Any) -> bool:
    if role == "l2":
        return isinstance(default, int | float) and not isinstance(default, bool)
    return default is None


def _as_takes(parameters: Parameters, taken: dict[str, str]) -> tuple[str, ...]:
    """The claim: places in the order as far as they go without a gap, and keywords from there on."""
    return tuple(_entries(parameters, taken))


def _entries(parameters: Parameters, taken: dict[str, str]) -> Iterator[str]:
    by_keyword = False
    known = [one.name for one in parameters]
    for one in parameters:
        by_keyword |= one.kind is one.KEYWORD_ONLY or one.name not in taken
        if one.name in taken:
            yield f"{taken[one.name]}={one.name}" if by_keyword else taken[one.name]
    yield from (f"{role}={name}" for name, role in taken.items() if name not in known)  # which **keywords may take
