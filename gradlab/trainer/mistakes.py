"""Known mistakes of trainers: what descent would come to with each of them, to be told by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.descent import Iterate, descend
from gradlab.trainer.gradient import batch_of, step_gradient
from gradlab.trainer.problem import TrainerProblem


@dataclass(frozen=True)
class Mistake:
    """One mistake, as what differs from a right step; the defaults are right.

    sentence: what the code does. rate, weight_rate, bias_rate: what the learning rate is multiplied by, for all
    parameters, for the weight, for the bias. sums, bias_sums: the gradient, or the bias's, is a sum over the rows, not
    a mean. penalty: what the penalty's part is multiplied by. bias_penalty: the bias is in it although it is not to be.
    momentum, decay, max_norm, max_entry: of an optimizer. stale: the gradient is that of the step before. new_weight:
    the bias is updated by the gradient at the new weight. falling: the rate is divided by the step's number to this.
    """

    sentence: str
    rate: float = 1.0
    weight_rate: float = 1.0
    bias_rate: float = 1.0
    sums: bool = False
    bias_sums: bool = False
    penalty: float = 1.0
    bias_penalty: bool = False
    momentum: float = 0.0
    decay: float = 0.0
    max_norm: float = np.inf
    max_entry: float = np.inf
    stale: bool = False
    new_weight: bool = False
    falling: float = 0.0


MISTAKES = {
    "ascent": Mistake("the gradient is added, not subtracted", rate=-1),
    "sum_for_mean": Mistake("the gradient is the sum over the rows, not their mean", sums=True),
    "bias_gradient_is_a_sum": Mistake("the bias's gradient is the sum over the rows, not their mean", bias_sums=True),
    "bias_never_updated": Mistake("the bias stays as it was", bias_rate=0),
    "weight_never_updated": Mistake("the weight stays as it was", weight_rate=0),
    "bias_ascends": Mistake("the bias's gradient is added, not subtracted", bias_rate=-1),
    "bias_after_weight": Mistake("the bias is updated by the gradient at the new weight", new_weight=True),
    "half_rate": Mistake("a step is half as long", rate=0.5),
    "double_rate": Mistake("a step is twice as long", rate=2),
    "stale_gradient": Mistake("each step takes the gradient of the step before", stale=True),
    "penalty_left_out": Mistake("the penalty is not in the gradient", penalty=0),
    "penalty_doubled": Mistake("the penalty's gradient is twice as large", penalty=2),
    "penalty_halved": Mistake("the penalty's gradient is half as large", penalty=0.5),
    "penalty_takes_the_bias": Mistake("the penalty's gradient is taken of the bias, too", bias_penalty=True),
    **{f"momentum_{m:g}": Mistake(f"steps have a momentum of {m:g}", momentum=m) for m in (0.5, 0.9, 0.95, 0.99)},
    **{
        f"hidden_decay_{d:g}": Mistake(f"a weight decay of {d:g} that was not asked for", decay=d)
        for d in (1e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 0.1)
    },
    **{
        f"gradient_norm_clipped_at_{c:g}": Mistake(f"the gradient's norm is cut off at {c:g}", max_norm=c)
        for c in (0.1, 0.5, 1.0, 5.0)
    },
    **{
        f"gradient_clipped_at_{c:g}": Mistake(f"the gradient's entries are cut off at {c:g}", max_entry=c)
        for c in (0.01, 0.1, 0.5, 1.0)
    },
    "rate_falls_with_the_root": Mistake("the rate is divided by the root of the step's number", falling=0.5),
    "rate_falls_with_the_step": Mistake("the rate is divided by the step's number", falling=1.0),
}


@dataclass(frozen=True)
class Named:
    """A mistake that explains what came back. sentence: what the code does."""

    name: str
    sentence: str


def explain(problem: TrainerProblem, parameters: Array, room: float) -> list[Named]:
    """The mistakes that explain parameters that are not those of exact descent.

    room: how far sound code may be from exact descent. A mistake explains them where it comes as near as that, and is
    itself further than three times that from what is right.
    """
    iterates = list(descend(problem.replace(n_steps=problem.n_steps + 2)))
    exact = iterates[problem.n_steps]
    found = [*_other_numbers_of_steps(problem, iterates, parameters, room)]
    for name, mistake in MISTAKES.items():
        with np.errstate(all="ignore"):
            wrong = descend_with(problem, mistake)
        if _near(parameters, wrong, room) and not _near(exact.parameters, wrong, 3 * room):
            found.append(Named(name, mistake.sentence))
    return found


def descend_with(problem: TrainerProblem, mistake: Mistake) -> Array:
    """What descent with the mistake comes to after all steps, in float64, (n_parameters, n_classes)."""
    batches = [batch_of(problem.extended64, problem.shares64, rows) for rows in problem.batches]
    current, velocity, before = problem.start64.copy(), np.zeros(problem.start64.shape), None
    slopes = problem.slopes * mistake.penalty
    if mistake.bias_penalty and problem.bias is not None:
        slopes = np.full_like(slopes, problem.penalty.slope * mistake.penalty)
    for step in range(problem.n_steps):
        batch = batches[step % len(batches)]
        own = step_gradient(batch, current, slopes).value
        gradient = own if before is None or not mistake.stale else before
        before = own
        gradient = _changed(gradient, mistake, len(batch.shares), problem.bias is not None)
        gradient = gradient + mistake.decay * current
        norm = float(np.linalg.norm(gradient))
        gradient = np.clip(
            gradient * min(1.0, mistake.max_norm / norm) if norm else gradient, -mistake.max_entry, mistake.max_entry
        )
        velocity = mistake.momentum * velocity + gradient
        rate = mistake.rate * problem.learning_rate / (step + 1) ** mistake.falling
        following = current - rate * velocity
        if mistake.new_weight and problem.bias is not None:
            halfway = following.copy()
            halfway[-1] = current[-1]
            following[-1] = current[-1] - rate * step_gradient(batch, halfway, slopes).value[-1]
        current = following
    return current


def _changed(gradient: Array, mistake: Mistake, n_rows: int, has_bias: bool) -> Array:
    """The gradient with what the mistake multiplies its parts by."""
    factors = np.full((len(gradient), 1), mistake.weight_rate)
    if has_bias:
        factors[-1] = mistake.bias_rate * (n_rows if mistake.bias_sums else 1)
    return np.asarray(gradient * factors * (n_rows if mistake.sums else 1))


def _clipped(gradient: Array, mistake: Mistake) -> Array:
    norm = float(np.linalg.norm(gradient))
    shortened = gradient * min(1.0, mistake.max_norm / norm) if norm else gradient
    return np.asarray(np.clip(shortened, -mistake.max_entry, mistake.max_entry))


def _other_numbers_of_steps(
    problem: TrainerProblem, iterates: list[Iterate], parameters: Array, room: float
) -> Iterator[Named]:
    """Whether it is exact descent after another number of steps."""
    asked = problem.n_steps
    near = [one for one in iterates if one.n_steps != asked and _near(parameters, one.parameters, room)]
    if not near or _near(iterates[asked].parameters, near[0].parameters, 3 * room):
        return
    taken = min(near, key=lambda one: float(np.linalg.norm(parameters - one.parameters))).n_steps
    apart, word = abs(taken - asked), "more" if taken > asked else "fewer"
    steps = f"1 step {word} than asked for is" if apart == 1 else f"{apart:,} steps {word} than asked for are"
    yield Named(f"{word}_steps", f"{steps} taken")


def _near(first: Array, second: Array, room: float) -> bool:
    return bool(np.linalg.norm(first - second) <= room)
