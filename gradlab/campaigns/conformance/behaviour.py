"""Rules that are not about the values of one answer: refusing, dtypes, memory, other spellings of the same call."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradlab.bounds import first_order, loss_bound
from gradlab.campaigns.conformance.case import Asked, Seen
from gradlab.campaigns.conformance.predictions import Predicted, agrees, exact
from gradlab.evaluation.call import Call
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.intervals import fill
from gradlab.problems.problem import Array
from gradlab.result import within

Fits = Callable[[Asked, Sequence[Seen]], bool]


def raises(asked: Asked, seen: Sequence[Seen]) -> bool:
    """The plain call raises."""
    return seen[0].raised is not None


def answers(asked: Asked, seen: Sequence[Seen]) -> bool:
    """The plain call gives numbers, whatever they are."""
    return seen[0].loss is not None


def finite_loss(fits: Fits) -> Fits:
    """What fits, with losses that are all finite."""

    def also(asked: Asked, seen: Sequence[Seen]) -> bool:
        loss = seen[0].loss
        return loss is not None and bool(np.isfinite(loss.astype(np.float64)).all()) and fits(asked, seen)

    return also


def dtype_kept(asked: Asked, seen: Sequence[Seen]) -> bool:
    """Loss and gradient in the dtype of the logits; a Python float will do for the loss."""
    own = asked.problem.format.name
    return seen[0].dtypes[0] in (own, "float") and seen[0].dtypes[1] == own


def in_dtypes(loss: str, gradient: str) -> Fits:
    """Loss and gradient in these dtypes, of which one at least is not kept; "kept" stands for that of the logits."""

    def fits(asked: Asked, seen: Sequence[Seen]) -> bool:
        own = asked.problem.format.name
        of_loss = {"kept": (own, "float"), "float64": ("float64", "float")}.get(loss, (loss,))
        of_gradient = own if gradient == "kept" else gradient
        return seen[0].dtypes[0] in of_loss and seen[0].dtypes[1] == of_gradient and not dtype_kept(asked, seen)

    return fits


def flushes(asked: Asked, seen: Sequence[Seen]) -> bool:
    """The subnormal entry of the gradient is 0, and the rest as defined."""
    gradient = exact(enclose(asked.problem).gradient.nearest())
    fill(gradient, (0, 1), 0.0)
    bound = first_order.gradient(asked.problem)[0] + first_order.flush_error(asked.problem)
    bound[0, 1] = 0.0
    return agrees(seen[0], Predicted(None, gradient, np.asarray(0.0), bound))


def arguments_unchanged(asked: Asked, seen: Sequence[Seen]) -> bool:
    """Logits, targets and weights hold the same bits after the call."""
    return seen[0].loss is not None and _contents(seen[0].call) == _contents(seen[0].before)


def gradient_in_logits(asked: Asked, seen: Sequence[Seen]) -> bool:
    """The logits hold the gradient after the call."""
    after, gradient = seen[0].call.logits, seen[0].gradient
    return gradient is not None and np.array_equal(after, gradient, equal_nan=True)


def same_everywhere(asked: Asked, seen: Sequence[Seen]) -> bool:
    """Every spelling gives the values of the plain call."""
    return all(is_same(asked, seen[0], one) for one in seen[1:])


def same_or_refused(asked: Asked, seen: Sequence[Seen]) -> bool:
    """Some spellings are refused, and the others give the values of the plain call."""
    raised = [one.raised is not None for one in seen[1:]]
    rest = [one for one in seen[1:] if one.raised is None]
    return any(raised) and bool(rest) and all(is_same(asked, seen[0], one) for one in rest)


def others_refused(asked: Asked, seen: Sequence[Seen]) -> bool:
    """Every spelling but the plain one is refused."""
    return seen[0].loss is not None and all(one.raised is not None for one in seen[1:])


def some_differ(asked: Asked, seen: Sequence[Seen]) -> bool:
    """A spelling is answered with other values than the plain call."""
    return seen[0].loss is not None and any(one.raised is None and not is_same(asked, seen[0], one) for one in seen[1:])


def is_same(asked: Asked, first: Seen, second: Seen) -> bool:
    """Whether two answers to a problem agree within the forward errors of both."""
    bounds = (2 * loss_bound(asked.problem)[0], 2 * first_order.gradient(asked.problem)[0])
    pairs = ((first.loss, second.loss), (first.gradient, second.gradient))
    return all(_agree(*pair, bound) for pair, bound in zip(pairs, bounds, strict=True))


def _agree(first: Array | None, second: Array | None, bound: Array) -> bool:
    if first is None or second is None or first.shape != second.shape or bound.shape != first.shape:
        return False
    return bool((within("", first, second, bound, "").ratio <= 1).all())


def _contents(call: Call) -> list[bytes]:
    arrays = [call.logits, call.targets, *(one for one in call.keywords.values() if isinstance(one, np.ndarray))]
    return [one.tobytes() for one in arrays]
