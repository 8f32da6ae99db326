"""Tasks done together: in turns, in the same order every time, each with what is its own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

import numpy as np
import pytest

from gradlab.evaluation.call import current_purpose, made_for
from gradlab.evaluation.capture import Elsewhere
from gradlab.evaluation.together import done_together, let_others_go_on

_seen: ContextVar[str] = ContextVar("seen", default="")


def asking(name: str, times: int, log: list[str]) -> str:
    """Waits so many times."""
    for number in range(times):
        log.append(f"{name}{number}")
        let_others_go_on()
    return name


def test_each_goes_on_in_the_order_in_which_it_began_to_wait() -> None:
    log: list[str] = []
    names = done_together([partial(asking, "a", 3, log), partial(asking, "b", 1, log), partial(asking, "c", 2, log)])
    assert names == ["a", "b", "c"]
    assert log == ["a0", "b0", "c0", "a1", "c1", "a2"]


def test_tasks_may_do_others_together() -> None:
    log: list[str] = []
    inner: Callable[[], list[str]] = partial(
        done_together, [partial(asking, "i", 1, log), partial(asking, "j", 2, log)]
    )
    tasks: list[Callable[[], object]] = [inner, partial(asking, "b", 1, log)]
    assert done_together(tasks) == [["i", "j"], "b"]
    assert sorted(log) == ["b0", "i0", "j0", "j1"]


def test_nobody_waits_alone() -> None:
    assert asking("a", 2, []) == "a"
    assert done_together([]) == []


def test_each_has_its_own_purpose_error_state_and_listener() -> None:
    elsewhere = Elsewhere()

    def task(name: str) -> tuple[str, list[str], str]:
        with made_for(name), np.errstate(all="raise" if name == "a" else "ignore"), elsewhere.listening() as said:
            elsewhere.add([name], [])
            let_others_go_on()
            elsewhere.add([name], [])
            return current_purpose.get(), said.noise, np.geterr()["over"]

    found = done_together([partial(task, "a"), partial(task, "b")])
    assert found == [("a", ["a", "a"], "raise"), ("b", ["b", "b"], "ignore")]
    assert current_purpose.get() == ""


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_what_one_raises_ends_all(error: type[BaseException]) -> None:
    ended: list[str] = []

    def waiting() -> None:
        try:
            let_others_go_on()
        finally:
            ended.append("waiting")

    def raising() -> None:
        raise error

    def never() -> None:
        ended.append("not begun")

    with pytest.raises(error):
        done_together([waiting, raising, never])
    assert ended == ["waiting"]


def test_what_one_raises_after_it_has_waited_ends_all() -> None:
    ended: list[str] = []

    def task(fails: bool) -> None:
        try:
            let_others_go_on()
            if fails:
                raise ZeroDivisionError
            let_others_go_on()
        finally:
            ended.append("ended")

    tasks: list[Callable[[], None]] = [partial(task, False), partial(task, True), partial(task, False)]
    with pytest.raises(ZeroDivisionError):
        done_together(tasks)
    assert ended == ["ended"] * 3
