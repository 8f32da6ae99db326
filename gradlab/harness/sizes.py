"""The part of a run on sizes: after all other problems, each made when it is its turn, while the code is fast enough.

Slow code, and code that fills the memory, is not asked what it cannot do in time: what is left out is reported.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from gradlab.checks.table import applicable
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layouts import INTEGERS, LAYOUTS, MORE_INTEGERS, MORE_LAYOUTS, PLAIN_INTEGERS, READ_ONLY
from gradlab.harness.plan import Plan, dtypes_to_check
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question, may_be_asked
from gradlab.harness.tally import Tally, add_results
from gradlab.problems.covering import Factors
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS
from gradlab.problems.patterns import LABELS
from gradlab.problems.problem import Problem, Shape
from gradlab.problems.sized import problem_of, repeated_problem
from gradlab.problems.sizes import REPEATED, Case, Covered, Sizes, sizes_of

SECONDS = {"quick": 0.5, "standard": 10.0, "thorough": 100.0}  # that one call may be expected to take
LATEST = 40  # calls from which a time is reckoned
NEAR = 64  # times as many entries as those of a call from which a time is reckoned
ALTOGETHER = 4  # times as much for all of them
MAX_MEMORY = 5 << 29  # bytes that a call may be expected to take; a worker has 4 GiB
NOTICEABLE = 1 << 25  # bytes, from which on it is reckoned how they grow
BYTES_OF_FEW_ARRAYS = 512  # for each entry: as code takes that holds a few arrays of the logits' shape
MAX_FAILING = 2  # sizes of a dtype on which something fails; the larger ones are left out then


@dataclass(frozen=True)
class Asked:
    """What is to be asked: a case of the covering array, or a shape in which results are kept over several calls."""

    shape: Shape
    dtype: str
    case: Case | None = None

    @property
    def n_entries(self) -> int:
        """How many logits."""
        return _n_entries(self.shape)

    @property
    def kind(self) -> str:
        """What failures are counted together."""
        return self.dtype if self.case is not None else f"{self.dtype}, kept"


@dataclass(frozen=True)
class Cost:
    """What a call took: its shape, seconds, and bytes of memory that the process had never had before."""

    shape: Shape
    seconds: float
    n_bytes: int


@dataclass(eq=False)
class Costs:
    """What the calls so far took: the latest, those that took much memory, the seconds of all and of the longest."""

    latest: deque[Cost] = field(default_factory=lambda: deque(maxlen=LATEST))
    large: list[Cost] = field(default_factory=list)
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, cost: Cost) -> None:
        """One call more."""
        self.latest.append(cost)
        if cost.n_bytes > max(NOTICEABLE, BYTES_OF_FEW_ARRAYS * _n_entries(cost.shape)):
            self.large.append(cost)
        self.seconds += cost.seconds
        self.longest = max(self.longest, cost.seconds)


@dataclass(eq=False)
class SizesTried:
    """How far the part on sizes has come.

    tried: what was asked; left_out: what was not, by the reason. costs: of what was asked. n_failing: by its kind.
    """

    tried: list[Asked] = field(default_factory=list)
    left_out: dict[str, list[Asked]] = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)
    n_failing: dict[str, int] = field(default_factory=dict)

    @property
    def n_done(self) -> int:
        """How many are behind it, asked or not."""
        return len(self.tried) + sum(map(len, self.left_out.values()))

    def reason_against(self, asked: Asked, profile: str) -> str:
        """Why this is not asked, or ""."""
        if self.n_failing.get(asked.kind, 0) >= MAX_FAILING:
            return "after those that fail"
        seconds, n_bytes = expected(self.costs, asked.shape)
        spent = self.costs.seconds - self.costs.longest  # all but one, in which something was compiled
        if seconds > SECONDS[profile] or spent + seconds > ALTOGETHER * SECONDS[profile]:
            return "too slow for them"
        return "it would take too much memory" if n_bytes > MAX_MEMORY else ""


def expected(costs: Costs, shape: Shape) -> tuple[float, float]:
    """Seconds and bytes of a call in this shape: a time that grows as the entries do, a memory that grows as squares.

    The time is the least that one of those lets expect that are not much smaller. The memory is the most; for code that
    takes no more than a few arrays of the logits' shape there is room in every profile, and nothing is reckoned.
    """
    times = ((cost, _times(shape, cost)) for cost in costs.latest if shape[0] <= 2 * NEAR * cost.shape[0])
    seconds = min((cost.seconds * more for cost, more in times if more <= NEAR), default=0.0)
    return seconds, max((cost.n_bytes * _times(shape, cost, least=1.0) ** 2 for cost in costs.large), default=0.0)


def _n_entries(shape: Shape) -> int:
    return shape[0] * shape[1]


def _times(shape: Shape, cost: Cost, least: float = 0.0) -> float:
    """How many times as many entries as in a call before; least: how much rows and classes count at least."""
    return max(shape[0] / cost.shape[0], least) * max(shape[1] / cost.shape[1], least)


def asked_in_run(implementation: Implementation, plan: Plan) -> tuple[Asked, ...]:
    """All that a run asks in the part on sizes, the smallest first; nothing of other derivatives than the gradient.

    And nothing where a profile has but a few problems of the families.
    """
    if plan.profile.most is not None:
        return ()
    claims, dtypes = implementation.claims, dtypes_to_check(implementation, plan)
    return all_asked(claims, dtypes, plan.profile.families)


@lru_cache(maxsize=16)
def all_asked(claims: Claims, dtypes: tuple[str, ...], profile: str) -> tuple[Asked, ...]:
    """The same, for these claims; nothing of other derivatives than the gradient."""
    if claims.derivative != "gradient" or not scope_of(claims).has_sizes:
        return ()
    cases = [
        Asked((case.n_rows, case.n_classes), case.dtype, case) for case in sizes_for(claims, dtypes, profile).cases
    ]
    repeated = [Asked(shape, dtype) for dtype in dtypes for shape in REPEATED]
    return tuple(sorted(cases + repeated, key=lambda asked: asked.n_entries))


@lru_cache(maxsize=16)
def sizes_for(claims: Claims, dtypes: tuple[str, ...], profile: str) -> Sizes:
    """The sizes of a profile with what the claims let through."""
    layouts = {**MORE_LAYOUTS, **LAYOUTS}
    if claims.gradient_in_logits:
        del layouts[READ_ONLY]
    index = claims.targets[0] == "index"
    integers = (*MORE_INTEGERS, *INTEGERS) if index else (PLAIN_INTEGERS,)
    factors: Factors = {
        "dtype": dtypes,
        "integers": integers,
        "layout": tuple(layouts),
        "labels": LABELS,
        "option": ("none", *(f"reduction {one}" for one in claims.reduction[1:]), *_options(claims)),
    }
    return sizes_of(profile, factors)


def _options(claims: Claims) -> list[str]:
    """The options that go with what is claimed first."""
    return [
        name
        for name in claims.options
        if (name not in PER_ROW_OPTIONS or claims.reduction[0] in PER_ROW_OPTIONS[name].reductions)
        and (name != "ignore_index" or claims.targets[0] == "index")
    ]


def question_of(claims: Claims, asked: Asked) -> Question | None:
    """The problem with its checks, made for this call; None where the claims do not let it through."""
    objective = Objective(claims.reduction[0], mean_over=claims.mean_over[0])
    problem = (
        repeated_problem(asked.shape, asked.dtype, objective)
        if asked.case is None
        else problem_of(asked.case, objective)
    )
    if claims.targets[0] == "probability":
        problem = _one_hot(problem)
    if problem.objective.options and not may_be_asked(claims, problem):
        return None
    return Question(problem, tuple(applicable(claims, problem)))


def _one_hot(problem: Problem) -> Problem:
    from gradlab.problems.families.options import one_hot

    return one_hot(problem)


def ask_size(tally: Tally, sizes: SizesTried, asked: Asked, without: Collection[str] = ()) -> None:
    """Asks one size and adds what is found to the tally, and what it took to the sizes.

    without: checks that are left out once they have failed.
    """
    question = question_of(tally.implementation.claims, asked)
    if question is None:
        sizes.left_out.setdefault("not claimed", []).append(asked)
        return
    tally.n_problems += 1
    n_failing = len(tally.failing)
    with Meter() as meter:
        add_results(tally, question.problem, question.checks, without)
    sizes.tried.append(asked)
    sizes.costs.add(Cost(asked.shape, meter.seconds, meter.n_bytes))
    sizes.n_failing[asked.kind] = sizes.n_failing.get(asked.kind, 0) + len(tally.failing) - n_failing


def examine_sizes(tally: Tally, dtype: str, profile: str) -> None:
    """The whole part on sizes in one dtype."""
    sizes = SizesTried()
    for asked in all_asked(tally.implementation.claims, (dtype,), profile):
        if not sizes.reason_against(asked, profile):
            ask_size(tally, sizes, asked)


def sized_questions(claims: Claims, dtype: str, profile: str, at_least: Shape = (0, 0)) -> Iterator[Question]:
    """The questions of one dtype in shapes of so many rows and classes at least, the smallest first."""
    for asked in all_asked(claims, (dtype,), profile):
        if asked.shape[0] >= at_least[0] and asked.shape[1] >= at_least[1]:
            question = question_of(claims, asked)
            if question is not None:
                yield question


def coverage_of(claims: Claims, dtypes: tuple[str, ...], profile: str, tried: SizesTried) -> Covered:
    """How much the cases that were tried cover."""
    return sizes_for(claims, dtypes, profile).covered(tuple(one.case for one in tried.tried if one.case is not None))


class Meter:
    """Measures what is done inside: processor seconds, and the memory that the process had never had before."""

    def __enter__(self) -> Meter:
        self._began, self._before = time.process_time(), _most_memory()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds, self.n_bytes = time.process_time() - self._began, _most_memory() - self._before


def _most_memory() -> int:
    """The most bytes in which this process has resided so far; 0 where that is not known."""
    with contextlib.suppress(ImportError):  # not everywhere
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return 0
