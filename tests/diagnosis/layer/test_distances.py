"""Distances between answers of whatever size: none gives a warning, which a user would see."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gradlab.diagnosis.layer import observation

HUGE = np.array([1e308, -1e308, np.inf, np.nan, 1.0])


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> None:
    warnings.simplefilter("error")


def test_the_place_of_a_huge_answer_is_found_without_a_warning() -> None:
    assert observation._furthest(HUGE[:2], np.zeros(2), np.array([1.0, 1e-300])) == 1
    assert observation._furthest(-HUGE[:2], HUGE[:2], np.full(2, 0.0)) == 0


def test_huge_answers_are_compared_without_a_warning() -> None:
    assert observation._farthest(HUGE, -HUGE) == np.inf
    assert not observation.is_close(HUGE, -HUGE, np.ones(5))
    assert observation.is_close(HUGE, HUGE, np.zeros(5))
