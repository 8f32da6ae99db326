"""From an implementation to a verdict: the families first, then a search, then the smallest failing problems."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checks.precision import accumulation
from gradlab.evaluation.call import Answer, Implementation, answer, made_for
from gradlab.harness.plan import Plan, Progress, Watch, dtypes_to_check
from gradlab.harness.resume import Course, Done
from gradlab.harness.selection import Question, may_be_asked, problems_in_run, questions_in_run
from gradlab.harness.sizes import Cost, Meter, SizesTried, asked_in_run, question_of
from gradlab.harness.tally import Line, Tally, add_fact, add_results, examine, findings_of
from gradlab.harness.verdict import Verdict, is_advice, verdict_of_failure
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Problem
from gradlab.result import Fact, Result, largest_ratio

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.power import Power
    from gradlab.localisation.finding import Localisation
    from gradlab.measure.timing import Timing

UNDERMINING = (
    "returns_loss_and_gradient",
    "returns_loss_and_derivative",
    "leaves_the_process_as_it_was",
    "same_call_gives_same_bits",
)
ASKED_AGAIN = 12  # problems, at the end of a run: are they answered as at its beginning?
TINY = (4, 9.0)  # entries and their size: a failing problem of so few small whole numbers is not shrunk any further


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What one run found out about one implementation, as data; `gradlab.report.report` puts it into words.

    lines: one per check and dtype. failing: for every problem that failed, what failed on it and costs
    the level asked for.
    dtypes: the dtypes that were checked. n_problems: how many problems were tried. seconds: wall time.
    diagnosis: what explains it, where the level is not met. localisation: where it is wrong, found by experiment, where
    no known defect explains it. power: what the run would have caught, where it is.
    accumulates_in: by dtype of half precision, what its answers are worked out in, as claimed or recognised.
    timings: what calls cost, where that was asked for. cut_short: why the run ended before it was done, or "".
    sizes: how far the part on sizes came.
    """

    implementation: Implementation
    plan: Plan
    verdict: Verdict
    lines: tuple[Line, ...]
    failing: tuple[tuple[Result, ...], ...]
    dtypes: tuple[str, ...]
    n_problems: int
    seconds: float
    diagnosis: Diagnosis | None = None
    localisation: Localisation | None = None
    power: Power | None = None
    accumulates_in: Mapping[str, str] = field(default_factory=dict)
    timings: tuple[Timing, ...] = ()
    cut_short: str = ""
    sizes: SizesTried = field(default_factory=SizesTried)

    @property
    def met(self) -> bool:
        """Whether the verdict reaches the level asked for, in a run that came to its end."""
        return self.verdict >= Verdict(self.plan.level) and not self.cut_short

    @property
    def failures(self) -> tuple[Line, ...]:
        """The lines that keep the verdict below the level asked for, the most costly first."""
        costly = [line for line in self.lines if line.verdict < Verdict(self.plan.level)]
        return tuple(sorted(costly, key=cost))

    @property
    def advice(self) -> tuple[Line, ...]:
        """The lines that failed without lowering the verdict: what is not claimed, or only recommended."""
        claims = self.implementation.claims
        advised = (line for line in self.lines if not line.passed and line.verdict is Verdict.ACCURATE)
        return tuple(
            line for line in advised if is_advice(line.check, claims) or line.check.failing_means == "improbable"
        )

    def __repr__(self) -> str:
        return f"<Run on {self.implementation.name}: {self.verdict}>"


TELLING = ("accuracy", "stability", "calculus", "options", "domain", "invariants", "sizes", "contract")


def cost(line: Line) -> tuple[int, bool, int]:
    """What sorts failures: the most costly first, then what makes every other one doubtful (no answer at all, or
    another one each time), then the groups that tell most by a value.
    """
    return list(Verdict).index(line.verdict), line.check.name not in UNDERMINING, TELLING.index(line.check.group)


