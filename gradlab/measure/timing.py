"""What a call costs: its time over that of a yardstick, round by round, and its memory beyond the gradient.

A time by itself tells more of the machine and of what else runs there than of the code. So the implementation and the
yardstick, exp and row sums of the same logits, run in turn, and it is the ratio of the two that is kept, of each round.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import tracemalloc
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, prod
from statistics import median
from time import perf_counter
from timeit import Timer
from typing import Any, TypeVar

import numpy as np

from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation, call_for, evaluate
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import describe_error
from gradlab.measure.accuracy import largest_errors
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import derivative_shape
from gradlab.problems.problem import Array, Problem, Shape

SHAPES: tuple[Shape, ...] = ((64, 10), (1024, 1000), (64, 32000))
MAX_ROUNDS, MIN_ROUNDS = 25, 5
SECONDS = 2.0  # for the rounds of one shape, unless MIN_ROUNDS take longer; a single call may not take longer than this
SAMPLE, MAX_CALLS = 1e-3, 100  # seconds: shorter calls are timed together
LEAST = 1e-9  # seconds: a shorter time cannot be told from none
MAX_ENTRIES = 2**26  # of what is returned: half a gigabyte in float64
TRIES = 3  # in each round, of which the fastest counts: what disturbs one of them is not the code
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of <malloc.h>

Sizes = TypeVar("Sizes", bound=tuple[int, ...])


@dataclass(frozen=True)
class Timing:
    """What calls of one shape (rows, classes), of a layer (rows, features, classes), and dtype cost.

    ratios: time over that of the yardstick, one for each round. seconds: the median of a call, None without rounds.
    n_bytes: held beyond the gradients at one time, None where nothing was measured; then note says why.
    ulp: how far off the answer to the timed problem is at most, inf for no answer; None where that was not asked for.
    """

    dtype: str
    shape: tuple[int, ...]
    ratios: tuple[float, ...] = ()
    seconds: float | None = None
    n_bytes: int | None = None
    note: str = ""
    ulp: float | None = None


@dataclass(frozen=True)
class Bench:
    """How calls on one problem are measured.

    fault: why a first call, which warms up too, has no answer. seconds: of a call, in the best of TRIES of so many.
    n_bytes: held beyond what is returned. seconds_of_yardstick: as seconds, of what calls are compared with.
    """

    fault: Callable[[], str | None]
    seconds: Callable[[int], float]
    n_bytes: Callable[[], int]
    seconds_of_yardstick: Callable[[int], float]


def keep_freed_memory() -> None:
    """Lets glibc's malloc, where that is what there is, keep what is freed, for the rest of this process.

    Otherwise large arrays are new memory in each call in one process and not in the next, which made a factor of 2.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def timings(implementation: Implementation, dtypes: Sequence[str]) -> Iterator[Timing]:
    """What calls of each of SHAPES cost, in these dtypes."""
    claims = implementation.claims
    for dtype in dtypes:
        fitting = [shape for shape in SHAPES if not _too_large(claims, shape)]

        def bench(shape: Shape, dtype: str = dtype) -> Bench:
            return bench_of(implementation, timed_problem(claims, shape, dtype))

        yield from timings_at(dtype, fitting, bench)
        yield from (Timing(dtype, shape, note=_too_large(claims, shape)) for shape in SHAPES if shape not in fitting)


def timings_at(dtype: str, shapes: Sequence[Sizes], bench: Callable[[Sizes], Bench]) -> Iterator[Timing]:
    """What calls of each shape cost; after a note, or twice SECONDS, the others are left out."""
    keep_freed_memory()
    note = ""
    for shape in shapes:
        if note:
            yield Timing(dtype, shape, note=note)
            continue
        began = perf_counter()
        timing = _measured(Timing(dtype, shape), bench(shape))
        seconds = perf_counter() - began
        yield timing
        if timing.note or seconds > 2 * SECONDS:
            note = f"left out after {shape}: {timing.note or f'it took {seconds:.1f} s'}"


def with_error(implementation: Implementation, timing: Timing) -> Timing:
    """The timing of a loss of logits, with how far off its answer is; one without a time, or of more, as it is."""
    claims, (n_rows, n_classes, *more) = implementation.claims, timing.shape
    if timing.seconds is None or more or claims.derivative != "gradient":
        return timing
    problem = timed_problem(claims, (n_rows, n_classes), timing.dtype)
    found = largest_errors(implementation, [problem])
    return replace(timing, ulp=max(one.ulp for one in found.values()))


def _too_large(claims: Claims, shape: Shape) -> str:
    """Why a call of this shape is not made, or ""."""
    size = prod(derivative_shape(claims.derivative, shape))
    return f"left out: a Hessian of {size:.2g} entries" if size > MAX_ENTRIES else ""


