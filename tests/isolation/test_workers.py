"""What a worker does comes back; how it ends, and what it takes too much of, is an error of gradlab's own."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradlab.isolation.limits import Limits
from gradlab.isolation.pool import Pool, pool_in
from gradlab.isolation.supervisor import WorkerError
from gradlab.isolation.worker_context import Task

few_problems = importlib.import_module("few_problems")  # its folder is where workers find the tasks


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool of one worker with little memory, which may be silent for a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradlab.isolation.limits.IDLE_SILENCE", 1.0)
        with pool_in(str(Path.cwd()), Limits(call_seconds=1.0, memory=300 << 20), 1) as one:
            yield one


def task(name: str) -> Task:
    found: Task = getattr(importlib.import_module("tasks"), name)
    return found


def test_one_task_after_another_is_done_by_one_worker(pool: Pool) -> None:
    runner = pool.start(task("done"))
    assert pool.result_of(runner) == "done"
    connection = runner.connection
    assert pool.result_of(pool.start(task("done"), runner)) == "done"
    assert runner.connection is connection


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fail", "ZeroDivisionError: in the worker"),
        ("end", "a worker ended its process by SIGKILL"),
        ("fill", "a worker took more than 300 MiB of memory"),
        ("wait", r"a worker gave no sign of life for \d+ s \(tasks.py, line \d+\)"),
    ],
)
def test_how_a_worker_fails_is_told_and_the_next_task_is_done(pool: Pool, name: str, said: str) -> None:
    runners = [pool.start(task(name)), pool.start(task("done"))]
    with pytest.raises(WorkerError, match=said):
        pool.result_of(runners[0])
    assert pool.result_of(runners[1]) == "done"


def test_an_interrupt_has_a_task_conclude_and_the_next_not_begin() -> None:
    with pool_in(str(Path.cwd()), Limits(), 1) as pool:
        runners = [pool.start(task("conclude")), pool.start(task("done"))]

        def interrupt(progress: str) -> None:
            pool.interrupt()

        assert pool.result_of(runners[0], interrupt) == "concluded"
        assert pool.result_of(runners[1]) == "it was interrupted before it began"
