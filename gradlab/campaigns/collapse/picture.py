"""The curves of all trainings as a picture, a panel for each measure."""

from __future__ import annotations

from typing import Any

from gradlab.campaigns.collapse.training import MEASURES
from gradlab.campaigns.drawing import OKABE_ITO, pyplot, svg_text
from gradlab.storage.encoding import Plain

COLOURS = tuple(OKABE_ITO.values())
STYLES = ("-", "--", ":", "-.")
PLAIN = ("margin", "exact_zeros")  # measures on a plain scale; the others on one of powers of ten


def as_svg(document: Plain) -> str:
    """The picture: a panel for each measure, a colour and a style for each target, a line for each seed.

    The same bytes for the same document and version of matplotlib, which is imported here.
    """
    figure, panels = pyplot().subplots(2, 4, figsize=(15, 6.6), sharex=True, layout="constrained")
    names = list(dict.fromkeys(one["target"] for one in document["trainings"]))
    for axes, (measure, words) in zip(panels.flat, MEASURES.items(), strict=False):
        _draw(axes, document, measure, names)
        axes.set_title(words, fontsize=10)
        axes.set_xlabel("step", fontsize=9)
        axes.tick_params(labelsize=8)
    legend = panels.flat[len(MEASURES)]
    legend.axis("off")
    legend.legend(*panels.flat[0].get_legend_handles_labels(), loc="center", frameon=False, title="gradient by")
    p, rows = document["setting"]["modulus"], document["setting"]["n_rows"]
    figure.suptitle(f"a + b mod {p}, {rows:,} pairs: all is equal but the gradient by the logits", fontsize=11)
    return svg_text(figure)


def _draw(axes: Any, document: Plain, measure: str, names: list[str]) -> None:
    labelled = set()
    for one in document["trainings"]:
        place = names.index(one["target"]) % len(COLOURS)
        values = [float(value) for value in one["curve"][measure]]
        label = None if one["target"] in labelled else one["target"]
        labelled.add(one["target"])
        steps = [float(step) for step in one["curve"]["step"]]
        axes.plot(steps, values, STYLES[place], color=COLOURS[place], linewidth=1, alpha=0.8, label=label)
    if measure not in PLAIN:
        axes.set_yscale("log")