def run_checks(
    implementation: Implementation, plan: Plan, watch: Watch = lambda progress: None, course: Course | None = None
) -> Run:
    """What one run finds out; the same bits for the same implementation, plan and versions.

    course: how it goes on where another process began it. Raises ValueError where the plan asks for a dtype that the
    implementation does not claim.
    """
    start = time.perf_counter()
    course = course or Course()
    dtypes = dtypes_to_check(implementation, plan)
    done = course.done or Done(Tally(implementation, Verdict(plan.level)))
    if not done.earlier and not course.cut_short:
        first = problems_in_run(implementation.claims, dtypes[0], plan.profile, plan.seed)[:ASKED_AGAIN]
        done.earlier = [(problem, answer(implementation, problem)) for problem in first]
    _examine_all(done, plan, watch, course)
    _shrink(done, plan, watch, course)
    run = _conclude(done, plan, course, watch)
    diagnosis = None if run.met or "diagnosis" in course.given_up else _diagnosis(run, done.earlier)
    run = replace(run, diagnosis=diagnosis)
    if not run.met and "localisation" not in course.given_up:
        run = replace(run, localisation=_localisation(run))
    return replace(run, seconds=time.perf_counter() - start)


def _conclude(done: Done, plan: Plan, course: Course, watch: Watch) -> Run:
    """What the run found out, without its diagnosis."""
    tally, cut_short = done.tally, course.cut_short
    verdict, lines = tally.verdict(), tuple(tally.in_order())
    begun = {line.dtype for line in lines}
    dtypes = [one for one in dtypes_to_check(tally.implementation, plan) if one in begun or not cut_short]
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    run = Run(tally.implementation, plan, verdict, lines, failing, tuple(dtypes), tally.n_problems, 0.0)
    run = replace(run, cut_short=cut_short, sizes=done.sizes, accumulates_in={} if cut_short else _accumulation(run))
    watch(Progress(tally.implementation.name, dtypes[-1], "known defects", 0, 1, len(failing)))
    return replace(run, power=_power(run)) if run.met and plan.power else run


def _accumulation(run: Run) -> dict[str, str]:
    """What the answers are worked out in, by dtype of half precision."""
    implementation = run.implementation
    if implementation.claims.derivative != "gradient":
        return {}
    half = [dtype for dtype in run.dtypes if format_of(dtype).precision < 24]
    return {dtype: accumulation(implementation, dtype) for dtype in half}


def _power(run: Run) -> Power:
    """What the run would have caught of the known defects, on the same problems and by the same checks."""
    from gradlab.harness.power import power_of

    implementation, plan = run.implementation, run.plan
    claims = implementation.claims
    asked = {dtype: questions_in_run(claims, dtype, plan.profile, plan.seed) for dtype in run.dtypes}
    return power_of(claims, Verdict(plan.level), asked)


def _diagnosis(run: Run, earlier: list[tuple[Problem, Answer]]) -> Diagnosis | None:
    """What explains the failures in the dtype of the most digits that has some."""
    from gradlab.diagnosis.diagnosis import diagnose

    failures = sorted(run.failures, key=lambda line: -format_of(line.dtype).precision)
    if not failures or run.cut_short:
        return None
    dtype = failures[0].dtype
    failed = [line.check.name for line in failures if line.dtype == dtype]
    problems = problems_in_run(run.implementation.claims, dtype, run.plan.profile, run.plan.seed)
    with made_for("diagnosis"):
        return diagnose(run.implementation, problems, failed, earlier)


def _localisation(run: Run) -> Localisation | None:
    """Where it is wrong, by experiment, in the dtype of the diagnosis; None where a known defect explains it."""
    from gradlab.localisation.finding import localise

    claims, known = run.implementation.claims, run.diagnosis
    if known is None or known.is_explained or claims.derivative != "gradient":
        return None
    problems = problems_in_run(claims, known.dtype, run.plan.profile, run.plan.seed)
    failing = [results[0].problem for results in run.failing]
    asked = {one.digest: one for one in (*failing, *problems) if one.format.name == known.dtype}
    with made_for("localisation"):
        return localise(run.implementation, tuple(asked.values()), known.unexplained, partial(may_be_asked, claims))


