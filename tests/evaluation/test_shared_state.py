"""Generators, environment, locale, signals and limits that a call changes are told, and put back."""

from __future__ import annotations

import gc
import locale
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.contract import leaves_the_process_as_it_was
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.shared_state import MORE_THREADS
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Problem

PROBLEM = Problem(np.array([[0.0, 1.0]]), np.array([0]))

HARMS: dict[str, Callable[[], Any]] = {
    "NumPy's global generator": lambda: np.random.seed(0),  # that is the harm
    "the generator of the module random": lambda: random.seed(0),
    "environment variables": lambda: os.environ.update(GRADLAB_TEST="1"),
    "the locale": lambda: locale.setlocale(locale.LC_NUMERIC, "C.UTF-8"),
    "the umask": lambda: os.umask(0o123),
    "the filters of warnings": lambda: warnings.simplefilter("ignore"),
    "settings of the interpreter": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 7),
    "signal handlers": lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN),
    "resource limits": lambda: resource.setrlimit(
        resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1])
    ),
}


def harmful(harm: Callable[[], Any]) -> Implementation:
    def also_harms(logits: Any, labels: Any) -> Any:
        harm()
        return shifted(logits, labels)

    return Implementation("also_harms", also_harms)


def told(implementation: Implementation, calls: int = 1) -> list[str]:
    return [said for _ in range(calls) for said in evaluate(implementation, PROBLEM).changed]


@pytest.fixture(autouse=True)
def core_files() -> Any:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.parametrize("what", [name for name in HARMS if name != "resource limits"])
def test_what_is_changed_is_told_and_put_back(what: str) -> None:
    assert any(what in said for said in told(harmful(HARMS[what])))
    assert told(harmful(lambda: None)) == []


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="there is no lower limit")
def test_limits_that_are_changed_are_told() -> None:
    assert any("resource limits" in said for said in told(harmful(HARMS["resource limits"])))


def test_the_environment_is_as_before() -> None:
    told(harmful(HARMS["environment variables"]))
    assert "GRADLAB_TEST" not in os.environ


def test_the_garbage_collector_is_as_before() -> None:
    assert any("interpreter" in said for said in told(harmful(gc.disable)))
    assert gc.isenabled()
    before = gc.get_threshold(), list(gc.callbacks)
    assert any("interpreter" in said for said in told(harmful(lambda: gc.set_threshold(1))))
    assert any("interpreter" in said for said in told(harmful(lambda: gc.callbacks.append(print))))
    assert before == (gc.get_threshold(), list(gc.callbacks))


def test_what_raises_when_it_is_compared_has_changed() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ValueError("not with me")

        def __call__(self, *given: Any) -> None: ...

    odd = Odd()
    assert any("signal handlers" in said for said in told(harmful(lambda: signal.signal(signal.SIGUSR2, odd))))
    assert signal.getsignal(signal.SIGUSR2) is not odd


def test_a_generator_that_is_drawn_from_has_changed() -> None:
    assert told(harmful(lambda: np.random.random()))  # that is the harm


def test_what_is_not_deterministic_may_draw() -> None:
    own = harmful(lambda: np.random.random())  # as such code does
    free = Implementation(own.name, own.function, Claims(deterministic=False))
    assert all(one.holds for one in leaves_the_process_as_it_was(free, PROBLEM) if hasattr(one, "holds"))
    assert not all(one.holds for one in leaves_the_process_as_it_was(own, PROBLEM) if hasattr(one, "holds"))


def test_what_an_import_changes_is_not_held_against_a_call() -> None:
    code = """
import os, sys, types
import numpy as np
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Problem

def imports(logits, labels):
    if "made_up" not in sys.modules:
        sys.modules["made_up"] = types.ModuleType("made_up")
        os.environ["MADE_UP"] = "1"
    return shifted(logits, labels)

one = Implementation("imports", imports)
assert [evaluate(one, Problem(np.eye(2), np.array([0, 1]))).changed for _ in range(3)] == [()] * 3
assert os.environ["MADE_UP"] == "1"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_few_threads_may_stay_and_many_may_not() -> None:
    ended, running = threading.Event(), []

    def start() -> None:
        running.append(threading.Thread(target=ended.wait, daemon=True))
        running[-1].start()

    try:
        told(harmful(lambda: None))
        assert told(harmful(start), 8) == []
        assert any("threads are left" in said for said in told(harmful(start), MORE_THREADS + 8))
    finally:
        ended.set()
        for one in running:
            one.join()


@pytest.mark.parametrize("count", [1, 600, 700, 5000])
def test_numbers_that_are_drawn_are_told_from_another_state(count: int) -> None:
    def draws(x: Any, y: Any) -> Any:
        np.random.standard_normal(count)  # that is the harm
        return shifted(x, y)

    (said,) = evaluate(Implementation("draws", draws, Claims()), PROBLEM).changed
    assert said == "numbers have been drawn from NumPy's global generator"
