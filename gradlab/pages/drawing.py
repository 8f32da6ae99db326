"""Charts as SVG text: small, without a script, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH, HEIGHT = 330.0, 216.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 8.0, 26.0, 34.0
ROOM = 84.0  # for the words at a vertical line
LETTER = 5.4  # the width of one, on the average
BAND = 15.0  # at the top, for what is no number
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Point = tuple[float, float]


@dataclass(frozen=True)
class State:
    """What a chart comes to: the class that colours its sentence, and the glyph before it."""

    name: str
    glyph: str


PASSES, FAILS, OPEN = State("passes", "✓"), State("fails", "✗"), State("open", "○")


def state_of(exceeds: bool, met: bool) -> State:
    """What a chart comes to. met: whether the code meets its level: where it does not, no chart acquits it."""
    return FAILS if exceeds else PASSES if met else OPEN


@dataclass(frozen=True)
class Mark:
    """A labelled place on an axis; height: of the label at a vertical line, as a share of the chart's."""

    at: float
    label: str
    height: float = 0.5


@dataclass(frozen=True)
class Word:
    """A word beside a point. y None: beside what is no number."""

    x: float
    y: float | None
    text: str


@dataclass(frozen=True)
class Series:
    """Points of one kind: `dots`, or a `line`, `steps`; kind is the class that the sheet colours. y None: no number."""

    kind: str
    shape: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Chart:
    """A chart: what it shows in a line, and in a sentence for those who do not see it.

    x_range, y_range: of the axes. x_marks, y_marks: with grid lines. verticals: places that matter, with a word each.
    has_band: whether there is room for what is no number. words: beside points.
    """

    title: str
    sentence: str
    x_label: str
    y_label: str
    x_range: Point
    y_range: Point
    x_marks: Sequence[Mark]
    y_marks: Sequence[Mark]
    series: Sequence[Series]
    verticals: Sequence[Mark] = field(default_factory=tuple)
    has_band: bool = True
    words: Sequence[Word] = field(default_factory=tuple)

    def svg(self, name: str) -> Markup:
        """The chart as an element; name: unique on its page."""
        head = (
            f'<svg class="chart" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-labelledby="{name}-t {name}-d">'
            f'<title id="{name}-t">{escape(self.title)}</title><desc id="{name}-d">{escape(self.sentence)}</desc>'
        )
        parts = [
            *self._frame(),
            *(text for one in self.series for text in self._series(one)),
            *self._verticals(),
            *self._words(),
        ]
        return Markup(head + "".join(parts) + "</svg>")

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low or 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float | None) -> float:
        if value is None:
            return TOP + BAND / 2 - 3
        low, high = self.y_range
        top = TOP + (BAND if self.has_band else 0.0)
        share = (min(max(value, low), high) - low) / (high - low or 1.0)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - top)

    def _frame(self) -> Iterator[str]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        if self.has_band:
            yield f'<rect class="band" x="{LEFT:g}" y="{TOP - 3:g}" width="{right - LEFT:g}" height="{BAND - 3:g}"/>'
        yield f'<text class="y-label" x="2" y="12">{escape(self.y_label)}</text>'
        yield f'<text class="x-label" x="{right:g}" y="{HEIGHT - 4:g}" text-anchor="end">{escape(self.x_label)}</text>'
        for mark in self.y_marks:
            at = self.y(mark.at)
            yield f'<path class="grid" d="M{LEFT:g} {at:.1f}H{right:g}"/>'
            yield f'<text x="{LEFT - 5:g}" y="{at + 3.5:.1f}" text-anchor="end">{escape(mark.label)}</text>'
        for mark in self.x_marks:
            at = self.x(mark.at)
            yield f'<path class="grid" d="M{at:.1f} {TOP:g}V{bottom:g}"/>'
            if mark.label:
                yield f'<text x="{at:.1f}" y="{bottom + 13:g}" text-anchor="middle">{escape(mark.label)}</text>'

    def _series(self, series: Series) -> Iterator[str]:
        numbers = [(self.x(x), self.y(y)) for x, y in series.points if y is not None]
        missing = [self.x(x) for x, y in series.points if y is None]
        if series.shape == "dots":
            if numbers:
                yield f'<path class="{series.kind}" d="{"".join(f"M{x:.1f} {y:.1f}h0" for x, y in numbers)}"/>'
            if missing:
                yield f'<path class="{series.kind} none" d="{"".join(_cross(x, self.y(None)) for x in missing)}"/>'
            return
        path = _steps if series.shape == "steps" else _line
        placed = [(self.x(x), self.y(y)) for x, y in series.points]
        if placed:
            yield f'<path class="{series.kind}" d="{path(placed)}"/>'

    def _verticals(self) -> Iterator[str]:
        for mark in self.verticals:
            at = self.x(mark.at)
            anchor, shift = ("end", -4) if at + ROOM > WIDTH else ("start", 4)
            height = HEIGHT - BOTTOM - mark.height * (HEIGHT - BOTTOM - TOP)
            yield f'<path class="cliff" d="M{at:.1f} {TOP:g}V{HEIGHT - BOTTOM:g}"/>'
            yield (
                f'<text class="cliff-label" x="{at + shift:.1f}" y="{height:g}" '
                f'text-anchor="{anchor}">{escape(mark.label)}</text>'
            )

    def span(self, word: Word) -> Point:
        """From where to where a word stands: to the right of its point, or to the left where there is no room."""
        x, width = self.x(word.x), LETTER * len(word.text)
        return (x - 5 - width, x - 5) if x + 5 + width > WIDTH else (x + 5, x + 5 + width)

    def _words(self) -> Iterator[str]:
        for word in self.words:
            left, right = self.span(word)
            x, anchor = (right, "end") if right < self.x(word.x) else (left, "start")
            yield f'<text x="{x:.1f}" y="{self.y(word.y) - 4:.1f}" text-anchor="{anchor}">{escape(word.text)}</text>'


def power_of_two(exponent: float) -> str:
    """2 with a whole exponent, raised."""
    return "2" + f"{exponent:.0f}".translate(_RAISED)


def shown(value: float | str) -> str:
    """A number of a report to three digits, or what stands for one that is missing."""
    return f"{value:.3g}" if isinstance(value, float | int) else "no number"


def _cross(x: float, y: float) -> str:
    return f"M{x - 2:.1f} {y - 2:.1f}l4 4m0-4l-4 4"


def _line(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _steps(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in rest)
