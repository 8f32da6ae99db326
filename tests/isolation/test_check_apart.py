"""`gradlab check` with workers: the same results as in one process, in order, and nothing outlives the command."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import LONGEST, is_running, started, wait_until

few_problems = importlib.import_module("few_problems")
RIGHT = few_problems.RIGHT
FEW = ("--profile", "smoke", "--dtype", "float32")

UNSHIFTED = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(p[rows, labels])
    p[rows, labels] -= 1
    return losses.mean(), p / len(labels)
"""
NAMES = ("apart", "here")  # of the files that the two ways of running write
BUSY = """
import os, pathlib

pathlib.Path("loaded").touch()
started = pathlib.Path("started").absolute()

def loss(logits, labels):
    started.write_text(str(os.getpid()))
    exec("while True: pass")
"""


def without_times(path: str) -> Any:
    document = json.loads(Path(path).read_text())
    del document["timing"]["seconds"]
    return document


@pytest.mark.parametrize(("profile", "n_cases"), [("smoke", 1), pytest.param("quick", 6, marks=pytest.mark.more)])
def test_results_and_cases_are_those_of_a_run_in_this_process(profile: str, n_cases: int) -> None:
    Path("bad.py").write_text(UNSHIFTED)
    command = [sys.executable, "-m", "gradlab", "check", "bad.py:loss", "--profile", profile, "--dtype", "float64"]
    ran = [
        subprocess.run([*command, "--json", name, "--cases", f"cases-{name}", *more], capture_output=True, text=True)
        for name, more in zip(NAMES, ([], ["--in-process"]), strict=True)
    ]
    assert [one.returncode for one in ran] == [1, 1]
    assert without_times("apart") == without_times("here")
    kept = [{path.name: path.read_text() for path in Path(f"cases-{name}").iterdir()} for name in NAMES]
    assert kept[0] == kept[1]
    assert len(kept[0]) >= n_cases
    said = [one.stdout.replace(f"cases-{name}", "cases").splitlines() for one, name in zip(ran, NAMES, strict=True)]
    assert said[0][:-1] == said[1][:-1]  # the last line, of the table, has the seconds


def test_a_call_may_read_files_of_the_folder_where_the_command_was_given(gradlab: Any) -> None:
    Path("data").mkdir()
    Path("data/temperature").write_text("1.0")
    source = RIGHT.replace("{harm}", "logits = logits * logits.dtype.type(open('data/temperature').read())")
    Path("reading.py").write_text(source)
    assert gradlab("check", "reading.py:loss", "--dtype", "float32").status == 0


def test_several_targets_are_told_in_the_order_in_which_they_are_given(gradlab: Any) -> None:
    for name, seconds in {"slow": 0.02, "quick": 0}.items():
        source = RIGHT.replace("{harm}", f"time.sleep({seconds})").replace("def loss", f"def {name}")
        Path(f"{name}.py").write_text(source)
    ran = gradlab("check", "slow.py:slow", "quick.py:quick", "bad", "--jobs", "2", *FEW)
    assert ran.status == 2
    ran = gradlab("check", "slow.py:slow", "quick.py:quick", "--jobs", "2", *FEW)
    assert ran.status == 0
    assert ran.out.index("\nslow: ") < ran.out.index("\nquick: ") < ran.out.index("\nimplementation")


