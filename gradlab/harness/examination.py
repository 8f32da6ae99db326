"""The middle of a run: every problem is put to its checks, and what they find is added to the tally."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan, Progress, Watch, dtypes_to_check
from gradlab.harness.resume import Course, Done
from gradlab.harness.scopes import scope_of
from gradlab.harness.seeds import drawn_seed
from gradlab.harness.selection import Question, problems_in_run, questions_in_run
from gradlab.harness.sizes import ask_size, asked_in_run
from gradlab.harness.tally import add_fact, add_results
from gradlab.result import Fact

LARGEST = 1 << 14  # entries of one


def examine_all(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """All problems by the checks that a call cannot spoil for others, and then by the rest."""
    tally, ended_here = done.tally, False
    for last, question, place in islice(_in_turns(tally.implementation, plan), done.n_examined, None):
        if last:
            _examine_sizes(done, plan, watch, course)
        problem, phase = question.problem, "bad labels" if last else question.problem.family
        watch(Progress(tally.implementation.name, problem.format.name, phase, *place, len(tally.failing)))
        harm = elsewhere.cut_short if (elsewhere := tally.implementation.capture.elsewhere) is not None else ""
        done.stopped = done.stopped or course.reason_to_stop()
        if not (course.cut_short or done.stopped) or course.is_known(problem):
            tally.n_problems += not last
            add_results(tally, problem, question.in_turn(last), course.given_up)
        elif not ended_here and (harm or not done.stopped):
            ended_here = True
            add_fact(tally, problem, Fact("the run", f"ended here: {course.cut_short or harm}", "", False))
        done.n_examined += 1
        course.keep(done)


def examine_unforeseen(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """Some problems of the families more, of a seed that nobody knows: the answers to these cannot be written down.

    What is right there is right by no accident, so that the verdict on sound code is the same in every run.
    """
    tally, profile = done.tally, replace(plan.profile, examples=0, most=None)
    claims, name, number_asked = tally.implementation.claims, tally.implementation.name, plan.profile.unforeseen
    scope = scope_of(claims)
    for dtype in dtypes_to_check(tally.implementation, plan) if number_asked else ():
        known = {one.digest for one in problems_in_run(claims, dtype, plan.profile, plan.seed)}
        drawn = problems_in_run(claims, dtype, profile, drawn_seed())
        fresh = [one for one in drawn if one.digest not in known and scope.problems.complexity(one)[0] <= LARGEST]
        for number, problem in enumerate(fresh[:: -(-len(fresh) // number_asked) or 1]):
            watch(Progress(name, dtype, "unforeseen", number, number_asked, len(tally.failing)))
            if done.stopped or course.reason_to_stop():
                return
            tally.n_problems += 1
            checks = scope.applicable(claims, problem)
            add_results(tally, problem, [one for one in checks if not (one.makes_calls or one.comes_last)])


def _examine_sizes(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """What is left of the part on sizes, each problem made when it is its turn."""
    tally, sizes, profile = done.tally, done.sizes, plan.profile.families
    everything = asked_in_run(tally.implementation, plan)
    if sizes.n_done < len(everything):
        course.keep_now(done)
    for number, asked in list(enumerate(everything))[sizes.n_done :]:
        done.stopped = done.stopped or course.reason_to_stop()
        reason = course.cut_short or done.stopped or sizes.reason_against(asked, profile)
        if reason:
            sizes.left_out.setdefault(reason, []).append(asked)
            continue
        watch(Progress(tally.implementation.name, asked.dtype, "sizes", number, len(everything), len(tally.failing)))
        ask_size(tally, sizes, asked, course.given_up)
        course.keep(done)


def _in_turns(implementation: Implementation, plan: Plan) -> Iterator[tuple[bool, Question, tuple[int, int]]]:
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
