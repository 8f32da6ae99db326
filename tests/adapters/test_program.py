"""Programs: the example is stable and can refuse, and whatever else a program does is an error that names the rule."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradlab
from gradlab.adapters import pipes
from gradlab.adapters.pipes import ProgramError
from gradlab.problems.problem import Array
from gradlab.targets.load import TargetError, load
from tests.runs import checked

EXAMPLE = Path(__file__).parents[2] / "docs/examples/softmax_ce.pl"
needs_perl = pytest.mark.skipif(shutil.which("perl") is None, reason="there is no perl")

LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])
ASKED = """
import json, os, struct, sys
out = sys.stdout.buffer

def asked():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    question = json.loads(line)
    size = 8 if question["dtype"] == "float64" else 4
    entries = question["rows"] * question["classes"]
    targets = 8 * question["rows"] if question["targets"] == "index" else size * entries
    return line, sys.stdin.buffer.read(size * entries + targets), entries

def answer(values, dtype="float64"):
    out.write(b'{"dtype":"%s"}' % dtype.encode() + b"\\n")
    out.write(struct.pack(f"<{len(values)}{'d' if dtype == 'float64' else 'f'}", *values))
    out.flush()

while True:
    line, numbers, entries = asked()
"""
Program = Callable[[str], Callable[..., tuple[Array, Array]]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The function that a program stands for, which does `body` for each call: an answer in Python."""

    def made(body: str) -> Callable[..., tuple[Array, Array]]:
        path = tmp_path / "program.py"
        path.write_text(ASKED + "".join(f"    {line}\n" for line in body.splitlines()))
        (found,) = load(f"exec:{shlex.join([sys.executable, str(path)])}", {})
        return found.function

    return made


