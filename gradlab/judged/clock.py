"""The time of calls by gradlab's own clock, on fresh arrays, whose answers are held to the truth.

It is of the whole way to the judged process and back, less that of a function that does nothing on the same arrays.
Less precise than what the process measures by itself; but no code under test can spoil it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np

from gradlab.checks.accuracy import answer_within_bound
from gradlab.evaluation.call import Answer, Implementation, answer_to_call, call_for
from gradlab.judged.process import Place
from gradlab.judged.remote import Remote, Wanted
from gradlab.measure.timing import Timing, ratios_of, seconds_of_yardstick, timed_problem
from gradlab.problems.problem import Problem, Shape
from gradlab.result import largest_ratio

NOTHING = "gradlab.judged.nothing:nothing"
ROUNDS = 9
CHECKED = 3 << 20  # entries of answers that are held to the truth: of all rounds where they are small enough
SLACK = 2.0  # times as long as the process says: more is laid to it and not to the way
NOISE = 0.5  # of the way there and back, which takes now longer and now shorter


@dataclass(frozen=True)
class Clocked:
    """Seconds of calls, one for each round, and of the yardstick; way: the median of what leads there and back."""

    calls: tuple[float, ...]
    yardstick: tuple[float, ...]
    way: float
    fault: str = ""


@contextmanager
def nothing_at(place: Place) -> Iterator[Implementation]:
    """A function that does nothing, in a process like that of what is timed."""
    with closing(Remote(Wanted(NOTHING), place)) as remote:
        (nothing,) = remote.load()
        yield nothing


def checked_timing(implementation: Implementation, timing: Timing, nothing: Implementation) -> Timing:
    """A timing that the judged process has told, or what gradlab's clock says where that is much more.

    Without figures, and with a note, where the answers of the calls that are timed are wrong.
    """
    if timing.seconds is None:
        return timing
    n_rows, n_classes = timing.shape
    return settled(timing, clock(implementation, (n_rows, n_classes), timing.dtype, nothing))


def settled(timing: Timing, clocked: Clocked) -> Timing:
    """What stands of a timing that has its seconds, once calls were clocked."""
    if clocked.fault:
        return Timing(timing.dtype, timing.shape, note=clocked.fault)
    seconds = median(clocked.calls)
    assert timing.seconds is not None
    if seconds <= SLACK * timing.seconds + NOISE * clocked.way:
        return timing
    ratios = ratios_of(zip(clocked.calls, clocked.yardstick, strict=True))
    told = f"by gradlab's clock; the process itself told {1000 * timing.seconds:.3g} ms"
    return replace(timing, seconds=seconds, ratios=ratios, note=told)


def clock(implementation: Implementation, shape: Shape, dtype: str, nothing: Implementation) -> Clocked:
    """What calls of one shape and dtype take. nothing: of `nothing_at`.

    fault: why one of them has no right answer, or "". Those whose answers are held to the truth are chosen afterwards.
    """
    base = timed_problem(implementation.claims, shape, dtype)
    problems = [_fresh(base) for _ in range(ROUNDS)]
    calls, ways, yards, answers, room = [], [], [], [], np.empty_like(base.logits)
    for one in (implementation, nothing):
        _seconds(one, base)  # a warm-up
    for problem in problems:
        ways.append(_seconds(nothing, problem))
        began = perf_counter()
        answers.append(answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction))
        calls.append(perf_counter() - began)
        yards.append(seconds_of_yardstick(problem.logits, room, 1))
    n_checked = min(ROUNDS, max(1, CHECKED // base.logits.size))
    checked = secrets.SystemRandom().sample(range(ROUNDS), n_checked)
    faults = [given.fault or "" for given in answers]
    faults += [_fault(answers[i], implementation, problems[i]) for i in checked if not any(faults)]
    way = median(ways)
    return Clocked(tuple(max(one - way, 0.0) for one in calls), tuple(yards), way, next(filter(None, faults), ""))


def _fault(given: Answer, implementation: Implementation, problem: Problem) -> str:
    is_right = largest_ratio(answer_within_bound(given, implementation, problem)) <= 1
    return "" if is_right else "its answer is wrong where it is timed"


def _fresh(problem: Problem) -> Problem:
    """A problem as large, whose logits nobody has seen."""
    factor = problem.logits.dtype.type(0.5 + secrets.randbelow(1 << 20) / (1 << 21))
    return problem.replace(logits=np.roll(problem.logits, secrets.randbelow(problem.logits.size), axis=None) * factor)


def _seconds(implementation: Implementation, problem: Problem) -> float:
    began = perf_counter()
    answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction)
    return perf_counter() - began
