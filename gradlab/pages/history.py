"""The page on many commits: lines of accuracy and time, verdicts, and what changed at which commit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradlab.compare.change import Change
from gradlab.compare.comparison import changes
from gradlab.pages.content import GLYPHS, Subject, subjects_of
from gradlab.pages.drawing import Chart, Mark, Series, power_of_two
from gradlab.pages.page import render
from gradlab.pages.past import Measured, Moment, Past

MAX_BENCHMARKS = 12  # of asv's that are drawn, those that moved most
Line = Sequence[float | None]


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on one implementation, commit by commit; "" where it was not checked."""

    name: str
    verdicts: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A line over the commits, as a chart, and as the rows of a table: commit and value."""

    name: str
    chart: Chart
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Step:
    """What changed at one commit."""

    label: str
    before: str
    changes: tuple[Change, ...]


def history_page(past: Past) -> str:
    """The HTML of the page."""
    moments = past.moments
    return render(
        "history.html",
        title="History",
        labels=[one.label for one in moments],
        verdicts=list(_verdicts(moments)),
        errors=list(_lines(moments, lambda one: {f"{one.name}, {dtype}": ulp for dtype, ulp in one.worst_ulp.items()})),
        times=list(_lines(moments, _times)),
        steps=list(_steps(moments)),
        benchmarks=list(_benchmarks(past.measured)),
        ignored=past.ignored,
    )


def _verdicts(moments: Sequence[Moment]) -> Iterator[Verdicts]:
    by_name = [{one["name"]: one["verdict"] for one in moment.report["implementations"]} for moment in moments]
    for name in dict.fromkeys(name for one in by_name for name in one):
        found = tuple(one.get(name, "") for one in by_name)
        yield Verdicts(name, found, tuple(f"{GLYPHS[one]} {one}" if one else "–" for one in found))


def _times(subject: Subject) -> Mapping[str, float]:
    return {f"{subject.name}, {one.dtype}, {one.shape}": one.ratio for one in subject.costs if one.ratio is not None}


def _lines(moments: Sequence[Moment], values: Callable[[Subject], Mapping[str, float]]) -> Iterator[Drawn]:
    """A line for each name under which some commit has a number."""
    found = [
        {name: value for one in subjects_of([moment.report]) for name, value in values(one).items()}
        for moment in moments
    ]
    labels = [moment.label for moment in moments]
    for name in dict.fromkeys(name for one in found for name in one):
        yield _drawn(name, labels, [one.get(name) for one in found])


def _benchmarks(measured: Sequence[Measured]) -> Iterator[Drawn]:
    labels = [one.label for one in measured]
    names = dict.fromkeys(name for one in measured for name in one.values)
    lines = {name: [one.values.get(name) for one in measured] for name in names}
    moved = sorted(lines, key=lambda name: -_movement(lines[name]))
    for name in moved[:MAX_BENCHMARKS]:
        yield _drawn(name, labels, lines[name])


def _movement(line: Line) -> float:
    """The largest factor from one commit to the next, as a logarithm."""
    known = [value for value in line if value is not None and value > 0]
    return max((abs(math.log(after / before)) for before, after in pairwise(known)), default=0.0)


def _drawn(name: str, labels: Sequence[str], line: Line) -> Drawn:
    """A line on a scale of powers of two; what is not finite is no number."""
    logarithms = [math.log2(value) if value is not None and 0 < value < math.inf else None for value in line]
    known = [value for value in logarithms if value is not None] or [0.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    high = high if high > low else low + 1
    points = [(float(at), value) for at, value in enumerate(logarithms) if line[at] is not None]
    every = max(1, math.ceil(len(labels) / 4))
    step = max(1, (high - low) // 4)
    known_points = [point for point in points if point[1] is not None]
    chart = Chart(
        name,
        f"{name}: from {_shown(line[0])} at {labels[0]} to {_shown(line[-1])} at {labels[-1]}.",
        "",
        "on a scale of powers of 2",
        (-0.3, len(labels) - 0.7),
        (float(low), float(high)),
        [Mark(at, label[:8] if at % every == 0 else "") for at, label in enumerate(labels)],
        [Mark(at, f"{2.0**at:g}" if -3 <= at <= 12 else power_of_two(at)) for at in range(low, high + 1, step)],
        [Series("largest", "line", known_points), Series("error", "dots", points)],
    )
    return Drawn(name, chart, tuple((label, _shown(value)) for label, value in zip(labels, line, strict=True)))


def _shown(value: float | None) -> str:
    return "no number" if value is None else f"{value:.4g}"


def _steps(moments: Sequence[Moment]) -> Iterator[Step]:
    """The commits at which something changed, the latest first."""
    for before, after in reversed(list(pairwise(moments))):
        found = tuple(changes(before.report, after.report))
        if found:
            yield Step(after.label, before.label, tuple(sorted(found, key=lambda one: not one.is_regression)))
