"""The part of a run on sizes: what is asked, what slow and large code is spared, and what is reported."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.run import Run
from gradlab.harness.sizes import (
    LATEST,
    MAX_FAILING,
    SECONDS,
    Cost,
    Costs,
    SizesTried,
    all_asked,
    asked_in_run,
    coverage_of,
    expected,
)
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
    def skips(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        if len(logits) > 300:
            gradient[300:] = 0
        return loss, gradient

    run = checked(skips)
    assert run.verdict == "wrong"
    assert run.sizes.n_failing["float32"] == MAX_FAILING
    assert run.sizes.left_out["after those that fail"]


def test_slow_code_is_not_asked_what_would_take_too_long() -> None:
    costs = costs_of(Cost((1000, 10), SECONDS["quick"] / 10, 0))
    tried = SizesTried(costs=costs)
    (small, *_, large) = all_asked(Claims(), DTYPES, "quick")
    assert expected(costs, (10_000, 10))[0] == pytest.approx(SECONDS["quick"])
    assert tried.reason_against(small, "quick") == ""
    assert SizesTried(costs=costs_of(Cost((50_000, 3), 1.0, 0))).reason_against(large, "quick") == "too slow for them"


def test_code_that_takes_memory_by_squares_is_not_asked_what_would_fill_it() -> None:
    tried = SizesTried(costs=costs_of(Cost((3, 4096), 0.01, 3 * 4096**2 * 8)))
    wide = max(all_asked(Claims(), DTYPES, "quick"), key=lambda asked: asked.shape[1])
    assert tried.reason_against(wide, "quick") == "it would take too much memory"


def test_a_square_of_the_rows_is_not_asked_for() -> None:
    def by_a_matrix_of_rows(logits: Array, labels: Array) -> Any:
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
