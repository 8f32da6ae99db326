"""A handful of problems in place of the families: in this process, and in the workers that measure for an atlas."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from gradlab.campaigns import runner
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.claims import Claims
from gradlab.harness import logits_problems
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem

LOGITS: tuple[Any, ...] = ([[0, 0]], [[1, -2, 0.5]] * 2, [[0, 30]], [[1000, 0]], [[-np.inf, 1]])


def problems_for(claims: Claims, dtype: str, *extent: Any) -> tuple[Problem, ...]:
    """In place of `logits_problems.problems_for`."""
    arrays = [np.asarray(rows, dtype=np.float64).astype(as_dtype(dtype)) for rows in LOGITS]
    given = [Problem(rows, np.ones(len(rows), dtype=int), family="small") for rows in arrays]
    return tuple(adapt_to_claims(claims, problem) for problem in given)


problems_in_workers = cache(problems_for)  # the same objects each time, as there


def work_in_worker(*arguments: Any) -> Any:
    """`runner.work_in_worker` on these problems; called in a worker only, which it changes."""
    setattr(logits_problems, "problems_for", problems_in_workers)  # noqa: B010  # mypy takes a function for a constant
    return runner.work_in_worker(*arguments)


def broken(*arguments: Any) -> Any:
    """What has an error of gradlab's own."""
    raise ZeroDivisionError("in the worker")
