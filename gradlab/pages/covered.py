"""What a certificate says of every margin, drawn over a curve of a report, in words and as cells of its table."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.harness.curves import place_of
from gradlab.pages.drawing import Series, shown
from gradlab.pages.numbers import bits_lost
from gradlab.problems.dtypes import format_of

Plain = Mapping[str, Any]


def largest_series(curve: Plain, part: str, searched: Sequence[tuple[float, float | None]]) -> list[Series]:
    """The largest error so far: exhaustive as far as a certificate covers the axis, searched from there on."""
    covered, fmt = _covered_part(curve, part), format_of(curve["dtype"])
    if covered is None:
        return [Series("largest", "steps", searched)]
    end = place_of(min(curve["covered"]["end"], curve["values"][-1]))
    places = [place_of(margin) for margin in covered["margins"]]
    lost = [bits_lost(one, fmt) for one in covered["largest"]]
    steps = [(place, bits) for place, bits in zip(places, lost, strict=True) if place < end]
    last = steps[-1][1]
    beyond = [(x, None if y is None or last is None else max(y, last)) for x, y in searched if x > end]
    found = [Series("exhaustive", "steps", [*steps, (end, last)])]
    return [*found, Series("largest", "steps", [(end, last), *beyond])] if beyond else found


def covered_sentence(curve: Plain, part: str) -> str:
    """The largest error of every margin, and where it is; "" where not every margin was tried."""
    covered = _covered_part(curve, part)
    if covered is None:
        return ""
    at, end = f"m = {float.fromhex(covered['at']):.9g} ({covered['at']})", f"{curve['covered']['end']:g}"
    if not math.isfinite(float(covered["worst"])):
        return f" Exhaustive: the smallest margin at which no finite number comes back is {at}."
    return f" Exhaustive: of all margins below {end} the largest error is {covered['worst']:.4g} ULP, at {at}."


def covered_cells(curve: Plain, part: str) -> list[str] | None:
    """The largest error up to each value of the curve, of every margin there is; None where not every one was tried."""
    covered = _covered_part(curve, part)
    if covered is None:
        return None
    steps = [bisect_right(covered["margins"], value) - 1 for value in curve["values"]]
    cells = [shown(covered["largest"][step]) for step in steps]
    end = curve["covered"]["end"]
    return [cell if value < end else "–" for value, cell in zip(curve["values"], cells, strict=True)]


def certificate_in_words(curve: Plain) -> str:
    """What a certificate covers, and how it is known to be of this code; "" without one."""
    covered = curve.get("covered")
    if covered is None:
        return ""
    return (
        f"Exhaustive: {covered['certificate']} is a certificate of this code, found by the contents of its files. All "
        f"{covered['n_margins']:,} float32 margins from 0 up to {covered['end']:g} were tried, with "
        f"{covered['made_with']}. Here the answers have the same bits at the {covered['n_probes']:,} margins compared."
    )


def _covered_part(curve: Plain, part: str) -> Plain | None:
    found: Plain | None = (curve.get("covered") or {"parts": {}})["parts"].get(part)
    return found