def message(function: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(ProgramError) as caught:
        function(*arguments or (LOGITS, LABELS))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@needs_perl
def test_the_example_is_stable_and_refuses_bad_labels() -> None:
    report = checked(f"exec:{EXAMPLE}", refuses_bad_labels=True, keeps_dtype=True)
    assert report.verdict == "stable", report


@needs_perl
def test_the_example_says_why_it_refuses() -> None:
    (found,) = load(f"exec:{EXAMPLE}", {})
    assert found.name == "softmax_ce"
    with pytest.raises(ValueError, match="refused: a label must be at least 0 and less than 3, got 7"):
        found.function(LOGITS, np.array([0, 7]))


@pytest.mark.more
@needs_perl
def test_a_mistake_in_a_program_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mistaken.pl"
    path.write_text(EXAMPLE.read_text().replace("$_ / $sum / $rows", "$_ / $sum").replace("-= 1 / $rows", "-= 1"))
    report = gradlab.check(f"exec:perl {path}", profile="quick", dtypes=["float64"])
    assert report.verdict == "wrong"
    assert report.diagnosis is not None
    assert report.diagnosis.defects == ("gradient_not_divided",)


def test_one_process_answers_many_calls(program: Program) -> None:
    function = program("answer([os.getpid()] * (1 + entries))")
    assert function(LOGITS, LABELS)[0] == function(LOGITS[:1], LABELS[:1])[0]


def test_loss_and_gradient_are_in_their_order_and_in_the_dtype_of_the_answer(program: Program) -> None:
    loss, gradient = program("answer(range(1 + entries), 'float32')")(LOGITS, LABELS)
    assert (loss.dtype.name, loss.tolist()) == ("float32", 0.0)
    assert (gradient.dtype.name, gradient.tolist()) == ("float32", [[1, 2, 3], [4, 5, 6]])


def test_logits_and_labels_arrive_as_they_are_whatever_the_layout(program: Program) -> None:
    function = program("answer([0, *struct.unpack('<6d', numbers[:48])])")
    assert np.array_equal(function(np.asfortranarray(LOGITS), LABELS.astype(np.int16))[1], LOGITS)
    function = program("answer([*struct.unpack('<2q', numbers[48:]), *[0] * 5])")
    assert function(LOGITS, LABELS.astype(np.uint8))[1][0, 0] == 2


def test_the_first_line_is_as_documented(program: Program, tmp_path: Path) -> None:
    function = program(f"open({str(tmp_path / 'line')!r}, 'wb').write(line); answer([0] * (1 + entries))")
    function(LOGITS.astype(np.float32), LABELS, class_weights=np.array([1.0, 0.5, 2.0]))
    line = (tmp_path / "line").read_text()
    shown = '{"protocol":1,"dtype":"float32","rows":2,"classes":3,"targets":"index","reduction":"mean"'
    assert line == shown + ',"class_weights":[1.0,0.5,2.0]}\n'


def test_without_reduction_there_is_a_loss_for_each_row(program: Program) -> None:
    loss, gradient = program("answer(range(8))")(LOGITS, LABELS, reduction="none")
    assert (loss.tolist(), gradient[0, 0]) == ([0, 1], 2)


def test_probabilities_are_targets_too(program: Program) -> None:
    targets = np.array([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    _, gradient = program("answer([0, *struct.unpack('<6d', numbers[48:])])")(LOGITS, targets)
    assert np.array_equal(gradient, targets)


def test_an_answer_may_be_larger_than_a_pipe_holds(program: Program) -> None:
    logits = np.arange(300_000.0).reshape(300, 1000)
    function = program("answer([0, *struct.unpack(f'<{entries}d', numbers[:8 * entries])])")
    assert np.array_equal(function(logits, np.zeros(300, dtype=int))[1], logits)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit(3)", "must answer a line, ended after 0 bytes, with exit status 3"),
        ("os.kill(os.getpid(), 9)", "must answer a line, ended after 0 bytes, by signal 9"),
        ("raise ValueError('no idea')", "must answer a line, ended after 0 bytes, with exit status 1; its last words:"
         " ValueError: no idea"),
        ("answer([1, 2]); sys.exit(0)", "must answer 56 bytes after the first line, ended after 16 bytes, with exit"
         " status 0"),
        ("answer([0] * 8)", "an answer must end after the gradient, got 8 bytes more"),
        ("print('hello', flush=True)", "the first line of an answer must be {\"dtype\":\"float32\"} (or another of"
         " float16, float32, float64) or {\"error\":\"why\"}, got 'hello'"),
        ("answer([0] * 7, 'complex64')", "the first line of an answer must be {\"dtype\":\"float32\"} (or another of"
         " float16, float32, float64) or {\"error\":\"why\"}, got '{\"dtype\":\"complex64\"}'"),
        ("out.write(bytes(70_000)); out.flush()", "an answer must begin with a line, got "),
    ],
)  # fmt: skip
def test_a_broken_rule_is_told(program: Program, body: str, reason: str) -> None:
    function = program(body)
    assert message(function).startswith(reason)
    assert message(function).startswith(reason)  # by a new process


SILENT = """
if entries == 6:
    answer([0] * 7)
else:
    import time
    open("asked", "a").write("once ")
    out.write(b"{")
    out.flush()
    time.sleep(1e6)
"""


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_program_that_was_silent_is_not_asked_again(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    function = program(SILENT)
    function(LOGITS, LABELS)  # its process has started: that takes long on a busy machine
    monkeypatch.setattr(pipes, "PATIENCE", 1.0)
    assert message(function, LOGITS[:1], LABELS[:1]) == "must answer a line within 1 s, gave 1 bytes"
    assert message(function, LOGITS[:1], LABELS[:1]) == "must answer within 1 s, and did not do so before"
    assert Path("asked").read_text() == "once "


def test_a_program_that_does_not_read_and_does_not_stop_to_write_is_ended(program: Program) -> None:
    function = program("while True: out.write(bytes(1 << 16))")
    big = np.zeros((300, 1000))
    assert message(function, big, np.zeros(300, dtype=int)).startswith("an answer must begin with a line, got ")


def test_a_refusal_leaves_the_process_alive(program: Program) -> None:
    refusing = json.dumps({"error": "not two rows"})
    body = f"if entries == 6: print({refusing!r}, flush=True)\nelse: answer([os.getpid()] * (1 + entries))"
    function = program(body)
    first, _ = function(LOGITS[:1], LABELS[:1])
    with pytest.raises(ValueError, match="refused: not two rows"):
        function(LOGITS, LABELS)
    assert function(LOGITS[:1], LABELS[:1])[0] == first


def test_an_answer_that_an_interrupt_left_unread_is_not_taken_for_the_next(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = program("answer([numbers[0]] * (1 + entries))")

    def interrupted(conversation: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipes.Conversation, "line", interrupted)
        with pytest.raises(KeyboardInterrupt):
            function(np.frombuffer(b"\x07" * 48).reshape(2, 3), LABELS)
    assert function(LOGITS, LABELS)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((LOGITS, LABELS[:1]), r"targets must have shape \(2,\), got \(1,\)"),
        ((LOGITS[:, 0], LABELS), r"logits must have shape \(N, K\), got \(2,\)"),
        ((LOGITS, LABELS + 0.5), r"targets must have shape \(2, 3\), got \(2,\)"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused(program: Program, arguments: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        program("answer([0] * (1 + entries))")(*arguments)


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("exec:./nope", "exec:./nope: './nope' must be a program that can be executed"),
        ("exec:'", "exec:' must be a command after exec: (No closing quotation)"),
        ("exec: ", "exec: : ' ' must be a program that can be executed"),
    ],
)
def test_a_target_that_is_no_program(target: str, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert str(caught.value) == reason


def test_a_program_that_does_not_start_is_told(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    (found,) = load(f"exec:{path}", {})
    assert message(found.function) == f"{path} must be a program that starts: No such file or directory"
