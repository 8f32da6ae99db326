"""From an implementation to a verdict: the families first, then a search, then the smallest failing problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gradlab.evaluation.call import AnyAnswer, Implementation, made_for
from gradlab.harness.course import Course, Done
from gradlab.harness.drawn import CURVES, Drawn
from gradlab.harness.examination import examine_all, examine_unforeseen
from gradlab.harness.examples import examples_of
from gradlab.harness.length import notice_of_length
from gradlab.harness.missing import Missing, attempt
from gradlab.harness.order import cost
from gradlab.harness.plan import Plan, Progress, Watch, dtypes_to_check
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import problems_in_run, questions_in_run
from gradlab.harness.shrinking import shrink
from gradlab.harness.sizes import SizesTried
from gradlab.harness.tally import Line, Tally, add_fact
from gradlab.harness.verdict import Verdict, is_advice
from gradlab.isolation.limits import INTERRUPTED, STOPS
from gradlab.localisation.work import SearchEndedError
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import AnyProblem
from gradlab.result import Fact, Result

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.power import Power
    from gradlab.localisation.statements import Localisation
    from gradlab.measure.timing import Timing

ASKED_AGAIN = 12  # problems, at the end of a run: are they answered as at its beginning?


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What one run found out about one implementation, as data; `gradlab.report.report` puts it into words.

    lines: one per check and dtype. failing: for every problem that failed, what failed on it and costs
    the level asked for.
    dtypes: the dtypes that were checked. n_problems: how many problems were tried. seconds: wall time.
    diagnosis: what explains it, where the level is not met. localisation: where it is wrong, found by experiment, where
    no known defect explains it. power: what the run would have caught, where it is.
    accumulates_in: by dtype of half precision, what its answers are worked out in, as claimed or recognised.
    advice_on_kind: what to do where the first calls gave a wrong kind of answer, after which it ended.
    timings: what calls cost, where that was asked for. cut_short: why the run ended before it was done, or "".
    sizes: how far the part on sizes came. drawn: curves of its errors, where they were asked for.
    missing: of all that explains the verdict, what could not be found for an error of gradlab's own.
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
    advice_on_kind: str = ""
    cut_short: str = ""
    sizes: SizesTried = field(default_factory=SizesTried)
    drawn: Drawn = field(default_factory=Drawn)
    missing: tuple[Missing, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the verdict reaches the level asked for, in a run that came to its end."""
        return self.verdict >= Verdict(self.plan.level) and not self.cut_short

    @property
    def failures(self) -> tuple[Line, ...]:
        """The lines that keep the verdict below the level asked for, the most costly first.

        Of those that cost the same, first the ones in which a defect that was found shows by itself.
        """
        costly = [line for line in self.lines if line.verdict < Verdict(self.plan.level)]
        examples = {_key(one) for one in self.diagnosis.examples.values()} if self.diagnosis else set()
        return tuple(sorted(costly, key=lambda line: _order(line, examples)))

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


def run_checks(
    implementation: Implementation,
    plan: Plan,
    watch: Watch = lambda progress: None,
    left_out: Collection[str] = (),
) -> Run:
    """What one run finds out; the same bits for the same implementation, plan and versions.

    left_out: as in `Course`. Raises ValueError where the plan asks for a dtype that the implementation does not claim.
    """
    start = time.perf_counter()
    course, done = Course(implementation, plan.minutes, left_out), Done(Tally(implementation, Verdict(plan.level)))
    try:
        if advice := _advice_on_first_calls(done, plan):
            return replace(_conclude(done, plan, watch), advice_on_kind=advice)
        watch = _ask_first(done, plan, watch, course)
        examine_all(done, plan, watch, course)
        if implementation.capture.elsewhere is not None and done.tally.verdict() > Verdict("wrong"):
            examine_unforeseen(done, plan, watch, course)
        done, unshrunk = attempt("smaller problems that fail", lambda done: shrink(done, plan, watch, course), done)
        run = _explained(_conclude(done, plan, watch), done, course)
        run = add_explanation(run, "the curves of its errors", lambda run: _drawn(run, course))
        run = replace(run, missing=(*unshrunk, *run.missing))
    except KeyboardInterrupt:
        if not done.tally.lines:
            raise
        done.stopped = STOPS[INTERRUPTED]
        run = _conclude(done, plan, watch)
    return replace(run, seconds=time.perf_counter() - start)


