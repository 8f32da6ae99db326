"""Bad input: one line that says what and why, status 2, no traceback; our own errors: status 3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradlab.cli import status_of
from gradlab.harness import run
from gradlab.storage import files

pytestmark = pytest.mark.usefixtures("files")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check"], "give one TARGET or more, or --shipped"),
        (["check", "good.py:loss", "--shipped"], "give one TARGET or more, or --shipped"),
        (["check", "nope.py:loss"], "nope.py does not exist"),
        (["check", "no_such_module:loss"], "no_such_module does not exist: there is no module named 'no_such_module'"),
        (["check", "nothing"], "nothing is no file, folder, shipped implementation or entry point"),
        (["check", "broken.py:loss"], "does not import: ZeroDivisionError: division by zero (broken.py, line 3)"),
        (["check", "garbled.py:loss"], "garbled.py does not import: SyntaxError: "),
        (["check", "good.py:lass"], "good.py has no 'lass'; did you mean loss?"),
        (["check", "good.py:np.pi"], "good.py:np.pi is not callable, it is of type float"),
        (["check", "narrow.py:loss"], "narrow.py:loss must be callable as (logits, labels); its signature is (logits)"),
        (["check", "good.py"], "good.py has nothing to check: "),
        (["check", "empty"], "empty has nothing to check: "),
        (["check", "good.py:loss", "--option", "ignore_index"], "good.py:loss claims ignore_index"),
        (["check", "good.py:loss", "--level", "perfect"], "Invalid value for '--level'"),
        (["check", "good.py:loss", "--profile", "slow"], "Invalid value for '--profile'"),
        (["check", "good.py:loss", "--dtype", "int8"], "Invalid value for '--dtype'"),
        (["check", "good.py:loss", "--seed", "-1"], "Invalid value for '--seed'"),
        (["check", "good.py:loss", "--seed", "x"], "Invalid value for '--seed'"),
        (["check", "good.py:loss", "--fast"], "No such option"),
        (["check", "good.py:loss", "--json", "no/report.json"], "cannot be written: there is no folder"),
        (["check", "good.py:loss", "--json", "empty"], "cannot be written: it is a folder"),
        (["check", "good.py:loss", "--json", "good.py/report.json"], "cannot be written: there is no folder"),
        (["check", "good.py:loss", "--cases", "good.py"], "good.py cannot be written: "),
        (["replay", "0123456789"], "cannot run: there is no case 0123456789 in .gradlab/cases"),
        (["replay", "nope.json"], "cannot run: nope.json does not exist"),
        (["replay", "good.py"], "cannot run: good.py is no case: Expecting value"),
        (["replay", "report.json"], "cannot run: report.json is no case: schema must be 'gradlab-case-1'"),
        (["list", "colours"], "section must be one of implementations, strangers, teaching-codes, specimens"),
        (["derive", "--form", "other"], "Invalid value for '--form'"),
        (["conquer"], "No such command 'conquer'"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2(gradlab: Any, arguments: list[str], reason: str) -> None:
    Path("broken.py").write_text("def loss(logits, labels): ...\n\nx = 1 / 0\n")
    Path("garbled.py").write_text("def loss(")
    Path("narrow.py").write_text("def loss(logits): ...\n")
    Path("report.json").write_text('{"schema": "gradlab-report-1"}')
    Path("empty").mkdir()
    before = sorted(path.name for path in Path().rglob("*") if "__pycache__" not in str(path))
    ran = gradlab(*arguments)
    assert ran.status == 2
    assert reason in ran.err
    assert ran.err.startswith("gradlab: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.out + ran.err
    assert sorted(path.name for path in Path().rglob("*") if "__pycache__" not in str(path)) == before


def test_a_target_that_does_not_load_costs_no_other_its_verdict(gradlab: Any) -> None:
    ran = gradlab("check", "good.py:loss", "nope.py:loss", "shiftd", "--json", "report.json")
    assert (ran.status, ran.err) == (2, "")
    assert "loss: stable" in ran.out
    assert "not checked nope.py:loss: nope.py does not exist" in ran.out
    told = json.loads(Path("report.json").read_text())
    assert [one["target"] for one in told["implementations"]] == ["good.py:loss"]
    assert [one["target"] for one in told["not_checked"]] == ["nope.py:loss", "shiftd"]


def test_where_no_target_loads_each_is_named_and_the_report_says_so(gradlab: Any) -> None:
    ran = gradlab("check", "nope.py:loss", "shiftd", "--json", "report.json")
    assert (ran.status, len(ran.err.splitlines()), len(ran.out.splitlines())) == (2, 2, 1)
    assert len(json.loads(Path("report.json").read_text())["not_checked"]) == 2


def test_without_a_command_the_help_is_shown(gradlab: Any) -> None:
    ran = gradlab()
    assert ran.status == 2
    assert "Usage: gradlab" in ran.out + ran.err


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"], ["derive", "-h"]])
def test_help_and_version_are_status_0(gradlab: Any, arguments: list[str]) -> None:
    ran = gradlab(*arguments)
    assert (ran.status, ran.err) == (0, "")


def fail(*arguments: Any, **keywords: Any) -> None:
    raise KeyError("x\ny")


def test_an_error_of_our_own_is_one_line_and_status_3(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_checks", fail)
    ran = gradlab("check", "good.py:loss")
    assert ran.status == 3
    assert ran.err.startswith("gradlab: an error of gradlab's own: KeyError: ")
    assert "--debug" in ran.err
    assert ran.err.count("\n") == 1


def test_debug_shows_the_traceback(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_checks", fail)
    ran = gradlab("--debug", "check", "good.py:loss")
    assert ran.status == 3
    assert "Traceback" in ran.err


@pytest.mark.parametrize("place", [(run, "run_checks"), (files, "write_whole")])
def test_an_interrupt_is_one_line_and_status_130(
    gradlab: Any, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]
) -> None:
    def interrupt(*arguments: Any, **keywords: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place[0], place[1], interrupt)
    ran = gradlab("check", "bad.py:loss", "--json", "report.json")
    assert (ran.status, ran.err) == (130, "gradlab: interrupted\n")


def test_a_full_disk_is_one_line_and_status_2(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device", "cases/x.json")

    monkeypatch.setattr(files, "write_whole", full)
    ran = gradlab("check", "bad.py:loss")
    assert ran.status == 2
    assert ran.err == "gradlab: cannot write: [Errno 28] No space left on device: 'cases/x.json'\n"


def test_a_file_of_a_folder_that_does_not_load_spoils_no_other(gradlab: Any) -> None:
    Path("own").mkdir()
    Path("own/good.py").write_text(Path("good.py").read_text() + "__all__ = ['loss']\n")
    Path("own/broken.py").write_text("__all__ = ['loss']\nimport no_such_module\n")
    ran = gradlab("check", "own", "--dtype", "float32")
    assert ran.status == 2
    assert "loss: stable" in ran.out
    assert "not checked a file: own/broken.py does not import: ModuleNotFoundError" in ran.out


def test_a_reader_that_goes_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: Any, **keywords: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("gradlab.cli.os.dup2", lambda *arguments: None)
    monkeypatch.setattr(run, "run_checks", gone)
    with open("stdout", "w") as reader_that_left, monkeypatch.context() as patch:
        patch.setattr("gradlab.cli.sys.stdout", reader_that_left)
        assert status_of(["check", "good.py:loss", "--in-process"]) == 1


def test_a_case_whose_target_is_gone_cannot_run(gradlab: Any) -> None:
    gradlab("check", "bad.py:loss", "--cases", "kept")
    case = next(Path("kept").iterdir())
    Path("bad.py").unlink()
    ran = gradlab("replay", str(case))
    assert (ran.status, ran.err) == (2, "gradlab: cannot run: bad.py does not exist\n")


def test_a_case_with_a_number_changed_to_decimal_is_refused(gradlab: Any) -> None:
    gradlab("check", "bad.py:loss", "--cases", "kept")
    case = next(Path("kept").iterdir())
    document = json.loads(case.read_text())
    document["problem"]["logits"][0][0] = 0.5
    case.write_text(json.dumps(document))
    ran = gradlab("replay", str(case))
    assert ran.status == 2
    assert "logits must be hexadecimal floats" in ran.err
