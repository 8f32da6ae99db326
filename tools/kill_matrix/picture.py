"""The matrix as a picture: a row for each implementation, a column for each check, dark where it rejects."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.checks.table import CHECKS
from tools.kill_matrix.rows import Row

TITLE = "how often a check rejects an implementation (blue: at level accurate only; grey: not asked; dot: its own)"
NOT_ASKED = "#dddddd"
FAINTEST = 0.25  # of the darkest: a check that rejects once can be told from one that never does


def draw(found: Sequence[Row], path: Path) -> None:
    """Writes the picture. Raises ImportError where matplotlib is not installed."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "gradlab", "svg.fonttype": "none"})  # names that can be searched for
    import matplotlib.pyplot as plt

    columns = [check.name for check in CHECKS if any(check.name in row.rejected for row in found)]
    figure, axes = plt.subplots(figsize=(15, 0.17 * len(found) + 3.2), layout="constrained")
    _draw_shares(axes, found, columns)
    _draw_marks(axes, found, columns)
    _label(axes, found, columns)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_shares(axes: Any, found: Sequence[Row], columns: Sequence[str]) -> None:
    import matplotlib

    shares = np.array([[row.rejected.get(name, np.nan) for name in columns] for row in found])
    shown = np.where(shares > 0, FAINTEST + (1 - FAINTEST) * shares, shares)
    accuracy = np.array([check.failing_means == "inaccurate" for check in CHECKS if check.name in columns])
    reds, blues = (matplotlib.colormaps[name].with_extremes(bad=NOT_ASKED)(shown) for name in ("Reds", "Blues"))
    axes.imshow(np.where(accuracy[:, None], blues, reds), aspect="auto", interpolation="nearest")


def _draw_marks(axes: Any, found: Sequence[Row], columns: Sequence[str]) -> None:
    """A dot for its own check, a line between the kinds, and fine ones that lead the eye to the names."""
    marked = [(i, columns.index(row.entry.its_check)) for i, row in enumerate(found) if row.entry.its_check in columns]
    lines, places = zip(*marked, strict=True)
    axes.plot(places, lines, "ko", markersize=3, markeredgecolor="white", markeredgewidth=0.5)
    for i, (above, below) in enumerate(pairwise(found)):
        if above.entry.kind != below.entry.kind:
            axes.axhline(i + 0.5, color="black", linewidth=1)
    for i in range(5, len(found), 5):
        axes.axhline(i - 0.5, color="#888888", linewidth=0.3)
    for i in range(5, len(columns), 5):
        axes.axvline(i - 0.5, color="#888888", linewidth=0.3)


def _label(axes: Any, found: Sequence[Row], columns: Sequence[str]) -> None:
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(found)), [row.entry.name for row in found], fontsize=6)
    axes.tick_params(top=True, bottom=True, labeltop=True, labelbottom=True, left=True, right=True, labelright=True)
    axes.set_title(TITLE)
