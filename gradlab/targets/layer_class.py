"""A class that keeps W and b and has `forward(x, t)` and `backward(dout)`, as textbooks write layers, as a function.

An instance is made for each call: with W and b, or with the numbers D and K, where its constructor takes them; what it
does not take is set afterwards, in its attributes and in its list or dictionary `params`. The loss is what forward
returns; the gradients are what backward returns, and what the instance then keeps: dW, db, dx, and `grads`. A class
with a method `loss(X, y)` or `loss(X, y, reg)` that returns the loss and its gradients, or that has a method
`gradient(X, y)` for these, is one, too.
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
ZEROING = tuple(f"{verb}_{noun}" for verb in ("zero", "clear", "reset") for noun in ("grad", "grads", "gradients"))
# Said of a class as a function: whether its backward pass has to be given dout, or may be; "" where it takes none.
TAKES_UPSTREAM = "takes_upstream"
NEEDED, OFFERED = "needed", "offered"


def has_passes(value: Any) -> bool:
    """Whether a value is a class with a forward and a backward pass."""
    return inspect.isclass(value) and all(callable(getattr(value, name, None)) for name in ("forward", "backward"))


def is_layer_class(value: Any) -> bool:
    """Whether a value is a class that can be a layer."""
    return has_passes(value) or (inspect.isclass(value) and callable(getattr(value, "loss", None)))


def with_class_called(found: Found) -> Found:
    """The class as a function of X, W, b, where it has one, and targets. Raises TargetError for its constructor.

    upstream: what backward is given in the place of 1, where that is claimed. earlier_features, earlier_targets: a
    batch for which the instance is used first; backward: the way, which says no more.
    """
    made = found.function
    roles = _constructor_roles(made, found.target)
    sample = _instance(made, roles, {"W": np.zeros((3, 2)), "b": np.zeros(2), "D": 3, "K": 2})
    if has_passes(made) and not (roles or _slots(made(), "W") or _names_a_weight(made.forward)):
        raise TargetError(
            f"{found.target} keeps no weight: a loss of logits is checked without layer:, as "
            f"{found.target.removeprefix('layer:')}"
        )
    has_bias = "b" in roles.values() or bool(_slots(sample, "b"))
    penalty = (
        [] if has_passes(made) else [one for one in _parameters_of_loss(made) if "l2" in parameter_roles(one.name)]
    )

    def call(
        X: Array,
        W: Array,
        targets: Array,
        b: Array | None = None,
        *,
        upstream: Any = None,
        backward: str = "once",
        earlier_features: Array | None = None,
        earlier_targets: Array | None = None,
        **strength: Any,
    ) -> dict[str, Any]:
        def use(features: Array, labels: Array) -> dict[str, Any]:
            if has_passes(made):
                return loss_and_gradients(instance, features, labels, 1.0 if upstream is None else upstream)
            return _results_of_loss(instance, features, labels, strength)

        instance = _instance(made, roles, {**_sizes(X, W), **({} if b is None else {"b": b})})
        if earlier_features is not None and earlier_targets is not None:
            use(earlier_features, earlier_targets)
            _zero_gradients(instance)
        return use(X, targets)

    own = list(inspect.signature(call).parameters.values())[: 4 if has_bias else 3]
    setattr(call, "__signature__", inspect.Signature([*own, *penalty]))  # noqa: B010  # mypy knows no such attribute
    setattr(call, TAKES_UPSTREAM, _takes_upstream(made))
    return replace(found, function=call)


def with_loss_class_called(found: Found) -> Found:
    """A class of the loss alone, forward(logits, targets) and backward(dout), as a function of logits and targets.

    upstream: what backward is given in the place of 1, where it takes anything. earlier_logits, earlier_targets: a
    batch for which the instance is used first; backward: the way, which says no more. Raises TargetError where its
    constructor has to be given something.
    """
    made = found.function
    needed = [one.name for one in parameters_of(made) or () if one.default is one.empty]
    if needed:
        raise TargetError(f"{found.target} must be made without arguments, takes {', '.join(needed)}")

    def call(
        logits: Array,
        targets: Array,
        *,
        upstream: Any = None,
        backward: str = "once",
        earlier_logits: Array | None = None,
        earlier_targets: Array | None = None,
    ) -> tuple[Any, Any]:
        instance, arriving = made(), 1.0 if upstream is None else upstream
        if earlier_logits is not None and earlier_targets is not None:
            loss_and_gradients(instance, earlier_logits, earlier_targets, arriving)
            _zero_gradients(instance)
        results = loss_and_gradients(instance, logits, targets, arriving)
        kept = {result_role(name): value for name, value in results.items()}
        return results["loss"], results.get("returned", kept.get("dX"))

    setattr(call, TAKES_UPSTREAM, _takes_upstream(made))
    return replace(found, function=call)


def loss_and_gradients(instance: Any, features: Array, targets: Array, upstream: Any = 1.0) -> dict[str, Any]:
    """What forward and backward return, and the gradients that the instance keeps, by name.

    upstream: what backward is given, where it has to be, or where it is not 1.
    """
    loss = instance.forward(*_in_order(instance.forward, features, targets))
    taken = parameters_of(instance.backward) or ()
    is_needed = any(one.default is one.empty for one in taken)
    returned = instance.backward(*([upstream] if is_needed or (taken and np.any(upstream != 1)) else []))
    return _with_kept({"loss": vars(instance).get("loss") if loss is None else loss, "returned": returned}, instance)


def _names_a_weight(method: Any) -> bool:
    """Whether a method reads an attribute that is called as weights are; of one that is not known, yes."""
    code = getattr(method, "__code__", None)
    return code is None or any(_is_part(name, "W") for name in code.co_names)


def _takes_upstream(made: Any) -> str:
    """Whether the backward pass of a class has to be given an upstream gradient, or may be."""
    taken = (parameters_of(made.backward) or ())[1:] if has_passes(made) else ()  # but for the instance
    if not taken:
        return ""
    return NEEDED if taken[0].default is inspect.Parameter.empty else OFFERED


def _zero_gradients(instance: Any) -> None:
    """The gradients of the instance are set to zero, where it has a method for that."""
    for name in ZEROING:
        method = getattr(instance, name, None)
        if callable(method):
            method()


def _results_of_loss(instance: Any, features: Array, targets: Array, strength: Mapping[str, Any]) -> dict[str, Any]:
    """What the method loss returns, and the method gradient where there is one, and the gradients that are kept."""
    found = {"loss": instance.loss(*_in_order(instance.loss, features, targets), **strength)}
    gradient = getattr(instance, "gradient", None)
    if callable(gradient):
        found["returned"] = gradient(*_in_order(gradient, features, targets))
    return _with_kept(found, instance)


def _parameters_of_loss(made: Any) -> list[inspect.Parameter]:
    """The parameters of the method loss, but for the instance, by keyword."""
    found = [one for one in parameters_of(made.loss) or () if one.name != "self"]
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in found]


def _in_order(method: Any, features: Array, targets: Array) -> tuple[Array, Array]:
    """The two in the order in which a method takes them."""
    roles = [parameter_roles(one.name)[:1] for one in parameters_of(method) or ()]
    return (targets, features) if roles[:2] == [("targets",), ("X",)] else (features, targets)


def _with_kept(found: Mapping[str, Any], instance: Any) -> dict[str, Any]:
    """What was found, and the gradients that the instance keeps; without what is None."""
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
