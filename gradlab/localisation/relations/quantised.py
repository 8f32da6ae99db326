"""Relations that numbers in a few equal steps give: of each row or of the whole batch, from its own extremes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, gradient_by_logits, reduced, row_losses
from gradlab.localisation.trial import Outcome
from gradlab.problems.problem import Array

COUNTS = (7, 15, 31, 63, 127, 128, 255, 256)  # of steps, as 4 to 8 bits have them
MATCHED = 0.9  # of the entries, that are foretold: what lies between two steps is rounded to either
Steps = Callable[[Array], Array]


def gradients_of_steps() -> Iterator[Relation]:
    """The gradient of logits in steps, and the right gradient in steps."""
    for words, steps in _STEPS.items():
        twin = Relation(f"is that of the logits rounded to {words}", partial(_loss, steps=steps), matched=MATCHED)
        gradient = partial(_gradient, steps=steps)
        yield Relation(twin.said, gradient, matched=MATCHED, domain=_has_range, twin=twin)
    for words, steps in _STEPS.items():
        yield Relation(f"is rounded to {words}", partial(_in_steps, steps=steps), matched=MATCHED)


def losses_of_steps() -> Iterator[Relation]:
    """The loss of logits in steps."""
    for words, steps in _STEPS.items():
        loss = partial(_loss, steps=steps)
        yield Relation(f"is that of the logits rounded to {words}", loss, matched=MATCHED, domain=_has_range)


def _has_range(one: Outcome) -> Array:
    """Of which rows the extremes are known; if one of them is not, those of the batch are not either."""
    finite = np.isfinite(one.problem.mapped64).all()
    return np.full(one.problem.n_rows, finite and one.problem.is_moderate)


def _gradient(one: Outcome, steps: Steps) -> Array:
    return gradient_by_logits(one, steps(one.problem.mapped64))


def _loss(one: Outcome, steps: Steps) -> Array:
    return reduced(one, row_losses(one, logits=steps(one.problem.mapped64)))


def _in_steps(one: Outcome, steps: Steps) -> Array:
    return steps(one.seen.true_gradient)


def _from_least_to_largest(x: Array, axis: int | None, count: int) -> Array:
    low, high = x.min(axis=axis, keepdims=True), x.max(axis=axis, keepdims=True)
    return _rounded(x, low, (high - low) / count)


def _by_largest_size(x: Array, axis: int | None, count: int) -> Array:
    return _rounded(x, 0.0, np.abs(x).max(axis=axis, keepdims=True) / count)


def _rounded(x: Array, start: Array | float, step: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.where(step > 0, start + np.rint((x - start) / step) * step, x))


_OF = {"the row": 1, "the whole batch": None}
_STEPS: dict[str, Steps] = {
    **{
        f"{count} steps from the least to the largest of {of}": partial(_from_least_to_largest, axis=axis, count=count)
        for of, axis in _OF.items()
        for count in COUNTS
    },
    **{
        f"steps of 1/{count} of the largest in size of {of}": partial(_by_largest_size, axis=axis, count=count)
        for of, axis in _OF.items()
        for count in COUNTS
    },
}
