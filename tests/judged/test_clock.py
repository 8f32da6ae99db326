"""What calls cost by gradlab's own clock: code that spoils its own clock, or keeps answers, gains nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from gradlab.evaluation.call import Implementation
from gradlab.isolation.limits import Limits
from gradlab.judged.clock import checked_timing
from gradlab.judged.process import Place
from gradlab.measure.timing import Timing

Load = Callable[..., Implementation]

SHAPE = (64, 10)
RIGHT = "\nimport time\nkept = {{}}\n{}\ndef loss(logits, labels):\n    {}\n    return right(logits, labels)\n"
SLOW = 0.05  # seconds that a call takes


def checked(one: Implementation, tmp_path: Path, seconds: float) -> Timing:
    """What becomes of a timing in which the process has told so many seconds."""
    told = Timing("float64", SHAPE, (1.0,), seconds, 0)
    return checked_timing(one, told, Place(str(tmp_path), Limits()))


def test_what_an_honest_process_tells_stays(load: Load, tmp_path: Path) -> None:
    one = load(RIGHT.format("", f"time.sleep({SLOW})"))
    timing = checked(one, tmp_path, SLOW)
    assert (timing.seconds, timing.ratios, timing.note) == (SLOW, (1.0,), "")


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


def test_one_that_was_not_timed_stays_so(load: Load, tmp_path: Path) -> None:
    told = Timing("float64", SHAPE, note="left out")
    assert checked_timing(load(RIGHT.format("", "pass")), told, Place(str(tmp_path), Limits())) == told


@pytest.mark.parametrize("seconds", [1e-4, 1e-2])
def test_a_fast_call_is_not_blamed_for_the_way(load: Load, tmp_path: Path, seconds: float) -> None:
    assert checked(load(RIGHT.format("", "pass")), tmp_path, seconds).note == ""
