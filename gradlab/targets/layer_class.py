"""A class that keeps W and b and has `forward(x, t)` and `backward(dout)`, as textbooks write layers, as a function.

An instance is made for each call: with W and b, or with the numbers D and K, where its constructor takes them; what it
does not take is set afterwards, in its attributes and in its list or dictionary `params`. The loss is what forward
returns; the gradients are what backward returns, and what the instance then keeps: dW, db, dx, and `grads`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.layer.names import parameter_roles, result_role
from gradlab.layer.parameters import parameters_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found
from gradlab.targets.importing import TargetError

_SIZES = {
    "D": """input_size n_features num_features in_features in_dim input_dim dim_in n_in d d_in fan_in n_inputs features
        inputs""",
    "K": """output_size num_classes n_classes out_features out_dim output_dim dim_out n_out k c d_out fan_out n_outputs
        classes outputs hidden_size""",
}
SIZES = {name: listed.split() for name, listed in _SIZES.items()}
PARTS = ("W", "b")


def is_layer_class(value: Any) -> bool:
    """Whether a class has the two methods."""
    return inspect.isclass(value) and all(callable(getattr(value, name, None)) for name in ("forward", "backward"))


def with_class_called(found: Found) -> Found:
    """The class as a function of X, W, b, where it has one, and targets. Raises TargetError for its constructor."""
    made = found.function
    roles = _constructor_roles(made, found.target)
    sample = _instance(made, roles, {"W": np.zeros((3, 2)), "b": np.zeros(2), "D": 3, "K": 2})
    has_bias = "b" in roles.values() or bool(_slots(sample, "b"))

    def call(X: Array, W: Array, b: Array, targets: Array) -> dict[str, Any]:  # the names of the field
        return loss_and_gradients(_instance(made, roles, {"b": b, **_sizes(X, W)}), X, targets)

    def call_without_bias(X: Array, W: Array, targets: Array) -> dict[str, Any]:  # the same
        return loss_and_gradients(_instance(made, roles, _sizes(X, W)), X, targets)

    return replace(found, function=call if has_bias else call_without_bias)


def with_loss_class_called(found: Found) -> Found:
    """A class of the loss alone, forward(logits, targets) and backward(dout), as a function of logits and targets.

    upstream: what backward is given in the place of 1, where it takes anything. Raises TargetError where its
    constructor has to be given something.
    """
    made = found.function
    needed = [one.name for one in parameters_of(made) or () if one.default is one.empty]
    if needed:
        raise TargetError(f"{found.target} must be made without arguments, takes {', '.join(needed)}")

    def call(logits: Array, targets: Array, *, upstream: Any = None, backward: str = "once") -> tuple[Any, Any]:
        results = loss_and_gradients(made(), logits, targets, 1.0 if upstream is None else upstream)
        kept = {result_role(name): value for name, value in results.items()}
        return results["loss"], results.get("returned", kept.get("dX"))

    return replace(found, function=call)


def loss_and_gradients(instance: Any, features: Array, targets: Array, upstream: Any = 1.0) -> dict[str, Any]:
    """What forward and backward return, and the gradients that the instance keeps, by name.

    upstream: what backward is given, where it has to be, or where it is not 1.
    """
    parameters = parameters_of(instance.forward) or ()
    swapped = [parameter_roles(one.name)[:1] for one in parameters][:2] == [("targets",), ("X",)]
    loss = instance.forward(*((targets, features) if swapped else (features, targets)))
    taken = parameters_of(instance.backward) or ()
    is_needed = any(one.default is one.empty for one in taken)
    returned = instance.backward(*([upstream] if is_needed or (taken and np.any(upstream != 1)) else []))
    found = {"loss": getattr(instance, "loss", None) if loss is None else loss, "returned": returned}
    kept = {name: value for name, value in vars(instance).items() if _is_gradient(name)}
    return {name: value for name, value in {**found, **kept}.items() if value is not None}


def _is_gradient(name: str) -> bool:
    plain = name.lower().strip("_")
    return plain in ("grads", "gradients") or (plain[:1] in ("d", "g") and result_role(name) in ("dX", "dW", "db"))


def _constructor_roles(made: Any, target: str) -> dict[str, str]:
    """What each parameter of the constructor takes: W, b, or one of the sizes D and K; the others have a default."""
    roles: dict[str, str] = {}
    for one in parameters_of(made) or ():
        size = next((name for name, listed in SIZES.items() if one.name.lower() in listed), "")
        part = next((role for role in parameter_roles(one.name) if role in PARTS), "")
        if one.default is one.empty and not (size or part):
            raise TargetError(f"{target}: its constructor must take W and b, or D and K, takes {one.name}, not known")
        if one.default is one.empty or (part and one.default is None):
            roles[one.name] = size or part
    return roles


def _sizes(features: Array, weight: Array) -> dict[str, Any]:
    """The weight, and the numbers of features and of classes."""
    n_features = next((size for size in features.shape[::-1] if size in weight.shape), weight.shape[0])
    n_classes = weight.shape[1] if weight.shape[0] == n_features else weight.shape[0]
    return {"W": weight, "D": n_features, "K": n_classes}


def _instance(made: Any, roles: Mapping[str, str], values: Mapping[str, Any]) -> Any:
    """A new instance with this weight, and this bias where there is one."""
    instance = made(**{name: values[role] for name, role in roles.items()})
    for part in PARTS:
        if part in values and part not in roles.values():
            slots = list(_slots(instance, part))
            for put in slots:
                put(values[part])
            if not slots and part == "W":
                setattr(instance, part, values[part])
    return instance


def _slots(instance: Any, part: str) -> list[Callable[[Any], None]]:
    """Where an instance keeps its weight, or its bias: functions that put another one there."""
    found: list[Callable[[Any], None]] = []
    for name, value in vars(instance).items():
        if _is_part(name, part) and (value is None or isinstance(value, np.ndarray)):
            found.append(_attribute(instance, name))
    params = getattr(instance, "params", None)
    if isinstance(params, dict):
        found += [_item(params, key) for key in params if _is_part(str(key), part)]
    if isinstance(params, list):
        found += [_item(params, place) for place, value in enumerate(params) if (np.ndim(value) == 2) == (part == "W")]
    return found


def _is_part(name: str, part: str) -> bool:
    return parameter_roles(name)[:1] == (part,) and name != "params"


def _attribute(instance: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(instance, name, value)


def _item(params: Any, key: Any) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        params[key] = value

    return put
