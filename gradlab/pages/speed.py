"""Accuracy against speed, where times were measured: implementations of a page as points, and sizes of one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from gradlab.pages.content import Cost, Subject
from gradlab.pages.drawing import BOTTOM, HEIGHT, TOP, Chart, Mark, Series, Word
from gradlab.pages.numbers import bits_lost
from gradlab.problems.dtypes import Format, format_of


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
    places = [math.log2(one.time) for one in points]
    best = min(points, key=lambda one: (one.lost is None, one.lost, one.time)).subject.name
    fastest = min(points, key=lambda one: one.time).subject.name
    chart = _chart(
        dtype,
        f"Bits that the worst entry loses in {dtype}, against time",
        f"Most accurate: {best}; fastest: {fastest}.",
        [Series("error", "dots", [(place, one.lost) for place, one in zip(places, points, strict=True)])],
    )
    words = [Word(place, one.lost, str(one.subject.number)) for place, one in zip(places, points, strict=True)]
    chart = replace(chart, words=words)
    return SpeedFigure(dtype, chart, tuple(_row(one) for one in points))


def _row(point: _Point) -> tuple[str, ...]:
    lost = "no finite number" if point.lost is None else f"{point.lost:.1f}"
    return f"{point.subject.number}. {point.subject.name}", f"{point.time:.3g}", lost


def size_figures(subject: Subject) -> tuple[SpeedFigure, ...]:
    """A figure of one implementation for each dtype in which sizes have a time and an error; without rows.

    A size is at its time over the yardstick and at the bits that its answer loses, or else those of the worst entry.
    """
    found = []
    for dtype in subject.entry["dtypes"]:
        sizes = [one for one in subject.costs if one.dtype == dtype and one.ratio is not None]
        worst = subject.worst_ulp.get(dtype)
        known = [one for one in sizes if one.ulp is not None or worst is not None]
        if known:
            found.append(SpeedFigure(dtype, _chart_of_sizes(dtype, known, worst), ()))
    return tuple(found)


def _chart_of_sizes(dtype: str, sizes: Sequence[Cost], worst: float | None) -> Chart:
    fmt = format_of(dtype)
    points = [(math.log2(one.ratio or 1.0), bits_lost(_error(one, worst), fmt)) for one in sizes]
    spreads = [
        Series("spread", "line", [(math.log2(ratio), lost) for ratio in one.middle or ()])
        for one, (_, lost) in zip(sizes, points, strict=True)
    ]
    chart = _chart(
        dtype,
        f"Bits lost in {dtype}, against time, size by size",
        _sentence(sizes, worst, fmt),
        [*spreads, Series("error", "dots", points)],
    )
    ends = [(x, bits_lost(worst, fmt)) for x in chart.x_range] if worst is not None else []
    words = _apart(chart, sizes, points)
    leaders = [
        Series("part", "line", [(word.x, lost), (word.x, word.y)])
        for word, (_, lost) in zip(words, sorted(points, key=lambda point: point[0]), strict=True)
        if word.y != lost
    ]
    series = [*([Series("worst", "line", ends)] if ends else []), *leaders, *chart.series]
    return replace(chart, series=series, verticals=[Mark(0.0, "yardstick", 0.62)], words=words)


def _error(one: Cost, worst: float | None) -> float:
    """How far off a size is, or else the worst entry of all."""
    return one.ulp if one.ulp is not None else float(worst or 0.0)


def _sentence(sizes: Sequence[Cost], worst: float | None, fmt: Format) -> str:
    said = [
        f"{one.shape}: {one.ratio:.2g} times the yardstick, {_lost_in_words(_error(one, worst), fmt)}" for one in sizes
    ]
    of_all = [] if worst is None else [f"the worst entry of all problems: {_lost_in_words(worst, fmt)}"]
    return "; ".join([*said, *of_all]) + "."


def _lost_in_words(error: float, fmt: Format) -> str:
    lost = bits_lost(error, fmt)
    return "no finite number" if lost is None else f"{lost:.1f} of {fmt.precision} bits lost"


def _apart(chart: Chart, sizes: Sequence[Cost], points: Sequence[tuple[float, float | None]]) -> list[Word]:
    """The sizes as words beside their points, each higher than those that it would stand on."""
    words: list[Word] = []
    line = chart.y_range[1] * 11 / (HEIGHT - TOP - BOTTOM)
    for one, (x, lost) in sorted(zip(sizes, points, strict=True), key=lambda pair: pair[1][0]):
        word = Word(x, lost, one.shape)
        while word.y is not None and any(_overlap(chart, word, other, line) for other in words):
            word = replace(word, y=word.y + line)
        words.append(word)
    return words


def _overlap(chart: Chart, one: Word, other: Word, line: float) -> bool:
    """Whether two words stand on each other. line: the height of one."""
    (left, right), (others_left, others_right) = chart.span(one), chart.span(other)
    beside = right < others_left or others_right < left
    return not beside and one.y is not None and other.y is not None and abs(one.y - other.y) < line


def _chart(dtype: str, title: str, sentence: str, series: Sequence[Series]) -> Chart:
    """The frame of a chart against time: in powers of two of the yardstick, which is on it, and all that is drawn."""
    precision = format_of(dtype).precision
    places = [0.0, *(x for one in series for x, _ in one.points)]
    low, high = math.floor(min(places)), math.ceil(max(places))
    high += low == high
    every = max(1, math.ceil((high - low) / 7))
    return Chart(
        title,
        sentence,
        "time over the yardstick",
        "bits lost",
        (float(low), float(high)),
        (0.0, float(precision)),
        [Mark(at, f"{2.0**at:g}" if (at - low) % every == 0 else "") for at in range(low, high + 1)],
        [Mark(bits, f"{bits}") for bits in (0, precision // 2, precision)],
        series,
    )
