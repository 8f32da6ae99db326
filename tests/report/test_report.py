"""One report: printed as the command prints it, encoded as the command writes it, and the same from another process."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from gradlab.cases.cases import case_id
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.harness.run import Run, run_checks
from gradlab.report.json import report_document
from gradlab.report.report import Report, report_of
from gradlab.storage.files import CASES
from gradlab.targets.load import load

SMALL = Profile("small", "quick", 12, 1, 40, asked=2)
FEW = Profile("few", "quick", 0, 0, 0, asked=0, most=10)
KINDS = ("stable", "unstable", "not accurate", "raising")


@cache
def diagnosed(name: str) -> Report:
    """The report on something that ships, after a run with a diagnosis or a power."""
    (implementation,) = load(name, {}, ("float64",))
    return report_of(run_checks(implementation, Plan(SMALL, dtypes=("float64",))))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_is_that_of_the_run(reports: dict[str, Run], kind: str) -> None:
    run = reports[kind]
    report = report_of(run)
    names = [*vars(run), "met", "failures", "advice"]
    assert [getattr(report, name) for name in names] == [getattr(run, name) for name in names]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_encoded_as_in_the_document(reports: dict[str, Run], kind: str) -> None:
    run = reports[kind]
    report = report_of(run)
    document = report_document(run.plan, [run], origins={run.implementation.name: report.origin})
    assert document["implementations"] == [report.to_json()]


def test_it_begins_with_the_verdict_and_the_claims(reports: dict[str, Run]) -> None:
    lines = str(report_of(reports["unstable"])).splitlines()
    assert lines[:2] == ["textbook: unstable", "judged as: mean over labels; float32, float64"]


def test_it_says_what_the_failures_look_like_and_how_to_see_one_again() -> None:
    said = str(diagnosed("textbook"))
    assert "\nlooks like: " in said
    assert "in plain Python:\n    import numpy as np\n" in said


def test_it_says_what_a_pass_is_worth() -> None:
    assert "\npower: would have caught " in str(diagnosed("shifted"))


def test_options_without_a_claim_are_named() -> None:
    (implementation,) = load("every_option", {"options": ()}, ("float64",))
    said = str(report_of(run_checks(implementation, Plan(FEW, dtypes=("float64",), power=False))))
    assert "not tried: it takes label_smoothing, class_weights, " in said


def test_cases_are_named_where_they_are_kept_and_only_there(reports: dict[str, Run]) -> None:
    run = reports["unstable"]
    named = re.findall(r"gradlab replay (\w+)", "\n".join(report_of(run, Path("cases")).full_lines()))
    kept = {case_id(run.implementation, results[0].problem) for results in run.failing}
    assert named
    assert set(named) <= kept
    assert "gradlab replay" not in "\n".join(report_of(run).full_lines())


def test_the_folder_of_cases_is_named_where_it_is_not_the_usual_one(reports: dict[str, Run]) -> None:
    run = reports["unstable"]
    assert " --cases '/my cases'\n" in str(report_of(run, Path("/my cases")))
    assert "--cases" not in str(report_of(run, Path("/home/me") / CASES))


def test_every_failure_is_among_the_full_lines(reports: dict[str, Run]) -> None:
    report = report_of(reports["unstable"])
    assert sum(line.startswith("FAIL ") for line in report.full_lines()) == len(report.failures)
    assert sum(line.startswith("FAIL ") for line in report.short_lines()) == 1


def test_the_short_lines_fit_on_a_screen_and_have_no_hexadecimal(reports: dict[str, Run]) -> None:
    for run in reports.values():
        lines = list(report_of(run).short_lines())
        assert len(lines) <= 24
        assert not any(re.search(r"\(-?0x", line) for line in lines)


def test_in_a_list_it_is_short(reports: dict[str, Run]) -> None:
    assert repr(report_of(reports["unstable"])) == "<Report on textbook: unstable>"


@pytest.mark.parametrize("name", ["shifted", "textbook"])
def test_a_report_that_was_pickled_says_the_same(name: str) -> None:
    report = diagnosed(name)
    again = pickle.loads(pickle.dumps(report))
    assert str(again) == str(report)
    assert list(again.full_lines()) == list(report.full_lines())
    assert again.to_json() == report.to_json()


def test_a_report_from_another_process_is_read_without_the_code_under_test(
    reports: dict[str, Run], tmp_path: Path
) -> None:
    report = report_of(reports["unstable"])
    (tmp_path / "report").write_bytes(pickle.dumps(report))
    program = (
        "import pickle, sys; report = pickle.load(open('report', 'rb')); print(report)\n"
        "assert 'gradlab.implementations.textbook' not in sys.modules\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert ran.stdout == f"{report}\n"


def test_the_function_of_a_pickled_report_cannot_be_called(reports: dict[str, Run]) -> None:
    again = pickle.loads(pickle.dumps(report_of(reports["unstable"])))
    with pytest.raises(RuntimeError, match="textbook was loaded in another process; load it here to call it"):
        again.implementation.function(None, None)
