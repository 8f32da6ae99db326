"""A class with `fit(X, y)`, as scikit-learn's estimators are, as a function that trains."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

_X, _Y = "X", "y"


def is_fitting_class(value: Any) -> bool:
    """Whether it is a class whose instances are trained by fit(X, y)."""
    return inspect.isclass(value) and callable(getattr(value, "fit", None))


def with_fit_called(made: Callable[..., Any]) -> Callable[..., Any]:
    """The class as a function of X, y and what its constructor takes; it returns the instance's arrays by name.

    An instance is made for each call. Of its attributes those are returned that hold floating-point numbers: coef_ and
    intercept_, W and b, or whatever they are called.
    """

    def train(**arguments: Any) -> dict[str, Any]:
        features, labels = arguments.pop(_X), arguments.pop(_Y)
        instance = made(**arguments)
        instance.fit(features, labels)
        return {name: value for name, value in vars(instance).items() if _is_array(value)}

    own = [one for one in inspect.signature(made).parameters.values() if one.name not in (_X, _Y)]
    data = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in (_X, _Y)]
    by_keyword = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in own
        if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    train.__signature__ = inspect.Signature([*data, *by_keyword])  # type: ignore[attr-defined]  # read by inspect
    return train


def _is_array(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind == "f"
