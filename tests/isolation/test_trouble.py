"""Whatever goes wrong in or around a target is its own finding, or why it is not checked; the others go on."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.runs import every

few_problems = importlib.import_module("few_problems")
FEW = ("--dtype", "float32", "--json", "report.json")
FIFTH = "if calls == 5: "
IN_A_CALL = {
    "a timer that raises": (FIFTH + "signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 1e-3)"),
    "a recursion limit": FIFTH + "sys.setrecursionlimit(60)",
    "gradlab's modules gone": FIFTH + "[sys.modules.pop(name) for name in list(sys.modules) if 'gradlab' in name]",
    "text in every descriptor": FIFTH + "[os.write(n, b'hello, called') for n in range(3, 64) if is_open(n)]",
    "half a frame and a loop": FIFTH + "[os.write(n, b'abc') for n in range(3, 64) if is_open(n)]; loop()",
    "a huge length": FIFTH + "[os.write(n, b'\\x7f\\xff\\xff\\xff') for n in range(3, 64) if is_open(n)]",
    "descriptors of other things": FIFTH
    + "os.closerange(3, 64); kept = [os.pipe() for _ in range(8)]; KEPT.append(kept)",
    "every file emptied": FIFTH + "[os.ftruncate(n, 0) for n in range(3, 64) if is_file(n)]",
    "pickle replaced": FIFTH + "import pickle; pickle.dumps = lambda *given, **named: b'garbage'",
    "built-in functions replaced": FIFTH + "import builtins; builtins.max = lambda *given, **named: 0",
    "no more files": FIFTH + "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
    "a clock that stands": FIFTH + "time.monotonic = lambda: 0.0",
    "an exception that ends the process": "if logits.shape[1] == 1: raise Ending",
    "an exception without end": "if logits.shape[1] == 1: raise Endless",
    "an answer without end": "if logits.shape[1] == 1: return Endless()",
    "a destructor without end": "if logits.shape[1] == 1: return (Endless.__new__(Undying), 0)[0]",
    "signals to who watches": FIFTH + "os.kill(os.getppid(), signal.SIGWINCH)",
}
HELPERS = """
KEPT = []

def ring(*given):
    raise TimeoutError("too slow")

def loop():
    while True:
        pass

def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True

def is_file(number):
    import stat
    return is_open(number) and stat.S_ISREG(os.fstat(number).st_mode)

class Ending(Exception):
    def __str__(self):
        os._exit(5)

class Endless(Exception):
    def __str__(self):
        loop()
    __repr__ = __str__

class Undying(Endless):
    __repr__ = object.__repr__
    def __del__(self):
        loop()
"""
AT_LOADING = {
    "a function of NumPy wrapped": "own = np.exp\nnp.exp = lambda x, *given, **named: own(x)\n",
    "an attribute that needs a package": "def __getattr__(name):\n    raise ImportError('install foo to use ' + name)\n"
    "del loss\n",
    "an exception that cannot be shown": "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\n"
    "raise Mute\n",
    "an exit at an attribute": "def __getattr__(name):\n    raise SystemExit(0)\ndel loss\n",
    "no second time": "if os.path.exists('loaded'):\n    raise RuntimeError('locked')\nopen('loaded', 'w').close()\n",
    "an end the second time": "if os.path.exists('loaded'):\n    os._exit(3)\nopen('loaded', 'w').close()\n",
}


def write(name: str, harm: str = "pass", at_loading: str = "") -> None:
    Path(name).write_text(few_problems.RIGHT.replace("{harm}", harm) + HELPERS + at_loading)


def told() -> dict[str, Any]:
    """The report that was written."""
    document: dict[str, Any] = json.loads(Path("report.json").read_text())
    return document


@pytest.mark.parametrize("harm", every(12, IN_A_CALL.values(), IN_A_CALL))
def test_what_a_call_does_costs_no_other_target_its_verdict(
    gradlab: Any, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr("gradlab.isolation.harm.MAX_ENDS", 2)
    write("bad.py", harm)
    write("good.py")
    ran = gradlab("check", "bad.py:loss", "good.py:loss", *FEW, "--call-seconds", "1")
    assert ran.status in (0, 1)
    verdicts = {one["target"]: (one["verdict"], one["met"]) for one in told()["implementations"]}
    assert list(verdicts) == ["bad.py:loss", "good.py:loss"]
    assert verdicts["good.py:loss"][1]


@pytest.mark.parametrize("harm", every(3, AT_LOADING.values(), AT_LOADING))
def test_what_loading_does_costs_no_other_target_its_verdict(gradlab: Any, harm: str) -> None:
    write("bad.py", "if logits.shape[1] == 1: os._exit(3)", harm)
    write("good.py")
    ran = gradlab("check", "bad.py:loss", "good.py:loss", *FEW)
    assert ran.status in (1, 2)
    verdicts = {one["target"]: one["met"] for one in told()["implementations"]}
    assert verdicts.pop("good.py:loss")
    assert verdicts == {"bad.py:loss": False} or told()["not_checked"][0]["target"] == "bad.py:loss"


def test_what_loading_has_changed_is_a_finding_and_is_put_back(gradlab: Any) -> None:
    write("bad.py", at_loading="np.exp = lambda x, *given, **named: x\n")
    ran = gradlab("check", "bad.py:loss", *FEW)
    assert (ran.status, ran.err) == (1, "")
    assert "after it was loaded np.exp has changed" in ran.out


def test_a_target_that_does_not_load_again_keeps_what_was_found(gradlab: Any) -> None:
    write("bad.py", "if logits.shape[1] == 1: os._exit(3)", AT_LOADING["no second time"])
    ran = gradlab("check", "bad.py:loss", *FEW)
    assert ran.status == 1
    assert "cut short: it did not load again: " in ran.out
    assert "RuntimeError: locked" in ran.out


def test_the_verdict_is_told_where_cases_cannot_be_kept(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    write("bad.py", "return 0.0, logits")
    monkeypatch.setattr("gradlab.cases.cases.keep_texts", full)
    ran = gradlab("check", "bad.py:loss", *FEW)
    assert (ran.status, ran.err) == (2, "gradlab: cannot write: [Errno 28] No space left on device\n")
    assert "loss: wrong" in ran.out
    assert told()["implementations"][0]["verdict"] == "wrong"


def test_a_name_that_is_not_utf_8_is_checked(gradlab: Any) -> None:
    write("\udce9t\udce9.py")
    ran = gradlab("check", "\udce9t\udce9.py:loss", *FEW)
    assert ran.status == 0


def test_odd_entries_of_a_folder_spoil_no_file(gradlab: Any) -> None:
    import os

    Path("folder/three.py").mkdir(parents=True)
    write("folder/good.py", at_loading="__all__ = ['loss']\n")
    assert gradlab("check", "folder", *FEW).status == 0
    os.mkfifo("folder/pipe.py")
    Path("folder/link.py").symlink_to("nowhere")
    ran = gradlab("check", "folder", *FEW)
    assert ran.status == 2
    assert told()["implementations"][0]["met"]
    assert [one["reason"] for one in told()["not_checked"]] == [
        "folder/link.py cannot be read: No such file or directory",
        "folder/pipe.py must be a regular file",
    ]


@pytest.mark.parametrize("name", ["json", "re", "enum", "types", "operator", "queue", "random"])
def test_a_file_of_the_current_folder_stands_in_for_no_module_of_python(gradlab: Any, name: str) -> None:
    Path(f"{name}.py").write_text("raise RuntimeError('my own')\n")
    write("good.py")
    ran = gradlab("check", "good.py:loss", *FEW)
    assert (ran.status, ran.err) == (0, "")
