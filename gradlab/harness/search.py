"""Hypothesis: drawing problems beyond the families, and shrinking a failing one to the smallest there is."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import hypothesis
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from gradlab.problems.problem import Problem


def explore(strategy: SearchStrategy[Problem], n_examples: int, seed: int, visit: Callable[[Problem], None]) -> None:
    """Calls `visit` with about n_examples problems drawn from the strategy; the same ones for the same seed."""

    @hypothesis.seed(seed)
    @settings(_settings(n_examples), phases=(Phase.generate,))
    @given(strategy)
    def look(problem: Problem) -> None:
        visit(problem)

    if n_examples > 0:
        look()


def smallest(
    strategy: SearchStrategy[Problem], n_examples: int, seed: int, fails: Callable[[Problem], bool]
) -> Problem | None:
    """The smallest problem for which `fails` holds, or None if none of n_examples problems does."""
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
