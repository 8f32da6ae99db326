"""A layer whose weight and bias are one argument: a pair, a mapping, or one array with the bias as a row or a column;
or whose weight is a vector, as optimisers take it.

Which of them it is, calls tell; what comes back as one array in that form is taken apart.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.layer.names import parameter_roles
from gradlab.layer.parameters import Parameters, parameters_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found

WEIGHT, BIAS = "W_", "b_"  # the parameters in the place of the packed one


@dataclass(frozen=True)
class Packing:
    """How weight and bias are one argument. unpack: (dW, db) out of an array of the packed shape; None: none is."""

    pack: Callable[[Array, Array], Any]
    unpack: Callable[[Array], tuple[Array, Array]] | None = None


def _mapping(weight: str, bias: str) -> Packing:
    return Packing(lambda W, b: {weight: W, bias: b})


PACKINGS = (
    Packing(lambda W, b: (W, b)),
    _mapping("W", "b"),
    _mapping("w", "b"),
    _mapping("weight", "bias"),
    _mapping("weights", "bias"),
    _mapping("W1", "b1"),
    _mapping("kernel", "bias"),
    Packing(lambda W, b: np.concatenate([W, b[None]]), lambda d: (d[:-1], d[-1])),
    Packing(lambda W, b: np.concatenate([b[None], W]), lambda d: (d[1:], d[0])),
    Packing(lambda W, b: np.concatenate([W, b[:, None]], 1), lambda d: (d[:, :-1], d[:, -1])),
    Packing(lambda W, b: np.concatenate([b[:, None], W], 1), lambda d: (d[:, 1:], d[:, 0])),
)


def unpacked(found: Found) -> Iterator[Found]:
    """The function as one of weight and bias, once for each way of packing them; none where it takes a bias by name.

    Before these the function of a weight that is handed over as a vector.
    """
    parameters = parameters_of(found.function) or ()
    roles = {one.name: parameter_roles(one.name)[:1] for one in parameters if one.default is one.empty}
    packed = [name for name, role in roles.items() if role == ("W",)]
    if len(packed) == 1:
        yield replace(found, function=_with_vector(found.function, parameters, packed[0]))
    if len(packed) == 1 and ("b",) not in roles.values():
        for packing in PACKINGS:
            yield replace(found, function=_with_parts(found.function, parameters, packed[0], packing))


def _with_parts(
    function: Callable[..., Any], parameters: Parameters, packed: str, packing: Packing
) -> Callable[..., Any]:
    place = [one.name for one in parameters].index(packed)

    @functools.wraps(function)
    def call(*given: Any, **keywords: Any) -> Any:
        parts = list(given)
        argument = packing.pack(*parts[place : place + 2])
        parts[place : place + 2] = [argument]
        returned = function(*parts, **keywords)
        return returned if packing.unpack is None else _taken_apart(returned, argument.shape, packing.unpack)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter(name, kind) for name in (WEIGHT, BIAS)]
    signature = inspect.Signature([*parameters[:place], *own, *parameters[place + 1 :]])
    setattr(call, "__signature__", signature)  # noqa: B010  # mypy knows no such attribute
    return call


def _with_vector(function: Callable[..., Any], parameters: Parameters, name: str) -> Callable[..., Any]:
    """The function with its weight handed over row by row as a vector, and what comes back like it as an array."""
    place = [one.name for one in parameters].index(name)

    @functools.wraps(function)
    def call(*given: Any, **keywords: Any) -> Any:
        parts = list(given)
        weight = keywords[name] if name in keywords else parts[place]
        if name in keywords:
            keywords[name] = weight.ravel()
        else:
            parts[place] = weight.ravel()
        vector = (weight.size,)
        return _taken_apart(function(*parts, **keywords), vector, lambda d: d.reshape(weight.shape))

    return call


def _taken_apart(value: Any, shape: tuple[int, ...], unpack: Callable[[Array], Any]) -> Any:
    """What came back, each array of this shape in it taken apart."""
    if isinstance(value, np.ndarray) and value.shape == shape:
        return unpack(value)
    if isinstance(value, tuple | list):
        return tuple(_taken_apart(one, shape, unpack) for one in value)
    if isinstance(value, dict):
        return {key: _taken_apart(one, shape, unpack) for key, one in value.items()}
    return value
