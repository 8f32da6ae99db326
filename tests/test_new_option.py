"""An option that nothing here knows: its mathematics and its range, and all the rest follows by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sympy import Symbol

from gradlab.checks import table
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness import scopes, search, sizes
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.implementations.every_option import every_option
from gradlab.problems import strategies
from gradlab.problems.families import options as families
from gradlab.problems.objective import Objective
from gradlab.problems.options import REAL_OPTIONS, RealOption
from gradlab.problems.problem import Array
from gradlab.reference import ball_forms, numpy_forms
from gradlab.symbolic.definition import LETTERS, Letter, m
from gradlab.symbolic.map_code import ball_term, numpy_term
from gradlab.symbolic.options import ROW_TERMS, RowTerm
from gradlab.symbolic.routine import source_of
from tests.runs import unexplained

QUICK = replace(PROFILES["quick"], shrinks=0)
SMALL = replace(QUICK, examples=12, asked=4)
IN_EACH_DTYPE = pytest.mark.parametrize(
    ("dtype", "profile"), [("float64", SMALL), pytest.param("float32", QUICK, marks=pytest.mark.more)]
)


@dataclass(frozen=True, repr=False)
class Extended(Objective):
    confidence: float = 0.0


@pytest.fixture
def confidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """confidence m^2 is added to each row's loss, m = sum_j t_j p_j: what would be written to ship it."""
    factor = Symbol("mu", nonnegative=True)
    term = RowTerm(factor, factor * m**2, "to each row's loss is added confidence times m^2")
    monkeypatch.setitem(LETTERS, factor, Letter("confidence", "the factor of the penalty on confidence"))
    monkeypatch.setitem(ROW_TERMS, "confidence", term)
    monkeypatch.setitem(
        REAL_OPTIONS, "confidence", RealOption(0.0, 0.0, True, (0.5, 3.0), (0.0, 5.0), True, term.meaning)
    )
    for module, write in ((numpy_forms, numpy_term), (ball_forms, ball_term)):
        written: dict[str, Any] = {}
        exec(source_of(write("confidence", term), ""), vars(module), written)
        monkeypatch.setitem(module.ROW_TERMS, "confidence", written["term_confidence"])
    for module in (strategies, families, search, sizes):
        monkeypatch.setattr(module, "Objective", Extended)
    checks = (*table.CHECKS, *list(table.checks_of_real_options())[-1:])
    monkeypatch.setattr(table, "CHECKS", checks)
    monkeypatch.setitem(scopes.SCOPES, "logits", replace(scopes.SCOPES["logits"], checks=checks))


def penalised(logits: Array, labels: Array, reduction: str = "mean", confidence: float = 0.0) -> Any:
    """The loss with confidence p_y^2 on top, and its gradient: 2 confidence p_y^2 (delta_jy - p_j) more."""
    losses, gradient = every_option(logits, labels, reduction="none")
    rows, number = np.arange(len(labels)), logits.dtype.type
    p = gradient.copy()
    p[rows, labels] += 1
    square = number(confidence) * p[rows, labels] ** 2
    if confidence:
        losses = losses + square
        gradient -= 2 * square[:, None] * p
        gradient[rows, labels] += 2 * square
    if reduction == "none":
        return losses, gradient
    divisor = number(len(labels)) if reduction == "mean" else number(1)
    return losses.sum() / divisor, gradient / divisor


def not_in_the_gradient(logits: Array, labels: Array, reduction: str = "mean", confidence: float = 0.0) -> Any:
    loss, _ = penalised(logits, labels, reduction, confidence)
    return loss, penalised(logits, labels, reduction)[1]


def judged(function: Any, dtype: str, profile: Profile) -> tuple[str, set[str]]:
    claims = Claims(("none", "mean", "sum"), dtypes=(dtype,), options=("confidence",))
    report = unexplained(Implementation("penalised", function, claims), Plan(profile, 1, "stable", (dtype,)))
    return str(report.verdict), {line.check.name for line in report.failures}


@pytest.mark.usefixtures("confidence")
@IN_EACH_DTYPE
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_sound_implementation_of_a_new_option_is_stable(dtype: str, profile: Profile) -> None:
    assert judged(penalised, dtype, profile) == ("stable", set())


@pytest.mark.usefixtures("confidence")
@IN_EACH_DTYPE
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_that_forgets_it_in_the_gradient_is_rejected_by_the_check_of_its_name(dtype: str, profile: Profile) -> None:
    verdict, failed = judged(not_in_the_gradient, dtype, profile)
    assert verdict == "wrong"
    assert failed == {"confidence_is_as_defined", "answer_is_right_at_this_size"}
