"""Gives gradlab's specimens to other gradient checkers, with their defaults: which they catch, and how long they take.

Each specimen that is a wrong loss or gradient over labels becomes a differentiable function of the logits in the
checker's own framework, with the specimen's loss as its value and its gradient as its derivative. Logits are
normal numbers of standard deviation 1 in float64, one thread, the reduction is the mean. A checker that needs more
than the limit for one function at a size is not run there. JAX and chex get modes=("rev",), since a function with a
gradient of its own has no forward mode; torch's fast mode, which runs the slow one for its message whenever it refuses
a gradient, is timed without that; SciPy returns a number and no verdict, and counts as having caught what makes that
number ten times as large as the right gradient does.

    pip install torch jax chex autograd scipy
    python benchmarks/other_checkers.py [--sizes 4x5 32x64 64x1024 128x4000] [--limit 20] [--write [FILE]]
"""

from __future__ import annotations

import argparse
import importlib
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from gradlab.checks.check import run
from gradlab.checks.differences import gradient_is_the_derivative_of_its_own_loss
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.profiles import PROFILES
from gradlab.harness.rejection import catches
from gradlab.harness.selection import questions_in_run
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import Array, Problem
from gradlab.result import worst_result
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens

Loss = Callable[[Array, Array], tuple[Any, Array]]
Accepts = Callable[[Loss, Problem], bool]

COMMAND = "python benchmarks/other_checkers.py"
SIZES = ("4x5", "32x64", "64x1024", "128x4000")
PACKAGES = ("gradlab-verify", "numpy", "torch", "jax", "chex", "autograd", "scipy")


def chosen() -> list[str]:
    """The specimens that are a wrong loss or gradient over labels in float64."""
    checks = {check.name: check for check in CHECKS}
    found = []
    for name, one in specimens().items():
        check = checks[one.killed_by]
        plain = not one.claims and check.group != "contract" and check.failing_means != "inaccurate"
        found += [name] if plain else []
    return found


def problem_of(size: str) -> Problem:
    """The problem of a size such as 32x64, always the same."""
    n_rows, n_classes = map(int, size.split("x"))
    rng = np.random.default_rng(0)
    return Problem(rng.normal(size=(n_rows, n_classes)), rng.integers(0, n_classes, n_rows))


def by_gradlab(function: Loss, problem: Problem) -> bool:
    """gradlab's finite-difference check alone, on the same problem."""
    implementation = Implementation("specimen", function, Claims())
    check = next(check for check in CHECKS if check.function is gradient_is_the_derivative_of_its_own_loss)
    return worst_result(check.name, problem, run(check, implementation, problem)).passed


def by_torch(fast: bool) -> Accepts:
    def accepts(function: Loss, problem: Problem) -> bool:
        import torch

        torch.set_num_threads(1)
        labels = problem.targets

        class Own(torch.autograd.Function):  # type: ignore[misc]  # torch is not there to be checked against
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                loss, gradient = _answer(function, x.detach().numpy(), labels)
                ctx.save_for_backward(torch.from_numpy(gradient))
                return torch.tensor(loss, dtype=torch.float64)

            @staticmethod
            def backward(ctx: Any, upstream: Any) -> Any:
                return upstream * ctx.saved_tensors[0]

        logits = torch.tensor(problem.logits, requires_grad=True)
        of_torch = importlib.import_module("torch.autograd.gradcheck")
        try:
            with patch.object(of_torch, "_run_slow_mode_and_get_error", lambda *arguments: ""):
                return bool(torch.autograd.gradcheck(Own.apply, (logits,), fast_mode=fast, raise_exception=False))
        except RuntimeError:
            return False

    return accepts


