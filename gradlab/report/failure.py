"""One failure in plain words: the fact that is violated, the entry, both values, the tolerance and its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gradlab.evaluation.call import Implementation
from gradlab.harness.tally import Line
from gradlab.problems.formatting import snippet
from gradlab.problems.problem import Problem
from gradlab.report.reproducer import reproducer
from gradlab.result import Result

Again = Callable[[Problem], str]


def failure_text(implementation: Implementation, line: Line) -> str:
    """One failure as a text of several lines, with a reproducer, the simplest and the worst problem."""
    lines = [*failure_lines(implementation, [line], lambda problem: ""), *reproducer_lines(implementation, line)]
    return "\n".join(lines)


def failure_lines(implementation: Implementation, lines: Sequence[Line], again: Again) -> Iterator[str]:
    """One failed check, in one dtype or in several of which the first is shown: its simplest problem, then its worst.

    again: what to print behind a problem, such as the command that runs it again.
    """
    first = lines[0]
    counts = ", ".join(f"{line.n_failed} of {line.n_problems} problems" for line in lines)
    dtypes = ", ".join(line.dtype for line in lines)
    yield f"FAIL {first.check.name}  {implementation.name}  {dtypes}  ({first.verdict}: {counts})"
    simplest = first.simplest or first.worst
    yield f"  {simplest.sentence()}"
    same = _is_alone(first)
    yield f"  {'' if same else 'simplest '}problem {placed(simplest)}{again(simplest.problem)}"
    if not same:
        yield f"  worst problem {placed(first.worst)}{again(first.worst.problem)}"
        yield f"    {first.worst.sentence()}"


def reproducer_lines(implementation: Implementation, line: Line) -> Iterator[str]:
    """Lines of Python that show what a failed check saw, where one call shows it."""
    result = line.simplest or line.worst
    found = [] if line.check.group == "contract" else reproducer(implementation, result.asked or result.problem)
    if found:
        yield f"  {'' if _is_alone(line) else 'the simplest '}in plain Python:"
        yield from (f"    {one}" for one in found)


def _is_alone(line: Line) -> bool:
    """Whether the simplest problem that fails is the worst one too."""
    return (line.simplest or line.worst).problem.digest == line.worst.problem.digest


def placed(result: Result) -> str:
    """Where a problem comes from, and what was put to the implementation, if that was derived from it."""
    own = f"({result.problem.family}): {snippet(result.problem)}"
    if result.asked is None or result.asked.digest == result.problem.digest:
        return own
    return f"({result.problem.family}, derived): {snippet(result.asked)}"