def bench_of(implementation: Implementation, problem: Problem) -> Bench:
    """How calls of a loss of logits are measured, beside exp and row sums of the same logits."""
    room = np.empty_like(problem.logits)
    return Bench(
        lambda: evaluate(implementation, problem).fault,
        partial(seconds_of_calls, implementation, problem),
        lambda: bytes_beyond_the_gradient(*bound_call(implementation, problem)),
        partial(seconds_of_yardstick, problem.logits, room),
    )


def timed_problem(claims: Claims, shape: Shape, dtype: str) -> Problem:
    """Logits, normal with standard deviation 3, and labels, drawn at random; the same for the same shape."""
    rng = np.random.default_rng(shape)
    logits = rng.normal(0, 3, shape).astype(as_dtype(dtype))
    return adapt_to_claims(claims, Problem(logits, rng.integers(0, shape[1], shape[0]), family="timed"))


def yardstick(logits: Array, room: Array) -> Array:
    """exp and row sums of the shifted logits: a part of every softmax, and never changed.

    room, of the logits' shape, takes the exponentials. Where they got an array of their own each time, 2 processes out
    of 12 took half as long again throughout, (1024, 1000) in float64: it depended on what malloc had given back.
    """
    np.subtract(logits, logits.max(axis=1, keepdims=True), out=room)
    np.exp(room, out=room)
    return np.asarray(room.sum(axis=1))


def seconds_of_calls(implementation: Implementation, problem: Problem, number: int) -> float:
    """The time of a call, in the best of TRIES of so many, each on arrays of its own, until the gradient is read."""
    calls = iter([call_for(implementation, problem) for _ in range(TRIES * number)])

    def once() -> None:
        call = next(calls)
        np.asarray(implementation.function(call.logits, call.targets, **call.keywords)[1])  # a framework may be lazy

    return best_of(once, number)


def seconds_of_yardstick(logits: Array, room: Array, number: int) -> float:
    """The same of the yardstick."""
    return best_of(lambda: yardstick(logits, room), number)


def best_of(once: Callable[[], object], number: int) -> float:
    """The time of one of so many calls in the best of TRIES."""
    return min(Timer(once, timer=perf_counter).repeat(TRIES, number)) / number


def bytes_beyond_the_gradient(function: Callable[..., Any], arguments: tuple[Array, ...]) -> int:
    """The most that a second call holds at one time, less the gradient that it returns.

    As tracemalloc sees it; or as the function counts it, by an attribute `most_held`, where it runs on a device.
    """
    function(*arguments)
    plain = function
    while isinstance(plain, partial):
        plain = plain.func
    count: Callable[[Callable[[], int]], int] = getattr(plain, "most_held", most_held)
    return count(lambda: np.asarray(function(*arguments)[1]).nbytes)


def most_held(call: Callable[[], int]) -> int:
    """The most that a call holds at one time, as tracemalloc sees it, less the bytes that it says it returns."""
    tracemalloc.start()
    try:
        returned = call()
        return max(tracemalloc.get_traced_memory()[1] - returned, 0)
    finally:
        tracemalloc.stop()


def bound_call(implementation: Implementation, problem: Problem) -> tuple[Callable[..., Any], tuple[Array, Array]]:
    """The function with its keywords for this problem, and arrays to call it with."""
    call = call_for(implementation, problem)
    return partial(implementation.function, **call.keywords), (call.logits, call.targets)


def _measured(timing: Timing, bench: Bench) -> Timing:
    """The timing with what was measured; without rounds, and with a note, where that is no answer or takes too long."""
    fault = bench.fault()
    if fault is not None:
        return replace(timing, note=fault)
    with _without_noise():
        try:
            seconds = bench.seconds(1)
            if seconds > SECONDS:
                return replace(timing, note=f"a call takes {seconds:.1f} s, must be at most {SECONDS:g} s")
            return _in_rounds(replace(timing, n_bytes=bench.n_bytes()), bench)
        except Exception as error:
            return replace(timing, note=f"raised {describe_error(error)}")


def _in_rounds(timing: Timing, bench: Bench) -> Timing:
    theirs, ours = bench.seconds, bench.seconds_of_yardstick
    ours(1)
    n_theirs, n_ours = (min(MAX_CALLS, ceil(SAMPLE / max(seconds(1), LEAST))) for seconds in (theirs, ours))
    rounds: list[tuple[float, float]] = []
    began = perf_counter()
    while len(rounds) < MAX_ROUNDS and (len(rounds) < MIN_ROUNDS or perf_counter() - began < SECONDS):
        rounds.append((theirs(n_theirs), ours(n_ours)))
    return replace(timing, ratios=ratios_of(rounds), seconds=median(own for own, _ in rounds))


def ratios_of(rounds: Iterable[tuple[float, float]]) -> tuple[float, ...]:
    """The ratio of two times, in seconds, of each round; above 0 also where a clock cannot tell one from none."""
    return tuple(max(own, LEAST) / max(other, LEAST) for own, other in rounds)


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Nothing that is printed or warned is shown, or costs more than it has to."""
    said = io.StringIO()
    with (
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        warnings.simplefilter("ignore")
        yield
