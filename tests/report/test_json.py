"""The JSON report fits its schema, says what the report says, and is the same for the same run."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from gradlab.cases.cases import case_id
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run
from gradlab.judged.clock import Clocked, settled
from gradlab.measure.timing import Timing
from gradlab.report.json import LARGE, READ, SCHEMA, NotChecked, report_document, schema, schema_fault
from gradlab.storage.encoding import decoded_problem
from gradlab.storage.files import parsed_json, strict_json

PLAN = Plan(PROFILES["quick"], 3)
TIMINGS = (
    Timing("float32", (64, 10), (2.0, 1.0000049, 3.0), 1e-5, 7842),
    Timing("float32", (1024, 1000), note="a call takes 3.0 s, must be at most 2 s"),
)
Reports = dict[str, Run]


@pytest.fixture(scope="module")
def document(reports: Reports) -> dict[str, Any]:
    """A report on several implementations, through strict JSON and back."""
    not_checked = [NotChecked("other", "pack:other", "it claims float32, not float16")]
    first, *others = reports.values()
    measured = replace(first, timings=TIMINGS)
    found: dict[str, Any] = parsed_json(strict_json(report_document(PLAN, [measured, *others], not_checked)))
    return found


def results_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [result for one in document["implementations"] for result in one["results"]]


def fits(document: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema()).is_valid(document))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_real_report_fits_the_schema(document: dict[str, Any]) -> None:
    assert [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(document)] == []


def test_an_empty_report_fits_the_schema() -> None:
    assert fits(report_document(PLAN, []))


def test_the_version_in_the_schema_is_the_one_written() -> None:
    assert schema()["properties"]["schema"]["enum"] == list(READ)
    assert READ[-1] == SCHEMA
    assert schema()["$id"].rpartition(":")[2] == SCHEMA.rpartition("-")[2]


def test_the_top_of_the_report(document: dict[str, Any]) -> None:
    assert (document["seed"], document["profile"]) == (3, "quick")
    assert [one["name"] for one in document["implementations"]] == ["shifted", "textbook", "shifted", "raising"]
    assert document["timing"]["seconds"] == [0.25] * 4
    assert set(document["timing"]["machine"]) == {"processor", "python", "numpy"}
    assert document["timing"]["packages"] == {}


def test_every_sample_of_time_is_kept_to_five_digits(document: dict[str, Any]) -> None:
    first, second = document["timing"]["measurements"]
    assert (first["implementation"], first["shape"], first["ratios"]) == ("shifted", [64, 10], [2.0, 1.0, 3.0])
    assert (second["ratios"], second["seconds"], second["bytes_beyond_the_gradient"]) == ([], None, None)


@pytest.mark.parametrize("calls", [(0.5,) * 3, (0.0, 0.5, 0.5)], ids=["longer", "one_like_the_way"])
def test_a_time_by_gradlabs_own_clock_may_be_read_again(reports: Reports, calls: tuple[float, ...]) -> None:
    """Also where a round took no longer than the way there and back, as on a machine that is busy."""
    told = Timing("float32", (64, 10), (1.0,) * 3, 1e-6, 7842)
    timing = settled(told, Clocked(calls=calls, yardstick=(1e-5,) * 3, way=1e-4, fault=""))
    assert timing.note
    assert timing.ratios
    document = report_document(PLAN, [replace(reports["stable"], timings=(timing,))])
    assert schema_fault(parsed_json(strict_json(document))) is None


def test_verdicts_and_what_is_met(document: dict[str, Any]) -> None:
    said = [(one["verdict"], one["level"], one["met"]) for one in document["implementations"]]
    expected = [("stable", True), ("unstable", False), ("stable", False), ("wrong", False)]
    assert [(verdict, met) for verdict, _, met in said] == expected
    assert said[2][1] == "accurate"


def test_there_is_one_result_for_each_check_and_dtype(document: dict[str, Any]) -> None:
    for one in document["implementations"]:
        pairs = [(result["check"], result["dtype"]) for result in one["results"]]
        assert len(pairs) == len(set(pairs)) > 0


def test_a_ratio_that_json_lacks_is_a_word(document: dict[str, Any]) -> None:
    assert "inf" in [result["ratio"] for result in results_of(document)]


def test_small_problems_can_be_had_again_from_the_report(document: dict[str, Any]) -> None:
    problems = [result["problem"] for result in results_of(document)]
    small = [problem for problem in problems if problem["logits"] is not None]
    assert small
    assert all(decoded_problem(problem).digest == problem["digest"] for problem in small if "nan" not in str(problem))


def test_large_problems_name_their_case(document: dict[str, Any], reports: Reports) -> None:
    problems = [result["problem"] for result in results_of(document)]
    large = [problem for problem in problems if problem["shape"][0] * problem["shape"][1] > LARGE]
    kept = {case_id(report.implementation, r[0].problem) for report in reports.values() for r in report.failing}
    assert any(problem["case"] for problem in large)
    assert all(problem["logits"] is None for problem in large)
    assert {problem["case"] for problem in problems} - {None} <= kept


def test_the_simplest_problem_stands_beside_the_worst(document: dict[str, Any]) -> None:
    failed = [result for result in results_of(document) if not result["passed"]]
    assert all(result["simplest"]["problem"]["digest"] for result in failed)


def test_two_runs_differ_in_timing_only(reports: Reports) -> None:
    first = report_document(PLAN, list(reports.values()))
    second = report_document(PLAN, [replace(report, seconds=9.0) for report in reports.values()])
    assert first != second
    assert {**first, "timing": 0} == {**second, "timing": 0}


def test_text_is_the_same_to_the_byte(reports: Reports) -> None:
    assert strict_json(report_document(PLAN, list(reports.values()))) == strict_json(
        report_document(PLAN, list(reports.values()))
    )


def change(path: str, value: Any) -> Callable[[Any], None]:
    """A function that puts a value at a dotted path of a document; `del` for a value removes what is there."""

    def apply(document: Any) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            document = document[part]
        if value is del_:
            del document[last]
        else:
            document[last] = value

    return apply


del_ = object()
RESULT = "implementations.1.results.0"
BREAKS = {
    "no schema": change("schema", del_),
    "another schema": change("schema", "gradlab-report-1"),
    "no seed": change("seed", del_),
    "a negative seed": change("seed", -1),
    "an unknown profile": change("profile", "slow"),
    "an extra field": change("extra", 1),
    "no verdict": change("implementations.0.verdict", del_),
    "an unknown verdict": change("implementations.0.verdict", "fine"),
    "met as a word": change("implementations.0.met", "yes"),
    "a diagnosis": change("implementations.0.diagnosis", "label smoothing"),
    "no diagnosis": change("implementations.0.diagnosis", del_),
    "an unknown dtype": change("implementations.0.dtypes", ["int8"]),
    "an unknown dtype by key": change("implementations.0.verdicts", {"int8": "stable"}),
    "results that are no list": change("implementations.0.results", {}),
    "a ratio that is negative": change(f"{RESULT}.ratio", -1.0),
    "a ratio in other words": change(f"{RESULT}.ratio", "large"),
    "no ratio": change(f"{RESULT}.ratio", del_),
    "an ulp in other words": change(f"{RESULT}.ulp", "-inf"),
    "no problem": change(f"{RESULT}.problem", None),
    "decimal logits": change(f"{RESULT}.problem.logits", [[0.5]]),
    "decimal logits as text": change(f"{RESULT}.problem.logits", [["0.5"]]),
    "a row without entries": change(f"{RESULT}.problem.logits", [[]]),
    "a shape of three": change(f"{RESULT}.problem.shape", [1, 2, 3]),
    "no classes": change(f"{RESULT}.problem.shape", [1, 0]),
    "fractional labels": change(f"{RESULT}.problem.targets", [0.5]),
    "a digest that is none": change(f"{RESULT}.problem.digest", "xyz"),
    "passed with a failure": change(f"{RESULT}.n_failed", 10),
    "failed without a failure": change(f"{RESULT}.passed", False),
    "not checked without a reason": change("not_checked.0.reason", ""),
    "no timing": change("timing", del_),
    "no machine": change("timing.machine", del_),
    "no ratios": change("timing.measurements.0.ratios", del_),
    "a ratio of nothing": change("timing.measurements.0.ratios.0", 0),
    "rounds and a note": change("timing.measurements.0.note", "left out"),
    "no rounds and no note": change("timing.measurements.1.note", ""),
}


@pytest.mark.parametrize("break_it", BREAKS.values(), ids=BREAKS)
def test_a_broken_report_does_not_fit_the_schema(document: dict[str, Any], break_it: Callable[[Any], None]) -> None:
    assert document["implementations"][1]["results"][0]["passed"]
    broken = copy.deepcopy(document)
    break_it(broken)
    assert json.dumps(broken) != json.dumps(document)
    assert not fits(broken)
