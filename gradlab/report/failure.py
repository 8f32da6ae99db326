"""One failure in plain words: the fact that is violated, the entry, both values, the tolerance and its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from gradlab.cases.cases import case_id
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.scopes import snippet
from gradlab.harness.tally import Line
from gradlab.problems.problem import AnyProblem
from gradlab.report.reproducer import Source, reproducer, source_of
from gradlab.result import Result
from gradlab.targets.prefixes import TRUST, runs_a_command

_HEXADECIMAL = re.compile(r" \(-?0x[0-9a-f.]+p[+-]\d+\)")

Again = Callable[[AnyProblem], str]


def no_command(problem: AnyProblem) -> str:
    """Nothing: the problem is not kept."""
    return ""


def replay_command(implementation: Implementation, problem: AnyProblem) -> str:
    """The command that runs a kept problem again, after a space."""
    trust = f" {TRUST}" if runs_a_command(implementation.target) else ""
    return f"   gradlab replay {case_id(implementation, problem)}{trust}"


def failure_text(implementation: Implementation, line: Line, again: Again) -> str:
    """One failure as a text of several lines: its simplest and its worst problem, and a reproducer."""
    found = reproducer_lines(source_of(implementation), implementation.claims, line)
    return "\n".join([*failure_lines(implementation.name, [line], again), *found])


def failure_lines(name: str, lines: Sequence[Line], again: Again) -> Iterator[str]:
    """One check that implementation `name` fails, in one dtype or in several of which the first is shown.

    First its simplest problem, then its worst. again: what to print behind a problem, such as the command that runs it
    again.
    """
    first = lines[0]
    counts = ", ".join(f"{line.n_failed} of {line.n_problems} problems" for line in lines)
    dtypes = ", ".join(line.dtype for line in lines)
    yield f"FAIL {first.check.name}  {name}  {dtypes}  ({first.verdict}: {counts})"
    simplest = first.simplest or first.worst
    yield f"  {simplest.sentence()}"
    same = _is_alone(first)
    yield f"  {'' if same else 'simplest '}problem {origin(simplest)}{again(simplest.problem)}"
    if not same:
        yield f"  worst problem {origin(first.worst)}{again(first.worst.problem)}"
        yield f"    {first.worst.sentence()}"


def short_failure_lines(name: str, lines: Sequence[Line], again: Again) -> Iterator[str]:
    """The same with its simplest problem alone."""
    found = failure_lines(name, lines, again)
    yield from islice(found, 3)


def without_hexadecimal(line: str) -> str:
    """A line without the hexadecimal that stands in brackets behind a decimal."""
    return _HEXADECIMAL.sub("", line)


def reproducer_lines(source: Source | None, claims: Claims, line: Line) -> Iterator[str]:
    """Lines of Python that show what a failed check saw, where one call of a function of this source shows it."""
    found = code_that_shows(source, claims, line)
    if found:
        yield f"  {'' if _is_alone(line) else 'the simplest '}in plain Python:"
        yield from (f"    {one}" for one in found)


def code_that_shows(source: Source | None, claims: Claims, line: Line) -> list[str]:
    """The same lines by themselves, of the simplest problem; none where no single call shows it."""
    result = line.simplest or line.worst
    if source is None or line.check.group in ("contract", "sizes"):
        return []
    return reproducer(source, claims, result.asked or result.problem)


def _is_alone(line: Line) -> bool:
    """Whether the simplest problem that fails is the worst one too."""
    return bool((line.simplest or line.worst).problem.digest == line.worst.problem.digest)


def origin(result: Result) -> str:
    """Where a problem comes from, and what was put to the implementation, if that was derived from it."""
    own = f"({result.problem.family}): {snippet(result.problem)}"
    if result.asked is None or result.asked.digest == result.problem.digest:
        return own
    return f"({result.problem.family}, derived): {snippet(result.asked)}"
