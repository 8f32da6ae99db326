"""The time of calls by gradlab's own clock, on fresh arrays, whose answers are held to the truth.

It is of the whole way to the judged process and back, less that of a function that does nothing on the same arrays.
Less precise than what the process measures by itself; but no code under test can spoil it.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np

from gradlab.checks.accuracy import answer_within_bound
from gradlab.evaluation.call import Implementation, answer_to_call, call_for
from gradlab.judged.process import Place
from gradlab.judged.remote import Remote, Wanted
from gradlab.measure.timing import Timing, seconds_of_yardstick, timed_problem
from gradlab.problems.problem import Problem, Shape
from gradlab.result import largest_ratio

NOTHING = "gradlab.judged.nothing:nothing"
ROUNDS = 9
SLACK = 2.0  # times as long as the process says: more is laid to it and not to the way
NOISE = 0.5  # of the way there and back, which takes now longer and now shorter


@dataclass(frozen=True)
class Clocked:
    """Seconds of calls, one for each round, and of the yardstick; way: the median of what leads there and back."""

    calls: tuple[float, ...]
    yardstick: tuple[float, ...]
    way: float
    fault: str = ""


def checked_timing(implementation: Implementation, timing: Timing, place: Place) -> Timing:
    """A timing that the judged process has told, or what gradlab's clock says where that is much more.

    Without figures, and with a note, where the answers of the calls that are timed are wrong.
    """
    if timing.seconds is None:
        return timing
    n_rows, n_classes = timing.shape
    clocked = clock(implementation, (n_rows, n_classes), timing.dtype, place)
    if clocked.fault:
        return Timing(timing.dtype, timing.shape, note=clocked.fault)
    seconds = median(clocked.calls)
    if seconds <= SLACK * timing.seconds + NOISE * clocked.way:
        return timing
    ratios = tuple(own / max(other, 1e-9) for own, other in zip(clocked.calls, clocked.yardstick, strict=True))
    told = f"by gradlab's clock; the process itself told {1000 * timing.seconds:.3g} ms"
    return replace(timing, seconds=seconds, ratios=ratios, note=told)


def clock(implementation: Implementation, shape: Shape, dtype: str, place: Place) -> Clocked:
    """What calls of one shape and dtype take; fault: why one of them has no right answer, or ""."""
    base = timed_problem(implementation.claims, shape, dtype)
    problems = [_fresh(base) for _ in range(ROUNDS)]
    checked, fault = secrets.randbelow(ROUNDS), ""
    with closing(Remote(Wanted(NOTHING, {"dtypes": dtype}), place)) as remote:
        (nothing,) = remote.load()
        calls, ways, yards, room = [], [], [], np.empty_like(base.logits)
        for one in (implementation, nothing):
            _seconds(one, base)  # a warm-up
        for number, problem in enumerate(problems):
            ways.append(_seconds(nothing, problem))
            began = perf_counter()
            given = answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction)
            calls.append(perf_counter() - began)
            yards.append(seconds_of_yardstick(problem.logits, room, 1))
            fault = fault or given.fault or ""
            if (
                number == checked
                and not fault
                and largest_ratio(answer_within_bound(given, implementation, problem)) > 1
            ):
                fault = "its answer is wrong where it is timed"
    way = median(ways)
    return Clocked(tuple(max(one - way, 0.0) for one in calls), tuple(yards), way, fault)


def _fresh(problem: Problem) -> Problem:
    """A problem as large, whose logits nobody has seen."""
    factor = problem.logits.dtype.type(0.5 + secrets.randbelow(1 << 20) / (1 << 21))
    return problem.replace(logits=np.roll(problem.logits, secrets.randbelow(problem.logits.size), axis=None) * factor)


def _seconds(implementation: Implementation, problem: Problem) -> float:
    began = perf_counter()
    answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction)
    return perf_counter() - began
