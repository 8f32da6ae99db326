"""Whether an answer is right, entry by entry; of a batch with few different rows the truth is had row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradlab.bounds.rounding_counts import QUIET, division_roundings, gamma, sum_roundings
from gradlab.bounds.row_factors import loss_size
from gradlab.diagnosis.matching import Observation, observe
from gradlab.evaluation.call import Answer
from gradlab.localisation.distinct import distinct_rows
from gradlab.problems.problem import Array, Problem

LARGE = 1 << 12  # entries from which the truth of equal rows is worked out once


def observation_of(problem: Problem, answer: Answer) -> Observation:
    """The answer beside the truth; what is made of a few rows, each repeated, costs no more than these."""
    plain = not problem.objective.options and problem.objective.targets == "index"
    if problem.logits.size < LARGE or not plain:
        return observe(problem, answer)
    few = _distinct(problem)
    return observe(problem, answer) if 2 * few.rows.n_rows > problem.n_rows else _repeated(problem, answer, few)


@dataclass(frozen=True, eq=False)
class _Few:
    """The different rows of a problem, with reduction "none", and for each of its rows which of these it is."""

    rows: Problem
    places: Array


def _distinct(problem: Problem) -> _Few:
    labels = problem.targets.astype(np.int64)[:, None].view(np.uint8)
    bits = np.ascontiguousarray(problem.logits).view(np.uint8).reshape(problem.n_rows, -1)
    first, places = distinct_rows(np.concatenate([bits, labels], axis=1))
    rows = problem.rows(first)
    return _Few(rows.replace(objective=replace(problem.objective, reduction="none")), places)


@QUIET
def _repeated(problem: Problem, answer: Answer, few: _Few) -> Observation:
    """The bounds are those of `first_order` for the rows, put together as `reduced_loss` does, and a division."""
    fmt, places = problem.format, few.places
    given = observe(few.rows, Answer(None, None, ""))
    scale = float(problem.n_rows) if problem.objective.reduction == "mean" else 1.0
    divided = float(gamma(division_roundings(problem) + 1, fmt))
    tiny = 2 * fmt.smallest_subnormal
    true = given.true_gradient / scale
    bound = (given.gradient_bound * (1 + divided) / scale + divided * np.abs(true) + tiny)[places]
    losses, errors = given.true_loss[places], given.loss_bound[places]
    overflows = False
    if problem.objective.reduction != "none":
        overflows = bool(loss_size(few.rows)[places].sum() > fmt.largest)
        growth = float(gamma(sum_roundings(problem.n_rows, fmt) + division_roundings(problem), fmt))
        total = min(float((losses / scale).sum()), fmt.largest)
        errors = np.asarray((1 + growth) * errors.sum() / scale + growth * total + tiny)
        losses = np.asarray((losses / scale).sum())
    return Observation(
        problem,
        answer.loss is None or answer.gradient is None,
        np.full(losses.shape, np.nan) if answer.loss is None else answer.loss.astype(np.float64),
        np.full(problem.logits.shape, np.nan) if answer.gradient is None else answer.gradient.astype(np.float64),
        losses,
        true[places],
        np.nan_to_num(errors, nan=np.inf, posinf=np.inf),
        bound,
        given.relative,
        overflows or bool((losses > fmt.largest).any()),
    )
