"""Hypothesis: drawing problems beyond the families, and shrinking a failing one to the smallest there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

import hypothesis
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from gradlab.claims import Claims
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.problems.strategies import objectives, problems


def strategy_for(claims: Claims, dtype: str) -> SearchStrategy[Problem]:
    """Problems that an implementation with these claims can be asked, moderate and extreme ones alternating.

    The first objective claimed comes up as often as all others together; masks only where they are claimed.
    """
    first = Objective(reduction=claims.reduction[0], targets=claims.targets[0])

    def drawn(n_classes: int) -> SearchStrategy[Objective]:
        return st.just(first) | objectives(n_classes, claims.reduction, claims.targets, claims.options)

    extreme = "any" if claims.masks else "finite"
    return problems(dtype, drawn, "moderate") | problems(dtype, drawn, "finite") | problems(dtype, drawn, extreme)


@lru_cache(maxsize=16)
def drawn_problems(claims: Claims, dtype: str, extent: tuple[int, int]) -> tuple[Problem, ...]:
    """The problems that Hypothesis draws for extent = (how many, seed); the same ones for the same seed."""
    n_examples, seed = extent
    drawn: list[Problem] = []
    if n_examples == 0:
        return ()

    @hypothesis.seed(seed)
    @settings(_settings(n_examples), phases=(Phase.generate,))
    @given(strategy_for(claims, dtype))
    def draw(problem: Problem) -> None:
        drawn.append(problem)

    draw()
    return tuple(drawn)


def smallest(
    strategy: SearchStrategy[Problem], n_examples: int, seed: int, fails: Callable[[Problem], bool]
) -> Problem | None:
    """The smallest problem for which `fails` holds, or None if none of n_examples problems does."""
    if n_examples == 0:
        return None
    try:
        return find(strategy, fails, settings=_settings(n_examples), random=Random(seed))
    except NoSuchExample:
        return None


def _settings(n_examples: int) -> settings:
    return settings(
        max_examples=n_examples,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
