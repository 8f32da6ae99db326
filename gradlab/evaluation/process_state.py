"""What all code in a process shares, and what a call must leave as it was: arithmetic, NumPy, the folder, the streams.

Each watch is called before a call and gives a function to be called after it, which says in a few words what has
changed, having put it back where that is possible.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import json
import math
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from gradlab.evaluation.shared_state import MORE_WATCHES

Watch = Callable[[], Callable[[], str | None]]

# Not literals in the sums: those would be computed when the file is compiled.
ONE, QUARTER_ULP, THREE_QUARTERS_ULP = 1.0, 2.0**-54, 1.5 * 2.0**-53
SMALLEST_NORMAL, SUBNORMAL, HALF = 2.0**-1022, 2.0**-1074, 0.5
ROUNDINGS = {(False, True, False): "to nearest", (True, True, False): "upward", (False, False, True): "downward"}
FUNCTIONS = (
    *("abs", "arange", "array", "asarray", "divide", "dot", "einsum", "empty", "exp", "expm1", "finfo", "isfinite"),
    *("log", "log1p", "logaddexp", "matmul", "max", "maximum", "mean", "multiply", "nan_to_num", "ones", "sqrt"),
    *("subtract", "sum", "take_along_axis", "where", "zeros", "allclose", "array_equal", "isclose", "nextafter"),
)
# Of other libraries that all code in the process shares: what is used in a test, to keep a result, or to take the time.
SHARED: dict[Any, tuple[str, ...]] = {
    np.testing: ("assert_allclose", "assert_array_equal"),
    pickle: ("dumps", "loads"),
    json: ("dumps", "loads"),
    math: ("exp", "fsum", "isfinite", "log", "log1p", "sqrt"),
    time: ("monotonic", "perf_counter", "process_time", "time"),
    builtins: ("abs", "float", "int", "isinstance", "len", "max", "min", "open", "range", "sorted", "sum", "tuple"),
}


def arithmetic() -> tuple[str, bool, bool]:
    """How float64 is rounded, whether subnormal results are flushed to 0, and whether subnormal operands are."""
    seen = (ONE + QUARTER_ULP > ONE, ONE + THREE_QUARTERS_ULP > ONE, -ONE - QUARTER_ULP < -ONE)
    return ROUNDINGS.get(seen, "toward zero"), SMALLEST_NORMAL * HALF == 0, SUBNORMAL * 2.0**60 == 0


def _libm() -> Any:
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        if library.fegetenv and library.fesetenv:
            return library
    return None


def _environment() -> Any:
    """The floating-point environment as C's fegetenv stores it, or None where there is no such function."""
    stored = ctypes.create_string_buffer(256)
    return stored if _LIBM is not None and _LIBM.fegetenv(stored) == 0 else None


_LIBM = _libm()
_ARITHMETIC, _ENVIRONMENT = arithmetic(), _environment()  # as gradlab found it, before any target was loaded


def same_arithmetic() -> Callable[[], str | None]:
    """Rounding to nearest, and subnormal numbers, as gradlab found them: loading a library may have changed them."""
    return _arithmetic_now


def _arithmetic_now() -> str | None:
    now = arithmetic()
    if now == _ARITHMETIC:
        return None
    if _ENVIRONMENT is not None:
        _LIBM.fesetenv(_ENVIRONMENT)
    changed = [f"the rounding is {now[0]}, was {_ARITHMETIC[0]}"] if now[0] != _ARITHMETIC[0] else []
    if now[1:] != _ARITHMETIC[1:]:
        changed.append("subnormal numbers are taken for 0, were not")
    return " and ".join(changed)


def _same_functions(modules: Mapping[Any, Sequence[str]]) -> Watch:
    """A watch of functions of modules: those that were replaced are put back."""
    getters = [(attrgetter(*names), module) for module, names in modules.items()]

    def look() -> list[tuple[Any, ...]]:
        return [functions(module) for functions, module in getters]

    def watch() -> Callable[[], str | None]:
        before = look()

        def after() -> str | None:
            try:
                if look() == before:  # element by element, those that are the same object at once
                    return None
            except AttributeError:
                pass  # one is missing
            changed = list[str]()
            for (module, names), functions in zip(modules.items(), before, strict=True):
                for name, own in zip(names, functions, strict=True):
                    if getattr(module, name, None) is not own:
                        setattr(module, name, own)
                        changed.append(f"{module.__name__.replace('numpy', 'np')}.{name}")
            return f"{' and '.join(changed)} has changed"

        return after

    return watch


same_numpy = _same_functions({np: FUNCTIONS})
same_shared = _same_functions(SHARED)


def same_settings() -> Callable[[], str | None]:
    """np.seterr and np.set_printoptions are as they were."""
    errors, printing = np.geterr(), np.get_printoptions()

    def after() -> str | None:
        if np.geterr() == errors and np.get_printoptions() == printing:
            return None
        changed = "np.seterr's" if np.geterr() != errors else "np.set_printoptions'"
        with contextlib.suppress(ValueError, TypeError):
            np.seterr(**errors)
            np.set_printoptions(**printing)
        return f"{changed} settings have changed"

    return after


def same_folder() -> Callable[[], str | None]:
    """The current folder is the one that it was."""
    before = _folder()

    def after() -> str | None:
        if _folder() == before:
            return None
        with contextlib.suppress(OSError):
            os.chdir(before)
        return "the current folder is another one"

    return after


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


WATCHES: tuple[Watch, ...] = (same_arithmetic, same_numpy, same_settings, same_folder, same_shared, *MORE_WATCHES)


# What loading a target must leave as it was: what other code computes with. Settings are put back without a word.
AT_LOADING: tuple[Watch, ...] = (same_arithmetic, same_numpy, same_folder)


def watch_process(watches: Sequence[Watch] = WATCHES) -> Callable[[], tuple[str, ...]]:
    """To be called after a call: what it has changed, in a few words each; nothing where all is as it was."""
    checks = [watch() for watch in watches]
    return lambda: tuple(said for said in [check() for check in checks] if said is not None)
