"""What calls cost, by a clock of the tests' own: rounds, limits and notes; memory is measured for real."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.shifted import shifted
from gradlab.measure import timing
from gradlab.measure.timing import (
    MAX_ROUNDS,
    MIN_ROUNDS,
    Timing,
    bytes_beyond_the_gradient,
    ratios_of,
    timed_problem,
    timings,
)


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Makes every look at the clock take so many seconds, at tiny shapes."""
    monkeypatch.setattr(timing, "SHAPES", ((2, 3), (4, 5)))

    def every(seconds: float) -> None:
        ticks = count()
        monkeypatch.setattr(timing, "perf_counter", lambda: next(ticks) * seconds)

    return every


def measured(function: Callable[..., Any], *dtypes: str, **claims: Any) -> list[Timing]:
    return list(timings(Implementation("f", function, claims_from(claims)), dtypes or ("float32",)))


def test_every_shape_and_dtype_gets_its_rounds(tick: Callable[[float], None]) -> None:
    tick(1e-4)
    found = measured(shifted, "float32", "float64")
    assert [(one.dtype, one.shape) for one in found] == [
        (dtype, shape) for dtype in ("float32", "float64") for shape in ((2, 3), (4, 5))
    ]
    assert all(
        len(one.ratios) == MAX_ROUNDS and one.seconds and one.n_bytes is not None and not one.note for one in found
    )


def test_short_calls_are_timed_together(tick: Callable[[float], None]) -> None:
    tick(3e-4)
    assert measured(shifted)[0].seconds == pytest.approx(3e-4 / 4)  # four such calls take a millisecond or more


def test_a_slow_function_gets_the_fewest_rounds_and_no_further_shape(tick: Callable[[float], None]) -> None:
    tick(0.5)
    first, second = measured(shifted)
    assert (len(first.ratios), first.note) == (MIN_ROUNDS, "")
    assert (second.ratios, second.seconds) == ((), None)
    assert second.note.startswith("left out after (2, 3): it took ")


def test_a_call_that_takes_too_long_is_not_timed(tick: Callable[[float], None]) -> None:
    tick(3.0)
    first, second = measured(shifted)
    assert (first.ratios, first.note) == ((), "a call takes 3.0 s, must be at most 2 s")
    assert second.note == "left out after (2, 3): a call takes 3.0 s, must be at most 2 s"


def test_a_function_without_an_answer_is_not_timed() -> None:
    first = measured(lambda logits, labels: 1 / 0)[0]
    assert first.note.startswith("raised ZeroDivisionError: division by zero")


def test_a_function_that_fails_later_is_not_timed(tick: Callable[[float], None]) -> None:
    tick(1e-4)
    calls = count()

    def fails_later(logits: Any, labels: Any) -> Any:
        if next(calls) > 5:
            raise RuntimeError("enough")
        return shifted(logits, labels)

    assert measured(fails_later)[0].note.startswith("raised RuntimeError: enough")


def test_what_a_call_writes_to_its_arrays_and_prints_disturbs_nothing(
    tick: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tick(1e-4)
    sums = set()

    def spoils(logits: Any, labels: Any) -> Any:
        print("noise")
        sums.add(float(logits.sum()))
        found = shifted(logits, labels)
        logits += 1
        return found

    problem = timed_problem(claims_from({}), (2, 3), "float32")
    implementation = Implementation("spoils", spoils)
    with timing._without_noise():
        timing.seconds_of_calls(implementation, problem, 7)
    assert len(sums) == 1
    assert measured(spoils)[0].note == ""
    assert capsys.readouterr().out == ""


def test_claims_decide_how_a_function_is_called(tick: Callable[[float], None]) -> None:
    tick(1e-4)
    seen = []

    def of_probabilities(logits: Any, targets: Any, reduction: str) -> Any:
        seen.append((targets.shape, reduction))
        return np.float32(0), np.zeros_like(logits)

    assert measured(of_probabilities, targets="probability", reduction=["sum", "mean"])[0].note == ""
    assert set(seen) == {((2, 3), "sum"), ((4, 5), "sum")}


def test_memory_beyond_the_gradient_is_what_a_call_holds_besides() -> None:
    def holds_a_megabyte(logits: Any, labels: Any) -> Any:
        held = np.ones(2**20, dtype=np.uint8)
        return held.sum(), np.zeros_like(logits)

    arguments = np.zeros((64, 1000)), np.zeros(64, dtype=int)
    assert 2**20 <= bytes_beyond_the_gradient(holds_a_megabyte, arguments) < 2**20 + 20_000


def test_a_ratio_is_above_0_where_a_clock_shows_nothing() -> None:
    assert ratios_of([(0.0, 1e-3), (2e-3, 1e-3), (1e-3, 0.0)]) == pytest.approx((1e-6, 2.0, 1e6))


def test_the_error_of_a_timed_call_is_that_of_its_own_problem() -> None:
    claims = claims_from({})
    timed = Timing("float32", (2, 3), (1.0,), 1e-5, 0)
    problem = timed_problem(claims, (2, 3), "float32")

    def off(logits: Any, labels: Any) -> Any:
        loss, gradient = shifted(logits, labels)
        return loss, gradient + 8 * np.spacing(np.abs(gradient)) * (logits.shape == problem.logits.shape)

    found = timing.with_error(Implementation("f", off, claims), timed)
    assert found.ulp is not None
    assert 4 <= found.ulp <= 64
    assert timing.with_error(Implementation("f", shifted, claims), timed).ulp != found.ulp


def test_a_call_without_an_answer_is_off_by_infinitely_much() -> None:
    def refuses(logits: Any, labels: Any) -> Any:
        raise ValueError

    timed = Timing("float32", (2, 3), (1.0,), 1e-5, 0)
    assert timing.with_error(Implementation("f", refuses, claims_from({})), timed).ulp == np.inf


@pytest.mark.parametrize(
    "one", [Timing("float32", (2, 3), note="left out"), Timing("float32", (2, 3, 4), (1.0,), 1.0, 0)]
)
def test_what_has_no_time_or_is_of_a_layer_has_no_error(one: Timing) -> None:
    assert timing.with_error(Implementation("f", shifted, claims_from({})), one) is one
