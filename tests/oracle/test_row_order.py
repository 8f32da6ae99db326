"""Rows with a rule of their own do not change places with the others."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose_by_balls, enclose_by_double_double
from gradlab.problems.problem import Problem


@pytest.mark.parametrize("enclose", [enclose_by_balls, enclose_by_double_double])
def test_a_row_of_infinite_loss_stays_where_it_is(enclose):
    logits = np.array([[1, -np.inf, 0], [0, 1, 2]], dtype=np.float32)
    both = enclose(Problem(logits, [1, 1])).gradient.nearest()
    alone = enclose(Problem(logits[1:], [1])).gradient.nearest()
    assert both[1] == pytest.approx(alone[0] / 2, rel=1e-15)
