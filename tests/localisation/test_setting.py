"""Problems that are made of others stay problems: labels stay classes."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.localisation.setting import SETTINGS, set_in
from gradlab.localisation.trial import Trial
from gradlab.problems.problem import Problem


@pytest.mark.parametrize("name", SETTINGS)
def test_any_value_may_be_asked_for(name: str) -> None:
    for value in (0.0, 1.0, 7.0, 5000.0):
        rng = np.random.default_rng(3)
        trial = Trial(Problem(rng.normal(size=(3, 5)), np.array([0, 4, 2])))
        made = set_in(trial, name, value, rng)
        assert made.problem.targets.max() < made.problem.n_classes, value
