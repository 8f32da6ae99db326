"""An error of gradlab's own in what only explains a verdict costs that explanation, and the report says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest

import gradlab.harness.missing
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.missing import attempt
from gradlab.harness.plan import Plan
from gradlab.harness.run import Run, run_checks
from gradlab.harness.scopes import scope_of
from gradlab.implementations.shifted import shifted
from gradlab.pages.page import report_page
from gradlab.report.json import report_document, schema_fault
from gradlab.report.report import report_of
from gradlab.runs.here import time_calls
from gradlab.storage.files import strict_json
from gradlab.targets.importing import TargetError
from tests.runs import ONE_OF_EACH_FAMILY

AS_IT_IS = gradlab.harness.missing.missing_for  # the tests have errors raised elsewhere
FEW = replace(ONE_OF_EACH_FAMILY, name="quick", examples=4, shrinks=1, shrink_examples=4, asked=0, most=16)
PLAN = Plan(FEW, power=False)


def half_in_odd_batches(logits: Any, labels: Any) -> Any:
    """No known defect: gradlab has to find out where it is wrong."""
    loss, gradient = shifted(logits, labels)
    return (loss / 2 if len(labels) % 2 else loss), gradient


def broken(*arguments: object, **keywords: object) -> NoReturn:
    """Stands for a part of gradlab with a mistake in it."""
    raise ZeroDivisionError("division by nobody")


def run(function: Callable[..., Any], plan: Plan = PLAN, dtype: str = "float32") -> Run:
    return run_checks(Implementation(function.__name__, function, claims_from({"dtypes": [dtype]})), plan)


@pytest.fixture(autouse=True)
def errors_are_told(errors_are_raised: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.harness.missing.missing_for", AS_IT_IS)


@pytest.mark.parametrize(
    ("part", "explanation", "function", "changes"),
    [
        ("gradlab.diagnosis.diagnosis.diagnose", "which known defect it is", half_in_odd_batches, {}),
        ("gradlab.harness.run.examples_of", "an example of each defect", half_in_odd_batches, {}),
        ("gradlab.localisation.finding.localise", "where it is wrong", half_in_odd_batches, {}),
        ("gradlab.harness.search.smallest", "smaller problems that fail", half_in_odd_batches, {}),
        ("gradlab.harness.power.power_of", "what it would have caught", shifted, {"power": True}),
        ("gradlab.harness.curves.curve_of", "the curves of its errors", shifted, {"curves": True}),
        ("gradlab.harness.difference_curve.difference_curve_of", "the curves of its errors", shifted, {"curves": True}),
    ],
)
def test_the_verdict_stands_without_an_explanation(
    part: str, explanation: str, function: Callable[..., Any], changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, **changes)
    whole = run(function)
    monkeypatch.setattr(part, broken)
    found = run(function, plan)
    assert (found.verdict, len(found.lines)) == (whole.verdict, len(whole.lines))
    assert explanation in [one.explanation for one in found.missing]
    assert whole.missing == ()


def test_the_verdict_stands_where_half_precision_is_not_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = scope_of(Claims())
    without = replace(scope, explaining=replace(scope.explaining, accumulation=broken))
    monkeypatch.setattr("gradlab.harness.run.scope_of", lambda claims: without)
    found = run(shifted, dtype="float16")
    assert [one.explanation for one in found.missing] == ["what half precision is worked out in"]
    assert found.verdict == "stable"


def test_the_verdict_stands_without_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.measure.costs.costs", broken)
    found = time_calls(run(shifted), lambda progress: None)
    assert [one.explanation for one in found.missing] == ["what its calls cost"]


@pytest.fixture
def without_a_place(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that could not find out where the code is wrong."""
    monkeypatch.setattr("gradlab.localisation.finding.localise", broken)
    return run(half_in_odd_batches)


def test_the_text_says_what_is_missing_and_why(without_a_place: Run) -> None:
    (line,) = [line for line in str(report_of(without_a_place)).splitlines() if line.startswith("missing")]
    assert line.startswith("missing: where it is wrong, for an error of gradlab's own, which please report: ")
    assert "ZeroDivisionError: division by nobody, at test_missing.py:" in line


def test_the_json_and_the_page_say_it_too(without_a_place: Run) -> None:
    document = json.loads(strict_json(report_document(without_a_place.plan, [without_a_place])))
    (missing,) = document["implementations"][0]["missing"]
    assert missing["explanation"] == "where it is wrong"
    assert missing["error"].startswith("ZeroDivisionError: division by nobody")
    assert schema_fault(document) is None
    page = report_page([document])
    assert "ZeroDivisionError: division by nobody" in page
    assert "It looks like no known mistake" not in page


def test_what_the_target_did_is_no_error_of_gradlab() -> None:
    def gone(given: int) -> int:
        raise TargetError("it does not load a second time")

    with pytest.raises(TargetError):
        attempt("anything", gone, 1)
