"""In blocks of how many rows or classes a layer may work, by which of its answers are wrong."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab.diagnosis.layer.observation import Observation

MAX_TRIED = 12  # sizes of blocks
LARGEST = 512


def likely_sizes(observations: Sequence[Observation], cut: str) -> tuple[int, ...]:
    """The sizes of blocks that agree best with which answers are wrong, the best first.

    cut: "rows" or "classes". Where blocks are treated wrongly, that shows where there are several, where the last is
    not full, or where none is.
    """
    extents = [seen.problem.n_rows if cut == "rows" else seen.problem.n_classes for seen in observations]
    wrong = [seen.is_wrong for seen in observations]

    def agreement(size: int) -> int:
        several = [extent > size for extent in extents]
        uneven = [extent > size and extent % size != 0 for extent in extents]
        incomplete = [extent % size != 0 for extent in extents]
        return max(
            sum(one == other for one, other in zip(shown, wrong, strict=True))
            for shown in (several, uneven, incomplete)
        )

    sizes = range(2, min(max(extents, default=0), LARGEST + 1))
    return tuple(sorted(sizes, key=lambda size: (-agreement(size), size))[:MAX_TRIED])
