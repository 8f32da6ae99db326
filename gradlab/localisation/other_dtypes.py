"""Whether what is wrong in one dtype is right in the others that are claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradlab.localisation.investigation import Investigation
from gradlab.localisation.trial import Outcome
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem

MAX_CONVERTED = 6  # wrong problems that are put in the other dtypes


def is_right_elsewhere(investigation: Investigation, wrong: Sequence[Outcome]) -> bool:
    """Whether the smallest wrong problems are answered rightly in every other dtype that is claimed."""
    laboratory, own = investigation.laboratory, wrong[0].problem.format.name
    others = [dtype for dtype in laboratory.implementation.claims.dtypes if dtype != own]
    small = [one for one in wrong if one.problem.objective.targets == "index"]
    asked = list[Outcome]()
    for one in sorted(small, key=lambda one: one.problem.logits.size)[:MAX_CONVERTED]:
        for dtype in others:
            problem = in_dtype(one.problem, dtype)
            outcome = None if problem is None else laboratory.ask(replace(one.trial, problem=problem))
            asked += [outcome] if outcome is not None else []
    return len(asked) >= len(others) > 0 and not any(one.is_wrong for one in asked)


def in_dtype(problem: Problem, dtype: str) -> Problem | None:
    """The problem in another dtype, or None where that overflows."""
    logits = problem.logits64.astype(as_dtype(dtype))
    finite = (abs(logits.astype("float64")) < float("inf")) == (abs(problem.logits64) < float("inf"))
    return problem.replace(logits=logits) if finite.all() else None
