"""What a report says, in plain words: its failures, advice, and what keeps it from being accurate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradlab.harness.cases import case_id
from gradlab.harness.run import Report
from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import Problem
from gradlab.report.failure import failure_lines, short
from gradlab.result import Result

SHOWN_FAILURES = 3  # for each implementation, unless all are asked for


def all_failures(report: Report) -> Iterator[str]:
    """Every failure that keeps the verdict below the level asked for, check by check and dtype by dtype."""
    for line in report.failures:
        yield from _failure(report, [line])


def few_failures(report: Report) -> Iterator[str]:
    """The most costly failures, each check once for all dtypes, and how many more there are."""
    by_check: dict[str, list[Line]] = {}
    for line in report.failures:
        by_check.setdefault(line.check.name, []).append(line)
    groups = list(by_check.values())
    for lines in groups[:SHOWN_FAILURES]:
        yield from _failure(report, lines)
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
            at = line.worst
            yield f"advice {line.check.name}: {at.where}: {short(at.observed)}, should be {at.expected}"


def not_accurate(report: Report) -> str | None:
    """What keeps a stable implementation from being accurate, in one line, or None."""
    if report.verdict is not Verdict.STABLE or not report.met:
        return None
    lines = [line for line in report.lines if line.verdict is Verdict.STABLE]
    worst = max((line.worst for line in lines), key=_size)
    if worst.ulp is None:
        return f"not accurate: {worst.check}: {worst.where} = {worst.observed}, must be {worst.expected}"
    return f"not accurate: {worst.where} off by {worst.ulp:.2g} ULP in {worst.dtype}"


def reason(report: Report) -> str:
    """Why the verdict is what it is, as short as can be: the first failure, or what keeps it from being accurate."""
    if report.failures:
        first = report.failures[0]
        return f"{first.check.name}: {first.worst.where} = {short(first.worst.observed)}"
    return not_accurate(report) or ""


def verdicts_by_dtype(report: Report) -> dict[str, Verdict]:
    """The best verdict that the failures in each dtype leave."""
    return {
        dtype: min((line.verdict for line in report.lines if line.dtype == dtype), default=Verdict.ACCURATE)
        for dtype in report.dtypes
    }


def _failure(report: Report, lines: list[Line]) -> Iterator[str]:
    def again(problem: Problem) -> str:
        return f"   gradlab replay {case_id(report.implementation, problem)}"

    yield from failure_lines(report.implementation, lines, again)


def _size(result: Result) -> tuple[float, float]:
    ratio = np.inf if np.isnan(result.ratio) else result.ratio
    return (ratio, np.inf if result.ulp is None or np.isnan(result.ulp) else result.ulp)
