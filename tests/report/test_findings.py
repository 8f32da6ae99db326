"""What is said of a whole run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.harness.run import Run
from gradlab.report.failure import no_command
from gradlab.report.findings import (
    SHOWN_FAILURES,
    advice,
    all_failures,
    few_failures,
    not_accurate,
    reason,
    verdicts_by_dtype,
)

Reports = dict[str, Run]


def test_every_failure_is_shown_with_its_dtype(reports: Reports) -> None:
    report = reports["unstable"]
    said = [line.split()[1::2][:2] for line in all_failures(report, None, no_command) if line.startswith("FAIL")]
    assert said == [[line.check.name, line.dtype] for line in report.failures]


def test_few_failures_name_each_check_once_and_the_rest_at_the_end(reports: Reports) -> None:
    lines = list(few_failures(reports["unstable"], None, no_command))
    shown = [line.split()[1] for line in lines if line.startswith("FAIL")]
    every = list(dict.fromkeys(line.check.name for line in reports["unstable"].failures))
    assert shown == every[:SHOWN_FAILURES]
    assert lines[-1].startswith(
        f"  {len(every) - SHOWN_FAILURES} more checks fail: {', '.join(every[SHOWN_FAILURES:])}"
    )


def test_a_defect_that_the_shown_failure_is_not_of_has_a_line_of_its_own(reports: Reports) -> None:
    run = reports["unstable"]
    first, *_, last = run.failures
    assert first.simplest is not None
    assert last.simplest is not None
    known = Diagnosis("float32", (), (), (), 1, 1, examples={"one": first.simplest, "other": last.simplest})
    lines = list(few_failures(replace(run, diagnosis=known), None, no_command))
    assert lines[-1].startswith(f"  other by itself: {last.simplest.sentence()}; on logits ")
    assert not any("one by itself" in line for line in lines)


@pytest.mark.parametrize("failures", [few_failures, all_failures])
def test_no_failure_no_lines(reports: Reports, failures: Any) -> None:
    assert list(failures(reports["stable"], None, no_command)) == []


def test_advice_is_one_line_for_each_check(reports: Reports) -> None:
    lines = list(advice(reports["unstable"]))
    checks = [line.split()[1] for line in lines]
    assert len(set(checks)) == len(checks) > 0
    assert all(line.startswith("advice ") for line in lines)


def test_what_keeps_it_from_being_accurate_is_the_largest_error(reports: Reports) -> None:
    (text,) = not_accurate(reports["stable"])
    assert re.fullmatch(r"not accurate \(level stable does not ask for it\): .* = .*, exactly .*, in \w+, on .*", text)


def test_a_level_that_is_met_needs_no_reason(reports: Reports) -> None:
    assert reason(reports["stable"]) == ""


@pytest.mark.parametrize("name", ["unstable", "not accurate", "raising"])
def test_nothing_is_said_of_accuracy_where_the_level_is_not_met(reports: Reports, name: str) -> None:
    assert list(not_accurate(reports[name])) == []


@pytest.mark.parametrize("name", ["unstable", "not accurate", "raising"])
def test_the_reason_is_the_first_failure(reports: Reports, name: str) -> None:
    assert reason(reports[name]).startswith(f"{reports[name].failures[0].check.name}: ")


def test_verdicts_by_dtype_have_the_verdict_as_their_worst(reports: Reports) -> None:
    for report in reports.values():
        verdicts = verdicts_by_dtype(report)
        assert tuple(verdicts) == report.dtypes
        assert min(verdicts.values()) == report.verdict
