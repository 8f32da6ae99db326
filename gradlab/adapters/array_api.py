"""`array-api:torch:file.py:loss`: a function written against the array API standard, asked with arrays of a namespace.

The function takes (logits, targets) and returns (loss, gradient), all arrays of that namespace; it finds the namespace
by array_api_compat.array_namespace(logits).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.evaluation.foreign import pair_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import TargetError, import_name, require

NEEDS = {"array_api_compat": "array-api"}

Loss = Callable[..., Any]


def resolve(reference: str, target: str) -> Found:
    """What a target `array-api:namespace:reference` stands for. Raises TargetError where that is nothing."""
    name, _, place = reference.partition(":")
    if name not in NAMESPACES:
        raise TargetError(f"{target} must be {', '.join(NAMESPACES)} after array-api:, and then file.py:callable")
    package, extra, call_in, defaults = NAMESPACES[name]
    require(target, {package: extra} if extra else {})
    import_name(package)  # so that a broken installation is one line, too
    given = callable_for(f"array-api:{name}", (), place)
    loss = given.function

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
        return call_in(loss, logits, targets, options)

    return standing_for(given, call, defaults)


def _in_numpy(loss: Loss, logits: Array, targets: Array, options: dict[str, Any]) -> tuple[Any, Any]:
    return _pair(loss(logits, targets, **options))


def _in_torch(loss: Loss, logits: Array, targets: Array, options: dict[str, Any]) -> tuple[Any, Any]:
    from gradlab.adapters.torch_tensors import array_of, tensor_of

    y = targets.astype(np.int64, copy=False) if targets.dtype.kind in "iu" else targets
    keywords = _convert_arrays(tensor_of, options)
    value, gradient = _pair(loss(tensor_of(logits), tensor_of(y), **keywords))
    return array_of(value), array_of(gradient)


def _in_jax(loss: Loss, logits: Array, targets: Array, options: dict[str, Any]) -> tuple[Any, Any]:
    import jax

    with jax.enable_x64(logits.dtype == np.float64):
        keywords = _convert_arrays(jax.numpy.asarray, options)
        value, gradient = _pair(loss(jax.numpy.asarray(logits), jax.numpy.asarray(targets), **keywords))
        return np.asarray(value), np.asarray(gradient)


def _in_array_api_strict(loss: Loss, logits: Array, targets: Array, options: dict[str, Any]) -> Any:
    xp = import_name("array_api_strict")
    keywords = _convert_arrays(xp.asarray, options)
    value, gradient = _pair(loss(xp.asarray(logits), xp.asarray(targets), **keywords))
    return np.from_dlpack(value), np.from_dlpack(gradient)


# The package, the extra of gradlab-verify that brings it, how a function is called, and what is claimed of it.
NAMESPACES: dict[str, tuple[str, str, Callable[..., tuple[Any, Any]], dict[str, Any]]] = {
    "numpy": ("numpy", "", _in_numpy, {}),
    "torch": ("torch", "torch", _in_torch, {}),
    "jax": ("jax", "jax", _in_jax, {"flushes_subnormals": True}),
    "array_api_strict": ("array_api_strict", "test", _in_array_api_strict, {}),
}


def _convert_arrays(convert: Callable[[Array], Any], options: dict[str, Any]) -> dict[str, Any]:
    return {name: convert(one) if isinstance(one, np.ndarray) else one for name, one in options.items()}


def _pair(answer: Any) -> tuple[Any, Any]:
    pair = pair_of(answer)
    if pair is None:
        raise TypeError("a function must return (loss, gradient)")
    return pair
