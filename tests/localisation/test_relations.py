"""What may come out is worked out for every problem, also where what it divides by is 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Answer
from gradlab.localisation.relations.candidates import gradients, losses
from gradlab.localisation.trial import Outcome, Trial, outcome_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem


def outcome(labels: list[int], **asked: Any) -> Outcome:
    problem = Problem(np.linspace(-1, 1, 3 * len(labels)).reshape(-1, 3), np.array(labels), Objective(**asked))
    return outcome_of(Trial(problem), Answer(np.array(2.0), np.ones(problem.logits.shape), ""))


WITHOUT_A_MEAN = {
    "all rows ignored": outcome([-100, -100], ignore_index=-100),
    "one row, ignored": outcome([-100], ignore_index=-100),
    "weights of 0": outcome([0, 0], class_weights=(0.0, 1.0, 1.0)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("one", WITHOUT_A_MEAN.values(), ids=WITHOUT_A_MEAN)
def test_every_relation_foretells_something_where_no_row_counts(one: Outcome) -> None:
    with np.errstate(all="ignore"):
        for relation in gradients([one]):
            assert relation.predict(one).shape == one.problem.logits.shape, relation.said
        for relation in losses([one]):
            assert np.ndim(relation.predict(one)) == 0, relation.said
