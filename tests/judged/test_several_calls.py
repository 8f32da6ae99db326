"""Calls of which several are out at the same time come to what they would come to one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gradlab.evaluation.call import Answer, Call, Implementation, answer_to_call, evaluate
from gradlab.evaluation.together import done_together
from gradlab.harness.size_costs import Meter
from gradlab.judged.arena import KEPT
from gradlab.problems.problem import Problem

Load = Callable[..., Implementation]

PROBLEM = Problem(np.array([[1.0, -2.0, 0.5], [0.0, 30.0, 0.0]]), np.array([0, 2]))
LOSS = "\ndef loss(logits, labels):\n    {}\n    return right(logits, labels)\n"
BUFFER = """
BUFFER = np.zeros((2, 3))
def loss(logits, labels):
    loss, BUFFER[:] = right(logits, labels)
    return loss, BUFFER
"""


def moved(by: float) -> Problem:
    """The problem with the first logit moved, by which a call is known."""
    logits = PROBLEM.logits.copy()
    logits[0, 0] += by
    return PROBLEM.replace(logits=logits)


def answers(one: Implementation, problems: Sequence[Problem]) -> list[Answer]:
    """Of calls that are all out at the same time."""
    return done_together([partial(evaluate, one, problem) for problem in problems])


def test_each_has_its_own_answer(load: Load) -> None:
    one = load(LOSS.format("print(logits[0, 0])"))
    problems = [moved(number) for number in range(6)]
    for problem, given in zip(problems, answers(one, problems), strict=True):
        wanted = evaluate(one, problem)
        assert np.array_equal(np.asarray(given.gradient), np.asarray(wanted.gradient))
        assert given.noise == (f"printed '{problem.logits[0, 0]}'",)


def test_one_that_ends_the_process_is_named_and_the_others_are_made_all_the_same(load: Load, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    here = "if 'gradlab' in sys.modules: "
    write = f"{here}open({str(log)!r}, 'a').write(str(logits[0, 0]) + ' '); logits[0, 0] == 3 and os._exit(3)"
    given = answers(load(LOSS.format(write)), [moved(number) for number in range(5)])
    assert [one.fault is None for one in given] == [True, True, False, True, True]
    assert "ended its process with exit status 3" in str(given[2].fault)
    assert log.read_text().split() == ["1.0", "2.0", "3.0", "4.0", "5.0"]


def test_one_that_does_harm_twice_is_not_made_again(load: Load, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    one = load(LOSS.format(f"open({str(log)!r}, 'a').write('x'); os._exit(3)"))
    given = answers(one, [moved(0), moved(0), moved(0)])
    assert len({one.fault for one in given}) == 1
    assert log.read_text() == "x"


def test_a_result_that_a_later_call_changes_is_changed_when_that_is_read(load: Load) -> None:
    one = load(BUFFER)
    seen: list[float] = []

    def first() -> Answer:
        given = evaluate(one, moved(1))
        assert given.gradient is not None
        seen.append(float(given.gradient[0, 0]))
        evaluate(one, moved(2))
        seen.append(float(given.gradient[0, 0]))
        return given

    def second() -> Answer:
        return evaluate(one, moved(3))

    kept = done_together([first, second])
    assert seen[0] == pytest.approx(float(np.asarray(evaluate(one, moved(1)).gradient)[0, 0]))
    assert seen[1] != seen[0]
    assert np.shares_memory(np.asarray(kept[0].gradient), np.asarray(kept[1].gradient))


def test_a_buffer_that_nobody_had_any_more_when_it_came_again_is_one(load: Load) -> None:
    one = load(BUFFER)

    def dropping(number: int) -> None:
        for step in range(5):
            evaluate(one, moved(number + step / 8))  # whose answer nobody keeps

    def keeping() -> tuple[Answer, Answer]:
        for step in range(5):
            before = evaluate(one, moved(-1 - step))
        return before, evaluate(one, moved(-9))

    kept: list[Answer] = []
    tasks: list[Callable[[], object]] = [partial(dropping, 1), lambda: kept.extend(keeping()), partial(dropping, 2)]
    done_together(tasks)
    first, second = (np.asarray(answer.gradient) for answer in kept)
    assert np.shares_memory(first, second)
    assert np.array_equal(first, second)


def test_an_argument_that_a_call_changes_is_its_own(load: Load) -> None:
    one = load(LOSS.format("logits[1, 1] = logits[0, 0]"))
    calls = [Call(moved(number).logits.copy(), PROBLEM.targets, {}) for number in range(3)]
    done_together([partial(answer_to_call, one, call, "mean") for call in calls])
    assert [call.logits[1, 1] for call in calls] == [1.0, 2.0, 3.0]


def test_calls_with_much_memory_wait_for_those_before_them(load: Load) -> None:
    one = load(LOSS.format(""))
    n_rows = KEPT // 16
    large = [Problem(np.tile([0.0, float(number)], (n_rows, 1)), np.zeros(n_rows, int)) for number in range(4)]
    for problem, given in zip(large, answers(one, large), strict=True):
        assert given.loss == pytest.approx(np.log1p(np.exp(problem.logits[0, 1])))


def test_what_calls_take_is_known_here(load: Load) -> None:
    one = load(LOSS.format("sum(range(3_000_000)); np.ones(1 << 24).sum()"))
    assert one.capture.elsewhere is not None
    with Meter(one.capture.elsewhere) as meter:
        evaluate(one, PROBLEM)
    assert meter.seconds > 0.01
    assert meter.n_bytes > 1 << 26
