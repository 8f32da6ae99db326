"""Covering arrays: every allowed combination of so many values comes up, and no forbidden one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from gradlab.problems.covering import covering_array, settings_met, settings_of

FACTORS = {"a": range(6), "b": range(5), "c": "xyz", "d": (False, True), "e": range(4)}


def anything(some: Mapping[str, object]) -> bool:
    return True


def small(some: Mapping[str, object]) -> bool:
    return int(str(some.get("a", 0))) * int(str(some.get("b", 0))) <= 6


@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize("allowed", [anything, small])
def test_all_values_that_go_together_come_up(strength: int, allowed: object) -> None:
    rule = small if allowed is small else anything
    found = covering_array(FACTORS, rule, strength)
    assert settings_met(found, FACTORS, strength) == set(settings_of(FACTORS, rule, strength))


@pytest.mark.parametrize("strength", [2, 3])
def test_what_is_not_allowed_never_comes_up(strength: int) -> None:
    assert all(small(one) for one in covering_array(FACTORS, small, strength))


def test_few_combinations_are_enough() -> None:
    found = covering_array(FACTORS, anything, 2)
    assert 6 * 5 <= len(found) <= 6 * 5 + 6
    assert len(list(product(*FACTORS.values()))) == 720


def test_the_same_ones_come_every_time() -> None:
    assert covering_array(FACTORS, small, 2) == covering_array(FACTORS, small, 2)


def test_what_cannot_be_completed_is_left_out() -> None:
    def never_d(some: Mapping[str, object]) -> bool:
        return "d" not in some

    assert covering_array(FACTORS, never_d, 2) == []
