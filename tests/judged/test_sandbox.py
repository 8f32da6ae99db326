"""`--sandbox`: what code in it can and cannot do, and that a verdict is the same as without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradlab.isolation import sandbox
from gradlab.isolation.limits import Limits
from gradlab.isolation.sandbox import N_DESCRIPTORS, N_PROCESSES, SandboxError, refuse_without_sandbox
from gradlab.isolation.usage import parents_of_all
from gradlab.judged.process import Place
from gradlab.judged.remote import Remote, Wanted
from gradlab.judgement.judge import judge


def _why_not() -> str:
    try:
        refuse_without_sandbox()
    except SandboxError as error:
        return str(error)
    return ""


WHY_NOT = _why_not()
needs_sandbox = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "there is a sandbox")
TRIES = """
import os, socket, time
import numpy as np

def right(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    sums = e.sum(axis=1)
    gradient = e / sums[:, None]
    gradient[rows, labels] -= 1
    return (np.log(sums) - shifted[rows, labels]).mean(), gradient / gradient.dtype.type(len(labels))

def unshifted(logits, labels):
    rows = np.arange(len(labels))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(labels)

def writes_outside():
    open(OUTSIDE, "w")

def writes_inside():
    open("a file", "w").write("x")
    open(os.path.join(os.environ["TMPDIR"], "another"), "w").write("x")

def connects():
    socket.create_connection(("192.0.2.1", 80), 1)

def uses_a_socket_of_a_file():
    socket.socket(socket.AF_UNIX)

def uses_a_pair_of_sockets():
    socket.socketpair()

def forks():
    for _ in range(1000):
        if os.fork() == 0:
            time.sleep(1000)

def opens():
    kept = [open(os.devnull) for _ in range(10_000)]

def fills_memory():
    kept = np.ones(1 << 30)

def writes_much():
    with open("a file", "wb") as file:
        file.truncate(1 << 31)

def sees_others():
    assert len([one for one in os.listdir("/proc") if one.isdigit()]) > 5

def called(logits, labels):
    ACTION()
    return right(logits, labels)

def crashes(logits, labels):
    os.kill(os.getpid(), 11)
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = _children()
    yield tmp_path
    assert _children() <= before | _janitors()
    assert not (tmp_path / "outside").exists()
    assert not [*sandbox.PIDS.glob("gradlab-*")]


def _children() -> set[int]:
    return {process for process, parent in parents_of_all().items() if parent == os.getpid()}


def _janitors() -> set[int]:
    """The process that tidies up, which stays."""
    return {one for one in _children() if b"janitor.py" in Path(f"/proc/{one}/cmdline").read_bytes()}


def _said(files: Path, action: str, memory: int = 4 << 30) -> str:
    """What a call that does something in the sandbox comes to: an error, or nothing."""
    import numpy as np

    source = TRIES.replace("OUTSIDE", repr(str(files / "outside"))).replace("ACTION", action)
    (files / "tries.py").write_text(source)
    remote = Remote(Wanted("tries.py:called"), Place(str(files), Limits(memory=memory, in_sandbox=True)))
    try:
        (one,) = remote.load()
        function: Any = one.function
        function(np.zeros((1, 2), np.float32), np.array([0]))
    except Exception as error:
        return f"{getattr(error, 'kind', type(error).__name__)}: {error}"
    finally:
        remote.close()
    return ""


@needs_sandbox
@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("writes_outside", "Read-only file system"),
        ("connects", "Network is unreachable"),
        ("uses_a_socket_of_a_file", "Operation not permitted"),
        ("forks", "Resource temporarily unavailable"),
        ("opens", "Too many open files"),
        ("fills_memory", "Unable to allocate 8.00 GiB|took more than 4 GiB of memory"),
        ("writes_much", "File too large"),
        ("sees_others", "AssertionError"),
    ],
)
def test_what_leads_out_or_takes_too_much_is_refused(action: str, told: str, files: Path) -> None:
    assert re.search(told, _said(files, action))


@needs_sandbox
@pytest.mark.parametrize("action", ["writes_inside", "uses_a_pair_of_sockets"])
def test_what_stays_inside_works(action: str, files: Path) -> None:
    assert _said(files, action) == ""


@needs_sandbox
@pytest.mark.parametrize("name", ["right", "unshifted", "crashes"])
def test_a_verdict_is_the_same_as_without_a_sandbox(name: str, files: Path) -> None:
    (files / "tries.py").write_text(TRIES)
    command = [sys.executable, "-m", "gradlab", "check", "--profile", "smoke", "--dtype", "float32"]
    said = [
        subprocess.run([*command, *options, f"tries.py:{name}"], capture_output=True, text=True)
        for options in ([], ["--sandbox"])
    ]
    plain, boxed = (re.sub(r"^.* +\d+ +[\d.]+ +.*$", "", one.stdout, flags=re.MULTILINE) for one in said)
    assert said[0].returncode == said[1].returncode
    assert plain.split("\n\n")[1].splitlines()[:3] == boxed.split("\n\n")[1].splitlines()[:3]


@needs_sandbox
def test_a_judgement_in_python_may_ask_for_one(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    claims: dict[str, Any] = {"dtypes": "float32", "profile": "smoke", "time": False}
    wrong = "import os\ndef loss(logits, labels):\n    open('/etc/gradlab', 'w')\n"
    Path("writes.py").write_text(wrong)
    assert "Read-only file system" in judge("writes.py:loss", sandbox=True, **claims).text
    monkeypatch.setenv("PATH", str(files))
    with pytest.raises(SandboxError, match="needs bubblewrap"):
        judge("writes.py:loss", sandbox=True, **claims)


def test_the_command_says_what_to_install(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(files))
    command = [sys.executable, "-m", "gradlab", "judge", "--sandbox", "tries.py:right"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    what = "bubblewrap, the program bwrap: apt-get install bubblewrap, or alike"
    assert ran.stderr == f"gradlab: --sandbox needs {what}\n"


def test_a_system_that_forbids_it_is_one_line(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = files / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(files), prepend=os.pathsep)
    with pytest.raises(SandboxError, match=r"^--sandbox cannot make a sandbox here: bwrap: No permissions .*; the sys"):
        refuse_without_sandbox()


def test_it_does_not_go_with_a_run_in_this_process(files: Path) -> None:
    command = [sys.executable, "-m", "gradlab", "check", "--sandbox", "--in-process", "tries.py:right"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "give --sandbox or --in-process, not both" in ran.stderr


def test_the_limits_are_those_that_are_stated() -> None:
    limits = sandbox.Sandbox(1 << 30).limits()
    assert (limits["RLIMIT_DATA"], limits["RLIMIT_NPROC"]) == (1 << 30, N_PROCESSES)
    assert limits["RLIMIT_NOFILE"] == N_DESCRIPTORS
