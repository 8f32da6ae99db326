"""Hypothesis: drawing problems beyond the families, and shrinking a failing one to the smallest there is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from random import Random
from unittest import mock

import hypothesis
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, NoSuchExample
from hypothesis.strategies import SearchStrategy

from gradlab.evaluation.claims import Claims
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS
from gradlab.problems.problem import Problem, Shape
from gradlab.problems.strategies import ENTRYWISE, MAX_SHAPE, objectives, problems, with_per_row


def strategy_for(claims: Claims, dtype: str, max_shape: Shape = MAX_SHAPE) -> SearchStrategy[Problem]:
    """Problems that an implementation with these claims can be asked, moderate and extreme ones alternating.

    The first objective claimed comes up as often as all others together; masks only where they are claimed.
    """
    first = Objective(
        claims.reduction[0], claims.targets[0], mean_over=claims.mean_over[0], derivative=claims.derivative
    )
    per_row = [name for name in claims.options if name in PER_ROW_OPTIONS]
    options = [name for name in claims.options if name not in PER_ROW_OPTIONS]

    def drawn(n_classes: int) -> SearchStrategy[Objective]:
        others = objectives(n_classes, claims.reduction, claims.targets, options, mean_over=claims.mean_over)
        return st.just(first) | others.map(lambda one: replace(one, derivative=claims.derivative))

    extreme = "any" if claims.masks else "finite"
    one, two, three = (problems(dtype, drawn, entries, max_shape) for entries in ("moderate", "finite", extreme))
    drawn_ones = one | two | three
    return drawn_ones.flatmap(lambda problem: with_per_row(problem, per_row)) if per_row else drawn_ones


@lru_cache(maxsize=16)
def drawn_problems(claims: Claims, dtype: str, n_examples: int, seed: int) -> tuple[Problem, ...]:
    """The problems that Hypothesis draws, n_examples of them; the same ones for the same seed."""
    drawn: list[Problem] = []
    if n_examples == 0:
        return ()

    @hypothesis.seed(seed)
    @settings(_settings(n_examples), phases=(Phase.generate,))
    @given(strategy_for(claims, dtype))
    def draw(problem: Problem) -> None:
        drawn.append(problem)

    with _without_constants_of_other_code():
        draw()
    return tuple(drawn)


def smallest(
    claims: Claims, dtype: str, n_examples: int, seed: int, fails: Callable[[Problem], bool]
) -> Problem | None:
    """The smallest problem for which `fails` holds, or None if it holds for none of n_examples.

    First of those that are drawn entry by entry, since what is drawn by seed does not shrink far; then as many of all.
    Where `fails` does not hold again for the same problem, as with an implementation that is not deterministic, it is
    the latest for which it did.
    """
    if n_examples == 0:
        return None
    strategies = [strategy_for(claims, dtype, max_shape) for max_shape in (ENTRYWISE, MAX_SHAPE)]
    found = (_smallest_of(strategy, n_examples, seed, fails) for strategy in strategies)
    return next((problem for problem in found if problem is not None), None)


def _smallest_of(
    strategy: SearchStrategy[Problem], n_examples: int, seed: int, fails: Callable[[Problem], bool]
) -> Problem | None:
    failed: list[Problem] = []

    def note(problem: Problem) -> bool:
        if fails(problem):
            failed[:] = [problem]
            return True
        return False

    try:
        with _without_constants_of_other_code():
            return find(strategy, note, settings=_settings(n_examples), random=Random(seed))
    except NoSuchExample:
        return None
    except Flaky:
        return failed[0]


@contextmanager
def _without_constants_of_other_code() -> Iterator[None]:
    """Keeps Hypothesis from drawing the numbers that it reads in the source of whatever modules are loaded.

    There is no setting for it, and with them a seed draws other problems wherever other code is loaded: the file under
    test, for one. Versions that do not read them are left as they are.
    """
    providers = sys.modules.get("hypothesis.internal.conjecture.providers")
    if providers is None or not hasattr(providers, "_get_local_constants"):
        yield
        return
    nothing = providers.Constants()
    with mock.patch.object(providers, "_get_local_constants", return_value=nothing):
        providers.CONSTANTS_CACHE.cache.clear()
        try:
            yield
        finally:
            providers.CONSTANTS_CACHE.cache.clear()


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
