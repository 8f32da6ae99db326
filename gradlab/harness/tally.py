"""What a run has found so far: per check and dtype the worst result, and the simplest problem that fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gradlab.checks.check import Check, Findings, run
from gradlab.evaluation.call import Implementation, asked_together
from gradlab.evaluation.together import done_together
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question
from gradlab.harness.verdict import Verdict, verdict_of_failure, verdict_of_failures
from gradlab.problems.problem import AnyProblem
from gradlab.result import Fact, Result, largest_ratio, worst_result


@dataclass(frozen=True, eq=False)
class Line:
    """One check in one dtype: on how many problems it ran and failed, and its results.

    worst: the largest ratio. simplest: the smallest problem that fails, of those that cost the verdict most; None
    where all passed. verdict: the best that is left after its failures.
    """

    check: Check
    dtype: str
    worst: Result
    simplest: Result | None
    verdict: Verdict
    n_problems: int
    n_failed: int

    @property
    def passed(self) -> bool:
        return self.n_failed == 0


@dataclass(eq=False)
class Tally:
    """The lines so far, and by digest the problems that failed, with what failed on each that costs the level."""

    implementation: Implementation
    level: Verdict = Verdict.ACCURATE
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    failing: dict[str, dict[str, Result]] = field(default_factory=dict)
    n_problems: int = 0

    def verdict(self) -> Verdict:
        """The best verdict that all failures leave; not `accurate` unless a check of that level ran."""
        tried = any(line.check.failing_means == "inaccurate" for line in self.lines.values())
        best = Verdict.ACCURATE if tried else Verdict.STABLE
        return min([best, *(line.verdict for line in self.lines.values())])

    def lowest(self) -> Verdict:
        """The best verdict that its failures leave, whatever was tried."""
        return min((line.verdict for line in self.lines.values()), default=Verdict.ACCURATE)

    def include(self, other: Tally) -> None:
        """Adds what another tally has found of the same implementation on other problems."""
        complexity = partial(_complexity, self.implementation)
        for key, line in other.lines.items():
            self.lines[key] = _merge(self.lines[key], line, complexity) if key in self.lines else line
        self.failing |= other.failing
        self.n_problems += other.n_problems

    def in_order(self) -> list[Line]:
        """The lines by dtype, then in the order of the table."""
        place = {check.name: i for i, check in enumerate(scope_of(self.implementation.claims).checks)}
        return sorted(self.lines.values(), key=lambda line: (line.dtype, place[line.check.name]))


def examine(tally: Tally, problem: AnyProblem, without: Collection[str] = ()) -> None:
    """Runs every check that applies to one problem and adds what it finds to the tally.

    without: checks that are left out once they have failed.
    """
    tally.n_problems += 1
    claims = tally.implementation.claims
    add_results(tally, problem, scope_of(claims).applicable(claims, problem), without)


def add_results(
    tally: Tally,
    problem: AnyProblem,
    checks: Iterable[Check],
    without: Collection[str] = (),
    following: AnyProblem | None = None,
) -> None:
    """Runs these checks, which must apply, on one problem and adds what they find to the tally.

    without: checks that are left out once they have failed. following: the problem that is to come next.
    """
    left = _left(tally, checks, without)
    add_findings(tally, problem, findings_of(left, tally.implementation, problem, following))


def add_findings(tally: Tally, problem: AnyProblem, found: Iterable[tuple[Check, Findings]]) -> None:
    """Adds to the tally what checks find on one problem."""
    for check, findings in found:
        key = (check.name, problem.format.name)
        line, ratio = tally.lines.get(key), largest_ratio(findings)
        if line is not None and ratio <= min(1, line.worst.ratio):  # one more that passed, and is not the worst
            tally.lines[key] = _with_one_more(line)
        else:
            _add(tally, check, worst_result(check.name, problem, findings))


def add_fact(tally: Tally, problem: AnyProblem, fact: Fact) -> None:
    """Adds what became of a problem in another way than by a check: as a finding on what a call returns."""
    scope = scope_of(tally.implementation.claims)
    (check,) = [check for check in scope.checks if check.name == scope.check_of_calls(problem)]
    tally.n_problems += 1
    _add(tally, check, worst_result(check.name, problem, [fact]))


def results_of(
    checks: Iterable[Check], implementation: Implementation, problem: AnyProblem
) -> Iterator[tuple[Check, Result]]:
    """Each of the checks with its result; only those that need no answer where the implementation gave none."""
    for check, findings in findings_of(checks, implementation, problem):
        yield check, worst_result(check.name, problem, findings)


def findings_of(
    checks: Iterable[Check], implementation: Implementation, problem: AnyProblem, following: AnyProblem | None = None
) -> Iterator[tuple[Check, Findings]]:
    """As `results_of`, with all findings: making a result of them, with its text, takes as long as many a check.

    following: a problem that is answered meanwhile where calls are made in another process.
    """
    checks = list(checks)
    asked = any(check.group != "sizes" for check in checks)  # those make the call themselves, spelled as they ask
    answer = scope_of(implementation.claims).calls.answer
    fault = answer(implementation, problem).fault if asked else None
    left = [check for check in checks if fault is None or not check.needs_answer]
    if implementation.capture.elsewhere is None:
        for check in left:
            yield check, run(check, implementation, problem)
        return
    first = sorted(left, key=lambda check: not check.makes_calls)  # what is asked early is answered meanwhile
    tasks: list[Callable[[], Any]] = [partial(run, check, implementation, problem) for check in first]
    if following is not None:
        tasks.insert(0, partial(answer, implementation, following))
    found = dict(zip(first, done_together(tasks)[len(tasks) - len(first) :], strict=True))
    yield from ((check, found[check]) for check in left)


def findings_together(
    tally: Tally, questions: Sequence[Question], without: Collection[str] = ()
) -> list[list[tuple[Check, Findings]]]:
    """What the checks of several problems find, which are asked together; of checks that make their calls themselves.

    without: as in `add_results`.
    """
    implementation = tally.implementation
    asked = [(check, one.problem) for one in questions for check in _left(tally, one.checks, without)]
    tasks = [partial(run, check, implementation, problem) for check, problem in asked]
    found = list(zip(asked, asked_together(implementation, tasks), strict=True))
    return [[(check, findings) for (check, own), findings in found if own is one.problem] for one in questions]


def _left(tally: Tally, checks: Iterable[Check], without: Collection[str]) -> list[Check]:
    """The checks but for those of `without` that have failed."""
    failed = {line.check.name for line in tally.lines.values() if not line.passed} if without else set()
    return [check for check in checks if check.name not in failed.intersection(without)]


def _add(tally: Tally, check: Check, result: Result) -> None:
    key = (check.name, result.dtype)
    left = Verdict.ACCURATE
    if not result.passed:
        left = verdict_of_failure(check, tally.implementation.claims, result.problem)
    new = Line(check, result.dtype, result, None if result.passed else result, left, 1, int(not result.passed))
    old = tally.lines.get(key)
    tally.lines[key] = new if old is None else _merge(old, new, partial(_complexity, tally.implementation))
    if not result.passed and verdict_of_failures(check, left, tally.lines[key].n_failed) < tally.level:
        tally.failing.setdefault(result.problem.digest, {})[check.name] = result


def _with_one_more(line: Line) -> Line:
    """The line with one more problem that passed; `dataclasses.replace` would take ten times as long."""
    return Line(line.check, line.dtype, line.worst, line.simplest, line.verdict, line.n_problems + 1, line.n_failed)


def _merge(old: Line, new: Line, complexity: Callable[[Line], tuple[float, ...]]) -> Line:
    worst = new.worst if _size(new.worst) > _size(old.worst) else old.worst
    failing = [line for line in (old, new) if line.simplest is not None]
    best = min(failing, key=lambda line: (list(Verdict).index(line.verdict), *complexity(line)), default=None)
    return Line(
        old.check,
        old.dtype,
        worst,
        best.simplest if best else None,
        verdict_of_failures(old.check, min(old.verdict, new.verdict), old.n_failed + new.n_failed),
        old.n_problems + new.n_problems,
        old.n_failed + new.n_failed,
    )


def _complexity(implementation: Implementation, line: Line) -> tuple[float, ...]:
    problems = scope_of(implementation.claims).problems
    return problems.complexity(line.simplest.problem) if line.simplest else ()


def _size(result: Result) -> float:
    return float("inf") if result.ratio != result.ratio else result.ratio
