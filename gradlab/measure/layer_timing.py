"""What a call of a layer costs: its time over that of a yardstick, and its memory beyond what it returns.

The yardstick is three matrix products, as logits, dX and dW need them, and exp and row sums of the logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer, layer_call_for
from gradlab.layer.problem import LayerProblem
from gradlab.measure.timing import TRIES, Bench, Timing, best_of, most_held, timings_at, yardstick
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array

LAYER_SHAPES = ((64, 32, 10), (256, 64, 1000), (128, 64, 8192))  # rows, features, classes


def layer_timings(implementation: Implementation, dtypes: Sequence[str]) -> Iterator[Timing]:
    """What calls of each of LAYER_SHAPES cost, in these dtypes."""
    for dtype in dtypes:
        yield from timings_at(dtype, LAYER_SHAPES, partial(_bench, implementation, dtype))


def timed_layer_problem(claims: Claims, shape: tuple[int, ...], dtype: str) -> LayerProblem:
    """Features, weight, bias and labels, drawn at random, the logits of size 3; the same for the same shape."""
    n_rows, n_features, n_classes = shape
    rng = np.random.default_rng(shape)
    features, weight = rng.normal(size=(n_rows, n_features)), rng.normal(size=(n_features, n_classes))
    numbers = (features, weight * 3 / n_features**0.5, rng.normal(size=n_classes))
    X, W, b = (one.astype(as_dtype(dtype)) for one in numbers)
    problem = LayerProblem(X, W, b, rng.integers(0, n_classes, n_rows), family="timed")
    return adapt_layer_to_claims(claims, problem)


def layer_yardstick(problem: LayerProblem, room: Array) -> Array:
    """Logits, their exponentials and row sums, and two products of the exponentials; never changed.

    room, of the logits' shape, takes the exponentials.
    """
    sums = yardstick(problem.features @ problem.weight, room)
    return np.asarray(sums[:1] + (room @ problem.weight.T)[:1] + (problem.features.T @ room)[:1, :1])


def _bench(implementation: Implementation, dtype: str, shape: tuple[int, ...]) -> Bench:
    """How calls of a layer are measured on the problem of a shape."""
    problem = timed_layer_problem(implementation.claims, shape, dtype)
    room = np.empty((problem.n_rows, problem.n_classes), problem.weight.dtype)
    return Bench(
        lambda: evaluate_layer(implementation, problem).fault,
        partial(_seconds_of_calls, implementation, problem),
        lambda: bytes_beyond_the_outputs(implementation, problem),
        lambda number: best_of(lambda: layer_yardstick(problem, room), number),
    )


def _seconds_of_calls(implementation: Implementation, problem: LayerProblem, number: int) -> float:
    """The time of a call, in the best of TRIES of so many, each on arrays of its own."""
    calls = iter([layer_call_for(implementation, problem) for _ in range(TRIES * number)])

    def once() -> None:
        call = next(calls)
        implementation.function(*call.arguments, **call.keywords)

    return best_of(once, number)


def bytes_beyond_the_outputs(implementation: Implementation, problem: LayerProblem) -> int:
    """The most that a call holds at one time, less the outputs that are claimed."""
    returned = sum(array.nbytes for array in evaluate_layer(implementation, problem).outputs.values())
    call = layer_call_for(implementation, problem)

    def once() -> int:
        implementation.function(*call.arguments, **call.keywords)
        return returned

    return most_held(once)
