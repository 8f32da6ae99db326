"""The diagnosis of a function on the problems of the quick families, where only its answers tell what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from gradlab.diagnosis.diagnosis import Diagnosis, diagnose
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.problems.problem import Problem

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

Diagnosed = Callable[..., Diagnosis]


@cache
def quick_problems(claims: Claims, dtype: str) -> tuple[Problem, ...]:
    return problems_for(claims, dtype, "quick", 0)


@pytest.fixture(scope="session")
def diagnosed() -> Diagnosed:
    """diagnosed(function, dtype, failed checks, **claims): what explains it, told by its behaviour alone."""

    def diagnosis(function: Callable[..., Any], dtype: str, failed: Iterable[str] = (), **claims: Any) -> Diagnosis:
        complete = claims_from({**claims, "dtypes": dtype})
        anonymous = Implementation(
            "anonymous", lambda *arguments, **keywords: function(*arguments, **keywords), complete
        )
        return diagnose(anonymous, quick_problems(complete, dtype), failed)

    return diagnosis
