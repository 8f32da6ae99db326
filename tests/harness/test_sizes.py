"""The part of a run on sizes: what is asked, what slow and large code is spared, and what is reported."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.capture import Capture, Elsewhere
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.run import Run
from gradlab.harness.size_costs import LATEST, Cost, Costs, expected
from gradlab.harness.sizes import (
    MAX_FAILING,
    MAX_TOGETHER,
    SECONDS,
    SizesTried,
    all_asked,
    ask_sizes,
    asked_in_run,
    coverage_of,
    next_together,
)
from gradlab.harness.tally import Tally
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array
from tests.runs import unexplained

QUICK = Profile("quick", "quick", 0, 0, 0, asked=1)
DTYPES = ("float32", "float64")


def checked(function: Any, **claims: Any) -> Run:
    own = Implementation(function.__name__, function, claims_from({"dtypes": "float32", **claims}))
    return unexplained(own, Plan(QUICK))


def test_a_run_covers_what_is_to_be_covered() -> None:
    run = checked(shifted)
    covered = coverage_of(run.implementation.claims, ("float32",), "quick", run.sizes)
    assert run.verdict >= "stable"
    assert covered.met == covered.every


@pytest.mark.parametrize(
    "claims", [Claims(), claims_from({"targets": "probability"}), claims_from({"options": ["ignore_index"]})]
)
def test_the_smallest_come_first(claims: Claims) -> None:
    sizes = [asked.n_entries for asked in all_asked(claims, DTYPES, "quick")]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2**20


def test_other_derivatives_are_asked_nothing() -> None:
    assert all_asked(claims_from({"derivative": "hessian_diagonal"}), DTYPES, "quick") == ()


def costs_of(*seen: Cost) -> Costs:
    costs = Costs()
    for cost in seen:
        costs.add(cost)
    return costs


def test_what_is_reckoned_from_stays_small_however_many_calls_there_were() -> None:
    costs = costs_of(*(Cost((10, 10), 0.5, 0) for _ in range(1000)), Cost((10, 10), 2.0, 0))
    assert len(costs.latest) == LATEST
    assert (costs.seconds, costs.longest, costs.large) == (502.0, 2.0, [])


def test_few_failing_sizes_are_enough() -> None:
    run = checked(rows_beyond_300_are_skipped)
    assert run.verdict == "wrong"
    assert run.sizes.n_failing["float32"] == MAX_FAILING
    assert run.sizes.left_out["after those that fail"]


@cache
def tried_by(function: Any, *, elsewhere: bool) -> tuple[Tally, SizesTried]:
    """What comes of the sizes of quick, asked as a run asks them."""
    capture = Capture(elsewhere=Elsewhere() if elsewhere else None)
    own = Implementation(function.__name__, function, claims_from({"dtypes": "float32"}), capture=capture)
    tally, sizes = Tally(own), SizesTried()
    left = all_asked(own.claims, ("float32",), "quick")
    while left:
        some = next_together(tally, sizes, left, "quick")
        ask_sizes(tally, sizes, some, "quick")
        left = left[len(some) :]
    return tally, sizes


def rows_beyond_300_are_skipped(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    if len(logits) > 300:
        gradient[300:] = 0
    return loss, gradient


@pytest.mark.parametrize("function", [shifted, rows_beyond_300_are_skipped])
def test_those_that_are_asked_together_come_to_the_same(function: Any) -> None:
    (here, asked_here), (there, asked_there) = (tried_by(function, elsewhere=one) for one in (False, True))
    assert asked_there.tried == asked_here.tried
    assert asked_there.left_out == asked_here.left_out
    assert asked_there.n_failing == asked_here.n_failing
    assert there.n_problems == here.n_problems
    for one, other in zip(here.in_order(), there.in_order(), strict=True):
        assert (one.check, one.n_problems, one.n_failed) == (other.check, other.n_problems, other.n_failed)
        assert one.worst.ratio == other.worst.ratio


def test_cheap_calls_in_another_process_are_made_together() -> None:
    own = Implementation("shifted", shifted, Claims(), capture=Capture(elsewhere=Elsewhere()))
    left = [one for one in all_asked(Claims(), DTYPES, "quick") if one.case is not None]
    cheap = SizesTried([left[0]], costs=costs_of(Cost((1000, 1000), 1e-3, 0)))
    slow = SizesTried([left[0]], costs=costs_of(Cost((10, 10), 1.0, 0)))
    hungry = SizesTried([left[0]], costs=costs_of(Cost((1000, 1000), 1e-3, 1 << 40)))
    assert [len(next_together(Tally(own), one, left, "quick")) for one in (cheap, slow, hungry, SizesTried())] == [
        MAX_TOGETHER,
        1,
        1,
        1,
    ]
    assert len(next_together(Tally(replace(own, capture=Capture())), cheap, left, "quick")) == 1


def test_of_calls_made_together_the_longest_rows_or_columns_took_the_memory() -> None:
    costs = Costs()
    costs.add_all([(5000, 3), (3, 8192)], 0.5, 8192**2 * 8)
    assert [cost.shape for cost in costs.large] == [(3, 8192)]
    assert sum(cost.seconds for cost in costs.latest) == pytest.approx(costs.seconds) == pytest.approx(0.5)


def test_slow_code_is_not_asked_what_would_take_too_long() -> None:
    costs = costs_of(Cost((1000, 10), SECONDS["quick"] / 10, 0))
    tried = SizesTried(costs=costs)
    (small, *_, large) = all_asked(Claims(), DTYPES, "quick")
    assert expected(costs, (10_000, 10))[0] == pytest.approx(SECONDS["quick"])
    assert tried.reason_against(small, "quick") == ""
    slow = SizesTried(costs=costs_of(Cost((50_000, 3), 1.0, 0)))
    assert slow.reason_against(large, "quick") == "the code is too slow there"


def test_code_that_takes_memory_by_squares_is_not_asked_what_would_fill_it() -> None:
    tried = SizesTried(costs=costs_of(Cost((3, 4096), 0.01, 3 * 4096**2 * 8)))
    wide = max(all_asked(Claims(), DTYPES, "quick"), key=lambda asked: asked.shape[1])
    assert tried.reason_against(wide, "quick") == "it would take too much memory"


def test_a_square_of_the_rows_is_not_asked_for() -> None:
    """Nor in a process that has had as much memory before, and given it back: 2 GiB are those of 16,384 rows."""
    np.ones(2**28, dtype=np.float64)

    def by_a_matrix_of_rows(logits: Array, labels: Array) -> Any:
        assert len(logits) < 2**15, "four times as much"
        loss, gradient = shifted(logits, labels)
        np.ones((len(logits), len(logits)), dtype=np.float32)
        return loss, gradient

    assert checked(by_a_matrix_of_rows).verdict >= "stable"


def test_how_far_it_has_come_can_be_pickled() -> None:
    tried = SizesTried(tried=list(all_asked(Claims(), DTYPES, "quick")[:3]))
    assert pickle.loads(pickle.dumps(tried)).tried == tried.tried


def test_every_profile_asks_more_than_the_one_before() -> None:
    names = ("quick", "standard", "thorough")
    asked = [all_asked(Claims(), DTYPES, PROFILES[name].families) for name in names]
    numbers = [sum(one.n_entries for one in some) for some in asked]
    assert numbers == sorted(numbers)


def test_a_run_of_few_problems_asks_nothing() -> None:
    own = Implementation("shifted", shifted, Claims())
    assert asked_in_run(own, Plan(PROFILES["smoke"])) == ()
