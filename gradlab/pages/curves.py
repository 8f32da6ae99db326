"""The curves of a report as figures: charts, a sentence on each, and the table behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.harness.curves import place_of
from gradlab.pages.covered import certificate_in_words, covered_cells, covered_sentence, largest_series
from gradlab.pages.drawing import FAILS, PASSES, Chart, Mark, Series, State, power_of_two, shown, state_of
from gradlab.pages.numbers import bits_lost
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families.placing import rounds_to_one, underflows

Plain = Mapping[str, Any]
PARTS = {
    "target": "the label's entry of the gradient",
    "others": "the other entries",
    "dW": "dW, the gradient by the weight",
    "dX": "dX, the gradient by the features",
    "db": "db, the gradient by the bias",
    "loss": "the loss",
}
LAYER_OUTPUTS = ("dW", "dX", "db")
HIDDEN = "what is wrong does not show in these problems"


@dataclass(frozen=True)
class Axis:
    """How an axis is told: its heading, what its problems are, and what its number is called."""

    heading: str
    problems: str
    number: str


AXES = {
    "margin": Axis(
        "Error against margin",
        "Two classes, logits (m, 0), label 0. The larger the margin m, the surer the model, and the smaller the entry "
        "p − 1 of the gradient, which is the label's.",
        "margin m",
    ),
    "rows": Axis(
        "Error against the distance between two rows",
        "A batch of two rows, of which the second lies m below the first: logits (0, 1, 3) and (−m, 1 − m, 3 − m). "
        "softmax does not change when a row is shifted, so m must not matter.",
        "distance m of the rows",
    ),
    "spread": Axis(
        "Error against spread",
        "One row of eight classes, from 0 down to −m in equal steps; the label is the fourth.",
        "spread m",
    ),
    "offset": Axis(
        "Error against offset",
        "One row, logits (m, m − 1, m − 3), label 1. Whoever does not subtract the row's maximum overflows here.",
        "offset m",
    ),
    "classes": Axis(
        "Error against the number of classes",
        "One row of K random logits around 0.",
        "classes K",
    ),
}


@dataclass(frozen=True)
class Figure:
    """One part of the answers along one axis. sentence: what it shows. state: whether an error is over the bound."""

    part: str
    chart: Chart
    sentence: str
    state: State


@dataclass(frozen=True)
class DtypeFigures:
    """The figures of one axis in one dtype, and their table.

    heads: of the columns beside the value. predicted: whether a curve that the diagnosis predicts is drawn.
    certificate: what one covers, in words; "" without one.
    """

    dtype: str
    figures: tuple[Figure, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    predicted: bool
    certificate: str = ""

    @property
    def exceeds(self) -> bool:
        return any(one.state is FAILS for one in self.figures)


@dataclass(frozen=True)
class AxisFigures:
    """An axis with its figures in each dtype."""

    name: str
    axis: Axis
    dtypes: tuple[DtypeFigures, ...]
    clears: bool

    @property
    def exceeds(self) -> bool:
        return any(one.exceeds for one in self.dtypes)

    @property
    def is_covered(self) -> bool:
        """Whether a largest error is drawn that is exhaustive."""
        return any(one.certificate for one in self.dtypes)

    @property
    def summary(self) -> str:
        """What it shows, in a few words, where no error is over the bound."""
        return f"{PASSES.glyph} within the bound everywhere" if self.clears else HIDDEN


def axis_figures(entry: Plain) -> tuple[AxisFigures, ...]:
    """All figures of an implementation, axis by axis, those with an error over the bound first. None without curves."""
    found: dict[str, list[DtypeFigures]] = {}
    for curve in (entry.get("curves") or {"axes": ()})["axes"]:
        found.setdefault(curve["axis"], []).append(_dtype_figures(curve, entry))
    axes = [AxisFigures(name, axis, tuple(found[name]), entry["met"]) for name, axis in AXES.items() if name in found]
    return tuple(sorted(axes, key=lambda one: not one.exceeds))


def _dtype_figures(curve: Plain, entry: Plain) -> DtypeFigures:
    parts = curve["parts"]
    shown_parts = [part for part in PARTS if part in parts]
    figures = tuple(figure_of(curve, part, entry) for part in shown_parts)
    columns = [column for part in shown_parts for column in _columns(curve, part)]
    columns_of_cells = (cells for _, cells in columns)
    rows = [(f"{value:g}", *cells) for value, *cells in zip(curve["values"], *columns_of_cells, strict=True)]
    predicted = parts[shown_parts[0]]["predicted"] is not None
    heads = tuple(head for head, _ in columns)
    return DtypeFigures(curve["dtype"], figures, heads, tuple(rows), predicted, certificate_in_words(curve))


def _columns(curve: Plain, part: str) -> Iterator[tuple[str, list[str]]]:
    """The head and the cells of each column of one part."""
    own = curve["parts"][part]
    yield PARTS[part], list(map(shown, own["errors"]))
    yield "its bound", list(map(shown, own["allowed"]))
    if (covered := covered_cells(curve, part)) is not None:
        yield "largest so far (exhaustive)", covered


def figure_of(curve: Plain, part: str, entry: Plain) -> Figure:
    """The figure of one part of one curve of an implementation."""
    fmt, own = format_of(curve["dtype"]), curve["parts"][part]
    places = [place_of(value) for value in curve["values"]]
    errors = [bits_lost(one, fmt) for one in own["errors"]]
    allowed = [bits_lost(one, fmt) for one in own["allowed"]]
    over = [
        value
        for value, error, limit in zip(curve["values"], own["errors"], own["allowed"], strict=True)
        if not (math.isfinite(float(error)) and float(error) <= float(limit))
    ]
    allowance = "" if over else _allowed(entry)
    sentence = _sentence(curve, errors, over, fmt) + allowance + covered_sentence(curve, part)
    largest = list(zip(places, _running_maximum(errors), strict=True))
    series = [
        Series(
            "allowed", "line", [(x, fmt.precision if y is None else y) for x, y in zip(places, allowed, strict=True)]
        ),
        *largest_series(curve, part, largest),
        Series("error", "dots", list(zip(places, errors, strict=True))),
    ]
    if own["predicted"] is not None:
        foretold = [bits_lost(one, fmt) for one in own["predicted"]]
        series.append(Series("predicted", "line", list(zip(places, foretold, strict=True))))
    said = PARTS[part] if part in LAYER_OUTPUTS else PARTS[part].capitalize()
    title = f"{said} in {curve['dtype']}, against {AXES[curve['axis']].number}"
    chart = Chart(
        title,
        sentence,
        AXES[curve["axis"]].number,
        "bits lost",
        (places[0], places[-1]),
        (0.0, float(fmt.precision)),
        _binades(places),
        [Mark(bits, f"{bits}") for bits in (0, fmt.precision // 2, fmt.precision)],
        series,
        [mark for mark in _thresholds(curve["axis"], part, fmt) if places[0] < mark.at < places[-1]],
    )
    return Figure(PARTS[part], chart, sentence, state_of(bool(over), entry["met"]))


def _sentence(curve: Plain, errors: Sequence[float | None], over: Sequence[float], fmt: Format) -> str:
    missing = [value for value, error in zip(curve["values"], errors, strict=True) if error is None]
    worst = max((error for error in errors if error is not None), default=0.0)
    said = f"At most {worst:.1f} of {fmt.precision} bits are lost"
    n_lost = sum(error == fmt.precision for error in errors)
    if n_lost:
        said = f"All {fmt.precision} bits are lost at {n_lost} of {len(errors)} problems"
    if missing:
        said = f"No finite number comes back at {len(missing)} of {len(errors)} problems, from {min(missing):.4g} on"
    return f"{said}; over the bound of level stable from {min(over):.4g} on." if over else said


def _allowed(entry: Plain) -> str:
    """What errors within the bound say of an implementation: of one that does not meet its level, not that it does."""
    if entry["met"]:
        return "; level stable allows that: no error is over its bound."
    if entry["verdict"] == "stable":
        return ". Level stable allows that; level accurate allows a few ULP."
    return f". Level stable allows that: {HIDDEN}."


def _running_maximum(errors: Sequence[float | None]) -> list[float | None]:
    largest: list[float | None] = []
    for error in errors:
        last = largest[-1] if largest else 0.0
        largest.append(None if error is None or last is None else max(error, last))
    return largest


def _binades(places: Sequence[float]) -> list[Mark]:
    low, high = math.floor(places[0]), math.ceil(places[-1])
    every = max(1, math.ceil((high - low) / 7))
    inside = [at for at in range(low, high + 1) if places[0] <= at <= places[-1]]
    return [Mark(at, _power(at) if (at - low) % every == 0 else "") for at in inside]


def _power(exponent: int) -> str:
    if 0 <= exponent <= 12:
        return f"{2**exponent}"
    return f"1/{2**-exponent}" if -4 <= exponent < 0 else power_of_two(exponent)


def _thresholds(axis: str, part: str, fmt: Format) -> list[Mark]:
    if axis == "margin" and part in ("target", *LAYER_OUTPUTS):
        cliff = rounds_to_one(fmt)
        return [Mark(place_of(cliff), f"p is 1 from {cliff:.3g}")]
    vanishes, said = place_of(underflows(fmt)), f"exp(−m) is 0 from {underflows(fmt):.3g}"
    if axis in ("rows", "spread"):
        return [Mark(vanishes, said)]
    if axis == "margin" and part == "loss":
        return [Mark(vanishes, said, 0.08)]  # below the curve, which rises where the words would stand
    return []
