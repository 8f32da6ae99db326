"""The Python entry with workers: what the command can do, and reports that come back from another process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

import gradlab
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.implementations.shifted import shifted
from gradlab.storage.files import OutputError

few_problems = importlib.import_module("few_problems")
RIGHT = few_problems.RIGHT
FLOAT32 = ("float32",)


def write(name: str, harm: str = "pass") -> None:
    Path(name).write_text("__all__ = ['loss']\n" + RIGHT.replace("{harm}", harm))


def test_a_crash_is_a_finding_and_its_case_is_kept() -> None:
    write("mine.py", "if logits.shape[1] == 1: libc.abort()")
    report = gradlab.check("mine.py:loss", dtypes=FLOAT32, isolated=True, cases="kept")
    assert report.verdict == "wrong"
    (case,) = Path("kept").iterdir()
    assert f"gradlab replay {case.stem}" in str(report)
    assert "the call ended its process by SIGABRT, as abort() does (mine.py, line 21)" in str(report)


def test_limits_are_those_that_are_given() -> None:
    write("slow.py", "if logits.shape[1] == 1: time.sleep(60)")
    assert "did not return within 1 s" in str(
        gradlab.check("slow.py:loss", dtypes=FLOAT32, isolated=True, call_seconds=1)
    )
    write("large.py", "kept = []\n    while logits.shape[1] == 1: kept.append(np.ones(1 << 20))")
    said = str(gradlab.check("large.py:loss", dtypes=FLOAT32, isolated=True, memory=300 << 20))
    assert "the call took more than 300 MiB of memory" in said


def test_claims_and_dtypes_are_those_that_are_given_and_the_function_stays_there() -> None:
    report = gradlab.check("shifted", dtypes=FLOAT32, isolated=True, masks=False)
    assert report.met
    assert (report.dtypes, report.implementation.claims.masks) == (FLOAT32, False)
    with pytest.raises(RuntimeError, match="was loaded in another process"):
        report.implementation.function(None, None)


def test_calls_are_timed_where_that_is_asked_for() -> None:
    write("mine.py", "if len(labels) > 20: os.abort()")
    report = gradlab.check("mine.py:loss", dtypes=FLOAT32, isolated=True, time=True)
    assert [timing.note[:33] for timing in report.timings] == ["ended its process by SIGABRT, as "]


@pytest.mark.parametrize(
    "target", [shifted, Implementation("mine", shifted, Claims(dtypes=FLOAT32), "shifted")], ids=["function", "own"]
)
def test_a_function_is_loaded_again_by_its_module(target: Any) -> None:
    report = gradlab.check(target, isolated=True)
    assert report.met
    assert (len(report.dtypes) == 1) == isinstance(target, Implementation)


def test_a_folder_is_checked_in_order() -> None:
    Path("folder").mkdir()
    for name in ("a", "b"):
        write(f"folder/{name}.py", "logits = logits + 0" if name == "a" else "return 0.0, logits")
    reports = gradlab.check_all(["folder", "shifted"], dtypes=FLOAT32, isolated=True, jobs=2)
    names = ["folder/a.py:loss", "folder/b.py:loss", "shifted"]
    assert [report.implementation.name for report in reports] == names
    assert [report.met for report in reports] == [True, False, True]


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"dtypes": "float16"}, "shifted claims the dtypes float32, float64, not float16"),
        ({"profile": "slow"}, "profile must be one of smoke, quick, standard, thorough, got 'slow'"),
        ({"level": "good"}, "level must be one of stable, accurate, got 'good'"),
        ({"nonsense": True}, "shifted: a claim must be one of"),
    ],
)
def test_what_does_not_fit_is_a_value_error(arguments: dict[str, Any], reason: str, isolated: bool) -> None:
    for check in (lambda: gradlab.check("shifted", isolated=isolated, **arguments),
                  lambda: gradlab.check_all(["shifted"], isolated=isolated, **arguments)):  # fmt: skip
        with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
            check()
        assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("isolated", [False, True])
def test_a_file_of_a_folder_that_does_not_load_is_an_error(isolated: bool) -> None:
    Path("folder").mkdir()
    write("folder/good.py")
    Path("folder/bad.py").write_text("__all__ = ['loss']\n1 / 0\n")
    with pytest.raises(gradlab.TargetError, match=r"folder/bad\.py does not import: ZeroDivisionError"):
        gradlab.check_all(["folder"], isolated=isolated)


def test_a_target_of_several_functions_is_refused() -> None:
    Path("two.py").write_text("__all__ = ['a', 'b']\ndef a(x, y): ...\ndef b(x, y): ...\n")
    with pytest.raises(gradlab.TargetError, match="stands for 2 functions, must be one: a, b"):
        gradlab.check("two.py", isolated=True)


def test_a_function_that_no_other_process_can_load_is_refused() -> None:
    def local(logits: Any, labels: Any) -> Any: ...

    with pytest.raises(gradlab.TargetError, match="local must be in a module or a file"):
        gradlab.check(local, isolated=True)
    with pytest.raises(gradlab.TargetError, match="mine has its own claims"):
        gradlab.check_all([Implementation("mine", shifted, target="shifted")], isolated=True)


def test_a_folder_for_cases_that_cannot_be_made_is_told() -> None:
    write("mine.py", "return 0.0, logits")
    Path("taken").write_text("")
    with pytest.raises(OutputError, match=r"cannot write: .*taken"):
        gradlab.check("mine.py:loss", dtypes=FLOAT32, isolated=True, cases="taken")
