"""The part of a run on sizes: after all other problems, each made when it is its turn, while the code is fast enough.

Slow code, and code that fills the memory, is not asked what it cannot do in time: what is left out is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, takewhile

from gradlab.checks.table import applicable
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layouts import INTEGERS, LAYOUTS, MORE_INTEGERS, MORE_LAYOUTS, PLAIN_INTEGERS, READ_ONLY
from gradlab.harness.plan import Plan, dtypes_to_check
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question, may_be_asked
from gradlab.harness.size_costs import Costs, Meter, entries_of, expected
from gradlab.harness.tally import Tally, add_findings, findings_together
from gradlab.problems.covering import Factors
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS
from gradlab.problems.patterns import LABELS
from gradlab.problems.problem import Problem, Shape
from gradlab.problems.sized import problem_of, repeated_problem
from gradlab.problems.sizes import REPEATED, Case, Covered, Sizes, sizes_of

SECONDS = {"quick": 0.5, "standard": 10.0, "thorough": 100.0}  # that one call may be expected to take
ALTOGETHER = 4  # times as much for all of them
MAX_MEMORY = 5 << 29  # bytes that a call may be expected to take; a worker has 4 GiB
MAX_TOGETHER = 8  # sizes that are asked at one time
ENTRIES_TOGETHER = 1 << 19  # of all of them
SECONDS_TOGETHER = 0.1  # of what one call may be expected to take, that all of them may
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
        return entries_of(self.shape)

    @property
    def kind(self) -> str:
        """What failures are counted together."""
        if self.case is None:
            return f"{self.dtype}, kept"
        return self.dtype if self.case.logits == "moderate" else f"{self.dtype}, {self.case.logits}"


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

    def leave_out(self, reason: str, asked: Iterable[Asked]) -> None:
        """These are not asked, for a reason."""
        self.left_out.setdefault(reason, []).extend(asked)

    def reason_against(self, asked: Asked, profile: str) -> str:
        """Why this is not asked, or ""."""
        if self.n_failing.get(asked.kind, 0) >= MAX_FAILING:
            return "after those that fail"
        seconds, n_bytes = expected(self.costs, asked.shape)
        spent = self.costs.seconds - self.costs.longest  # all but one, in which something was compiled
        if seconds > SECONDS[profile] or spent + seconds > ALTOGETHER * SECONDS[profile]:
            return "the code is too slow there"
        return "it would take too much memory" if n_bytes > MAX_MEMORY else ""


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


def next_together(tally: Tally, sizes: SizesTried, left: Sequence[Asked], profile: str) -> Sequence[Asked]:
    """The next ones of those that are left: one; or some that cost little, where calls are made in another process."""
    if tally.implementation.capture.elsewhere is None or sizes.costs.large or not sizes.tried:
        return left[:1]
    n_entries = accumulate(asked.n_entries for asked in left[:MAX_TOGETHER])
    seconds = accumulate(expected(sizes.costs, asked.shape)[0] for asked in left[:MAX_TOGETHER])
    is_little = [
        asked.case is not None and entries <= ENTRIES_TOGETHER and taken <= SECONDS_TOGETHER * SECONDS[profile]
        for asked, entries, taken in zip(left, n_entries, seconds, strict=False)
    ]
    return left[: max(1, len(list(takewhile(bool, is_little))))]


def ask_sizes(
    tally: Tally, sizes: SizesTried, asked: Sequence[Asked], profile: str, without: Collection[str] = ()
) -> None:
    """Asks some sizes, together if they are several; adds what is found to the tally, what it took to the sizes.

    What there is a reason against by then, as after those that fail, is left out. without: checks that are left out
    once they have failed.
    """
    n_tried = len(sizes.tried)
    questions = list[tuple[Asked, Question]]()
    for one in asked:
        reason = sizes.reason_against(one, profile)
        question = None if reason else question_of(tally.implementation.claims, one)
        if question is None:
            sizes.leave_out(reason or "not claimed", [one])
        else:
            questions.append((one, question))
    with Meter(tally.implementation.capture.elsewhere) as meter:
        found = findings_together(tally, [question for _, question in questions], without)
        for (one, question), findings in zip(questions, found, strict=True):
            if reason := sizes.reason_against(one, profile):
                sizes.leave_out(reason, [one])
                continue
            n_failing = len(tally.failing)
            tally.n_problems += 1
            add_findings(tally, question.problem, findings)
            sizes.tried.append(one)
            sizes.n_failing[one.kind] = sizes.n_failing.get(one.kind, 0) + len(tally.failing) - n_failing
    sizes.costs.add_all([one.shape for one in sizes.tried[n_tried:]], meter.seconds, meter.n_bytes)


def examine_sizes(tally: Tally, dtype: str, profile: str) -> None:
    """The whole part on sizes in one dtype."""
    sizes = SizesTried()
    for asked in all_asked(tally.implementation.claims, (dtype,), profile):
        ask_sizes(tally, sizes, [asked], profile)


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
