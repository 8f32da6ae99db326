"""The atlas as a picture: the largest error of every target and part, on a scale of powers of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.campaigns.atlas.page import WORDS, charts_of, dtypes_of, size_of, worst_of
from gradlab.campaigns.drawing import OKABE_ITO, pyplot, svg_text
from gradlab.measure.accuracy import PARTS
from gradlab.storage.encoding import Plain

COLOURS = {"loss": OKABE_ITO["blue"], "target": OKABE_ITO["orange"], "others": OKABE_ITO["green"]}
MIN_LOG_ULP = -2.0  # log2 ULP; what is smaller stands there
BEYOND = 6.0  # how far to the right of all else an infinite error stands
MAX_TICKS = 8


def as_svg(atlas: Plain) -> str:
    """The picture: a panel for each dtype, a line for each target, large dots for its worst and small for each family.

    The same bytes for the same atlas and version of matplotlib, which is imported here.
    """
    dtypes = dtypes_of(atlas)
    names = [entry["target"] for entry in atlas["targets"]]
    size = (1.5 + 5.5 * len(dtypes), 1.6 + 0.42 * len(names))
    figure, panels = pyplot().subplots(1, len(dtypes), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axes, dtype in zip(panels[0], dtypes, strict=True):
        _draw(axes, charts_of(atlas, dtype), names)
        axes.set_title(dtype)
    panels[0][0].set_yticks(range(len(names)), [name.replace("cross_entropy_", "cross_entropy_\n") for name in names])
    panels[0][0].tick_params(axis="y", labelsize=8)
    panels[0][0].invert_yaxis()
    scale = "log2 of the largest error in ULP, searched (small dots: family by family)"
    dots = panels[0][0].get_legend_handles_labels()
    figure.legend(*dots, loc="outside lower center", ncols=3, frameon=False, title=scale)
    return svg_text(figure)


def _draw(axes: Any, charts: list[tuple[Plain, Plain]], names: list[str]) -> None:
    """The dots of one dtype. Infinite errors stand beyond a line on the right."""
    edge = _edge(charts)
    for place, part in enumerate(PARTS):
        every, worst = [], []
        for entry, chart in charts:
            height = names.index(entry["target"]) + 0.22 * (place - 1)
            every += [(_position(size_of(one["parts"][part]), edge), height) for one in chart["families"]]
            worst.append((_position(size_of(worst_of(chart, part)[1]), edge), height))
        axes.plot(*zip(*every, strict=True), ".", color=COLOURS[part], alpha=0.3, markersize=4, markeredgewidth=0)
        axes.plot(*zip(*worst, strict=True), "o", color=COLOURS[part], markersize=6, label=WORDS[part])
    step = next(step for step in (4, 8, 16, 32) if edge / step <= MAX_TICKS or step == 32)
    ticks = np.arange(0, edge + 1, step)
    axes.set_xticks([*ticks, edge + BEYOND], [*(f"{tick:g}" for tick in ticks), "inf"])
    axes.axvline(edge + BEYOND / 2, color="#888888", linewidth=0.8, linestyle=":")
    axes.set_xlim(MIN_LOG_ULP - 1, edge + BEYOND + 2)
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    for height in range(1, len(names)):
        axes.axhline(height - 0.5, color="#dddddd", linewidth=0.6)


def _edge(charts: list[tuple[Plain, Plain]]) -> float:
    """The largest finite log2 of an error, and at least 8."""
    sizes = [size_of(one["parts"][part]) for _, chart in charts for one in chart["families"] for part in PARTS]
    return float(np.log2(max([2.0**8, *(size for size in sizes if np.isfinite(size))])))


def _position(ulp: float, edge: float) -> float:
    if not np.isfinite(ulp):
        return edge + BEYOND
    return max(MIN_LOG_ULP, float(np.log2(ulp))) if ulp > 0 else MIN_LOG_ULP
