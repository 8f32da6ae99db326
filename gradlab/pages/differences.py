"""The V-curve of an implementation's finite differences as a chart, with its table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.pages.drawing import Chart, Mark, Series, State, power_of_two, shown, state_of

LOWEST = -60.0  # what is smaller is drawn there


@dataclass(frozen=True)
class DifferenceFigure:
    """The chart of one dtype, a sentence on it, and the rows of its table: step, error, bound."""

    dtype: str
    chart: Chart
    sentence: str
    state: State
    rows: tuple[tuple[str, ...], ...]


def difference_figure(curve: Mapping[str, Any], met: bool) -> DifferenceFigure:
    """The figure of one dtype. met: whether the code meets its level."""
    steps = [math.log2(step) if step > 0 else LOWEST for step in curve["steps"]]
    errors = [_log(value) for value in curve["errors"]]
    bounds, truncation = ([_log(value) for value in curve[name]] for name in ("bounds", "truncation"))
    over = [
        step
        for step, error, bound in zip(curve["steps"], curve["errors"], curve["bounds"], strict=True)
        if not float(error) <= float(bound)
    ]
    least = min(range(len(steps)), key=lambda at: float(curve["bounds"][at]))
    sentence = f"The bound is least at the step {power_of_two(steps[least])}: {float(curve['bounds'][least]):.2g}. " + (
        f"From the step {max(over):.3g} down the loss is less exact than that of correct code."
        if over
        else "No error is over it: along this line the loss is as exact as that of correct code."
    )
    finite = [value for value in (*errors, *bounds) if value is not None] or [LOWEST]
    low, high = math.floor(min(finite)) - 3, math.ceil(max(finite))
    chart = Chart(
        f"Error of central differences in {curve['dtype']}, against the step",
        sentence,
        "step h",
        "error, log₂",
        (min(steps), max(steps)),
        (float(low), float(high)),
        [Mark(at, power_of_two(at)) for at in steps if at % (4 if len(steps) < 30 else 10) == 0],
        [Mark(at, f"{at}") for at in range(low - low % 8, high + 1, 8 if high - low < 40 else 16) if at >= low],
        [
            Series("part", "line", [point for point in _points(steps, truncation) if (point[1] or 0) >= low]),
            Series("allowed", "line", _points(steps, bounds)),
            Series("error", "dots", list(zip(steps, errors, strict=True))),
        ],
    )
    rows = tuple(
        (power_of_two(step), shown(error), shown(bound))
        for step, error, bound in zip(steps, curve["errors"], curve["bounds"], strict=True)
    )
    return DifferenceFigure(curve["dtype"], chart, sentence, state_of(bool(over), met), rows)


def _points(steps: Sequence[float], values: Sequence[float | None]) -> list[tuple[float, float | None]]:
    return [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]


def _log(value: float | str) -> float | None:
    """log2 of an error; a very small number for 0, None for what is no number."""
    size = float(value)
    if not math.isfinite(size):
        return None
    return max(math.log2(size), LOWEST) if size > 0 else LOWEST
