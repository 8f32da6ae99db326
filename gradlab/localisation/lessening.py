"""Large wrong problems made small: with one row, with few classes, or half of the rows again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.evidence import Evidence
from gradlab.localisation.trial import Outcome, Trial
from gradlab.localisation.varying import PLAIN, Rng, labels_of, with_classes

Ask = Callable[[Trial], Outcome | None]  # what comes of a trial is added to the evidence


def with_less(evidence: list[Evidence], ask: Ask, rng: Rng) -> list[Evidence]:
    """Asks the smallest large wrong problem with one row, and with few classes: most that follows is made of it.

    What is taken out of the evidence, as it does not tell which row is wrong, is returned.
    """
    left_out = _halve(evidence, ask)
    smallest = _smallest_large(evidence)
    if smallest is not None and smallest.problem.n_rows > 1:
        for rows in (smallest.wrong_rows.argmax() + np.arange(1), np.arange(1)):
            ask(replace(smallest.trial, problem=smallest.problem.rows(rows)))
    smallest = _smallest_large(evidence)
    if smallest is not None:
        problem = smallest.problem
        fewest = 1 + int(labels_of(problem).max(initial=0))
        for k in dict.fromkeys((fewest, (fewest + problem.n_classes) // 2)):
            ask(replace(smallest.trial, problem=with_classes(problem, k, rng)))
    return left_out


def _halve(evidence: list[Evidence], ask: Ask) -> list[Evidence]:
    """Asks halves of long batches of which the loss alone is wrong, until few rows are left that are to blame.

    Such a batch does not tell which of its rows is wrong, and no more than some of them are looked at: it is left out
    where others do.
    """
    for seen in [one for one in evidence if one.is_wrong and _is_blind(one)]:
        trial = seen.outcome.trial
        while trial.problem.n_rows > 1:
            middle = trial.problem.n_rows // 2
            halves = (np.arange(middle), np.arange(middle, trial.problem.n_rows))
            parts = (replace(trial, problem=trial.problem.rows(rows)) for rows in halves)
            wrong = next((one for one in map(ask, parts) if one is not None and one.is_wrong), None)
            if wrong is None:
                break
            trial = wrong.trial
    left_out = [one for one in evidence if one.is_wrong and _is_blind(one)]
    if not any(one.is_wrong and not _is_blind(one) for one in evidence):
        return []
    evidence[:] = [one for one in evidence if one not in left_out]
    return left_out


def _smallest_large(evidence: Sequence[Evidence]) -> Outcome | None:
    """The smallest wrong problem, where that is a large one."""
    smallest = min(
        (one.outcome for one in evidence if one.is_wrong), key=lambda one: one.problem.logits.size, default=None
    )
    return smallest if smallest is not None and smallest.problem.logits.size > PLAIN else None


def _is_blind(one: Evidence) -> bool:
    """Whether one row or another is wrong, and not all of them are looked at."""
    return not one.outcome.wrong_rows.any() and not one.outcome.raised and len(one.rows) < one.outcome.problem.n_rows