def _examine_all(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """All problems by the checks that a call cannot spoil for others, and then by the rest."""
    tally, ended_here = done.tally, False
    for last, question, place in islice(_in_turns(tally.implementation, plan), done.n_examined, None):
        if last:
            _examine_sizes(done, plan, watch, course)
        problem, phase = question.problem, "bad labels" if last else question.problem.family
        watch(Progress(tally.implementation.name, problem.format.name, phase, *place, len(tally.failing)))
        if not course.cut_short or course.is_known(problem):
            tally.n_problems += not last
            add_results(tally, problem, question.in_turn(last), course.given_up)
        elif not ended_here:
            ended_here = True
            add_fact(tally, problem, Fact("the run", f"ended here: {course.cut_short}", "", False))
        done.n_examined += 1
        course.keep(done)


def _examine_sizes(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """What is left of the part on sizes, each problem made when it is its turn."""
    tally, sizes, profile = done.tally, done.sizes, plan.profile.families
    everything = asked_in_run(tally.implementation, plan)
    for number, asked in list(enumerate(everything))[sizes.n_done :]:
        reason = course.cut_short or sizes.reason_against(asked, profile)
        question = None if reason else question_of(tally.implementation.claims, asked)
        if question is None:
            sizes.left_out.setdefault(reason or "not claimed", []).append(asked)
            continue
        watch(Progress(tally.implementation.name, asked.dtype, "sizes", number, len(everything), len(tally.failing)))
        tally.n_problems += 1
        n_failing = len(tally.failing)
        with Meter() as meter:
            add_results(tally, question.problem, question.checks, course.given_up)
        sizes.tried.append(asked)
        sizes.costs.append(Cost(asked.shape, meter.seconds, meter.n_bytes))
        sizes.n_failing[asked.dtype] = sizes.n_failing.get(asked.dtype, 0) + len(tally.failing) - n_failing
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


def _shrink(done: Done, plan: Plan, watch: Watch, course: Course) -> None:
    """Looks for a smaller failing problem for the most costly failures, and examines what it finds like any other."""
    tally, claims = done.tally, done.tally.implementation.claims
    if course.cut_short:
        return
    if done.to_shrink is None:
        done.to_shrink = _large_failures(tally, plan)[: plan.profile.shrinks]
    for number, line in enumerate(done.to_shrink):
        phase = f"shrinking {line.check.name}"
        if number < done.n_shrunk or phase in course.given_up:
            continue
        name, n_failing = tally.implementation.name, len(tally.failing)
        watch(Progress(name, line.dtype, phase, number, len(done.to_shrink), n_failing))
        fails = partial(_fails_as_badly, tally.implementation, line)
        from gradlab.harness.search import smallest  # Hypothesis, which takes half a second

        with made_for(phase):
            found = smallest(claims, line.dtype, plan.profile.shrink_examples, plan.seed, fails)
        if found is not None:
            examine(tally, found, course.given_up)
        done.n_shrunk = number + 1
        course.keep(done)


def _large_failures(tally: Tally, plan: Plan) -> list[Line]:
    """The failures that keep the verdict below the level asked for and show on no tiny problem, most costly first.

    One line for each check: what fails in one dtype mostly fails in the others on the same problem.
    """
    lines = [
        line for line in tally.lines.values() if line.verdict < Verdict(plan.level) and line.check.group != "sizes"
    ]
    first: dict[str, Line] = {}
    for line in sorted(lines, key=cost):
        first.setdefault(line.check.name, line)
    large = [line for line in first.values() if line.simplest and not _is_tiny(line.simplest.problem)]
    return large


def _is_tiny(problem: Problem) -> bool:
    x = problem.logits64
    return bool(
        x.size <= TINY[0] and problem.is_finite and (x == np.rint(x)).all() and np.abs(x).max(initial=0) <= TINY[1]
    )


def _fails_as_badly(implementation: Implementation, line: Line, problem: Problem) -> bool:
    if problem.format.name != line.dtype or not may_be_asked(implementation.claims, problem):
        return False
    if not line.check.applies(implementation.claims, problem):
        return False
    if verdict_of_failure(line.check, implementation.claims, problem) > line.verdict:
        return False
    return any(largest_ratio(findings) > 1 for _, findings in findings_of((line.check,), implementation, problem))
