"""What a check found: ratios of error to tolerance, the worst of them, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.problems.problem import AnyProblem, Array

EXACT = "exact"  # the source of what is no number and has no tolerance
MAX_ULP = 1e20  # an error of more says nothing: the true value is 0, or not a number
BY_OTHER_ANSWERS = "what its other answers give here, which is"  # before a number that no truth can be
NOT_FINITE = ("inf", "-inf", "nan")  # expected: there is nothing to be within
SHOWN_CHARACTERS = 400  # of what was observed: an exception may tell a long story


@dataclass(frozen=True, eq=False)
class Comparison:
    """Observed values against expected ones, entry by entry; all arrays have one shape.

    quantity: what an entry is, with a place for each index: "gradient[{}, {}]", "gradient[{}].sum()".
    ratio: error / tolerance; NaN where an error could not be computed. source: where the tolerance comes from.
    expected_text: how to print the expected value of an entry where a float64 will not do (an enclosure).
    ulp: the error of an entry, by its index, in units in the last place, where that makes sense: asked for the worst
    alone. relation: "at most " or "at least " where the expected value is a limit. asked: the problem that was put to
    the implementation, where it is derived.
    """

    quantity: str
    observed: Array
    expected: Array
    tolerance: Array
    ratio: Array
    source: str
    expected_text: Any = None
    ulp: Callable[[tuple[int, ...]], float] | None = None
    relation: str = ""
    asked: AnyProblem | None = None


def within(quantity: str, observed: Any, expected: Any, tolerance: Any, source: str) -> Comparison:
    """The comparison abs(observed - expected) <= tolerance; source: where the tolerance comes from.

    Equal infinities and NaN against NaN agree; a tolerance of 0 asks for equality; a NaN on one side fails.
    """
    seen, wanted = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(seen - wanted)
    if not np.isfinite(error).all():
        error = np.where((seen == wanted) | (np.isnan(seen) & np.isnan(wanted)), 0.0, error)
    allowed = expand(np.asarray(tolerance, dtype=np.float64), error.shape)
    return Comparison(quantity, seen, expand(wanted, error.shape), allowed, ratio_of(error, allowed), source)


def at_most(quantity: str, observed: Any, limit: Any, tolerance: Any, source: str) -> Comparison:
    """The comparison observed <= limit + tolerance; source: as in `within`; NaN fails."""
    seen = np.asarray(observed, dtype=np.float64)
    wanted = expand(np.asarray(limit, dtype=np.float64), seen.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        excess = seen - wanted
    excess = np.where(seen <= wanted, 0.0, excess)
    allowed = expand(np.asarray(tolerance, dtype=np.float64), excess.shape)
    return Comparison(quantity, seen, wanted, allowed, ratio_of(excess, allowed), source, relation="at most ")


def at_least(quantity: str, observed: Any, limit: Any, tolerance: Any, source: str) -> Comparison:
    """The comparison observed >= limit - tolerance; source: as in `within`; NaN fails."""
    seen, wanted = np.asarray(observed, dtype=np.float64), np.asarray(limit, dtype=np.float64)
    mirrored = at_most(quantity, -seen, -wanted, tolerance, source)
    return replace(mirrored, observed=seen, expected=-mirrored.expected, relation="at least ")


def asking(problem: AnyProblem, findings: Sequence[Comparison | Fact]) -> list[Comparison | Fact]:
    """The findings, each with the problem that was put to the implementation in place of the one at hand."""
    return [replace(finding, asked=problem) for finding in findings]


def expand(values: Array, shape: tuple[int, ...]) -> Array:
    """The values in this shape, as np.broadcast_to has them, which takes as long as a small check."""
    return values if values.shape == shape else np.broadcast_to(values, shape)


def ratio_of(error: Array, tolerance: Array) -> Array:
    """error / tolerance with 0/0 = 0 and x/0 = inf; an infinite tolerance accepts all but NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(error / tolerance)
    if np.isfinite(ratio).all():  # nearly always: nothing was divided by 0, no infinity by another
        return ratio
    return np.where((error == 0) | (np.isinf(tolerance) & ~np.isnan(error)), 0.0, ratio)


