"""What a run has found, in plain words: its failures, advice, and what keeps it from being accurate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradlab.harness.power import namable_defects
from gradlab.harness.run import Run
from gradlab.harness.scopes import scope_of, snippet
from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict
from gradlab.report.explained import claims_line, diagnosis_lines, localisation_lines, power_lines
from gradlab.report.failure import (
    Again,
    failure_lines,
    reproducer_lines,
    short_failure_lines,
    without_hexadecimal,
)
from gradlab.report.letters import letters_of
from gradlab.report.reproducer import Source
from gradlab.report.sizes import size_lines
from gradlab.result import Result

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis

SHOWN_FAILURES = 1  # for each implementation, unless all are asked for
SHOWN_ADVICE = 2


@dataclass(frozen=True)
class Parts:
    """Lines of a report that are long or short: its failures, and its advice."""

    failures: Iterable[str]
    advice: Iterable[str]


def _beside(run: Run) -> Diagnosis:
    """The diagnosis as it is said beside the localisation: what is wrong on every problem is not laid to a state."""
    assert run.diagnosis is not None
    everywhere = run.localisation is not None and run.localisation.is_everywhere
    return replace(run.diagnosis, n_changed=0) if everywhere else run.diagnosis


def lines_of_run(run: Run, parts: Parts, not_claimed: Sequence[str]) -> Iterator[str]:
    """All that a run has found, line by line. not_claimed: options that the function takes."""
    yield f"{run.implementation.name}: {run.verdict}"
    yield claims_line(run.implementation.claims)
    yield from accumulation_lines(run)
    if run.cut_short:
        yield f"cut short: {run.cut_short} (problems tried: {run.n_problems})"
    if run.advice_on_kind:
        yield f"ended after {run.n_problems} problems: {run.advice_on_kind}"
    if run.diagnosis is not None:
        yield from diagnosis_lines(_beside(run), namable_defects(run.implementation.claims))
    if run.localisation is not None:
        yield from localisation_lines(run.localisation)
    yield from (f"missing: {one.sentence()}" for one in run.missing)
    yield from parts.failures
    yield from to_do(run)
    yield from parts.advice
    yield from not_accurate(run)
    if not_claimed:
        yield f"not tried: it takes {', '.join(not_claimed)}, but does not claim it"
    yield from size_lines(run)
    if run.power is not None:
        yield from power_lines(run.power)


def accumulation_lines(run: Run) -> Iterator[str]:
    """What half precision is worked out in, where that is not half precision itself."""
    known = "claimed" if run.implementation.claims.accumulates_in != "recognised" else "recognised"
    for dtype, inside in run.accumulates_in.items():
        if inside != dtype:
            yield f"{dtype}: {inside} inside, as {known}, and held to that"


def all_failures(run: Run, source: Source | None, again: Again) -> Iterator[str]:
    """Every failure that keeps the verdict below the level asked for, check by check and dtype by dtype.

    source: of the function, for the reproducers. again: what to print behind a problem.
    """
    for line in run.failures:
        yield from failure_lines(run.implementation.name, [line], again)
        yield from reproducer_lines(source, run.implementation.claims, line)


def few_failures(run: Run, source: Source | None, again: Again) -> Iterator[str]:
    """The most costly failure on its simplest problem, for all dtypes, with a reproducer; of the rest the names."""
    by_check: dict[str, list[Line]] = {}
    for line in run.failures:
        by_check.setdefault(line.check.name, []).append(line)
    groups = list(by_check.values())
    for lines in groups[:SHOWN_FAILURES]:
        yield from short_failure_lines(run.implementation.name, lines, again)
        yield from reproducer_lines(source, run.implementation.claims, lines[0])
    rest = [lines[0].check.name for lines in groups[SHOWN_FAILURES:]]
    if rest:
        checks = "1 more check fails" if len(rest) == 1 else f"{len(rest)} more checks fail"
        yield f"  {checks}: {', '.join(rest)} (--verbose shows all)"
    yield from example_lines(run, [line for lines in groups[:SHOWN_FAILURES] for line in lines])


def example_lines(run: Run, shown: Sequence[Line]) -> Iterator[str]:
    """Where several defects were found, a failure for each that does not show by itself in one of these lines."""
    seen = [(line.check.name, (line.simplest or line.worst).problem.digest) for line in shown]
    for name, one in run.diagnosis.examples.items() if run.diagnosis is not None else ():
        if (one.check, one.problem.digest) not in seen:
            yield f"  {name} by itself: {one.sentence()}; on {snippet(one.asked or one.problem)}"


def advice(run: Run) -> Iterator[str]:
    """What failed without lowering the verdict, one line for each check."""
    seen: set[str] = set()
    for line in run.advice:
        if line.check.name not in seen:
            seen.add(line.check.name)
            at = line.simplest or line.worst
            yield f"advice {line.check.name}: {at.sentence()}; on {snippet(at.asked or at.problem)}"


def little_advice(run: Run) -> Iterator[str]:
    """The first of it, and of the rest the names."""
    lines = list(advice(run))
    yield from lines[:SHOWN_ADVICE]
    rest = [line.removeprefix("advice ").partition(":")[0] for line in lines[SHOWN_ADVICE:]]
    if rest:
        yield f"advice on {len(rest)} more: {', '.join(rest)} (--verbose shows it)"


def to_do(run: Run) -> Iterator[str]:
    """How to mend the defects that explain a run, one line each, and what the letters there stand for."""
    known = namable_defects(run.implementation.claims)
    found = [known[name] for name in run.diagnosis.defects] if run.diagnosis is not None else []
    yield from (f"to do: {one.mend}" for one in found)
    formulas = [text for one in found for text in (one.wrong, one.mend)]
    if letters := letters_of(formulas, scope_of(run.implementation.claims).name):
        yield f"  letters: {'; '.join(letters)}"


def not_accurate(run: Run) -> Iterator[str]:
    """What keeps a stable implementation from being accurate, in one line; none where nothing does."""
    lines = [line for line in run.lines if line.verdict is Verdict.STABLE]
    if run.verdict is not Verdict.STABLE or not run.met or not lines:
        return  # no line: another derivative than the gradient, where no check asks for more
    worst = max((line.worst for line in lines), key=_size)
    shown = f"{worst.where} = {worst.observed}, exactly {worst.expected}, in {worst.dtype}"
    yield f"not accurate (level stable does not ask for it): {shown}, on {snippet(worst.problem)}"


def reason(run: Run) -> str:
    """Why the level is not met, as short as can be: the diagnosis, where it is wrong, or the first failure."""
    if not run.failures:
        return ""
    if run.advice_on_kind:
        return run.advice_on_kind
    if run.diagnosis is not None and run.diagnosis.defects:
        sets = [one.defects for one in run.diagnosis.alternatives] or [()]
        return f"looks like {' or '.join(' and '.join((*some, *run.diagnosis.side_effects)) for some in sets)}"
    if run.localisation is not None:
        return "; ".join(one for one in (run.localisation.where, run.localisation.what) if one)
    first = run.failures[0]
    return without_hexadecimal(f"{first.check.name}: {(first.simplest or first.worst).sentence()}")


def verdicts_by_dtype(run: Run) -> dict[str, Verdict]:
    """The best verdict that the failures in each dtype leave; at most stable for derivatives but the gradient."""
    best = Verdict.ACCURATE if run.implementation.claims.derivative == "gradient" else Verdict.STABLE
    return {dtype: min([best, *(line.verdict for line in run.lines if line.dtype == dtype)]) for dtype in run.dtypes}


def _size(result: Result) -> tuple[float, float]:
    ratio = np.inf if np.isnan(result.ratio) else result.ratio
    return (ratio, np.inf if result.ulp is None or np.isnan(result.ulp) else result.ulp)
