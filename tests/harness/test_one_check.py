"""One check by itself finds what the whole run finds for it on families and drawn problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.one_check import NothingCheckedError, diagnosis_of, held_checks, line_of
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.tally import Line
from gradlab.implementations.every_option import every_option
from gradlab.implementations.shifted import shifted
from gradlab.implementations.textbook import textbook
from gradlab.problems.families import FAMILIES
from gradlab.problems.problem import Array
from tests.runs import only_first, unexplained

NO_SHRINKING = Plan(Profile("small", "quick", 15, 0, 0, asked=3, most=len(FAMILIES)), seed=2, power=False)
FLOAT32 = Claims(dtypes=("float32",))
OPTIONS = Claims(("none", "mean"), ("index", "probability"), ("float32",), ("label_smoothing", "class_weights"))


def doubled(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss, 2 * gradient


CASES: dict[str, tuple[Callable[..., Any], Claims]] = {
    "stable": (shifted, FLOAT32),
    "unstable": (textbook, FLOAT32),
    "wrong": (doubled, FLOAT32),
    "options": (every_option, OPTIONS),
}


def outline(line: Line) -> list[Any]:
    results = [line.worst] if line.simplest is None else [line.worst, line.simplest]
    found = [(r.where, repr(r.ratio), r.observed, r.expected, r.problem.digest) for r in results]
    return [line.verdict, line.n_problems, line.n_failed, found]


@pytest.mark.parametrize("name", only_first(CASES, "stable", "wrong"))
def test_each_check_by_itself_agrees_with_the_whole_run(name: str) -> None:
    implementation = Implementation(name, *CASES[name])
    whole = {(line.check.name, line.dtype): outline(line) for line in unexplained(implementation, NO_SHRINKING).lines}
    for check, dtype in held_checks(implementation, NO_SHRINKING):
        assert outline(line_of(implementation, NO_SHRINKING, check, dtype)) == whole[check.name, dtype]


@pytest.mark.parametrize(("level", "counts"), [("stable", False), ("accurate", True)])
def test_checks_of_level_accurate_are_held_only_where_that_is_asked_for(level: str, counts: bool) -> None:
    held = held_checks(Implementation("shifted", shifted, FLOAT32), Plan(NO_SHRINKING.profile, 0, level))
    assert ("loss_within_a_few_ulp" in {check.name for check, _ in held}) == counts


def test_no_advice_is_held_against_an_implementation() -> None:
    held = {check.name for check, _ in held_checks(Implementation("shifted", shifted, FLOAT32), NO_SHRINKING)}
    assert held.isdisjoint({"is_quiet", "refuses_bad_labels", "keeps_the_dtype"})
    assert "gradient_is_right" in held


def test_every_claimed_dtype_has_its_checks_unless_the_plan_names_some() -> None:
    implementation = Implementation("shifted", shifted, Claims())
    assert {dtype for _, dtype in held_checks(implementation, NO_SHRINKING)} == {"float32", "float64"}
    only = Plan(NO_SHRINKING.profile, 0, "stable", ("float64",))
    assert {dtype for _, dtype in held_checks(implementation, only)} == {"float64"}


def test_dtype_that_is_not_claimed_is_refused() -> None:
    with pytest.raises(ValueError, match="claims the dtypes float32, not float16"):
        held_checks(Implementation("s", shifted, FLOAT32), Plan(NO_SHRINKING.profile, 0, "stable", ("float16",)))


def test_check_that_never_got_an_answer_says_so() -> None:
    def never(logits: Array, labels: Array) -> Any:
        raise ValueError("no")

    implementation = Implementation("never", never, FLOAT32)
    held = dict.fromkeys(held_checks(implementation, NO_SHRINKING))
    sums = next(what for what in held if what[0].name == "rows_sum_to_zero")
    with pytest.raises(NothingCheckedError, match="no call gave an answer to check: raised ValueError: no"):
        line_of(implementation, NO_SHRINKING, *sums)


def test_check_that_needs_no_answer_fails_where_there_is_none() -> None:
    implementation = Implementation("nothing", lambda logits, labels: np.zeros(2), FLOAT32)
    first = next(what for what in held_checks(implementation, NO_SHRINKING) if what[0].name.startswith("returns_loss"))
    assert not line_of(implementation, NO_SHRINKING, *first).passed


def test_a_second_failure_has_the_same_values_explained_without_another_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    implementation, known = Implementation("doubled", doubled, FLOAT32), dict[str, Any]()
    plan = replace(NO_SHRINKING, profile=replace(NO_SHRINKING.profile, most=None))
    held = {check.name: check for check, _ in held_checks(implementation, plan)}
    names = ("gradient_is_right", "gradient_integrates_to_the_loss")
    lines = [line_of(implementation, plan, held[name], "float32") for name in names]
    first = diagnosis_of(implementation, plan, lines[0], known)
    monkeypatch.delattr("gradlab.diagnosis.diagnosis.explanations")
    second = diagnosis_of(implementation, plan, lines[1], known)
    assert first.defects == second.defects != ()
    assert first.unexplained == second.unexplained == ()
