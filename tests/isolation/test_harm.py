"""Whatever a call does to its process is a finding with its problem, and the run goes on with the next."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gradlab.cli import status_of

few_problems = importlib.import_module("few_problems")
ONE_CLASS = "if logits.shape[1] == 1: "
FIRST_LINE = 20  # of the first harm in the file
N_CLASSES = 3  # of the problem that brings it about; the next has one more
HERE = "(harms.py, line {line})"

HARM = {
    "a segmentation fault": ("ctypes.string_at(0)", f"ended its process by SIGSEGV, a segmentation fault {HERE}"),
    "os._exit": ("os._exit(0)", "ended its process with exit status 0"),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", "ended its process by SIGKILL"),
    "an endless loop": ("exec('while True: pass')", f"did not return within 1 s {HERE}"),
    "a sleep that holds the interpreter": ("ctypes.PyDLL(None).sleep(1000)", f"did not return within 1 s {HERE}"),
    "a deadlock": ("lock = threading.Lock(); lock.acquire(); lock.acquire()", f"did not return within 1 s {HERE}"),
    "last words": ("os.write(2, b'n > 0 failed\\n'); libc.abort()", f"as abort() does {HERE}; it said 'n > 0 failed'"),
    "sys.exit": ("sys.exit(5)", f"raised SystemExit: 5 {HERE}"),
    "an interrupt": ("raise KeyboardInterrupt", "raised RuntimeError: it raised KeyboardInterrupt by itself"),
    "descriptors closed": ("os.closerange(3, 100)", "closed file descriptors that were gradlab's"),
    "an object that cannot be converted": ("return 0.0, Endless()", "did not return within 1 s"),
    "another rounding": ("libc.fesetround(0x800)", "the rounding is upward, was to nearest"),
    "a function of NumPy replaced": ("np.exp = np.exp2", "np.exp has changed"),
    "files removed": (
        "[os.remove(name) for name in os.listdir('.')]",
        "files are missing from the current folder: harms.py",
    ),
    "the folder removed": (
        "[os.remove(name) for name in os.listdir('.')]; os.rmdir(os.getcwd())",
        "files are missing from the current folder: harms.py",
    ),
    "a descriptor closed": ("os.close(1)", "standard output is closed"),
    "a descriptor replaced": ("os.dup2(os.open('/dev/full', os.O_RDWR), 1)", "standard output is another file"),
    "a stream closed": ("sys.stdin.close()", "standard input is closed"),
}
ENDLESS = """
class Endless:
    def __array__(self, *arguments, **keywords):
        while True:
            pass
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, str]:
    """One run, in which every problem but the first brings one of these harms about: what failed, by classes."""
    folder = tmp_path_factory.mktemp("harms")
    harms = [f"if logits.shape[1] == {N_CLASSES + place}: {harm}" for place, (harm, _) in enumerate(HARM.values())]
    (folder / "harms.py").write_text(few_problems.RIGHT.replace("{harm}", "\n    ".join(harms)) + ENDLESS)
    (folder / "logits.json").write_text(json.dumps([[[0] * (2 + place)] for place in range(1 + len(HARM))]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        few_problems.choose_few(patch)
        patch.setattr("gradlab.isolation.harm.MAX_SILENT", len(HARM) + 1)  # however many of them hang
        limits = ("--call-seconds", "1", "--cases", "cases", "--dtype", "float32")
        assert status_of(["check", "harms.py:loss", *limits]) == 1
    documents = [json.loads(path.read_text()) for path in (folder / "cases").iterdir()]
    return {len(one["problem"]["logits"][0]): one["failed"][0]["observed"] for one in documents}


@pytest.mark.parametrize("place", range(len(HARM)), ids=list(HARM))
def test_harm_is_a_finding_on_its_problem(findings: Mapping[int, str], place: int) -> None:
    said = list(HARM.values())[place][1].replace("{line}", str(FIRST_LINE + place))
    assert said in findings[N_CLASSES + place]


def test_what_does_no_harm_is_no_finding(findings: Mapping[int, str]) -> None:
    assert sorted(findings) == list(range(N_CLASSES, N_CLASSES + len(HARM)))


def test_memory_without_end_is_a_finding(harmful: Any) -> None:
    ran = harmful("kept = []\n    while logits.shape[1] == 1: kept.append(np.ones(1 << 20))", "--memory", "300MiB")
    assert "the call took more than 300 MiB of memory (harmful.py, line 21)" in ran.out
    assert "FAIL returns_loss_and_gradient  loss  float32  (wrong: 1 of 6 problems)" in ran.out


def test_output_without_end_is_a_finding(harmful: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.isolation.watch.MAX_OUTPUT", 1 << 20)
    ran = harmful("while logits.shape[1] == 1: os.write(1, b'x' * 4096)")
    assert "the call wrote more than 1 MiB to stdout and stderr (harmful.py, line 20)" in ran.out


def test_what_python_prints_without_end_is_a_finding(harmful: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.isolation.watch.MAX_OUTPUT", 4 << 20)
    ran = harmful("while logits.shape[1] == 1: print('x' * 10000)")
    assert "the call wrote more than 4 MiB to stdout and stderr" in ran.out


def test_memory_that_numpy_refuses_is_an_ordinary_exception(harmful: Any) -> None:
    ran = harmful(ONE_CLASS + "np.ones(1 << 55)")
    assert "the call raised" in ran.out
    assert "Unable to allocate" in ran.out


def test_harm_in_every_call_cuts_the_run_short(harmful: Any) -> None:
    ran = harmful("os._exit(3)")
    assert ran.status == 1
    assert "cut short: no call has returned, and the last of 5 ended its process with exit status 3" in ran.out
    assert "FAIL returns_loss_and_gradient" in ran.out


def test_harm_in_the_thirtieth_call_of_each_process_cuts_the_run_short(harmful: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("gradlab.isolation.harm.MAX_ENDS", 3)
    ran = harmful("if calls == 30: os.abort()")
    assert ran.status == 1
    assert "cut short: 3 calls did harm, the last of which ended its process by SIGABRT" in ran.out
    assert "SIGABRT, as abort() does (harmful.py, line 20)\n  problem" in ran.out


@pytest.mark.parametrize("harm", ["libc.abort()", "threading.Timer(0.05, libc.abort).start()"])
def test_harm_that_comes_once_is_a_finding_and_the_run_ends_as_usual(harmful: Any, harm: str) -> None:
    Path("once").touch()
    once = repr(str(Path("once").absolute()))
    comes = f"if calls == 30 and os.path.exists({once}): os.remove({once}); globals()['coming'] = True; {harm}"
    ran = harmful(f"if 'coming' in globals(): time.sleep(10)  # until it has come\n    {comes}")
    assert ran.status == 1
    assert "ended its process by SIGABRT, as abort() does" in ran.out
    assert "cut short" not in ran.out


def test_bad_labels_that_end_the_process_are_no_refusal(harmful: Any) -> None:
    ran = harmful("if labels.min() < 0 or labels.max() >= logits.shape[1]: libc.abort()")
    assert ran.status == 0, ran.out
    assert "advice refuses_bad_labels: label -1 ended its process by SIGABRT" in ran.out


def test_work_done_before_harm_is_not_done_again(harmful: Any) -> None:
    log = Path("log").absolute()
    written = f"open({str(log)!r}, 'a').write(f'{{logits.tolist()}}\\n')\n    "
    harmful(written + "if (labels < 0).any(): libc.abort()")  # an advice: nothing is asked to find out what is wrong
    twice = log.read_text().splitlines().count("[[0.0, 0.0]]")
    log.unlink()
    harmful(written + "pass")
    assert 0 < twice < 1.5 * log.read_text().splitlines().count("[[0.0, 0.0]]")


def test_output_below_python_is_an_advice_and_does_not_come_out(harmful: Any) -> None:
    ran = harmful(
        "libc.printf(b'from C\\n'); os.write(2, b'from below\\n'); sys.__stdout__.write('from Python\\n')", "--verbose"
    )
    assert ran.status == 0
    assert "advice is_quiet: the call gave printed 'from C'; printed 'from below', must be no output" in ran.out
    assert "from Python" not in ran.out
    assert ran.err == ""
