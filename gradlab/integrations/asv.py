"""Suites for asv, airspeed velocity: what an implementation takes in time and memory, and how accurate it is.

Three lines in a file of your own benchmarks/ are enough:

    from gradlab.integrations.asv import suites
    from mypackage.losses import my_loss
    Speed, Memory, Accuracy = suites(my_loss)

and `asv run`, `asv continuous` and `asv publish` follow it from commit to commit. Layers: `asv_layers.layer_suites`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.api import Target, implementations_of, plan_for
from gradlab.evaluation.call import Implementation
from gradlab.harness.profiles import profile_named
from gradlab.harness.run import Run, run_checks
from gradlab.harness.selection import problems_in_run
from gradlab.measure.accuracy import PARTS, largest_errors
from gradlab.measure.timing import (
    SHAPES,
    bound_call,
    bytes_beyond_the_gradient,
    keep_freed_memory,
    timed_problem,
)
from gradlab.targets.load import with_gradients

DTYPES = ("float32", "float64")
MAX_BITS = 64.0  # what a senseless answer counts as: `asv publish` (0.6.6) never ends where a result is inf

Suite = type[Any]


def suites(
    *targets: Target, shapes: Iterable[tuple[int, int]] = SHAPES, dtypes: Sequence[str] = DTYPES, profile: str = "quick"
) -> tuple[Suite, Suite, Suite]:
    """Three classes for asv to find in the module that names them: Speed, Memory and Accuracy.

    targets: functions `(logits, labels) -> (loss, gradient)`, or strings as `gradlab check` takes them. One that does
    not load in a commit, or does not claim a dtype, is left out there. shapes: (rows, classes) of the timed problems.
    """
    named = {name_of(target): target for target in targets}
    sizes = {f"{rows}x{classes}": (rows, classes) for rows, classes in shapes}

    class _Sized:
        params = (list(named), list(sizes), list(dtypes))
        param_names = ("implementation", "shape", "dtype")

        def setup(self, name: str, shape: str, dtype: str) -> None:
            implementation = load_for(named[name], dtype)
            problem = timed_problem(implementation.claims, sizes[shape], dtype)
            self.function, self.arguments = bound_call(implementation, problem)

    class Speed(_Sized):
        def setup(self, name: str, shape: str, dtype: str) -> None:
            super().setup(name, shape, dtype)
            keep_freed_memory()
            self.function(*self.arguments)  # `asv run --quick` times a single call, and the first one takes longer

        def time_loss_and_gradient(self, name: str, shape: str, dtype: str) -> None:
            self.function(*self.arguments)

    class Memory(_Sized):
        def peakmem_loss_and_gradient(self, name: str, shape: str, dtype: str) -> None:
            self.function(*self.arguments)

        @in_unit("bytes")
        def track_beyond_the_gradient(self, name: str, shape: str, dtype: str) -> int:
            return bytes_beyond_the_gradient(self.function, self.arguments)

    class Accuracy:
        params = (list(named), list(dtypes))
        param_names = ("implementation", "dtype")
        timeout = 600

        def setup(self, name: str, dtype: str) -> None:
            self.implementation = load_for(named[name], dtype)

        @in_unit("log2 (1 + ULP)")
        def track_loss_error(self, name: str, dtype: str) -> float:
            return bits_lost(self.implementation, dtype, profile)[0]

        @in_unit("log2 (1 + ULP)")
        def track_target_error(self, name: str, dtype: str) -> float:
            return bits_lost(self.implementation, dtype, profile)[1]

        @in_unit("log2 (1 + ULP)")
        def track_others_error(self, name: str, dtype: str) -> float:
            return bits_lost(self.implementation, dtype, profile)[2]

        @in_unit("checks")
        def track_checks_failed(self, name: str, dtype: str) -> int:
            return len(run_with_seed_0(self.implementation, dtype, profile).failures)

        @in_unit("problems")
        def track_problems_failed(self, name: str, dtype: str) -> int:
            return len(run_with_seed_0(self.implementation, dtype, profile).failing)

    return Speed, Memory, Accuracy


def bits_lost(implementation: Implementation, dtype: str, profile: str) -> tuple[float, ...]:
    """log2(1 + the largest error in ULP) of the loss, the target's entries and the others, in the run with seed 0."""
    problems = problems_in_run(implementation.claims, dtype, profile_named(profile), 0)
    found = largest_errors(implementation, problems)
    return tuple(min(float(np.log2(1 + found[part].ulp)), MAX_BITS) for part in PARTS)


def run_with_seed_0(implementation: Implementation, dtype: str, profile: str) -> Run:
    """The run with seed 0; its power, which nothing here tracks, is not reckoned."""
    return run_checks(implementation, replace(plan_for(implementation, profile=profile, dtypes=[dtype]), power=False))


def in_unit(unit: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a tracked number its unit."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        vars(function)["unit"] = unit
        return function

    return mark


def name_of(target: Target) -> str:
    """By what asv calls a target."""
    if isinstance(target, str):
        return target
    return getattr(target, "name", None) or getattr(target, "__name__", None) or type(target).__name__


def load_for(target: Target, dtype: str) -> Implementation:
    """The implementation; NotImplementedError, by which asv leaves it out, where there is none for this dtype."""
    try:
        implementation = with_gradients(implementations_of(target, {}, (dtype,)))[0]
    except ValueError as error:
        raise NotImplementedError(str(error)) from error
    if dtype not in implementation.claims.dtypes:
        raise NotImplementedError(f"{implementation.name} does not claim {dtype}")
    return implementation
