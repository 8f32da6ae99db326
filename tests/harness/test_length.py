"""How long a run takes is told beforehand, where it is long; profile smoke is for calls that take seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gradlab.evaluation.claims import Claims
from gradlab.harness.length import n_calls, notice_of_length
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import run_checks
from gradlab.targets.load import load

FLOAT32 = ("float32",)
QUICK = Plan(PROFILES["quick"], dtypes=FLOAT32, minutes=10)


def test_a_short_run_is_not_told() -> None:
    assert notice_of_length(Claims(), QUICK, 1e-4) == ""


def test_a_long_run_is_told_with_its_limit_and_a_shorter_profile() -> None:
    calls, fewer = (n_calls(Claims(), PROFILES[name], FLOAT32, 0) for name in ("quick", "smoke"))
    told = f"0.8 s a call, quick makes about {calls:,}: {calls * 0.8 / 60:.0f} min, of which `--minutes` allows 10"
    assert notice_of_length(Claims(), QUICK, 0.8) == f"{told}; `--profile smoke` makes {fewer:,}"


def test_the_number_of_calls_of_smoke_is_about_right() -> None:
    """That of quick is in test_selection.py, where its calls are counted."""
    (shifted,) = load("shifted", {})
    count = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return shifted.function(*given, **named)

    run_checks(replace(shifted, function=counted), Plan(PROFILES["smoke"], dtypes=FLOAT32, power=False))
    assert 0.5 < count / n_calls(shifted.claims, PROFILES["smoke"], FLOAT32, 0) < 3


def test_a_first_call_that_takes_long_is_not_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    (shifted,) = load("shifted", {})
    ticks = iter([0.0, 0.0, 60.0, *range(60, 10_000)])  # the first call is 60 s, those after it one
    monkeypatch.setattr("gradlab.harness.run.time.perf_counter", lambda: next(ticks))
    told: list[str] = []
    run_checks(shifted, Plan(PROFILES["smoke"], dtypes=FLOAT32, power=False), lambda one: told.append(one.notice))
    assert {said.partition(" s a call")[0] for said in told} <= {"", "1"}


@pytest.mark.parametrize("quick_calls", [20, 100])
def test_a_run_whose_time_is_up_says_what_was_found_by_then(monkeypatch: pytest.MonkeyPatch, quick_calls: int) -> None:
    (shifted,) = load("shifted", {})
    count = 0

    def late(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return shifted.function(*given, **named)

    monkeypatch.setattr("gradlab.harness.course.time.monotonic", lambda: 601.0 * (count > quick_calls))
    run = run_checks(replace(shifted, function=late), replace(QUICK, power=False))
    assert (run.cut_short, run.met) == ("its time was up (`--minutes`)", False)
    assert 0 < run.n_problems < quick_calls
    assert count < quick_calls + 100  # no more than the problem on which it stops asks for
