"""What this machine's arithmetic is like, as far as a verdict rests on it; measured, not looked up."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from gradlab.bounds.rounding_counts import ASSUMED_BY_ACCURATE, BETA
from gradlab.measure.function_errors import known_errors, plain, this_build, worst_arguments
from gradlab.measure.function_sweep import Watch, sweep
from gradlab.measure.machine import numpy_simd, processor
from gradlab.oracle.elementary import ELEMENTARY, Elementary, LargestError, largest_error, sample_arguments
from gradlab.problems.dtypes import DTYPE_NAMES, format_of

PACKAGES = ("gradlab-verify", "numpy", "sympy", "hypothesis", "python-flint", "ml_dtypes", "click", "rich")
N_ARGUMENTS = 10_000
NEIGHBOURS = 32  # on either side of each argument that is the worst of some build
SWEPT = "float32"  # the dtype that can be asked for every argument

Plain = dict[str, Any]


def examination(sweeps: Iterable[Plain] = ()) -> Plain:
    """All findings as plain data; `sound` and `sound_for_accurate` say whether they are what the bounds stand on.

    sweeps: of `sweep_error`, which count like the rest.
    """
    arithmetic = {dtype: _arithmetic(dtype) for dtype in ("float32", "float64")}
    errors, sweeps = [_elementary_error(function, dtype) for function in ELEMENTARY for dtype in DTYPE_NAMES], [*sweeps]
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
        "walks": sweeps,
        "known_of_this_build": plain(known_errors().get(this_build(), {}).values()),
        "beta": BETA,
        "sound": sound and all(one["within_beta"] for one in errors + sweeps),
        "sound_for_accurate": sound and all(one["within_accurate"] for one in errors + sweeps),
    }


def sweep_error(function: Elementary, arguments: range, n_processes: int, watch: Watch) -> Plain:
    """The largest error of a function at the float32 arguments with these bits, such as ALL."""
    swept = sweep(function, arguments, n_processes, watch)
    worst = largest_error(function, SWEPT, np.array([swept.argument], dtype=SWEPT))
    found = _judge(worst, swept.at_most)
    return {**found, "at_most": _number(swept.at_most), "n_arguments": swept.n_arguments}


def doctor_lines(found: Plain) -> Iterator[str]:
    """The findings in words, line by line."""
    yield from _pairs("versions", found["versions"])
    yield from _pairs("platform", found["platform"])
    yield f"processor flags: {' '.join(found['processor_flags']) or 'unknown'}"
    yield f"NumPy uses: {' '.join(found['numpy_simd']) or 'unknown'}"
    for dtype, one in found["arithmetic"].items():
        kept = "kept" if one["keeps_subnormals"] else "FLUSHED TO ZERO"
        rounding = "to nearest" if one["rounds_to_nearest"] else "NOT TO NEAREST"
        yield f"{dtype}: subnormal numbers are {kept}, rounding is {rounding}"
    yield from _function_lines(found)
    yield from map(_sweep_line, found["walks"])
    yield from _known_lines(found["known_of_this_build"])


def _function_lines(found: Plain) -> Iterator[str]:
    assumed = ", ".join(f"{name} {dtype} {ulp:g}" for (name, dtype), ulp in ASSUMED_BY_ACCURATE.items())
    yield f"largest errors in ULP, at {N_ARGUMENTS} random arguments and at the worst ones known of any build of NumPy"
    yield f"(level stable allows {found['beta']:g}; level accurate assumes {assumed}):"
    for function in ELEMENTARY:
        errors = [one for one in found["elementary"] if one["function"] == function.name]
        cells = (f"{one['dtype']} {float(one['ulp']):.4f}{_remark(one)}" for one in errors)
        yield f"  {function.name:<6} {', '.join(cells)}  ({function.where})"


def _sweep_line(one: Plain) -> str:
    size = f"at most {float(one['at_most']):.4f} ULP{_remark(one)}"
    return f"{one['function']} {one['dtype']} at {one['n_arguments']:,} arguments: {size}, at {one['argument']}"


def _known_lines(known: list[Plain]) -> Iterator[str]:
    swept = [f"{one['function']} {one['ulp']:.4f}" for one in known if one["how"] == "exhaustive"]
    if swept:
        yield f"known of this build at all float32 arguments, in ULP: {', '.join(swept)}"
    else:
        yield "this build is not among those measured at all float32 arguments; --every exp does it, in a minute or two"


def _remark(one: Plain) -> str:
    if not one["within_beta"]:
        return " TOO LARGE"
    return "" if one["within_accurate"] else " TOO LARGE FOR LEVEL ACCURATE"


def _elementary_error(function: Elementary, dtype: str) -> Plain:
    arguments = sample_arguments(function, dtype, N_ARGUMENTS)
    if dtype in ("float32", "float64"):
        known = worst_arguments(known_errors(), function.name, dtype, NEIGHBOURS)
        arguments = np.concatenate([arguments, known])
    error = largest_error(function, dtype, arguments)
    return {**_judge(error, error.ulp), "sample": function.where, "n_arguments": len(arguments)}


def _judge(error: LargestError, at_most: float) -> Plain:
    """A largest error, and whether the bounds stand where no error is larger than at_most."""
    return {
        "function": error.function,
        "dtype": error.dtype,
        "ulp": _number(error.ulp),
        "argument": error.argument.hex(),
        "within_beta": at_most <= BETA,
        "within_accurate": at_most <= ASSUMED_BY_ACCURATE.get((error.function, error.dtype), BETA),
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "inf"  # strict JSON has no infinity


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