def add_explanation(run: Run, explanation: str, work: Callable[[Run], Run]) -> Run:
    """The run with what the work adds to it, or with that missing for an error of gradlab's own. Raises TargetError."""
    found, missing = attempt(explanation, work, run)
    return replace(found, missing=(*found.missing, *missing))


def _advice_on_first_calls(done: Done, plan: Plan) -> str:
    """What to do where the first calls give a wrong kind of answer, which is a finding then; else ""."""
    implementation = done.tally.implementation
    dtype = dtypes_to_check(implementation, plan)[0]
    problems = problems_in_run(implementation.claims, dtype, plan.profile, plan.seed)
    calls = scope_of(implementation.claims).calls
    advice, asked = calls.advice(implementation, problems)
    for problem in asked if advice else ():
        add_fact(
            done.tally, problem, Fact("the call", calls.answer(implementation, problem).fault or advice, "", False)
        )
    return advice


def _explained(run: Run, done: Done, course: Course) -> Run:
    """The run with its diagnosis, and where it is wrong, if the level is not met."""
    if not run.met and "diagnosis" not in course.given_up:
        run = add_explanation(run, "which known defect it is", lambda run: _diagnosed(run, done.earlier))
        run = add_explanation(run, "an example of each defect", _with_examples)
    if not run.met and "localisation" not in course.given_up:
        run = add_explanation(run, "where it is wrong", _localised)
    return run


def _drawn(run: Run, course: Course) -> Run:
    """The run with curves of its errors, where they are asked for and there is time."""
    claims = run.implementation.claims
    has_none = claims.derivative != "gradient" or run.advice_on_kind
    if not run.plan.curves or has_none or run.cut_short or CURVES in course.given_up:
        return run
    with made_for(CURVES):
        return replace(run, drawn=scope_of(claims).draw(run.implementation, run.dtypes, run.diagnosis))


def _ask_first(done: Done, plan: Plan, watch: Watch, course: Course) -> Watch:
    """Asks the problems that are asked again at the end; whom to tell of the run from then on.

    If the calls show that the run takes long, all that is told says so.
    """
    implementation = done.tally.implementation
    answer = scope_of(implementation.claims).calls.answer
    dtype = dtypes_to_check(implementation, plan)[0]
    seconds: list[float] = []
    for problem in problems_in_run(implementation.claims, dtype, plan.profile, plan.seed)[:ASKED_AGAIN]:
        if reason := course.reason_to_stop():
            done.stopped = reason
            return watch
        start = time.perf_counter()
        done.earlier.append((problem, answer(implementation, problem)))
        seconds.append(time.perf_counter() - start)
    # Not the mean: in the first calls something may be loaded, or compiled.
    per_call = float(np.median(seconds or [0.0]))
    notice = notice_of_length(implementation.claims, plan, per_call)
    return (lambda progress: watch(replace(progress, notice=notice))) if notice else watch


def _conclude(done: Done, plan: Plan, watch: Watch) -> Run:
    """What the run found out, without its diagnosis."""
    tally, cut_short = done.tally, done.stopped
    verdict, lines = tally.verdict(), tuple(tally.in_order())
    begun = {line.dtype for line in lines}
    dtypes = [one for one in dtypes_to_check(tally.implementation, plan) if one in begun or not cut_short]
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    run = Run(tally.implementation, plan, verdict, lines, failing, tuple(dtypes), tally.n_problems, 0.0)
    run = replace(run, cut_short=cut_short, sizes=done.sizes)
    if not cut_short:
        run = add_explanation(run, "what half precision is worked out in", _with_accumulation)
    watch(Progress(tally.implementation.name, (dtypes or ("",))[-1], "known defects", 0, 1, len(failing)))
    return add_explanation(run, "what it would have caught", _with_power) if run.met and plan.power else run


