"""`check --html` and its likes, `gradlab report` and `gradlab history`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.exhaustive.certificate import description_of
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.verify import target_of_outcome
from gradlab.storage.files import strict_json

ROOT = Path(__file__).parents[2]
FILES = ("--html", "page.html", "--junit", "j.xml", "--sarif", "s.json", "--summary", "s.md", "--json", "report.json")
WRITTEN = FILES[1::2]


@pytest.fixture
def report(gradlab: Any, files: None) -> Path:
    assert gradlab("check", "bad.py:loss", "--dtype", "float32", *FILES).status == 1
    return Path("report.json")


def test_check_writes_every_file_that_is_asked_for(report: Path) -> None:
    assert [name for name in WRITTEN if not Path(name).is_file()] == []
    assert "How to mend it" in Path("page.html").read_text()
    (entry,) = json.loads(report.read_text())["implementations"]
    assert {one["axis"] for one in entry["curves"]["axes"]} == {"margin", "rows", "offset", "spread", "classes"}
    assert entry["place"]["file"] == "bad.py"


def test_report_writes_the_same_page_from_the_json(gradlab: Any, report: Path) -> None:
    assert gradlab("report", str(report), "--html", "again.html").status == 0
    assert Path("again.html").read_text() == Path("page.html").read_text()


def test_a_page_draws_the_certificate_of_this_very_code(gradlab: Any, files: None, tmp_path: Path) -> None:
    """In a judged process, with the certificate as if it had been made here."""
    known = read_certificate(ROOT / "docs/exhaustive/widened.json")
    (outcome,) = known.outcomes
    here = replace(outcome, description=description_of(target_of_outcome(outcome)))
    Path("mine").mkdir()
    Path("mine/any.json").write_text(strict_json(encode(replace(known, outcomes=(here,)))))
    arguments = ("check", "widened", "--dtype", "float32", "--html", "page.html", "--json", "report.json")
    for option, is_covered in (((), False), (("--certificates", "mine"), True)):
        assert gradlab(*arguments, *option).status == 0
        assert ("of every margin <em>(exhaustive)" in Path("page.html").read_text()) == is_covered
    (entry,) = json.loads(Path("report.json").read_text())["implementations"]
    (covered,) = [one["covered"] for one in entry["curves"]["axes"] if "covered" in one]
    assert covered["certificate"] == "mine/any.json"
    assert covered["parts"].keys() == {"target", "others"}


def test_no_curves_are_worked_out_for_nobody(gradlab: Any, files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("curves were worked out")

    monkeypatch.setattr("gradlab.harness.curves.curve_of", refuse)
    assert gradlab("check", "good.py:loss", "--dtype", "float32", "--in-process").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "report.json"), "give --html, --junit, --sarif or --summary"),
        (("report", "missing.json", "--html", "x.html"), "missing.json cannot be read"),
        (("report", "good.py", "--html", "x.html"), "good.py is no report"),
        (("report", "good.py", "--html", "none/x.html"), "there is no folder"),
        (("history", ".", "--html", "x.html"), "has no report"),
        (("check", "good.py:loss", "--html", "none/x.html"), "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_with_status_2(
    gradlab: Any, files: None, arguments: tuple[str, ...], said: str
) -> None:
    ran = gradlab(*arguments)
    assert ran.status == 2
    assert said in ran.err
    assert not Path("x.html").exists()


def test_history_draws_a_folder(gradlab: Any, report: Path) -> None:
    Path("past").mkdir()
    for name in ("a1.json", "a2.json"):
        Path("past", name).write_text(report.read_text())
    assert gradlab("history", "past", "--html", "history.html").status == 0
    assert "Nothing changed from one report to the next." in Path("history.html").read_text()


def test_history_says_what_it_did_not_read(gradlab: Any, report: Path) -> None:
    Path("past").mkdir()
    Path("past", "a1.json").write_text(report.read_text())
    Path("past", "a2.json").write_text(report.read_text().replace("gradlab-report-", "another-"))
    ran = gradlab("history", "past", "--html", "history.html")
    assert ran.status == 0
    assert "reports 1, results of asv 0; not read: " in ran.err
    assert "a2.json" in ran.err
