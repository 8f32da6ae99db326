"""Prints what `import gradlab` costs as a multiple of `import numpy`; exits with 1 where that is above 1.3.

The two are imported in turn, each time in a fresh Python that times the import itself and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

LIMIT = 1.3
ROUNDS = 21
MODULES = ("numpy", "gradlab")
TIMED = "import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"


def seconds_to_import(module: str) -> float:
    """The time that one import takes in a Python of its own, in seconds."""
    command = [sys.executable, "-c", TIMED.format(module=module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    for module in MODULES:
        seconds_to_import(module)  # compiles the bytecode and warms the file cache
    rounds = [[seconds_to_import(module) for module in MODULES] for _ in range(ROUNDS)]
    numpy, gradlab = (median(times) for times in zip(*rounds, strict=True))
    ratio = gradlab / numpy
    print(f"import numpy {numpy * 1e3:.1f} ms, import gradlab {gradlab * 1e3:.1f} ms (medians of {ROUNDS})")
    print(f"ratio {ratio:.2f}, at most {LIMIT}")
    return int(not ratio <= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
