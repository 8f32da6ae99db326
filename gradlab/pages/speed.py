"""Accuracy against speed: implementations of a page as points, where their times were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from gradlab.pages.content import Subject
from gradlab.pages.drawing import Chart, Mark, Series, Word
from gradlab.pages.numbers import bits_lost
from gradlab.problems.dtypes import format_of


@dataclass(frozen=True)
class SpeedFigure:
    """The chart of one dtype, and the rows of its table: number and name of a subject, its time and its bits lost."""

    dtype: str
    chart: Chart
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Point:
    """A subject: the median of its times over the yardstick, of all shapes, and the bits that its worst entry loses."""

    subject: Subject
    time: float
    lost: float | None


def speed_figures(subjects: Sequence[Subject]) -> tuple[SpeedFigure, ...]:
    """A figure for each dtype in which two subjects or more have a time and an error."""
    dtypes = dict.fromkeys(dtype for subject in subjects for dtype in subject.entry["dtypes"])
    points = {dtype: [point for one in subjects if (point := _point(one, dtype))] for dtype in dtypes}
    return tuple(_figure(dtype, some) for dtype, some in points.items() if len(some) > 1)


def _point(subject: Subject, dtype: str) -> _Point | None:
    ratios = [one.ratio for one in subject.costs if one.dtype == dtype and one.ratio is not None]
    if not ratios or dtype not in subject.worst_ulp:
        return None
    return _Point(subject, median(ratios), bits_lost(subject.worst_ulp[dtype], format_of(dtype)))


def _figure(dtype: str, points: Sequence[_Point]) -> SpeedFigure:
    precision = format_of(dtype).precision
    places = [math.log2(one.time) for one in points]
    low, high = math.floor(min(places)), math.ceil(max(places))
    high += low == high
    best = min(points, key=lambda one: (one.lost is None, one.lost, one.time)).subject.name
    fastest = min(points, key=lambda one: one.time).subject.name
    chart = Chart(
        f"Bits that the worst entry loses in {dtype}, against time",
        f"Most accurate: {best}; fastest: {fastest}.",
        "time over the yardstick",
        "bits lost",
        (float(low), float(high)),
        (0.0, float(precision)),
        [Mark(at, f"{2.0**at:g}") for at in range(low, high + 1)],
        [Mark(bits, f"{bits}") for bits in (0, precision // 2, precision)],
        [Series("error", "dots", [(place, one.lost) for place, one in zip(places, points, strict=True)])],
        words=[Word(place, one.lost, str(one.subject.number)) for place, one in zip(places, points, strict=True)],
    )
    return SpeedFigure(dtype, chart, tuple(_row(one) for one in points))


def _row(point: _Point) -> tuple[str, ...]:
    lost = "no finite number" if point.lost is None else f"{point.lost:.1f}"
    return f"{point.subject.number}. {point.subject.name}", f"{point.time:.3g}", lost
