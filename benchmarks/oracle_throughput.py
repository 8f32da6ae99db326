"""Prints how fast the oracle encloses loss and gradient, ball arithmetic and double-double side by side.

Every figure is the best of a few rounds of the complete enclosure of one problem, timed in turn in this one run, with
the compiled kernels where numba is there (it is loaded first, and the time of that is printed), else with NumPy's.
Exits with 1 where double-double is less than 40 times (10 times with NumPy) as fast as balls on labels at (256, 1000),
or where it takes more than 2 s at (64, 32000).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from gradlab.oracle.enclosure import Truth, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.fast.compiled import ARRAY_KERNELS, BREAK_EVEN, kernels_for
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem, Shape

MIN_RATIO = {"compiled": 40.0, "NumPy": 10.0}
MAX_SECONDS = 2.0
OBJECTIVES = {
    "labels": Objective(),
    "smoothing": Objective(label_smoothing=0.1),
    "probabilities": Objective(targets="probability"),
}
SMALL_SHAPES = [(3, 5), (8, 10), (10, 20), (32, 100)]
COMPARED = (256, 1000)
LARGE = (64, 32000)
DTYPES = ("float32", "float64")


def problem(shape: Shape, dtype: str, objective: Objective) -> Problem:
    """Normal logits of standard deviation 10, and labels or probabilities, drawn at random."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 10, shape).astype(dtype)
    if objective.targets == "index":
        return Problem(logits, rng.integers(0, shape[1], shape[0]), objective)
    return Problem(logits, rng.dirichlet(np.ones(shape[1]), shape[0]).astype(dtype), objective)


def seconds(solve: Callable[[Problem], Truth], p: Problem, rounds: int) -> float:
    """The shortest time of one enclosure in some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        solve(p)
        times.append(time.perf_counter() - start)
    return min(times)


def compare(shape: Shape, dtype: str, name: str) -> float:
    """Print one line, and return how many times as fast double-double is."""
    p = problem(shape, dtype, OBJECTIVES[name])
    rounds = 3 if p.logits.size > 10_000 else 50
    pairs, balls = seconds(enclose_by_double_double, p, rounds), seconds(enclose_by_balls, p, rounds)
    speeds = [p.logits.size / time_ / 1e6 for time_ in (balls, pairs)]
    times = f"{balls * 1e3:9.3f} ms {speeds[0]:6.2f} M/s   {pairs * 1e3:9.3f} ms {speeds[1]:6.2f} M/s"
    print(f"{shape!s:14} {dtype:8} {name:14} {times} {balls / pairs:8.1f}", flush=True)
    return balls / pairs


def loaded_path() -> str:
    """Which kernels work from here on: "compiled" or "NumPy"; as after a long run, whatever loading them takes."""
    start = time.perf_counter()
    path = "NumPy" if kernels_for(BREAK_EVEN) is ARRAY_KERNELS else "compiled"
    print(f"kernels: {path}, loaded in {time.perf_counter() - start:.1f} s", flush=True)
    return path


def main() -> int:
    path = loaded_path()
    print(f"{'shape':14} {'dtype':8} {'targets':14} {'balls':>23}   {'double-double':>23} {'ratio':>8}")
    for shape in SMALL_SHAPES:
        compare(shape, "float32", "labels")
    for name in ("smoothing", "probabilities"):
        compare(COMPARED, "float32", name)
    ratio = min(compare(COMPARED, dtype, "labels") for dtype in DTYPES)
    slowest = 0.0
    for dtype in DTYPES:
        for name, objective in OBJECTIVES.items():
            taken = seconds(enclose_by_double_double, problem(LARGE, dtype, objective), 1)
            print(f"{LARGE!s:14} {dtype:8} {name:14} {'':23}   {taken * 1e3:9.0f} ms", flush=True)
            slowest = max(slowest, taken)
    print(f"labels at {COMPARED}: {ratio:.1f} times as fast, at least {MIN_RATIO[path]:.0f} ({path})")
    print(f"{LARGE}: {slowest:.2f} s at most, allowed {MAX_SECONDS:.0f}")
    return int(not (ratio >= MIN_RATIO[path] and slowest <= MAX_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
