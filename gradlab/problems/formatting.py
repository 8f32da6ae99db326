"""Problems in words and numbers: what reads back exactly, as short as it can be."""

from __future__ import annotations

import numpy as np

from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

SHOWN_ENTRIES = 24  # a problem with more of them is told by its size


def snippet(problem: Problem) -> str:
    """A problem to be pasted: logits, labels and what is not the default; its size only where it is large."""
    if problem.logits.size > SHOWN_ENTRIES:
        content = f"{problem.n_rows} x {problem.n_classes} logits"
    else:
        kind = "labels" if problem.objective.targets == "index" else "targets"
        content = f"logits {numbers(problem.logits)}, {kind} {numbers(problem.targets)}"
        content += "" if problem.vector is None else f", vector {numbers(problem.vector)}"
    return content + statement(problem.objective, problem.logits.size > SHOWN_ENTRIES)


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
    if value.hex() == "-0x0.0p+0":
        return "-0.0"  # "-0" is an integer, which has no sign
    candidates = (f"{value:g}", str(np.array(value).astype(dtype)[()]))
    exact = [text for text in candidates if _reads_back(text, value, dtype)]
    return min(exact, key=len, default=f"float.fromhex('{value.hex()}')")


def _reads_back(text: str, value: float, dtype: np.dtype[np.generic]) -> bool:
    with np.errstate(over="ignore"):
        return float(np.array(float(text)).astype(dtype).astype(np.float64)).hex() == value.hex()


def statement(objective: Objective, large: bool) -> str:
    """What is not the default in an objective, after a comma each; numbers of rows only where the problem is small."""
    parts = [] if objective.is_first_order else [f"derivative {objective.derivative}"]
    parts += [] if objective.reduction == "mean" else [f"reduction {objective.reduction}"]
    for name, value in objective.options.items():
        parts.append(f"{name} of every row" if large and name in objective.per_row_options else f"{name} {value}")
    parts += [f"mean over {objective.mean_over}"] if objective.has_ruled_mean and objective.is_by_another_rule else []
    return "".join(f", {part}" for part in parts)
