"""The search in float64: what is planted is found, and what is found is measured by ball arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.measure.function_search import CHILDREN, KEPT, Search, rough_errors, search
from gradlab.oracle.elementary import ELEMENTARY, errors_of

FUNCTIONS = {function.name: function for function in ELEMENTARY}
SUMMIT, HEIGHT, WIDTH = -3.21, 8.0, 0.002


def hilly_exp(x: Any) -> Any:
    """exp; in float64 off by up to HEIGHT u more at SUMMIT."""
    if x.dtype != np.float64:
        return np.exp(x)
    return np.exp(x) * (1 + 2.0**-53 * np.rint(HEIGHT * np.exp(-abs(x - SUMMIT) / WIDTH)) * 2)


def test_a_narrow_hill_is_found() -> None:
    found = Search(replace(FUNCTIONS["exp"], numpy=hilly_exp))
    for _ in range(12):
        found.round()
    assert found.worst().ulp > HEIGHT
    assert found.worst().argument == pytest.approx(SUMMIT, abs=WIDTH)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_found_is_what_ball_arithmetic_says(name: str) -> None:
    found = search(FUNCTIONS[name], 0)
    worst = found.worst()
    (ulp,) = errors_of(FUNCTIONS[name], "float64", np.array([worst.argument]), np.array([worst.answer]))
    assert worst.ulp == ulp
    assert FUNCTIONS[name].numpy(np.array([worst.argument]))[0] == worst.answer
    assert 2 * CHILDREN <= found.n_arguments
    assert len(found.kept) == KEPT


def test_the_same_seed_finds_the_same() -> None:
    first, second = search(FUNCTIONS["log"], 0, 5), search(FUNCTIONS["log"], 0, 5)
    assert first.worst() == second.worst()


def test_arguments_without_a_finite_value_count_nothing() -> None:
    errors = rough_errors(FUNCTIONS["log"], np.array([-1.0, 0.0, np.inf, np.nan]))
    np.testing.assert_array_equal(errors, 0)
