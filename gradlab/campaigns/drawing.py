"""Pictures by matplotlib, as SVG: the same bytes for the same figure and version."""

from __future__ import annotations

import io
from typing import Any

OKABE_ITO = {"orange": "#d55e00", "blue": "#0072b2", "green": "#009e73", "pink": "#cc79a7"}  # for every kind of sight


def pyplot() -> Any:
    """matplotlib.pyplot, which is imported here, drawing SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "gradlab"
    import matplotlib.pyplot as plt

    return plt


def svg_text(figure: Any) -> str:
    """The figure as SVG; it is closed."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    pyplot().close(figure)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"
