"""A class with `fit(X, y)`, as scikit-learn's estimators are, as a function that trains."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

METHODS = ("fit", "train")  # the first that a class has


def is_fitting_class(value: Any) -> bool:
    """Whether it is a class whose instances are trained by fit(X, y), or by train(X, y)."""
    return inspect.isclass(value) and bool(_method_of(value))


def with_fit_called(made: Callable[..., Any]) -> Callable[..., Any]:
    """The class as a function of what its constructor and its method take; it returns the instance's arrays by name.

    An instance is made for each call. Of its attributes those are returned that hold floating-point numbers, and lists
    of them: coef_ and intercept_, W and b, losses, or whatever they are called; and what the method returns, unless
    that is the instance.
    """
    method = _method_of(made)
    of_method = [
        one for one in list(inspect.signature(getattr(made, method)).parameters.values())[1:] if _is_named(one)
    ]
    names = [one.name for one in of_method]
    of_class = [one for one in inspect.signature(made).parameters.values() if _is_named(one) and one.name not in names]

    def train(**arguments: Any) -> dict[str, Any]:
        own = {name: arguments.pop(name) for name in names if name in arguments}
        instance = made(**arguments)
        returned = getattr(instance, method)(**own)
        found = {name: value for name, value in vars(instance).items() if _is_kept(value)}
        return found if returned is None or returned is instance else {**found, "returned": returned}

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*of_method, *of_class)]
    train.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    return train


def _method_of(made: Any) -> str:
    return next((name for name in METHODS if callable(getattr(made, name, None))), "")


def _is_named(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _is_kept(value: Any) -> bool:
    """Whether an attribute may be something that was learned: an array, a list of losses, a mapping of arrays."""
    if isinstance(value, dict):
        return bool(value) and all(map(_is_kept, value.values()))
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, float | np.floating) for one in value)
    dtype = getattr(value, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind == "f"
