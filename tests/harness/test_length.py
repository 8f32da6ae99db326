"""How long a run takes is told beforehand, where it is long; profile smoke is for calls that take seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
