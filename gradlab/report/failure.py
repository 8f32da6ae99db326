"""One failure in plain words: the fact that is violated, the entry, both values, the tolerance and its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradlab.evaluation import Implementation
from gradlab.harness.tally import Line
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.result import Result

SHOWN_ENTRIES = 24  # a problem with more of them is left to its case file
SHOWN_CHARACTERS = 400  # of what was observed: an exception may tell a long story


def failure_text(implementation: Implementation, line: Line) -> str:
    """One failure as a text of several lines, with the worst and the simplest problem."""
    return "\n".join(failure_lines(implementation, [line], lambda problem: ""))


def failure_lines(
    implementation: Implementation, lines: Sequence[Line], again: Callable[[Problem], str]
) -> Iterator[str]:
    """One failed check, in one dtype or in several of which the first is shown in full.

    again: what to print behind a problem, such as the command that runs it again.
    """
    first = lines[0]
    counts = ", ".join(f"{line.n_failed} of {line.n_problems} problems" for line in lines)
    dtypes = ", ".join(line.dtype for line in lines)
    yield f"FAIL {first.check.name}  {implementation.name}  {dtypes}  ({first.verdict}: {counts})"
    yield f"  {measured(first.worst)}"
    same = first.simplest is None or first.simplest.problem.digest == first.worst.problem.digest
    yield f"  {'' if same else 'worst '}problem {_placed(first.worst.problem)}{again(first.worst.problem)}"
    if first.simplest is not None and not same:
        yield f"  simplest problem {_placed(first.simplest.problem)}{again(first.simplest.problem)}"
        yield f"    {measured(first.simplest)}"


def _placed(problem: Problem) -> str:
    return f"({problem.family}): {snippet(problem)}"


def measured(result: Result) -> str:
    """What was observed, what must be, the tolerance and its source, and the error in ULP."""
    text = f"{result.where} = {short(result.observed)}, must be {result.expected}"
    if result.tolerance is not None and not np.isnan(result.tolerance):
        text += f" within {result.tolerance:.3g}"
    if result.source and result.source != "exact":
        text += f" ({'bound: ' if result.tolerance is not None else ''}{result.source})"
    return text if result.ulp is None else f"{text}, off by {result.ulp:.3g} ULP"


def snippet(problem: Problem) -> str:
    """A problem to be pasted: logits, labels and what is not the default; its size only where it is large."""
    if problem.logits.size > SHOWN_ENTRIES:
        content = f"{problem.n_rows} x {problem.n_classes} logits"
    else:
        kind = "labels" if problem.objective.targets == "index" else "targets"
        content = f"logits {numbers(problem.logits)}, {kind} {numbers(problem.targets)}"
    return content + _stated(problem.objective)


def numbers(values: Array) -> str:
    """An array as nested lists that read back exactly: in decimal where that is exact in its dtype, else in hex."""
    if values.ndim > 1:
        return f"[{', '.join(numbers(row) for row in values)}]"
    if values.dtype.kind in "iu":
        return str(values.tolist())
    return f"[{', '.join(_number(value, values.dtype) for value in values.astype(np.float64).tolist())}]"


def _number(value: float, dtype: np.dtype[np.generic]) -> str:
    if value != value or value in (np.inf, -np.inf):
        return str(value)
    candidates = (f"{value:g}", str(np.array(value).astype(dtype)[()]))
    exact = [text for text in candidates if _reads_back(text, value, dtype)]
    return min(exact, key=len, default=f"float.fromhex('{value.hex()}')")


def _reads_back(text: str, value: float, dtype: np.dtype[np.generic]) -> bool:
    with np.errstate(over="ignore"):
        return float(np.array(float(text)).astype(dtype).astype(np.float64)).hex() == value.hex()


def _stated(objective: Objective) -> str:
    parts = [] if objective.reduction == "mean" else [f"reduction {objective.reduction}"]
    parts += [f"{name} {value}" for name, value in objective.options().items()]
    return "".join(f", {part}" for part in parts)


def short(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
