"""What a report says, in plain words: its failures, advice, and what keeps it from being accurate."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradlab.cases.cases import case_id
from gradlab.harness.run import Report
from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict
from gradlab.problems.formatting import snippet
from gradlab.problems.problem import Problem
from gradlab.report.explained import claims_line, diagnosis_lines, power_lines, unclaimed_line
from gradlab.report.failure import failure_lines, reproducer_lines
from gradlab.result import Result

Failures = Callable[[Report], Iterator[str]]

SHOWN_FAILURES = 3  # for each implementation, unless all are asked for


def told(report: Report, every_failure: Failures) -> Iterator[str]:
    """All that a report says, line by line; every_failure: `all_failures` or `few_failures`."""
    yield f"{report.implementation.name}: {report.verdict}"
    yield claims_line(report.implementation.claims)
    if report.cut_short:
        yield f"cut short: {report.cut_short} (problems tried: {report.n_problems})"
    if report.diagnosis is not None:
        yield from diagnosis_lines(report.diagnosis)
    yield from every_failure(report)
    yield from advice(report)
    yield from (line for line in (not_accurate(report), unclaimed_line(report.implementation)) if line)
    if report.power is not None:
        yield from power_lines(report.power)


def all_failures(report: Report) -> Iterator[str]:
    """Every failure that keeps the verdict below the level asked for, check by check and dtype by dtype."""
    for line in report.failures:
        yield from _failure(report, [line])
        yield from reproducer_lines(report.implementation, line)


def few_failures(report: Report) -> Iterator[str]:
    """The most costly failures, each check once for all dtypes, the first with a reproducer."""
    by_check: dict[str, list[Line]] = {}
    for line in report.failures:
        by_check.setdefault(line.check.name, []).append(line)
    groups = list(by_check.values())
    for number, lines in enumerate(groups[:SHOWN_FAILURES]):
        yield from _failure(report, lines)
        if number == 0:
            yield from reproducer_lines(report.implementation, lines[0])
    rest = [lines[0].check.name for lines in groups[SHOWN_FAILURES:]]
    if rest:
        checks = "1 more check fails" if len(rest) == 1 else f"{len(rest)} more checks fail"
        yield f"  {checks}: {', '.join(rest)} (--verbose shows all)"


def advice(report: Report) -> Iterator[str]:
    """What failed without lowering the verdict, one line for each check."""
    seen: set[str] = set()
    for line in report.advice:
        if line.check.name not in seen:
            seen.add(line.check.name)
            at = line.simplest or line.worst
            yield f"advice {line.check.name}: {at.sentence()}; on {snippet(at.asked or at.problem)}"


def not_accurate(report: Report) -> str | None:
    """What keeps a stable implementation from being accurate, in one line, or None."""
    if report.verdict is not Verdict.STABLE or not report.met:
        return None
    lines = [line for line in report.lines if line.verdict is Verdict.STABLE]
    if not lines:
        return None  # no check asks for more: another derivative than the gradient
    worst = max((line.worst for line in lines), key=_size)
    shown = f"{worst.where} = {worst.observed}, exactly {worst.expected}, in {worst.dtype}"
    return f"not accurate, which level stable does not ask for: {shown}, on {snippet(worst.problem)}"


def reason(report: Report) -> str:
    """Why the level is not met, as short as can be: the diagnosis, or else the first failure."""
    if not report.failures:
        return ""
    if report.diagnosis is not None and report.diagnosis.defects:
        sets = [one.defects for one in report.diagnosis.alternatives] or [()]
        return f"looks like {' or '.join(' and '.join((*some, *report.diagnosis.side_effects)) for some in sets)}"
    first = report.failures[0]
    return f"{first.check.name}: {(first.simplest or first.worst).sentence()}"


def verdicts_by_dtype(report: Report) -> dict[str, Verdict]:
    """The best verdict that the failures in each dtype leave; at most stable for derivatives but the gradient."""
    best = Verdict.ACCURATE if report.implementation.claims.derivative == "gradient" else Verdict.STABLE
    return {
        dtype: min([best, *(line.verdict for line in report.lines if line.dtype == dtype)]) for dtype in report.dtypes
    }


def _failure(report: Report, lines: list[Line]) -> Iterator[str]:
    def again(problem: Problem) -> str:
        return f"   gradlab replay {case_id(report.implementation, problem)}"

    yield from failure_lines(report.implementation, lines, again)


def _size(result: Result) -> tuple[float, float]:
    ratio = np.inf if np.isnan(result.ratio) else result.ratio
    return (ratio, np.inf if result.ulp is None or np.isnan(result.ulp) else result.ulp)
