"""The shipped implementations as test parameters, and exact answers from mpmath."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest

import gradlab.implementations

DIGITS = 60


@dataclass(frozen=True)
class Shipped:
    """One function that ships with gradlab and the claims beside it."""

    name: str
    function: Any
    claims: dict[str, Any]


def shipped() -> list[Shipped]:
    """Every loss of logits that a module of gradlab.implementations lists in `__all__`; layers are in tests/layer."""
    names = [module.name for module in pkgutil.iter_modules(gradlab.implementations.__path__) if not module.ispkg]
    modules = [importlib.import_module(f"gradlab.implementations.{name}") for name in names if name[0] != "_"]
    losses = [module for module in modules if "takes" not in module.CLAIMS]
    return [Shipped(name, getattr(module, name), module.CLAIMS) for module in losses for name in module.__all__]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`implementation` runs over all that ship, `stable` leaves the textbook's out; with every dtype they claim."""
    left_out: dict[str, tuple[str, ...]] = {"implementation": (), "stable": ("textbook",)}
    for argument in set(left_out) & set(metafunc.fixturenames):
        chosen = [one for one in shipped() if one.name not in left_out[argument]]
        if "dtype" in metafunc.fixturenames:
            pairs = [(one, dtype) for one in chosen for dtype in one.claims["dtypes"]]
            metafunc.parametrize((argument, "dtype"), pairs, ids=[f"{one.name}-{dtype}" for one, dtype in pairs])
        else:
            metafunc.parametrize(argument, chosen, ids=[one.name for one in chosen])


def _exact_row(logits: Any, label: int) -> tuple[Any, list[Any], list[Any]]:
    """The loss, the gradient and the probabilities of one row, at `DIGITS` digits, with no subtraction from 1."""
    x = [mpmath.mpf(float(value)) for value in logits]
    e = [mpmath.exp(value - max(x)) for value in x]
    others = mpmath.fsum(value for j, value in enumerate(e) if j != label)
    p = [value / (others + e[label]) for value in e]
    gradient = [-others / (others + e[label]) if j == label else value for j, value in enumerate(p)]
    return mpmath.log1p(others / e[label]), gradient, p


def _exact(logits: Any, labels: Any) -> tuple[Any, list[list[Any]]]:
    with mpmath.workdps(DIGITS):
        rows = [_exact_row(row, int(label)) for row, label in zip(logits, labels, strict=True)]
        return mpmath.fsum(row[0] for row in rows) / len(rows), [[g / len(rows) for g in row[1]] for row in rows]


def _ulps(observed: Any, expected: Any) -> float:
    """abs(observed - expected) in units in the last place of the observed dtype at the expected value."""
    info = np.finfo(observed.dtype)
    with mpmath.workdps(DIGITS):
        exponent = max(mpmath.frexp(abs(expected))[1] - 1, int(info.minexp)) if expected else int(info.minexp)
        return float(abs(mpmath.mpf(float(observed)) - expected) / mpmath.mpf(2) ** (exponent - int(info.nmant)))


@pytest.fixture(scope="session")
def exact() -> Any:
    """(logits, labels) -> the exact mean loss and its gradient, for finite logits."""
    return _exact


@pytest.fixture(scope="session")
def exact_row() -> Any:
    """(row of logits, label) -> the exact loss, gradient and probabilities of that row."""
    return _exact_row


@pytest.fixture(scope="session")
def ulps() -> Any:
    """(observed, expected) -> the error in ULP of the observed dtype."""
    return _ulps
