"""From where on a row may overflow on the way, so that no bound says anything of it."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.conditioning import rows_in_range
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

EDGES = [  # objective, logit and whether what becomes of it stays below half of the largest number
    (Objective(temperature=0.5), 1 / 4, 1.0),
    (Objective(temperature=0.25), 1 / 8, 1.0),
    (Objective(z_loss=4.0), 1 / 8, 0.5),
    (Objective(z_loss=2.0**20), 2.0**-21, 0.5),
]


@pytest.mark.parametrize("case", range(len(EDGES)))
def test_rows_are_in_range_up_to_half_of_the_largest_number(case: int) -> None:
    objective, share, power = EDGES[case]
    edge = (float(np.finfo(np.float32).max) * share) ** power
    logits = np.array([[0.99 * edge, 0], [1.01 * edge, 0]], np.float32)
    assert rows_in_range(Problem(logits, np.array([0, 0]), objective)).tolist() == [True, False]


ERRORS = [  # objective, logit as a share of the largest number, to the power; below the limit, and with its error above
    (Objective(temperature=0.5), 1 / 4, 1.0, 0.96, 0.99),
    (Objective(z_loss=4.0), 1 / 8, 0.5, 0.95, 0.985),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_the_error_of_what_comes_near_half_of_the_largest_number_counts(case: int) -> None:
    objective, share, power, inside, outside = ERRORS[case]
    largest = float(np.finfo(np.float32).max)  # bfloat16 ends in the same binade
    logits = np.array([[(one * largest * share) ** power, 0] for one in (inside, outside)])
    problem = Problem(logits.astype(as_dtype("bfloat16")), np.array([0, 0]), objective)
    assert rows_in_range(problem).tolist() == [True, False]