def _with_accumulation(run: Run) -> Run:
    """The run with what the answers are worked out in, by dtype of half precision."""
    implementation = run.implementation
    accumulation = scope_of(implementation.claims).explaining.accumulation
    if implementation.claims.derivative != "gradient" or accumulation is None:
        return run
    half = [dtype for dtype in run.dtypes if format_of(dtype).precision < 24]
    return replace(run, accumulates_in={dtype: accumulation(implementation, dtype) for dtype in half})


def _with_power(run: Run) -> Run:
    """The run with what it would have caught of the known defects, on the same problems and by the same checks."""
    from gradlab.harness.power import power_of

    implementation, plan = run.implementation, run.plan
    claims = implementation.claims
    asked = {dtype: questions_in_run(claims, dtype, plan.profile, plan.seed) for dtype in run.dtypes}
    return replace(run, power=power_of(claims, Verdict(plan.level), asked))


def _diagnosed(run: Run, earlier: list[tuple[AnyProblem, AnyAnswer]]) -> Run:
    """The run with what explains the failures in the dtype of the most digits that has some."""
    failures = sorted(run.failures, key=lambda line: -format_of(line.dtype).precision)
    if not failures or run.cut_short:
        return run
    dtype = failures[0].dtype
    failed = [line.check.name for line in failures if line.dtype == dtype]
    problems = problems_in_run(run.implementation.claims, dtype, run.plan.profile, run.plan.seed)
    diagnose = scope_of(run.implementation.claims).explaining.diagnose
    with made_for("diagnosis"):
        return replace(run, diagnosis=diagnose(run.implementation, problems, failed, earlier))


def _with_examples(run: Run) -> Run:
    """The run, its diagnosis with a failure for each of several defects, a simplest one where it can be."""
    known, complexity = run.diagnosis, scope_of(run.implementation.claims).problems.complexity
    if known is None:
        return run
    simplest = [line.simplest or line.worst for line in run.failures]
    others = sorted((one for found in run.failing for one in found), key=lambda one: complexity(one.problem))
    with made_for("diagnosis"):
        examples = examples_of(known, run.implementation, [*simplest, *others])
    return replace(run, diagnosis=replace(known, examples=examples))


def _order(line: Line, examples: set[tuple[str, str]]) -> tuple[int, bool, bool, int]:
    """What sorts failures: as they cost, and of those that cost alike the ones first whose key is in `examples`."""
    verdict, undermines_nothing, group = cost(line)
    return verdict, undermines_nothing, _key(line.simplest or line.worst) not in examples, group


def _key(result: Result) -> tuple[str, str]:
    """What tells failures apart."""
    return result.check, result.problem.digest


def _localised(run: Run) -> Run:
    """The run with where it is wrong, by experiment in the dtype of the diagnosis, if no known defect explains it."""
    claims, known = run.implementation.claims, run.diagnosis
    localise = scope_of(claims).explaining.localise
    if known is None or known.is_explained or localise is None:
        return run
    problems = problems_in_run(claims, known.dtype, run.plan.profile, run.plan.seed)
    failing = [results[0].problem for results in run.failing]
    asked = {one.digest: one for one in (*failing, *problems) if one.format.name == known.dtype}
    try:
        with made_for("localisation"):
            return replace(run, localisation=localise(run.implementation, tuple(asked.values()), known.unexplained))
    except SearchEndedError as ended:
        return replace(run, missing=(*run.missing, Missing("where it is wrong", str(ended), is_own=False)))
