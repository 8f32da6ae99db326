"""Two reports compared: what is worse is told apart from what has only changed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from gradlab.compare.change import Change, Effect, worse_if
from gradlab.compare.comparison import ReportError, changes, read_report
from gradlab.harness.run import Run
from gradlab.report.json import report_document
from gradlab.storage.files import strict_json

Plain = dict[str, Any]


@pytest.fixture
def plain(reports: dict[str, Run]) -> Plain:
    """The report on one sound implementation, as JSON has it."""
    report = reports["stable"]
    return dict(report_document(report.plan, [report]))


def changed(plain: Plain, **fields: Any) -> Plain:
    """The report with other fields in its only implementation."""
    other = copy.deepcopy(plain)
    other["implementations"][0].update(fields)
    return other


def with_result(plain: Plain, check: str, **fields: Any) -> Plain:
    """The report with other fields in the float32 result of a check."""
    other = copy.deepcopy(plain)
    for result in other["implementations"][0]["results"]:
        if (result["check"], result["dtype"]) == (check, "float32"):
            result.update(fields)
    return other


def test_a_report_is_no_worse_than_itself(plain: Plain) -> None:
    assert list(changes(plain, plain)) == []


@pytest.mark.parametrize(("verdict", "worse"), [("wrong", True), ("unstable", True), ("accurate", False)])
def test_a_lower_verdict_is_worse_and_a_higher_one_is_not(plain: Plain, verdict: str, worse: bool) -> None:
    assert list(changes(plain, changed(plain, verdict=verdict))) == [
        Change("shifted", f"verdict stable -> {verdict}", worse_if(worse))
    ]


def test_a_check_that_fails_now_is_worse(plain: Plain) -> None:
    broken = with_result(plain, "rows_sum_to_zero", passed=False)
    (change,) = changes(plain, broken)
    assert change == Change("shifted", "rows_sum_to_zero float32: passed -> fails", Effect.WORSE)
    (mended,) = changes(broken, plain)
    assert mended == Change("shifted", "rows_sum_to_zero float32: failed -> passes", Effect.BETTER)


def test_an_advice_is_no_regression(plain: Plain) -> None:
    (change,) = changes(plain, with_result(plain, "is_quiet", passed=False, advice=True))
    assert not change.is_regression


@pytest.mark.parametrize(("before", "now", "told"), [(0.5, 1.9, 0), (0.5, 2.1, 1), (10.0, 20.9, 0), (10.0, 21.1, 1)])
def test_an_error_has_grown_by_more_than_a_bit_and_an_ulp(plain: Plain, before: float, now: float, told: int) -> None:
    old, new = (with_result(plain, "target_entry_within_a_few_ulp", ulp=ulp) for ulp in (before, now))
    assert [change.is_regression for change in changes(old, new)] == [True] * told
    assert [change.is_regression for change in changes(new, old)] == [False] * told


def test_errors_on_other_problems_are_not_compared(plain: Plain) -> None:
    other = {**with_result(plain, "target_entry_within_a_few_ulp", ulp=1e6), "seed": plain["seed"] + 1}
    assert list(changes(plain, other)) == []


def looking_like(*sets: tuple[str, ...], side_effects: tuple[str, ...] = ()) -> Plain:
    """The diagnosis of a report, in which these sets of defects cannot be told apart."""
    alternatives = [{"defects": list(defects), "parameters": [], "inside": None} for defects in sets]
    return {"alternatives": alternatives, "conduct": list(side_effects)}


def told(old: Plain, new: Plain) -> list[str]:
    return [str(change) for change in changes(old, new)]


def test_a_mistake_that_came_in_is_named_and_one_that_went(plain: Plain) -> None:
    failing = changed(
        plain, met=False, diagnosis=looking_like(("no_shift",), side_effects=("logits_shifted_in_place",))
    )
    names = ("no_shift", "logits_shifted_in_place")
    assert told(plain, failing) == [f"worse: shifted  looks like {name}: new" for name in names]
    assert told(failing, plain) == [f"better: shifted  no longer looks like {name}" for name in names]
    assert told(failing, failing) == []


def test_another_mistake_than_before_is_no_regression_by_itself(plain: Plain) -> None:
    old, new = (changed(plain, met=False, diagnosis=looking_like((name,))) for name in ("no_shift", "sign_flipped"))
    assert told(old, new) == [
        "changed: shifted  looks like sign_flipped: new",
        "changed: shifted  no longer looks like no_shift",
    ]


def test_mistakes_that_cannot_be_told_apart_are_named_together(plain: Plain) -> None:
    either = changed(plain, met=False, diagnosis=looking_like(("a", "b"), ("c",)))
    assert told(plain, either) == ["worse: shifted  looks like a and b or c: new"]


def test_a_failure_without_a_diagnosis_does_not_say_that_a_mistake_went(plain: Plain) -> None:
    old = changed(plain, met=False, diagnosis=looking_like(("no_shift",)))
    assert told(old, changed(plain, met=False)) == []


def test_what_is_gone_is_worse_and_what_is_new_is_judged_by_its_level(plain: Plain) -> None:
    nothing = {**plain, "implementations": []}
    assert list(changes(plain, nothing)) == [Change("shifted", "is not checked any more", Effect.WORSE)]
    assert list(changes(nothing, plain)) == [Change("shifted", "is new: stable", Effect.CHANGED)]
    assert list(changes(nothing, changed(plain, met=False))) == [Change("shifted", "is new: stable", Effect.WORSE)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "gradlab-report-1"}', '{"schema": 2}'])
def test_what_is_no_report_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"old\.json") as refused:
        read_report(path)
    assert "\n" not in str(refused.value)


def test_a_report_that_was_written_is_read(tmp_path: Path, plain: Plain) -> None:
    path = tmp_path / "new.json"
    path.write_text(strict_json(plain))
    assert read_report(path)["implementations"][0]["name"] == "shifted"


@pytest.mark.parametrize(
    ("before", "now", "told"), [(0.02, 0.05, []), (0.02, 0.06, ["error 0.02 -> 0.06 of its bound"]), (0.3, 0.5, [])]
)
def test_an_error_of_a_layer_is_compared_by_its_share_of_the_bound(
    plain: Plain, before: float, now: float, told: list[str]
) -> None:
    as_layer = copy.deepcopy(plain)
    for result in as_layer["implementations"][0]["results"]:
        if result["check"] == "loss_within_forward_error":
            result["check"] = "dw_of_the_layer_is_right"
    old, new = (with_result(as_layer, "dw_of_the_layer_is_right", ratio=ratio) for ratio in (before, now))
    assert [change.text.partition(": ")[2] for change in changes(old, new)] == told
    assert [change.effect for change in changes(new, old)] == [Effect.BETTER] * len(told)