@dataclass(frozen=True, eq=False)
class Fact:
    """A comparison of something that is no number: what was seen, what must be seen, and whether it holds.

    where and observed make a sentence, such as "label -1" and "is accepted without an error". asked: as in
    `Comparison`.
    """

    where: str
    observed: str
    expected: str
    holds: bool
    asked: AnyProblem | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """The worst entry of one check on one problem.

    ratio: error / tolerance; inf where nothing comparable came back. where, observed, expected: for people.
    tolerance is in the units of the observed value; source says where it comes from. ulp: None where meaningless.
    problem: that of the run. asked: the one derived from it that shows the failure, or None where it is the same.
    """

    check: str
    dtype: str
    ratio: float
    where: str
    observed: str
    expected: str
    tolerance: float | None
    source: str
    ulp: float | None
    problem: Any  # of the check's scope
    asked: Any = None

    @property
    def passed(self) -> bool:
        return self.ratio <= 1

    def sentence(self) -> str:
        """What was observed, what must be, the tolerance and its source, and the error in ULP where that tells more."""
        if self.source == EXACT:
            return f"{self.where} {cut(self.observed)}" + (f", must be {self.expected}" if self.expected else "")
        text = f"{self.where} = {cut(self.observed)}, must be {self.expected}"
        if self.tolerance is not None and not np.isnan(self.tolerance) and not self.expected.endswith(NOT_FINITE):
            text += f" within {self.tolerance:.3g}"
        text += f" ({'bound: ' if self.tolerance is not None else ''}{self.source})" if self.source else ""
        return f"{text}, off by {self.ulp:.3g} ULP" if self.ulp is not None and self.ulp < MAX_ULP else text


def worst_result(check: str, problem: AnyProblem, findings: list[Comparison | Fact]) -> Result:
    """The result of one check: the largest ratio among its findings; NaN counts as the largest of all."""
    dtype = problem.format.name
    results = [_result_of(check, dtype, problem, finding) for finding in findings]
    if not results:
        return Result(check, dtype, 0.0, "", "", "", None, "", None, problem)
    return max(results, key=lambda r: np.inf if np.isnan(r.ratio) else r.ratio)


def largest_ratio(findings: Iterable[Comparison | Fact]) -> float:
    """The largest error over its tolerance, as `worst_result` has it: 0 where nothing was found, NaN counts as inf."""
    largest = 0.0
    for finding in findings:
        if isinstance(finding, Fact):
            ratio = 0.0 if finding.holds else np.inf
        else:
            ratio = float(finding.ratio.max(initial=0.0))  # NaN where one of them is
        largest = max(largest, ratio if ratio == ratio else np.inf)
    return largest


def cut(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def number(value: float) -> str:
    """A value in decimal and, where it is finite and not zero, in hexadecimal."""
    value = float(value)
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    return f"{value:.9g} ({value.hex()})"


def _own(value: float) -> str:
    """An expected value that is no enclosure's: what other answers of the same code give. Not finite, it says so."""
    return number(value) if np.isfinite(value) else f"{BY_OTHER_ANSWERS} {number(value)}"


def _result_of(check: str, dtype: str, problem: AnyProblem, finding: Comparison | Fact) -> Result:
    if isinstance(finding, Fact):
        ratio = 0.0 if finding.holds else float("inf")
        text = (finding.where, finding.observed, finding.expected)
        return Result(check, dtype, ratio, *text, None, EXACT, None, problem, finding.asked)
    if finding.ratio.size == 0:
        return Result(check, dtype, 0.0, "", "", "", None, finding.source, None, problem)
    flat = int(np.argmax(np.where(np.isnan(finding.ratio), np.inf, finding.ratio)))
    index = tuple(int(i) for i in np.unravel_index(flat, finding.ratio.shape))
    expected = finding.expected_text(index) if finding.expected_text else _own(finding.expected[index])
    expected = finding.relation + expected
    ulp = None if finding.ulp is None else float(finding.ulp(index))
    where, observed = finding.quantity.format(*index), number(finding.observed[index])
    ratio, tolerance = float(finding.ratio[index]), float(finding.tolerance[index])
    return Result(
        check, dtype, ratio, where, observed, expected, tolerance, finding.source, ulp, problem, finding.asked
    )
