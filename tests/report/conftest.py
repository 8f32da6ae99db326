"""Small runs: real checks on a handful of problems, so that a report takes no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run
from gradlab.harness.tally import Tally, examine
from gradlab.implementations.shifted import shifted
from gradlab.implementations.textbook import textbook
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem

LOGITS: tuple[Any, ...] = (
    [[1, -2, 0.1]] * 2,
    [[0, 0]],
    [[30, 0]],
    [[900, 3, 0.1]] * 2,
    [[1000, 0]],
    [[-np.inf, 1]],
    [[np.nan, 1]],
)
LARGE = np.linspace(-2000, 2000, 400).reshape(4, 100)


def problems_in(dtype: str) -> list[Problem]:
    """A few problems: moderate, confident, beyond exp, masked, without value, and a large one."""
    arrays = [np.asarray(rows, dtype=np.float64).astype(as_dtype(dtype)) for rows in (*LOGITS, LARGE)]
    return [Problem(rows, np.ones(len(rows), dtype=int), family="small") for rows in arrays]


def report_on(function: Callable[..., Any], *, level: str = "stable", target: str = "", **claims: Any) -> Run:
    """The report on a function after a handful of problems in each dtype that it claims."""
    name = getattr(function, "__name__", "anonymous")
    implementation = Implementation(name, function, claims_from(claims), target)
    tally = Tally(implementation)
    dtypes = implementation.claims.dtypes
    for dtype in dtypes:
        for problem in problems_in(dtype):
            examine(tally, problem)
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    plan = Plan(PROFILES["quick"], 3, level)
    lines = tuple(tally.in_order())
    return Run(implementation, plan, tally.verdict(), lines, failing, dtypes, tally.n_problems, 0.25)


def raising(logits: Any, labels: Any) -> Any:
    raise RuntimeError("first line\nsecond line, with a lone surrogate \ud800")


@pytest.fixture(scope="session")
def reports() -> dict[str, Run]:
    """One report for each kind of verdict that a handful of problems can bring about."""
    return {
        "stable": report_on(shifted, target="shifted", dtypes=["float16", "bfloat16", "float32", "float64"]),
        "unstable": report_on(textbook, target="textbook"),
        "not accurate": report_on(shifted, target="shifted", level="accurate", dtypes=["float32"]),
        "raising": report_on(raising),
    }
