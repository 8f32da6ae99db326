"""What this machine's arithmetic is like, as far as a verdict rests on it; measured, not looked up."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from gradlab.harness.machine import numpy_simd, processor
from gradlab.oracle.elementary import ELEMENTARY, largest_error
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.roundings import BETA

PACKAGES = ("gradlab-verify", "numpy", "sympy", "hypothesis", "python-flint", "ml_dtypes", "click", "rich")
N_ARGUMENTS = 20_000

Plain = dict[str, Any]


def examination() -> Plain:
    """All findings as plain data; `sound` says whether they are what level `stable` takes for granted."""
    arithmetic = {dtype: _arithmetic(dtype) for dtype in ("float32", "float64")}
    errors = [_elementary_error(function, dtype) for function in ELEMENTARY for dtype in DTYPE_NAMES]
    sound = all(one["keeps_subnormals"] and one["rounds_to_nearest"] for one in arithmetic.values())
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "processor": processor("model name"),
        },
        "processor_flags": processor("flags", "Features").split(),
        "numpy_simd": numpy_simd(),
        "arithmetic": arithmetic,
        "elementary": errors,
        "beta": BETA,
        "sound": sound and all(one["within_beta"] for one in errors),
    }


def told(found: Plain) -> Iterator[str]:
    """The findings in words, line by line."""
    yield from _pairs("versions", found["versions"])
    yield from _pairs("platform", found["platform"])
    yield f"processor flags: {' '.join(found['processor_flags']) or 'unknown'}"
    yield f"NumPy uses: {' '.join(found['numpy_simd']) or 'unknown'}"
    for dtype, one in found["arithmetic"].items():
        kept = "kept" if one["keeps_subnormals"] else "FLUSHED TO ZERO"
        rounding = "to nearest" if one["rounds_to_nearest"] else "NOT TO NEAREST"
        yield f"{dtype}: subnormal numbers are {kept}, rounding is {rounding}"
    yield f"largest error found at {N_ARGUMENTS} arguments, in ULP (level stable allows {found['beta']:g}):"
    for function in ELEMENTARY:
        errors = [one for one in found["elementary"] if one["function"] == function.name]
        cells = (f"{one['dtype']} {one['ulp']:.4f}{'' if one['within_beta'] else ' TOO LARGE'}" for one in errors)
        yield f"  {function.name:<6} {', '.join(cells)}  ({function.where})"


def _elementary_error(function: Any, dtype: str) -> Plain:
    error = largest_error(function, dtype, N_ARGUMENTS)
    return {
        "function": error.function,
        "dtype": error.dtype,
        "ulp": error.ulp,
        "argument": error.argument.hex(),
        "sample": function.where,
        "within_beta": error.ulp <= BETA,
    }


def _arithmetic(dtype: str) -> Plain:
    """Whether subnormal arguments and results survive, and whether sums are rounded to nearest, ties to even."""
    fmt = format_of(dtype)
    numbers = np.full(16, fmt.smallest_normal, dtype=dtype)
    halves = numbers * numbers.dtype.type(0.5)
    back = np.full(16, fmt.smallest_subnormal, dtype=dtype) * numbers.dtype.type(2.0 ** (fmt.precision - 1))
    ones = np.ones(16, dtype=dtype)
    u = ones.dtype.type(fmt.unit_roundoff)
    nearest = ((ones + u) == 1) & ((ones + 3 * u) == ones + 4 * u)
    return {
        "keeps_subnormals": any(halves.tobytes()) and back.tobytes() == numbers.tobytes(),
        "rounds_to_nearest": bool(nearest.all()),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _pairs(title: str, values: Plain) -> Iterator[str]:
    yield f"{title}: {', '.join(f'{name} {value}' for name, value in values.items() if value)}"
