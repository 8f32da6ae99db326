"""Where a run is, as a log shows it: a line now and then, and none for a run that is soon over."""

from __future__ import annotations

import io
from collections.abc import Sequence

from gradlab.harness.plan import Progress
from gradlab.report.progress import now_and_then


def written(times: Sequence[float]) -> list[str]:
    """The lines of a run that begins at the first time and is somewhere at each of the others, in seconds."""
    stream, ticks = io.StringIO(), iter(times)
    watch = now_and_then(stream, lambda: next(ticks))
    for done in range(1, len(times)):
        watch(Progress("mine", "float32", "families", done, 70, 0))
    return stream.getvalue().splitlines()


def test_a_short_run_writes_nothing() -> None:
    assert written([0, 3, 6, 9.9]) == []


def test_a_long_run_says_every_ten_seconds_where_it_is() -> None:
    assert written([0, 6, 12, 18, 24]) == [
        "mine float32: families, 2 of 70, 12 s",
        "mine float32: families, 4 of 70, 24 s",
    ]
