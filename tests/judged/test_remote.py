"""A function in another process behaves as if it ran here, and does no harm here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import CallFaultError, Implementation, call_for, evaluate, perform
from gradlab.evaluation.foreign import Described
from gradlab.isolation.limits import Limits
from gradlab.judged.process import Place
from gradlab.judged.remote import Remote, Wanted
from gradlab.judged.remote_function import signed_from
from gradlab.problems.problem import Problem
from gradlab.report.origin import origin_of
from gradlab.targets.importing import TargetError
from gradlab.targets.load import load as load_here

Load = Callable[..., Implementation]

PROBLEM = Problem(np.array([[1.0, -2.0, 0.5], [0.0, 30.0, 0.0]]), np.array([0, 2]))
RIGHT = "\ndef loss(logits, labels):\n    {}\n    return right(logits, labels)\n"


def test_it_gives_the_bits_that_it_gives_here(load: Load) -> None:
    there, here = evaluate(load(RIGHT.format("")), PROBLEM), evaluate(load_here("shifted", {})[0], PROBLEM)
    assert there.gradient is not None
    assert here.gradient is not None
    assert (there.loss, there.gradient.tobytes()) == (here.loss, here.gradient.tobytes())


def test_it_is_known_where_it_is_defined(load: Load) -> None:
    place = origin_of(load("\n\nimport os\n\ndef loss(logits, labels):\n    return right(logits, labels)\n")).place
    assert place is not None
    assert Path(place.file).read_text().splitlines()[place.line - 1] == "def loss(logits, labels):"


@pytest.mark.parametrize("said", [["file", "3"], ["file", 0], [3, 3], ["file"], "file", 7])
def test_a_definition_of_another_form_is_refused(said: Any) -> None:
    plain = {"name": "loss", "module": "", "keywords": {}, "parameters": None, "definition": said}
    with pytest.raises((ValueError, TypeError)):
        signed_from(plain)


def test_its_code_runs_in_another_process_alone(load: Load, tmp_path: Path) -> None:
    one = load(f"\nopen({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} ')\n" + RIGHT.format(""))
    evaluate(one, PROBLEM)
    pids = (tmp_path / "pids").read_text().split()
    assert pids
    assert str(os.getpid()) not in pids
    assert not [name for name in sys.modules if "target_0" in name]


def test_no_call_is_made_once_there_is_a_reason_to_stop(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from gradlab.implementations.shifted import shifted\nloss = lambda x, y: shifted(x, y)\n")
    reasons = iter(["", "its time was up", ""])
    place = Place(str(tmp_path), Limits())
    with closing(Remote(Wanted(f"{path}:loss"), place, reason_to_stop=lambda: next(reasons))) as remote:
        (one,) = remote.load()
        found = [evaluate(one, PROBLEM).fault for _ in range(3)]
    assert found == [None, *["is not made: the run was cut short"] * 2]
    assert one.capture.elsewhere is not None
    assert one.capture.elsewhere.cut_short == "its time was up"


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_changed_input_is_changed_here(load: Load, order: Any) -> None:
    one = load(RIGHT.format("logits[0, 1] = 7"))
    call = call_for(one, PROBLEM)
    logits = np.array(call.logits, order=order)
    one.function(logits, call.targets)
    assert logits[0, 1] == 7
    assert logits[1, 1] == 30


def test_a_view_of_an_input_is_one_here(load: Load) -> None:
    one = load("\ndef loss(logits, labels):\n    return 0.0, logits[::-1]\n")
    call = call_for(one, PROBLEM)
    _, gradient = one.function(call.logits, call.targets)
    assert np.shares_memory(gradient, call.logits)
    assert gradient.tolist() == call.logits[::-1].tolist()


def test_a_buffer_that_a_later_call_overwrites_changes_here(load: Load) -> None:
    one = load(
        "\nroom = np.empty((2, 3))\ndef loss(logits, labels):\n"
        "    value, room[:] = right(logits, labels)\n    return value, room\n"
    )
    first = one.function(PROBLEM.logits.copy(), PROBLEM.targets)[1]
    before = first.copy()
    second = one.function(-PROBLEM.logits, PROBLEM.targets)[1]
    assert first.tobytes() != before.tobytes()
    assert np.shares_memory(first, second)


def test_results_that_nobody_has_any_more_are_given_back(load: Load) -> None:
    one = load(
        "\nimport gc, weakref\nkept = []\ndef loss(logits, labels):\n    value, gradient = right(logits, labels)\n"
        "    gc.collect()\n    alive = sum(one() is not None for one in kept)\n"
        "    kept.append(weakref.ref(gradient))\n    return float(alive), gradient\n"
    )
    alive = [one.function(PROBLEM.logits.copy(), PROBLEM.targets)[0] for _ in range(5)]
    assert alive == [0.0] * 5


def test_what_it_prints_warns_and_changes_is_told(load: Load) -> None:
    one = load(RIGHT.format("print('hello'); os.write(1, b'below\\n'); np.seterr(all='ignore'); np.log(np.zeros(1))"))
    given = evaluate(one, PROBLEM)
    assert "printed 'hello'" in given.noise
    assert "printed 'below'" in given.noise
    assert given.changed == ("np.seterr's settings have changed",)


def test_an_exception_is_told_with_its_place(load: Load) -> None:
    one = load(RIGHT.format("raise KeyError('no such row')"))
    given = evaluate(one, PROBLEM)
    assert given.raised == "KeyError"
    assert "no such row" in str(given.fault)
    assert "target_0.py, line" in str(given.fault)


def test_anything_else_that_it_returns_is_described(load: Load) -> None:
    one = load("\nclass Odd:\n    def __repr__(self): return 'odd thing'\ndef loss(x, y): return Odd()\n")
    value = perform(one.function, call_for(one, PROBLEM), one.capture).value
    assert value == Described("odd thing of type Odd")


@pytest.mark.parametrize(
    ("harm", "said"),
    {
        "ctypes.string_at(0)": "ended its process by SIGSEGV, a segmentation fault",
        "os._exit(3)": "ended its process with exit status 3",
        "os.kill(os.getpid(), signal.SIGKILL)": "ended its process by SIGKILL",
        "os.close(connection())": "closed file descriptors that were gradlab's",
        'os.write(connection(), b\'{"value": ["plain", 0.0]}\')': "wrote into a file descriptor that is gradlab's",
        "os.write(connection(), bytes(64))": "wrote into a file descriptor that is gradlab's",
    }.items(),
)
def test_what_ends_its_process_is_told_and_another_call_is_answered(load: Load, harm: str, said: str) -> None:
    one = load(RIGHT.format(f"\n    if logits[0, 0] == 1:\n        {harm}"))
    assert said in str(evaluate(one, PROBLEM).fault)
    assert evaluate(one, PROBLEM.replace(logits=-PROBLEM.logits)).fault is None


def test_a_call_that_ended_its_process_is_not_made_again(load: Load, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    one = load(RIGHT.format(f"open({str(log)!r}, 'a').write('x'); os._exit(3)"))
    first, second = evaluate(one, PROBLEM), evaluate(one, PROBLEM)
    assert first.fault == second.fault
    assert log.read_text() == "x"


def test_a_call_that_does_not_return_is_ended(load: Load) -> None:
    one = load(RIGHT.format("\n    while logits[0, 0] == 1: pass"), Limits(call_seconds=1.0, load_seconds=300.0))
    assert "did not return within 1 s" in str(evaluate(one, PROBLEM).fault)


def test_what_it_says_of_itself_is_held_to_the_rules(load: Load) -> None:
    with pytest.raises(TargetError, match="a claim must be one of"):
        load("\nCLAIMS = {'judge': 'kind'}\n" + RIGHT.format(""))


def test_a_target_that_does_not_load_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("1 / 0\n")
    remote = Remote(Wanted(f"{tmp_path / 'bad.py'}:loss"), Place(str(tmp_path), Limits()))
    with pytest.raises(TargetError, match="ZeroDivisionError"):
        remote.load()


def test_calls_refused_after_much_harm_say_so(load: Load) -> None:
    one = load(RIGHT.format("os._exit(3)"))
    faults = [str(evaluate(one, PROBLEM.replace(logits=PROBLEM.logits + number)).fault) for number in range(7)]
    assert faults[-1] == "is not made: the run was cut short"
    assert one.capture.elsewhere is not None
    assert "no call has returned" in one.capture.elsewhere.cut_short


def test_a_refused_call_is_a_fault_of_the_call_alone(load: Load) -> None:
    one = load(RIGHT.format("os._exit(3)"))
    with pytest.raises(CallFaultError):
        one.function(PROBLEM.logits, PROBLEM.targets)