def test_the_functions_of_a_folder_are_judged_although_a_file_of_it_crashes(gradlab: Any) -> None:
    Path("folder").mkdir()
    crashing = "__all__ = ['loss']\nimport os\nos.abort()\n"
    Path("folder/crashing.py").write_text(crashing)
    Path("folder/good.py").write_text("__all__ = ['loss']\n" + RIGHT.replace("{harm}", "pass"))
    ran = gradlab("check", "folder", "--dtype", "float32")
    assert ran.status == 2
    assert "loss: accurate" in ran.out
    said = "not checked a file: folder/crashing.py does not import: it ended its process by SIGABRT, as abort() does"
    assert f"{said} (crashing.py, line 3)" in ran.out


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "import ctypes\nctypes.string_at(0)",
            "ended its process by SIGSEGV, a segmentation fault (target.py, line 2)",
        ),
        ("while True: pass", "did not return within 1 s (target.py, line 1)"),
        ("import os\nos._exit(0)", "ended its process with exit status 0"),
    ],
)
def test_a_target_that_harms_its_process_does_not_load(gradlab: Any, source: str, said: str) -> None:
    Path("target.py").write_text(source)
    ran = gradlab("check", "target.py:loss", "--load-seconds", "1" if "1 s" in said else "100")
    assert (ran.status, ran.err) == (2, f"gradlab: target.py:loss does not import: it {said}\n")


def test_a_case_of_a_crash_is_still_failing_and_then_fixed(gradlab: Any) -> None:
    crashing = RIGHT.replace("{harm}", "if logits.shape[1] == 1: libc.abort()")
    Path("crashing.py").write_text(crashing)
    gradlab("check", "crashing.py:loss", "--dtype", "float32")
    (case,) = Path(".gradlab/cases").iterdir()
    ran = gradlab("replay", case.stem)
    assert ran.status == 1
    assert ran.out.startswith("still failing: ")
    assert "the call ended its process by SIGABRT, as abort() does (crashing.py, line 20)" in ran.out
    assert "the answer is bit for bit the one that was recorded" in ran.out
    Path("crashing.py").write_text(crashing.replace("libc.abort()", "pass"))
    ran = gradlab("replay", case.stem)
    assert (ran.status, ran.out[:7]) == (0, "fixed: ")


@pytest.mark.parametrize(
    ("broken", "more", "said"),
    [
        ("gradlab.runs.here.run_and_report", (), "ZeroDivisionError: in the worker"),
        ("gradlab.runs.judges.judge_in_worker", ("log_space",), "WorkerError: ZeroDivisionError: in the worker"),
    ],
)
def test_an_error_of_gradlabs_own_is_told_as_such(
    gradlab: Any, monkeypatch: pytest.MonkeyPatch, broken: str, more: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(broken, few_problems.broken)
    ran = gradlab("check", "shifted", *more, "--jobs", "2")
    assert ran.status == 3
    assert ran.err.startswith(f"gradlab: an error of gradlab's own: {said}")
    assert ran.err.endswith("(`gradlab --debug ...` shows where)\n")
    assert 'few_problems.py", line' in gradlab("--debug", "check", "shifted", *more, "--jobs", "2").err


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_that_never_sleeps_outlives_the_command(blow: signal.Signals) -> None:
    Path("busy.py").write_text(BUSY)
    with started(sys.executable, "-m", "gradlab", "check", "busy.py:loss", *FEW) as command:
        wait_until(lambda: Path("started").exists() and Path("started").read_text() != "", command)
        worker = int(Path("started").read_text())
        assert is_running(worker)
        command.send_signal(blow)
        command.communicate(timeout=LONGEST)
        wait_until(lambda: not is_running(worker))


@pytest.mark.parametrize("size", ["0GiB", "-1GiB", "4 apples", "GiB", "1KiB"])
def test_a_size_that_is_none_is_refused(gradlab: Any, size: str) -> None:
    ran = gradlab("check", "shifted", f"--memory={size}")
    assert ran.status == 2
    assert "must be a size such as 512MiB or 4GiB, and at least 128 MiB, got" in ran.err


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "soon"])
def test_a_time_that_is_no_limit_is_refused(gradlab: Any, seconds: str) -> None:
    ran = gradlab("check", "shifted", f"--call-seconds={seconds}")
    assert ran.status == 2
    assert f"must be a finite number of seconds above 0, got '{seconds}'" in ran.err


def test_the_folders_of_workers_are_gone_afterwards(gradlab: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    gradlab("check", "shifted", "--dtype", "float32")
    assert list((tmp_path / "temporary").iterdir()) == []
