"""Whatever a call does to its process is a finding with its problem, and the run goes on with the next."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ONE_CLASS = "if logits.shape[1] == 1: "
N_PROBLEMS = 6

HARM = {
    "a segmentation fault": ("ctypes.string_at(0)", "ended its process by SIGSEGV, a segmentation fault (harmful.py, line 20)"),
    "abort": ("libc.abort()", "ended its process by SIGABRT, as abort() does (harmful.py, line 20)"),
    "os._exit": ("os._exit(3)", "ended its process with exit status 3"),
    "os._exit with status 0": ("os._exit(0)", "ended its process with exit status 0"),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", "ended its process by SIGKILL"),
    "an endless loop": ("exec('while True: pass')", "did not return within 1 s (harmful.py, line 20)"),
    "an endless loop in C": ("re.match('(a*)*$', 'a' * 40 + 'b')", "did not return within 1 s (harmful.py, line 20)"),
    "a sleep in C that holds the interpreter": (
        "ctypes.PyDLL(None).sleep(1000)", "did not return within 1 s (harmful.py, line 20)"
    ),
    "a deadlock": ("lock = threading.Lock(); lock.acquire(); lock.acquire()", "did not return within 1 s (harmful.py, line 20)"),
    "a process that stops": ("os.kill(os.getpid(), signal.SIGSTOP)", "did not return within 1 s"),
    "last words": ("os.write(2, b'n > 0 failed\\n'); libc.abort()", "(harmful.py, line 20); it said 'n > 0 failed'"),
    "sys.exit": ("sys.exit(5)", "raised SystemExit: 5 (harmful.py, line 20)"),
    "an interrupt of its own": ("raise KeyboardInterrupt", "raised RuntimeError: it raised KeyboardInterrupt by itself"),
    "gradlab's descriptors closed": ("os.closerange(3, 100)", "closed file descriptors that were gradlab's"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
def test_harm_on_one_problem_is_a_finding_and_all_others_are_tried(harmful: Any, name: str) -> None:
    harm, said = HARM[name]
    ran = harmful(ONE_CLASS + harm, "--call-seconds", "1")
    assert ran.status == 1, ran.err
    assert f"the call {said}" in ran.out or said in ran.out
    assert "FAIL returns_loss_and_gradient  loss  float32  (wrong: 1 of 6 problems)" in ran.out
    assert "problem (small): logits [[0]], labels [0]" in ran.out
    assert re.search(rf"^loss +wrong +wrong +no +{N_PROBLEMS} ", ran.out, re.MULTILINE)


def test_memory_without_end_is_a_finding(harmful: Any) -> None:
    harm = f"kept = []\n    while logits.shape[1] == 1: kept.append(np.ones(1 << 20))"
    ran = harmful(harm, "--memory", "300MiB")
    assert "the call took more than 300 MiB of memory (harmful.py, line 21)" in ran.out
    assert "(wrong: 1 of 6 problems)" in ran.out


def test_output_without_end_is_a_finding(harmful: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.isolation.supervisor.MOST_OUTPUT", 1 << 20)
    ran = harmful("while logits.shape[1] == 1: os.write(1, b'x' * 4096)")
    assert "the call wrote more than 1 MiB to stdout and stderr (harmful.py, line 20)" in ran.out


def test_memory_that_numpy_refuses_is_an_ordinary_exception(harmful: Any) -> None:
    ran = harmful(ONE_CLASS + "np.ones(1 << 55)")
    assert "the call raised" in ran.out
    assert "Unable to allocate" in ran.out


def test_harm_in_every_call_cuts_the_run_short(harmful: Any) -> None:
    ran = harmful("os._exit(3)")
    assert ran.status == 1
    assert "cut short: no call has returned, and the last of 5 ended its process with exit status 3" in ran.out
    assert "FAIL returns_loss_and_gradient" in ran.out
    assert "the call ended its process with exit status 3" in ran.out


def test_harm_in_the_thirtieth_call_of_a_process_is_a_finding(harmful: Any) -> None:
    ran = harmful("if calls == 30: os.abort()")
    assert ran.status == 1
    assert "SIGABRT, as abort() does (harmful.py, line 20)" in ran.out
    assert "loss: wrong" in ran.out


def test_harm_after_a_call_is_laid_to_that_call(harmful: Any) -> None:
    harm = ONE_CLASS + "libc.alarm(1); threading.Thread(target=time.sleep, args=(9,)).start()"
    ran = harmful(harm)
    assert "SIGALRM" in ran.out or "loss: stable" in ran.out  # the run may be over before


def test_bad_labels_that_end_the_process_are_no_refusal(harmful: Any) -> None:
    ran = harmful("if labels.min() < 0 or labels.max() >= logits.shape[1]: libc.abort()")
    assert ran.status == 0, ran.out
    assert "advice refuses_bad_labels: label -1 ended its process by SIGABRT" in ran.out


def test_work_done_before_harm_is_not_done_again(harmful: Any) -> None:
    log = Path("log").absolute()
    harm = f"open({str(log)!r}, 'a').write(f'{{logits.shape}} {{logits.sum()}}\\n'); {ONE_CLASS}libc.abort()"
    harmful(harm)
    once = Path("log").read_text().splitlines().count("(1, 2) 0.0")
    log.unlink()
    harmful(harm.replace("libc.abort()", "pass"))
    assert once <= log.read_text().splitlines().count("(1, 2) 0.0") + 2


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("libc.fesetround(0x800)", "the rounding is upward, was to nearest"),
        ("np.exp = np.exp2", "np.exp is not what it was"),
        ("[os.remove(name) for name in os.listdir('.')]", "the current folder lacks harmful.py"),
        ("import shutil; shutil.rmtree('.')", "the current folder lacks harmful.py"),
        ("os.chdir('/')", "the current folder is another one"),
        ("os.close(1)", "standard output is closed"),
        ("sys.stdin.close()", "standard input is closed"),
        ("np.seterr(all='ignore')", "np.seterr's settings are others"),
        ("np.set_printoptions(precision=3)", "np.set_printoptions' settings are others"),
    ],
)
def test_what_a_call_leaves_changed_is_a_finding_and_is_put_back(harmful: Any, harm: str, said: str) -> None:
    ran = harmful(ONE_CLASS + harm)
    assert ran.status == 1, ran.out
    assert "FAIL leaves_the_process_as_it_was  loss  float32  (wrong: 1 of 6 problems)" in ran.out
    assert f"after the call {said}" in ran.out
    assert Path("harmful.py").exists()
    assert "more check" not in ran.out  # nothing else failed


def test_flushing_subnormal_numbers_to_zero_is_a_finding(harmful: Any) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    Path("flush.c").write_text("#include <xmmintrin.h>\nvoid flush(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }\n")
    built = subprocess.run(["cc", "-shared", "-fPIC", "-o", "flush.so", "flush.c"], capture_output=True)
    if built.returncode:
        pytest.skip("the processor has no SSE control register")
    ran = harmful(f"{ONE_CLASS}ctypes.CDLL({str(Path('flush.so').absolute())!r}).flush()")
    assert "after the call subnormal numbers are taken for 0, were not" in ran.out


@pytest.mark.parametrize("harm", ["libc.printf(b'hello\\n')", "os.write(2, b'hello\\n')", "sys.__stdout__.write('hello\\n')"])
def test_output_below_python_is_an_advice_and_not_in_the_report(harmful: Any, harm: str) -> None:
    ran = harmful(harm)
    assert ran.status == 0
    assert "advice is_quiet: the call gave printed 'hello', must be no output and no warning" in ran.out
    assert ran.err == ""
