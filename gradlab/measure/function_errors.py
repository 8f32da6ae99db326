"""What is known of the errors of NumPy's functions, build by build: `function_errors.json`, beside this file.

A build is a version of NumPy with the instruction sets it uses, on a processor and a mathematical library.
`python tools/function_errors.py` measures the one at hand and writes it there.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.measure.machine import numpy_simd, processor
from gradlab.oracle.intervals import Array
from gradlab.problems.dtypes import as_dtype
from gradlab.storage.files import parsed_json, strict_json

DATA = Path(__file__).with_suffix(".json")
COMMAND = "python tools/function_errors.py"
SWITCHES = ("NPY_DISABLE_CPU_FEATURES", "GLIBC_TUNABLES")  # environment variables that choose between code paths


@dataclass(frozen=True)
class Build:
    """What the answers of NumPy's functions depend on. switches: the SWITCHES that were set, name=value each."""

    numpy: str
    numpy_simd: tuple[str, ...]
    processor: str
    library: str
    switches: tuple[str, ...]


@dataclass(frozen=True)
class KnownError:
    """The largest error of a function in a dtype that is known of a build, in ULP, and where it is.

    how: "exhaustive", over all n_arguments there are, and then no error is above at_most; or "searched", over as many
    as were tried, and then at_most is None. ulp: the error of the answer at the argument, by ball arithmetic.
    """

    function: str
    dtype: str
    how: str
    n_arguments: int
    ulp: float
    at_most: float | None
    argument: float
    answer: float


Known = dict[Build, dict[tuple[str, str], KnownError]]


def this_build() -> Build:
    """The build that runs now."""
    switches = tuple(f"{name}={os.environ[name]}" for name in SWITCHES if os.environ.get(name))
    library = " ".join(platform.libc_ver())
    return Build(np.__version__, tuple(numpy_simd()), processor("model name"), library, switches)


@cache
def known_errors() -> Known:
    """All that is known."""
    return decode(DATA.read_text(encoding="utf-8"))


def decode(text: str) -> Known:
    """What a data file says, which must be one that `encode` wrote."""
    return {_build(one["build"]): _errors(one["errors"]) for one in parsed_json(text)["builds"]}


def encode(known: Known) -> str:
    """The text of the data file."""
    builds = [{"build": asdict(build), "errors": plain(found.values())} for build, found in known.items()]
    return strict_json({"written_by": f"{COMMAND}; not to be edited", "builds": builds})


def plain(found: Iterable[KnownError]) -> list[dict[str, Any]]:
    """The errors as the data file has them: argument and answer in hexadecimal."""
    return [{**asdict(one), "argument": one.argument.hex(), "answer": one.answer.hex()} for one in found]


def worst_arguments(known: Known, function: str, dtype: str, reach: int) -> Array:
    """The worst arguments of all builds and `reach` neighbours on either side of each, in the dtype, in order."""
    worst = [found[function, dtype].argument for found in known.values() if (function, dtype) in found]
    values = np.array(worst, dtype=as_dtype(dtype))
    bits: Array = values.view(np.int32 if dtype == "float32" else np.int64)
    near = bits[:, None] + np.arange(-reach, reach + 1, dtype=bits.dtype)
    found = np.unique(near.view(values.dtype))
    return np.asarray(found[np.isfinite(found)])


def _build(fields: dict[str, Any]) -> Build:
    return Build(**{**fields, "numpy_simd": tuple(fields["numpy_simd"]), "switches": tuple(fields["switches"])})


def _errors(written: list[dict[str, Any]]) -> dict[tuple[str, str], KnownError]:
    numbers = [{name: float.fromhex(one[name]) for name in ("argument", "answer")} for one in written]
    known = [KnownError(**{**one, **floats}) for one, floats in zip(written, numbers, strict=True)]
    return {(one.function, one.dtype): one for one in known}
