"""What calls cost by gradlab's own clock: code that spoils its own clock, or keeps answers, gains nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from gradlab.evaluation.call import Implementation
from gradlab.isolation.limits import Limits
from gradlab.judged.clock import Clocked, checked_timing, nothing_at, settled
from gradlab.judged.process import Place
from gradlab.measure.timing import Timing

Load = Callable[..., Implementation]

SHAPE = (64, 10)
RIGHT = "\nimport time\nkept = {{}}\n{}\ndef loss(logits, labels):\n    {}\n    return right(logits, labels)\n"
SLOW = 0.05  # seconds that a call takes


def checked(one: Implementation, tmp_path: Path, seconds: float) -> Timing:
    """What becomes of a timing in which the process has told so many seconds."""
    told = Timing("float64", SHAPE, (1.0,), seconds, 0)
    with nothing_at(Place(str(tmp_path), Limits())) as nothing:
        return checked_timing(one, told, nothing)


@pytest.mark.parametrize(("told", "clocked"), [(0.05, 0.05), (0.05, 0.099), (1e-4, 5e-4), (1e-6, 4e-4), (1e-2, 1e-2)])
def test_what_an_honest_process_tells_stays(told: float, clocked: float) -> None:
    timing = Timing("float64", SHAPE, (1.0,), told, 0)
    assert settled(timing, Clocked((clocked,) * 9, (1e-5,) * 9, way=1e-3)) == timing


@pytest.mark.parametrize(("told", "clocked"), [(0.05, 0.11), (1e-6, 1e-3)])
def test_what_the_clock_does_not_bear_out_does_not_stay(told: float, clocked: float) -> None:
    timing = settled(Timing("float64", SHAPE, (1.0,), told, 0), Clocked((clocked,) * 9, (1e-5,) * 9, way=1e-3))
    assert timing.seconds == clocked
    assert timing.ratios == (clocked / 1e-5,) * 9


def test_a_stopped_clock_does_not_help(load: Load, tmp_path: Path) -> None:
    stopped = "sleep = time.sleep\nfor name in ('perf_counter', 'monotonic', 'time'): setattr(time, name, lambda: 0.0)"
    timing = checked(load(RIGHT.format(stopped, f"sleep({SLOW})")), tmp_path, 1e-6)
    assert timing.seconds is not None
    assert SLOW / 2 < timing.seconds < 20 * SLOW
    assert median(timing.ratios) > 100
    assert "by gradlab's clock; the process itself told 0.001 ms" in timing.note


def test_answers_that_are_kept_by_input_do_not_help(load: Load, tmp_path: Path) -> None:
    keeps = f"key = logits.tobytes()\n    if key not in kept: time.sleep({SLOW})\n    kept[key] = 1"
    timing = checked(load(RIGHT.format("", keeps)), tmp_path, 1e-5)
    assert timing.seconds is not None
    assert timing.seconds > SLOW / 2


def test_a_wrong_answer_that_is_timed_is_told(load: Load, tmp_path: Path) -> None:
    one = load(RIGHT.format("", "if logits.shape == (64, 10): return 0.0, np.zeros_like(logits)"))
    timing = checked(one, tmp_path, 1e-5)
    assert (timing.seconds, timing.ratios) == (None, ())
    assert timing.note == "its answer is wrong where it is timed"


def test_one_that_was_not_timed_stays_so(load: Load) -> None:
    told, one = Timing("float64", SHAPE, note="left out"), load(RIGHT.format("", "pass"))
    assert checked_timing(one, told, one) == told


def test_one_wrong_answer_of_small_problems_is_told(load: Load, tmp_path: Path) -> None:
    later = "kept['n'] = kept.get('n', 0) + 1\n    if kept['n'] == 5: return 0.0, np.zeros_like(logits)"
    assert checked(load(RIGHT.format("", later)), tmp_path, 1e-5).note == "its answer is wrong where it is timed"
