"""The middle of a run: every problem is put to its checks, and what they find is added to the tally."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, tee, zip_longest

from gradlab.evaluation.call import Implementation
from gradlab.harness.course import Course, Done
from gradlab.harness.plan import Plan, Progress, Watch, dtypes_to_check
from gradlab.harness.scopes import scope_of
from gradlab.harness.seeds import drawn_seed
from gradlab.harness.selection import Question, problems_in_run, questions_in_run
from gradlab.harness.sizes import ask_sizes, asked_in_run, next_together
from gradlab.harness.tally import Tally, add_fact, add_results
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import AnyProblem
from gradlab.result import Fact

LARGEST = 1 << 14  # entries of one

InTurn = tuple[bool, Question, tuple[int, int]]


def examine_all(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """All problems by the checks that a call cannot spoil for others, and then by the rest."""
    tally = done.tally
    for (last, question, place), following in _with_following(_in_turns(tally.implementation, plan)):
        if last:
            _examine_sizes(done, plan, watch, course)
        problem, phase = question.problem, "bad labels" if last else question.problem.family
        watch(Progress(tally.implementation.name, problem.format.name, phase, *place, len(tally.failing)))
        done.stopped = done.stopped or course.reason_to_stop()
        if done.stopped:
            if course.harm:
                add_fact(tally, problem, Fact("the run", f"ended here: {course.harm}", "", False))
            break
        tally.n_problems += not last
        add_results(tally, problem, question.in_turn(last), course.given_up, following)
    _examine_sizes(done, plan, watch, course)  # where it stopped before them, they are left out


def examine_unforeseen(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """Some problems of the families more, of a seed that nobody knows: the answers to these cannot be written down.

    They count only where they cost a verdict that all others left: what is reported else is the same in every run.
    """
    tally = done.tally
    apart, scope = Tally(tally.implementation, tally.level), scope_of(tally.implementation.claims)
    for problem, after, number in _unforeseen(tally.implementation, plan):
        dtype, of_all = problem.format.name, plan.profile.unforeseen
        watch(Progress(tally.implementation.name, dtype, "unforeseen", number, of_all, len(tally.failing)))
        if done.stopped or course.reason_to_stop() or apart.lowest() == Verdict.WRONG:
            break
        apart.n_problems += 1
        checks = scope.applicable(tally.implementation.claims, problem)
        asked = [one for one in checks if not (one.makes_calls or one.comes_last)]
        add_results(apart, problem, asked, following=after)
    if apart.lowest() < tally.verdict():
        tally.include(apart)


def _unforeseen(implementation: Implementation, plan: Plan) -> Iterator[tuple[AnyProblem, AnyProblem | None, int]]:
    """Problems of each dtype that the run has not asked, each with the one that follows it, and its number."""
    claims, number_asked = implementation.claims, plan.profile.unforeseen
    profile, problems = replace(plan.profile, examples=0, most=None), scope_of(claims).problems
    for dtype in dtypes_to_check(implementation, plan) if number_asked else ():
        known = {one.digest for one in problems_in_run(claims, dtype, plan.profile, plan.seed)}
        drawn = problems_in_run(claims, dtype, profile, drawn_seed())
        fresh = [one for one in drawn if one.digest not in known and problems.complexity(one)[0] <= LARGEST]
        some = fresh[:: -(-len(fresh) // number_asked) or 1]
        for number, (problem, after) in enumerate(pairwise([*some, None])):
            yield problem, after, number


def _examine_sizes(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """What is left of the part on sizes, each problem made when it is its turn."""
    tally, sizes, profile = done.tally, done.sizes, plan.profile.families
    everything = asked_in_run(tally.implementation, plan)
    left = everything[sizes.n_done :]
    while left:
        done.stopped = done.stopped or course.reason_to_stop()
        if done.stopped:
            sizes.leave_out(done.stopped, left)
            return
        some = next_together(tally, sizes, left, profile)
        place = len(everything) - len(left), len(everything)
        watch(Progress(tally.implementation.name, some[0].dtype, "sizes", *place, len(tally.failing)))
        ask_sizes(tally, sizes, some, profile, course.given_up)
        left = left[len(some) :]


def _with_following(in_turns: Iterable[InTurn]) -> Iterator[tuple[InTurn, AnyProblem | None]]:
    """Each with the problem that follows it in the same turn."""
    here, ahead = tee(in_turns)
    next(ahead, None)
    for one, after in zip_longest(here, ahead):
        yield one, after[1].problem if after is not None and after[0] == one[0] else None


def _in_turns(implementation: Implementation, plan: Plan) -> Iterator[InTurn]:
    """All problems of the run twice: whether it is the last turn, the problem with its checks, its number, of how many.

    Those of a dtype are made when it is their turn.
    """
    made: dict[str, tuple[Question, ...]] = {}
    for last in (False, True):
        for dtype in dtypes_to_check(implementation, plan):
            if dtype not in made:
                made[dtype] = questions_in_run(implementation.claims, dtype, plan.profile, plan.seed)
            for number, question in enumerate(made[dtype]):
                yield last, question, (number, len(made[dtype]))
