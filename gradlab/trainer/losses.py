"""Whether the losses that a trainer reports are those of its iterates."""

from __future__ import annotations

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.descent import Iterate, descend
from gradlab.trainer.gradient import FLOAT64, UPWARDS, batch_of, proved_arithmetic, step_gradient
from gradlab.trainer.problem import TrainerProblem

GUARD = 1e-5  # what code may add to a probability, or raise it to, before its logarithm
FEWEST = 2  # losses, of which something can be said


def fault_of_losses(problem: TrainerProblem, trained: Trained) -> str:
    """What is wrong with the losses reported by a training whose weights are right; "" where nothing is.

    They may be those before or after each step, or of every so many, with the penalty or without. Nothing is said of
    fewer than two, and of none in a batch.
    """
    losses = trained.losses
    if losses is None or len(losses) < FEWEST or len(losses) > problem.n_steps + 1 or problem.n_steps > 100:
        return ""
    reported = losses.astype(np.float64)
    iterates = list(descend(problem))
    values = [_Loss(problem, one) for one in iterates]
    places = [*_places(len(reported), problem.n_steps)]
    for share in (1.0, 0.0):
        if any(_agree(reported, [values[place] for place in some], share, 1) for some in places):
            return ""
    for words, share in (("half of", 0.5), ("twice", 2.0)):
        if problem.penalty.is_on and any(_agree(reported, [values[i] for i in some], share, 1) for some in places):
            return f"the losses have {words} the penalty that the steps descend"
    for words, factor in (("sums over the rows, not means", problem.n_rows), ("negative", -1)):
        if any(_agree(reported, [values[place] for place in some], 1.0, factor) for some in places):
            return f"the losses are {words}"
    for some in places:
        if strength := _penalty_of_their_own(reported, [values[place] for place in some]):
            return f"the losses have a penalty of {strength:.3g} |W|^2 that the steps do not descend"
    late = [[0, *some[:-1]] for some in places]
    if any(_agree(reported, [values[place] for place in some], 1.0, 1) for some in late):
        return "the losses come one step late"
    if any(_agree(reported[1:], [values[i] for i in some[1:]], 1.0, 1) for some in late):
        return f"the losses come one step late, and the first, {reported[0]:.7g}, is of no iterate"
    first = values[0].value
    return f"the losses are of no iterates in order: the first is {reported[0]:.7g}, at the start it is {first:.7g}"


class _Loss:
    """The loss of an iterate without a penalty, the penalty, and how far what code reports may be below and above."""

    def __init__(self, problem: TrainerProblem, iterate: Iterate) -> None:
        batch = batch_of(problem.extended64, problem.shares64, slice(None))
        found = step_gradient(batch, iterate.parameters, problem.slopes)
        p, shares = found.probabilities, batch.shares
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(shares > 0, -shares * np.log(p), 0.0)
            guarded = np.where(shares > 0, shares * GUARD / p, 0.0)
        self.value = float(terms.sum(axis=1).mean())
        n_weights = problem.n_features
        self.square = float(np.square(iterate.parameters[:n_weights]).sum())
        self.penalty = float((problem.slopes * np.square(iterate.parameters)).sum() / 2)
        theirs = proved_arithmetic(problem.format)
        errors = found.log_error(theirs) + found.log_error(FLOAT64) + 4 * theirs.unit
        sums = (theirs.sums(problem.n_rows + 4)) * theirs.unit
        smoothness, distance = curvature_of(problem).smoothness, iterate.proved + iterate.radius
        moved = (float(np.linalg.norm(found.value)) + smoothness * distance) * distance
        count = theirs.sums(found.value.size + 4) * theirs.unit
        self.above = (float(errors.mean()) + sums * self.value + moved + count * self.penalty) * UPWARDS
        self.below = self.above + float(guarded.sum(axis=1).mean())


def _places(count: int, n_steps: int) -> list[range]:
    """Which iterates so many losses may belong to: from the start or the first step on, each or one of so many."""
    steps = [
        range(first, first + count * every, every) for first in range(n_steps + 1) for every in range(1, n_steps + 1)
    ]
    return [one for one in steps if one[-1] <= n_steps and (one[0] <= 1 or one[-1] + one.step > n_steps)]


def _penalty_of_their_own(reported: Array, values: list[_Loss]) -> float:
    """The c > 0 for which the losses have c |W|^2 more than the steps descend; 0 where there is none."""
    squares = np.array([one.square for one in values])
    below, above = (np.array([getattr(one, name) for one in values]) for name in ("below", "above"))
    apart = reported - np.array([one.value + one.penalty for one in values])
    at = int(np.argmax(squares))
    if not (np.count_nonzero(squares) >= FEWEST and apart[at] > above[at]):
        return 0.0
    least, most = (apart[at] - above[at]) / squares[at], (apart[at] + below[at]) / squares[at]
    fits = (least * squares - below <= apart) & (apart <= most * squares + above)
    return float(apart[at] / squares[at]) if fits.all() else 0.0


def _agree(reported: Array, values: list[_Loss], share: float, factor: int) -> bool:
    """share: how much of the penalty the losses have."""
    exact = np.array([one.value + share * one.penalty for one in values])
    below, above = (np.array([getattr(one, name) for one in values]) for name in ("below", "above"))
    apart = reported / factor - exact
    return bool(((-below <= apart) & (apart <= above + below)).all())
