"""Time and memory compared, on synthetic samples: noise is no change, and a change is seen through the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.compare.change import Change, Effect
from gradlab.compare.cost_changes import cost_changes

MACHINE = {"processor": "one", "python": "3.11.2", "numpy": "2.4.6"}
Samples = list[float]


def noisy(rng: np.random.Generator, level: float, rounds: int = 25, noise: float = 0.3) -> Samples:
    """Ratios about a level with log-normal noise."""
    return [level * float(ratio) for ratio in np.exp(rng.normal(0, noise, rounds))]


def report(ratios: Samples, n_bytes: int | None = 1000, note: str = "", **machine: str) -> dict[str, Any]:
    """As much of a report as is compared here."""
    measured: dict[str, Any] = {"implementation": "loss", "dtype": "float32", "shape": [64, 10], "ratios": ratios}
    measured |= {"bytes_beyond_the_gradient": n_bytes, "note": note}
    return {"timing": {"machine": {**MACHINE, **machine}, "measurements": [measured]}}


def compared(old: Samples, new: Samples) -> list[Change]:
    return list(cost_changes(report(old), report(new)))


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_down_by_half_is_found_in_noise_of_30_percent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (change,) = compared(noisy(rng, 2.0), noisy(rng, 3.2))
    assert change.is_regression
    assert change.text.startswith("time float32 (64, 10): ")


def test_equal_samples_raise_no_alarm_in_a_thousand_pairs() -> None:
    rng = np.random.default_rng(0)
    alarms = sum(bool(compared(noisy(rng, 2.0), noisy(rng, 2.0))) for _ in range(1000))
    assert alarms <= 1  # the level is one in a thousand, and the factor comes on top


def test_spikes_in_a_third_of_the_rounds_are_no_slow_down() -> None:
    rng = np.random.default_rng(1)
    old, new = (noisy(rng, 2.0, noise=0.05) for _ in range(2))
    new[::3] = [100 * ratio for ratio in new[::3]]
    assert compared(old, new) == []


def test_a_slow_down_is_seen_among_spikes() -> None:
    rng = np.random.default_rng(2)
    old, new = noisy(rng, 2.0, noise=0.05), noisy(rng, 3.0, noise=0.05)
    for samples in (old, new):
        samples[::6] = [50 * ratio for ratio in samples[::6]]
    assert [change.is_regression for change in compared(old, new)] == [True]


def test_an_improvement_is_told_and_is_no_regression() -> None:
    rng = np.random.default_rng(3)
    (change,) = compared(noisy(rng, 3.0, noise=0.05), noisy(rng, 1.0, noise=0.05))
    assert not change.is_regression


@pytest.mark.parametrize(("factor", "told"), [(1.2, 0), (1.3, 1)])
def test_what_is_below_the_factor_is_no_change_however_certain_it_is(factor: float, told: int) -> None:
    old = [1 + i / 1000 for i in range(25)]
    assert len(compared(old, [factor * ratio for ratio in old])) == told


def test_four_samples_are_no_evidence() -> None:
    assert compared([1.0] * 25, [100.0] * 4) == []
    assert compared([1.0] * 4, [100.0] * 25) == []


def test_five_samples_against_many_can_be_evidence() -> None:
    assert [change.is_regression for change in compared([1.0] * 25, [100.0] * 5)] == [True]


def test_a_shape_that_is_not_measured_any_more_is_told() -> None:
    (change,) = cost_changes(report([1.0] * 25), report([], None, note="a call takes 3.0 s, must be at most 2 s"))
    assert change == Change(
        "loss", "time float32 (64, 10): measured -> a call takes 3.0 s, must be at most 2 s", Effect.CHANGED
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [(0, 64 * 1024, []), (0, 64 * 1024 + 1, [True]), (10**6, 1_240_000, []), (10**6, 1_260_000, [True])],
)
def test_memory_has_grown_by_more_than_a_quarter_and_64_kib(old: int, new: int, told: list[bool]) -> None:
    ratios = [1.0] * 25
    worse = list(cost_changes(report(ratios, old), report(ratios, new)))
    better = list(cost_changes(report(ratios, new), report(ratios, old)))
    assert [change.is_regression for change in worse] == told
    assert [change.is_regression for change in better] == [False] * len(told)


def test_another_machine_is_told_in_one_line_and_ratios_are_compared_all_the_same() -> None:
    other = report([3.0] * 25, numpy="2.5.0", processor="two")
    first, second = cost_changes(report([1.0] * 25), other)
    assert not first.is_regression
    assert "processor one -> two, numpy 2.4.6 -> 2.5.0;" in first.text
    assert second.is_regression


def test_times_in_one_report_only_are_told() -> None:
    without = {"timing": {"machine": MACHINE, "measurements": []}}
    assert [str(change) for change in cost_changes(report([1.0] * 25), without)] == [
        "changed: time  is not compared: there is none in the new report"
    ]
    assert list(cost_changes(without, without)) == []
