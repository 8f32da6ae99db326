"""The functions to guess: what is shown tells the right mistake from the others that are offered."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.targets.shipped import specimens
from tools.lab.bugs import GUESSED, answers_of, choices_for, problems


@pytest.mark.parametrize("place", range(len(GUESSED)), ids=GUESSED)
def test_every_other_choice_answers_otherwise_to_a_problem_that_is_shown(place: int) -> None:
    choices = choices_for(place)
    assert len(set(choices)) == len(choices)
    others = [name for name in choices if name != GUESSED[place]]
    assert len(others) == len(choices) - 1
    assert [name for name in others if shown(name) == shown(GUESSED[place])] == []


@pytest.mark.parametrize("name", GUESSED)
def test_a_mistake_shows_in_a_problem(name: str) -> None:
    assert shown(name) != shown_as_true()


def shown(name: str) -> list[str]:
    """Loss and gradient of each problem to the four digits that the page has."""
    return [digits(loss, gradient) for loss, gradient in answers_of(specimens()[name])]


def shown_as_true() -> list[str]:
    from gradlab.oracle.enclosure import enclose

    truths = [enclose(problem) for problem in problems()]
    return [digits(truth.loss.nearest(), truth.gradient.nearest()) for truth in truths]


def digits(loss: object, gradient: object) -> str:
    values = [float(np.asarray(loss)), *np.asarray(gradient, dtype=np.float64).ravel()]
    return " ".join(f"{value + 0.0:.4g}" for value in values)