def _in_jax(function: Loss, problem: Problem) -> tuple[Any, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    labels = problem.targets
    shapes = (jax.ShapeDtypeStruct((), np.float64), jax.ShapeDtypeStruct(problem.logits.shape, np.float64))

    def both(x: Any) -> Any:
        return jax.pure_callback(lambda logits: _answer(function, np.asarray(logits), labels), shapes, x)

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # nor is JAX
    def loss(x: Any) -> Any:
        return both(x)[0]

    loss.defvjp(lambda x: both(x), lambda gradient, upstream: (upstream * gradient,))
    return loss, jax.numpy.asarray(problem.logits)


def by_jax(function: Loss, problem: Problem) -> bool:
    from jax.test_util import check_grads

    loss, logits = _in_jax(function, problem)
    try:
        check_grads(loss, (logits,), order=1, modes=("rev",))
    except AssertionError:
        return False
    return True


def by_chex(function: Loss, problem: Problem) -> bool:
    import chex

    loss, logits = _in_jax(function, problem)
    try:
        chex.assert_numerical_grads(loss, (logits,), order=1, modes=("rev",))
    except AssertionError:
        return False
    return True


def by_autograd(function: Loss, problem: Problem) -> bool:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    labels = problem.targets

    @primitive  # type: ignore[untyped-decorator]  # autograd has no types
    def loss(x: Array) -> float:
        return float(_answer(function, x, labels)[0])

    defvjp(loss, lambda answer, x: lambda upstream: upstream * _answer(function, x, labels)[1])
    np.random.seed(0)  # the checker draws its direction from the global generator
    try:
        check_grads(loss, modes=["rev"], order=1)(problem.logits.copy())
    except AssertionError:
        return False
    return True


def by_scipy(function: Loss, problem: Problem) -> bool:
    from gradlab.implementations.shifted import shifted

    return _scipy_error(function, problem) <= 10 * _scipy_error(shifted, problem)


def _scipy_error(function: Loss, problem: Problem) -> float:
    from scipy.optimize import check_grad

    shape, labels = problem.logits.shape, problem.targets
    return float(
        check_grad(
            lambda x: float(_answer(function, x.reshape(shape), labels)[0]),
            lambda x: _answer(function, x.reshape(shape), labels)[1].ravel(),
            problem.logits.ravel(),
        )
    )


def _answer(function: Loss, logits: Array, labels: Array) -> tuple[Array, Array]:
    loss, gradient = function(logits.copy(), labels.copy())
    return np.asarray(loss, dtype=np.float64), np.ascontiguousarray(gradient, dtype=np.float64)


CHECKERS: dict[str, Accepts] = {
    "gradlab, finite differences alone": by_gradlab,
    "torch gradcheck": by_torch(fast=False),
    "torch gradcheck, fast_mode": by_torch(fast=True),
    "JAX check_grads": by_jax,
    "chex assert_numerical_grads": by_chex,
    "autograd check_grads": by_autograd,
    "SciPy check_grad": by_scipy,
}


@dataclass(frozen=True)
class Cell:
    """What a checker did at a size: the specimens it let pass, of how many, and the median of its times; or why not."""

    missed: tuple[str, ...] = ()
    tried: int = 0
    seconds: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        if self.note:
            return self.note
        return f"{_caught(self)}, {_time(self.seconds)}"


def _caught(one: Cell) -> str:
    return f"{one.tried - len(one.missed)} of {one.tried}"


def cell(checker: str, size: str, names: Sequence[str], limit: float) -> Cell:
    """A checker on all specimens at a size, unless a correct function already takes longer than the limit."""
    from gradlab.implementations.shifted import shifted

    accepts, problem = CHECKERS[checker], problem_of(size)
    warm = problem_of("2x3")
    accepts(shifted, warm)
    estimate = _estimate(accepts, size)
    if estimate > 4 * limit:
        return Cell(note=f"about {_time(estimate)} for one")
    right, seconds = _timed(accepts, shifted, problem)
    if seconds > limit:
        return Cell(note=f"{_time(seconds)} for one")
    missed, times = [], []
    for name in names:
        passed, seconds = _timed(accepts, specimens()[name].function, problem)
        missed += [name] if passed else []
        times.append(seconds)
    alarm = "" if right else "refuses a correct gradient"
    return Cell(tuple(missed), len(names), statistics.median(times), alarm)


def _estimate(accepts: Accepts, size: str) -> float:
    """The time at a size from that at 16 x 32: the evaluations grow with N K, and each with N K too."""
    from gradlab.implementations.shifted import shifted

    if accepts is not CHECKERS["torch gradcheck"] and accepts is not CHECKERS["SciPy check_grad"]:
        return 0.0
    small, full = problem_of("16x32").logits.size, problem_of(size).logits.size
    _, seconds = _timed(accepts, shifted, problem_of("16x32"))
    return seconds * full / small * max(1.0, full / small / 16)


def _timed(accepts: Accepts, function: Loss, problem: Problem) -> tuple[bool, float]:
    start = time.perf_counter()
    with np.errstate(all="ignore"):
        passed = accepts(function, problem)
    return passed, time.perf_counter() - start


def whole_run(names: Sequence[str]) -> Cell:
    """gradlab's quick profile: what all its checks catch on all its problems, and the time of the whole run."""
    asked = questions_in_run(Claims(dtypes=("float64",)), "float64", PROFILES["quick"], 0)
    level = Verdict.STABLE
    missed = [name for name in names if not catches(specimens()[name], load(name, {})[0].claims, level, asked)]
    from gradlab.harness.plan import Plan
    from gradlab.harness.run import run_checks

    start = time.perf_counter()
    run_checks(load("shifted", {})[0], Plan(PROFILES["quick"], 0, "stable", ("float64",)))
    return Cell(tuple(missed), len(names), time.perf_counter() - start)


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def as_markdown(sizes: Sequence[str], cells: dict[str, list[Cell]], whole: Cell, names: Sequence[str]) -> str:
    """The table, with what was measured and how."""
    found = [f"{name} {version(name)}" for name in PACKAGES if _is_installed(name)]
    head = "| checker | " + " | ".join(size.replace("x", " x ") for size in sizes) + " |"
    lines = [
        "# What other gradient checkers find of the same defects",
        "",
        f"Written by `{COMMAND} --write`; not to be edited. Measured with {', '.join(found)} and Python "
        f"{platform.python_version()}, one thread. {len(names)} specimens whose loss or gradient over labels is "
        "wrong, float64, mean over the rows, normal logits of standard deviation 1. Each checker has its defaults; "
        "torch's fast mode runs without the slow run that it makes for its message. The table has the number of "
        "specimens that each checker catches, and its median time for one function. A checker that is too slow for one "
        "function is not run (about: estimated from its time at 16 x 32).",
        "",
        head,
        "|---" * (len(sizes) + 1) + "|",
        *("| " + checker + " | " + " | ".join(map(str, row)) + " |" for checker, row in cells.items()),
        "",
        f"`gradlab check --profile quick` catches {_caught(whole)}. It brings "
        "its own problems, so the size does not matter. One run in float64 took "
        f"{_time(whole.seconds)}. Most specimens that the others miss are right on moderate logits, or their gradient "
        "fits their own wrong loss. No gradient check at one point can find that.",
        "",
        "At how many sizes each specimen is caught, of the sizes at which the checker ran:",
        "",
        "| specimen | " + " | ".join(cells) + " |",
        "|---" * (len(cells) + 1) + "|",
        *(f"| {name} | " + " | ".join(_sizes(name, row) for row in cells.values()) + " |" for name in names),
    ]
    return "\n".join(lines) + "\n"


def _sizes(name: str, row: list[Cell]) -> str:
    run = [one for one in row if one.tried]
    return f"{sum(name not in one.missed for one in run)} of {len(run)}" if run else ""


def _is_installed(name: str) -> bool:
    try:
        importlib.import_module("gradlab" if name == "gradlab-verify" else name)
    except ImportError:
        return False
    return True


def measure(sizes: Sequence[str], names: Sequence[str], limit: float) -> Iterator[tuple[str, list[Cell]]]:
    """Each checker that is installed with its cells, as they come."""
    for checker in CHECKERS:
        try:
            row = [cell(checker, size, names, limit) for size in sizes]
        except ImportError as missing:
            row = [Cell(note=f"{missing.name} is not installed")] * len(sizes)
        print(f"{checker:36} " + "   ".join(f"{one!s:24}" for one in row), flush=True)
        yield checker, row


def main() -> None:
    """Prints the table, and writes it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES))
    parser.add_argument("--limit", type=float, default=20.0, help="seconds for one function")
    parser.add_argument("--write", type=Path, nargs="?", const=Path("docs/other-checkers.md"))
    given = parser.parse_args()
    names = chosen()
    print(f"{len(names)} specimens; caught, and the median time for one")
    print(f"{'':36} " + "   ".join(f"{size:24}" for size in given.sizes))
    cells = dict(measure(given.sizes, names, given.limit))
    whole = whole_run(names)
    print(f"gradlab check --profile quick: {whole}")
    if given.write:
        given.write.write_text(as_markdown(given.sizes, cells, whole, names), encoding="utf-8")


if __name__ == "__main__":
    main()
