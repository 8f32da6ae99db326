"""What comes back from a layer on the probe problem: which of it is which output, by names, shapes and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import Leaves, array_of
from gradlab.evaluation.layer_claims import GRADIENTS, LOSS, OTHER, LayerClaims
from gradlab.layer.call import claimed_shape
from gradlab.layer.names import result_role
from gradlab.layer.probe import is_near, right_outputs
from gradlab.layer.problem import LayerProblem
from gradlab.problems.problem import Array


@dataclass(frozen=True, eq=False)
class Results:
    """What came back, recognised.

    returns: the claim; () where there is no gradient in it. fitting: the outputs of the claimed shape, right: those of
    the right value, too. doubtful: outputs of which there are several, all wrong. unknown: arrays that are no output.
    """

    returns: tuple[str, ...]
    fitting: frozenset[str]
    right: frozenset[str]
    doubtful: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def score(self) -> tuple[int, int]:
        """How much of it is right, and how much fits."""
        return len(self.right), len(self.fitting)

    @property
    def is_certain(self) -> bool:
        """Whether it has a gradient, and nothing in it is wrong or of another kind."""
        return bool(self.right & set(GRADIENTS)) and self.right == self.fitting and not self.unknown


def recognise_results(leaves: Leaves, claims: Claims, layer: LayerClaims, problem: LayerProblem) -> Results:
    """What came back from a call with these claims."""
    arrays = {path: array for path, part in leaves.parts.items() if (array := _real(part)) is not None}
    expected = right_outputs(problem)
    roles = {path: _role(path, array, layer, problem) for path, array in arrays.items()}
    chosen: dict[str, str] = {}
    right: set[str] = set()
    doubtful: list[str] = []
    for name in (LOSS, *GRADIENTS):
        own = [path for path, role in roles.items() if role == name]
        near = [path for path in own if is_near(_in_layout(name, arrays[path], problem), expected[name], claims)]
        if near:
            right.add(name)
        elif any(not np.array_equal(arrays[own[0]], arrays[path], equal_nan=True) for path in own[1:]):
            doubtful.append(name)
        if own:
            chosen[name] = _likeliest(near or own, name)
    fitting = {name for name, path in chosen.items() if arrays[path].shape == claimed_shape(name, layer, problem)}
    unknown = [f"{path or 'it'} {arrays[path].shape}" for path, role in roles.items() if not role]
    returns = _as_returns(list(leaves.parts), chosen) if set(chosen) & set(GRADIENTS) else ()
    return Results(returns, frozenset(fitting), frozenset(right), tuple(doubtful), tuple(unknown))


def _role(path: str, array: Array, layer: LayerClaims, problem: LayerProblem) -> str:
    """Which output a result may be, by its shape, and by its name where the shape fits none; "" for none."""
    outputs = (LOSS, *GRADIENTS) if "b" in layer.taken else (LOSS, *GRADIENTS[:-1])
    shapes = {name: claimed_shape(name, layer, problem) for name in outputs}
    by_shape = next((name for name, shape in shapes.items() if array.shape == shape), "")
    named = result_role(path)
    turned = {name: shape[::-1] for name, shape in shapes.items() if len(shape) == 2}
    by_size = next((name for name, shape in turned.items() if array.shape == shape), "")
    if not by_shape and array.size == 1:
        return LOSS
    return by_shape or (named if named in outputs else "") or by_size


def _in_layout(name: str, array: Array, problem: LayerProblem) -> Array:
    """An output in the problem's layout, where it is the other way round."""
    shape = problem.shape_of(name)
    if array.shape == shape[::-1]:
        return array.T
    return array.reshape(shape) if array.size == np.prod(shape, dtype=int) else np.full(shape, np.nan)


def _likeliest(paths: list[str], name: str) -> str:
    """The one that is called so, else the first."""
    return next((path for path in paths if result_role(path) == name), paths[0])


def _as_returns(paths: list[str], chosen: Mapping[str, str]) -> tuple[str, ...]:
    """The claim: names in the order in which they come back; each with its path where that is more than a number."""
    names = {path: name for name, path in chosen.items()}
    if paths == [""]:
        return (names[""],)
    if paths == [str(number) for number in range(len(paths))] and len(paths) > 1:
        return tuple(names.get(path, OTHER) for path in paths)
    return tuple(f"{name}={path}" for name, path in chosen.items())


def _real(part: Any) -> Array | None:
    """A real floating-point number or array; None for what is none."""
    array, _ = array_of(part, "result")
    is_real = array is not None and (array.dtype.kind == "f" or array.dtype.name == "bfloat16")
    return array if is_real else None
