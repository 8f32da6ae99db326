"""Measures the errors of NumPy's exp, exp2, log, log1p and expm1 on the build at hand, and keeps the largest.

In float32 at every argument, a minute or so each; in float64 by a search. What is measured already of this build is
left alone, so that the command goes on where it was interrupted. NumPy and the C library choose code by the processor;
they can be kept from its newest instructions, which makes another build of it:

    python tools/function_errors.py [--function exp] [--minutes 1] [--processes 1] [--again]
    NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" python tools/function_errors.py
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass

import numpy as np

from gradlab.measure.function_errors import DATA, KnownError, decode, encode, this_build
from gradlab.measure.function_search import search
from gradlab.measure.function_sweep import ALL, sweep
from gradlab.oracle.elementary import ELEMENTARY, Elementary, largest_error
from gradlab.storage.files import write_whole


@dataclass(frozen=True)
class Effort:
    """Seconds of a search, and processes of a walk."""

    seconds: float
    processes: int


def exhaustive(function: Elementary, effort: Effort) -> KnownError:
    """The largest error in float32."""
    found = sweep(function, ALL, effort.processes)
    worst = largest_error(function, "float32", np.array([found.argument], dtype=np.float32))
    return KnownError(
        function.name,
        "float32",
        "exhaustive",
        found.n_arguments,
        worst.ulp,
        found.at_most,
        worst.argument,
        worst.answer,
    )


def largest_by_search(function: Elementary, effort: Effort) -> KnownError:
    """The largest error in float64 that a search finds."""
    found = search(function, effort.seconds)
    worst = found.worst()
    return KnownError(
        function.name, "float64", "searched", found.n_arguments, worst.ulp, None, worst.argument, worst.answer
    )


MEASURES = {"float32": exhaustive, "float64": largest_by_search}


def keep(error: KnownError) -> None:
    """Writes an error of this build to the data file, as it is now."""
    known = decode(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    known.setdefault(this_build(), {})[error.function, error.dtype] = error
    write_whole(DATA, encode(known))


def main() -> None:
    """Measures what is asked for, and prints and writes each figure when it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--function", action="append", choices=[one.name for one in ELEMENTARY])
    parser.add_argument("--minutes", type=float, default=1.0, help="of the search in float64, for each function")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="measure again what is measured already")
    chosen = parser.parse_args()
    print(this_build(), flush=True)
    known = decode(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    done = {} if chosen.again else known.get(this_build(), {})
    functions = [one for one in ELEMENTARY if not chosen.function or one.name in chosen.function]
    for function, dtype in itertools.product(functions, MEASURES):
        if (function.name, dtype) not in done:
            error = MEASURES[dtype](function, Effort(60 * chosen.minutes, chosen.processes))
            keep(error)
            print(f"{error.how} {error.function} {error.dtype}: {error.ulp:.6f} at {error.argument.hex()}", flush=True)


if __name__ == "__main__":
    main()
