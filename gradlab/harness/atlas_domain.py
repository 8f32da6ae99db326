"""What an implementation makes of input at the edge of the domain and beyond it, seen and not judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.coefficients import coefficients_of
from gradlab.evaluation import Answer, Call, Implementation, answer_to_call, keywords_for
from gradlab.harness.problems import stated
from gradlab.oracle.enclosure import enclose
from gradlab.problems.dtypes import Format
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

INF, NAN = np.inf, np.nan
SOUND = [1.0, 0.0, 2.0]  # a row beside the one in question, which that must not touch


@dataclass(frozen=True)
class Conduct:
    """What came back: an exception's name, or what loss and gradient are; and whether the domain's rule holds."""

    seen: str
    as_ruled: bool


# Each case: the row in question, its label, and gradlab's rule. The row of SOUND, label 2, stands below it.
CASES: dict[str, tuple[list[float], int, str]] = {
    "NaN in a row": ([0, NAN, 1], 0, "NaN there, in no other row"),
    "+inf in a row": ([0, INF, 1], 0, "NaN there, in no other row"),
    "+inf at the target": ([INF, 0, 1], 0, "NaN there, in no other row"),
    "all -inf": ([-INF, -INF, -INF], 0, "NaN there, in no other row"),
    "-inf at another class": ([0, -INF, 1], 0, "a value, as if it were not there"),
    "-inf at the target": ([-INF, 0, 1], 0, "loss +inf, gradient a value"),
    "label K": ([0, 1, 2], 3, "an exception"),
    "label -1": ([0, 1, 2], -1, "an exception"),
    "label -100": ([0, 1, 2], -100, "an exception"),
}
EMPTY = "empty batch"
RULES = {**{case: rule for case, (_, _, rule) in CASES.items()}, EMPTY: "mean NaN, gradient (0, K)"}


def conduct(implementation: Implementation, fmt: Format) -> Mapping[str, Conduct]:
    """What came back in every case, in a format. Bad labels are given to what takes labels only."""
    found = {}
    for case, (row, label, _) in CASES.items():
        logits, labels = np.array([row, SOUND]).astype(fmt.dtype), np.array([label, 2])
        if 0 <= label < len(row):
            found[case] = _of_problem(implementation, Problem(logits, labels))
        elif "index" in implementation.claims.targets:
            found[case] = _of_bad_label(implementation, logits, labels)
    empty = Problem(np.zeros((0, 3), fmt.dtype), np.zeros(0, np.int64))
    return {**found, EMPTY: _of_problem(implementation, empty)}


def _of_problem(implementation: Implementation, problem: Problem) -> Conduct:
    problem = stated(implementation.claims, problem)
    given, truth = _answered(implementation, (problem.logits, problem.targets)), enclose(problem)
    if given.loss is None or given.gradient is None:
        return Conduct(_seen(given), False)
    loss, gradient = kinds(truth.loss.high), kinds(truth.gradient.high)
    ruled = bool((kinds(given.loss) == loss).all() and (kinds(given.gradient) == gradient).all())
    at_masks = (problem.logits64 == -INF) & problem.rows_with_value[:, None] & (coefficients_of(problem) == 0)
    return Conduct(_seen(given), ruled and not np.any(given.gradient[at_masks]))


def _of_bad_label(implementation: Implementation, logits: Array, labels: Array) -> Conduct:
    given = _answered(implementation, (logits, labels))
    return Conduct(_seen(given), given.raised is not None)


def _answered(implementation: Implementation, arrays: tuple[Array, Array]) -> Answer:
    claims = implementation.claims
    objective = Objective(reduction=claims.reduction[0], targets=claims.targets[0])
    logits, targets = arrays
    keywords: dict[str, Any] = keywords_for(claims, objective, logits.dtype)
    return answer_to_call(implementation, Call(logits.copy(), targets.copy(), keywords), objective.reduction)


def kinds(values: Array) -> Array:
    """0 for every finite value, NaN and the infinities as the codes 1, 2 and -2."""
    with np.errstate(invalid="ignore"):
        values = np.asarray(values).astype(np.float64)
    return np.where(np.isnan(values), 1, np.where(np.isinf(values), 2 * np.sign(values), 0)).astype(int)


def _seen(given: Answer) -> str:
    if given.raised is not None:
        return f"raises {given.raised}"
    if given.loss is None or given.gradient is None:
        return "no loss and gradient"
    words = [f"loss {_in_words(given.loss[:1] if given.loss.ndim else given.loss)}"]
    if given.gradient.shape[0]:
        words.append(f"gradient {_in_words(given.gradient[0])}")
    if kinds(given.gradient[1:]).any():
        words.append("the other row too")
    return ", ".join(words)


def _in_words(values: Array) -> str:
    names = {0: "a value", 1: "NaN", 2: "+inf", -2: "-inf"}
    found = sorted({names[kind] for kind in kinds(values).ravel().tolist()})
    if found == ["a value"] and not np.any(values):
        return "0"
    return " and ".join(found) if found else "empty"
