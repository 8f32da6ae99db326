"""The problem of one case of `sizes`: of few kinds, or with an option."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.problems.dtypes import format_of
from gradlab.problems.families.options import with_rows
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS, REAL_OPTIONS
from gradlab.problems.patterns import PERIOD, patterned_arrays, rows_far_apart
from gradlab.problems.problem import Array, Problem, Shape
from gradlab.problems.sizes import BITS, Case

FAMILY = "sizes"
REPEATED_CALLS = "repeated calls"
WEIGHTS = (0.5, 2.0, 1.0, 0.25, 1.5)  # exact in every format
IGNORED_KINDS = (4, 9)  # of rows that carry the label to be ignored
BESIDE = {3: -1, 5: 0, 8: -1, 10: 0}  # the first class after them and the last before: neighbours in memory


def problem_of(case: Case, objective: Objective) -> Problem:
    """The problem of a case; its family says how the call is to be spelled, see `spelling_of`.

    objective: what is claimed first, to which the option of the case is added.
    """
    logits, labels = patterned_arrays(format_of(case.dtype), case.n_rows, case.n_classes, case.labels)
    logits = rows_far_apart(logits) if case.logits == "far apart" else logits
    family = f"{FAMILY}, {case.integers} labels, {case.layout}"
    name, _, value = case.option.partition(" ")
    if name == "ignore_index":
        ignored = number_of(value, case.n_classes)
        around = _labels_around(labels, ignored, case)
        return Problem(logits, around, replace(objective, ignore_index=ignored), family)
    return Problem(logits, labels, _with_option(objective, name, value, case), family)


def spelling_of(problem: Problem) -> tuple[str, str]:
    """The integer type of the labels and the layout in which a problem of this family is put."""
    _, integers, layout = problem.family.split(", ", 2)
    return integers.removesuffix(" labels"), layout


def is_sized(problem: Problem) -> bool:
    """Whether it is a problem of this family."""
    return problem.family.startswith(f"{FAMILY}, ")


def number_of(text: str, n_classes: int) -> int:
    """The label to be ignored that is called so, such as "2^32 + 3" or "-K"."""
    first, _, more = text.partition(" + ")
    sign, size = (-1, first[1:]) if first.startswith("-") else (1, first)
    base, _, power = size.partition("^")
    number = n_classes if base == "K" else int(base) ** int(power or 1)
    return sign * number + int(more or 0)


def repeated_problem(shape: Shape, dtype: str, objective: Objective) -> Problem:
    """A problem on which results are kept over several calls."""
    family = f"{FAMILY}, {REPEATED_CALLS}"
    return Problem(*patterned_arrays(format_of(dtype), *shape), objective, family)


def is_repeated(problem: Problem) -> bool:
    """Whether it is one of those."""
    return problem.family == f"{FAMILY}, {REPEATED_CALLS}"


def _with_option(objective: Objective, name: str, value: str, case: Case) -> Objective:
    """The objective with an option switched on."""
    if name == "reduction":
        return replace(objective, reduction=value)
    if name == "class_weights":
        return replace(objective, class_weights=tuple(np.resize(WEIGHTS, case.n_classes).tolist()))
    if name in PER_ROW_OPTIONS:
        return with_rows(objective, name, case.n_rows)
    changes = {"label_smoothing": 0.1} if name == "label_smoothing" else {}
    changes |= {name: REAL_OPTIONS[name].tried[0]} if name in REAL_OPTIONS else {}
    return replace(objective, **changes)  # type: ignore[arg-type]  # the keywords are Objective's own


def _labels_around(labels: Array, ignored: int, case: Case) -> Array:
    """Labels with some rows ignored, where the integer type holds that label; and classes that it may be taken for.

    These are what is left of it in fewer bits, and the classes next to it in memory.
    """
    labels, kinds = labels.copy(), np.arange(len(labels)) % PERIOD
    for kind, place in BESIDE.items():
        labels[kinds == kind] = place % case.n_classes
    wrapped = [ignored % 2**bits for bits in (8, 16, 31, 32)]
    for kind, label in zip((6, 7, 1), [one for one in wrapped if one < case.n_classes], strict=False):
        labels[kinds == kind] = label
    low = 0 if case.integers.startswith("u") else -(2 ** BITS[case.integers])
    if low <= ignored < 2 ** BITS[case.integers]:
        labels[np.isin(kinds, IGNORED_KINDS)] = ignored
    return labels
