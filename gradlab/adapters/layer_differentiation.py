"""A user's loss of features, weight, bias and labels, differentiated by a framework with respect to the first three.

It is called in its own order, as any layer; which of its arrays are differentiated by, their names say, and where they
say nothing every array of real numbers is. The ways of asking for the backward pass are those of `differentiation.py`.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import ONCE, BackwardPass, with_keywords
from gradlab.layer.names import parameter_roles
from gradlab.layer.parameters import KNOWN_KEYWORDS
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, standing_for

KEYWORDS = {"upstream": None, "backward": ONCE}

Key = int | str  # the place of an argument, or its keyword


@dataclass(frozen=True, eq=False)
class LayerArguments:
    """All that a layer is called with, in order and by keyword. leaves: what is differentiated by."""

    in_order: tuple[Any, ...]
    by_keyword: Mapping[str, Any]
    leaves: tuple[Key, ...]

    def __getitem__(self, key: Key) -> Any:
        return self.in_order[key] if isinstance(key, int) else self.by_keyword[key]

    def converted(self, convert: Callable[[Array], Any]) -> LayerArguments:
        """The same, with every array converted."""

        def one(value: Any) -> Any:
            return convert(value) if isinstance(value, np.ndarray) else value

        by_keyword = {name: one(value) for name, value in self.by_keyword.items()}
        return replace(self, in_order=tuple(map(one, self.in_order)), by_keyword=by_keyword)

    def call(self, loss: Callable[..., Any], *leaves: Any) -> Any:
        """What the loss returns with other leaves; of several results the first."""
        put = dict(zip(self.leaves, leaves, strict=True))
        in_order = [put.get(place, value) for place, value in enumerate(self.in_order)]
        value = loss(*in_order, **{name: put.get(name, value) for name, value in self.by_keyword.items()})
        return value[0] if isinstance(value, tuple | list) and value else value


Framework = Callable[[Callable[..., Any], LayerArguments, BackwardPass], tuple[Any, tuple[Any, ...]]]


def with_gradients_by(
    framework: Framework, given: Found, defaults: Mapping[str, Any], signature: inspect.Signature | None = None
) -> Found:
    """A user's loss in the place where it was found, which returns the loss and its gradients, each by its own name.

    framework: of the loss, its arguments and the backward pass, gives the loss and the gradients of the leaves.
    defaults: what is claimed for it where it says nothing. signature: its own, where it does not say it itself.
    """
    loss = given.function
    names = _names(loss, signature)

    def call(*in_order: Any, upstream: Array | None = None, backward: str = ONCE, **by_keyword: Any) -> dict[str, Any]:
        named: dict[Key, str] = dict(enumerate(names[: len(in_order)]))
        keyed: dict[Key, Any] = dict(enumerate(in_order))
        keyed.update(by_keyword)
        leaves = tuple(key for key, value in keyed.items() if _is_leaf(value, named.get(key, key)))
        arguments = LayerArguments(in_order, by_keyword, leaves)
        value, gradients = framework(loss, arguments, BackwardPass(upstream, backward))
        return {"loss": value} | {f"d{named.get(key, key)}": one for key, one in zip(leaves, gradients, strict=True)}

    found = standing_for(given, call, defaults)
    with contextlib.suppress(TypeError, ValueError):  # a callable whose signature is not known
        own = signature or inspect.signature(loss)
        setattr(call, "__signature__", with_keywords(own, KEYWORDS))  # noqa: B010  # mypy knows no such attribute
    return found


def _names(loss: Callable[..., Any], signature: inspect.Signature | None) -> list[str]:
    """The names of its parameters in order, none where they are not known."""
    with contextlib.suppress(TypeError, ValueError):
        parameters = (signature or inspect.signature(loss)).parameters.values()
        return [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return []


def _is_leaf(value: Any, name: str | int) -> bool:
    """Whether a gradient by an argument is asked for: one of real numbers that is no target, and no option."""
    if name in KNOWN_KEYWORDS:
        return False
    is_real = isinstance(value, np.ndarray) and (value.dtype.kind == "f" or value.dtype.name == "bfloat16")
    return is_real and "targets" not in parameter_roles(str(name))
