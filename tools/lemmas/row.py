"""A row of logits with few distinct levels: what a proof is asked on at any number of classes for little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """So many logits at each level, the label at one of them; the batch is n_rows of the same row.

    levels: finite, distinct, each a number of the dtype. counts: at least 1 each. label_level: a place in levels.
    """

    dtype: str
    levels: tuple[float, ...]
    counts: tuple[int, ...]
    label_level: int
    n_rows: int = 1

    @property
    def n_classes(self) -> int:
        return sum(self.counts)

    @property
    def n_others(self) -> Array:
        """How many classes but the label's each level has."""
        counts = np.array(self.counts)
        counts[self.label_level] -= 1
        return counts

    @property
    def top(self) -> int:
        """The place of the largest level."""
        return int(np.argmax(self.levels))

    @property
    def is_top(self) -> bool:
        """Whether the label's logit is the largest."""
        return self.top == self.label_level

    @property
    def places(self) -> Array:
        """A class of each level, not the label's where there is another: the last one."""
        return np.cumsum(self.counts) - 1

    @property
    def label(self) -> int:
        """The first class of its level."""
        return int(self.places[self.label_level] - self.counts[self.label_level] + 1)

    def batch(self) -> tuple[Array, Array]:
        """Logits (n_rows, K) and labels (n_rows,)."""
        row = np.repeat(np.array(self.levels, self.dtype), self.counts)
        return np.tile(row, (self.n_rows, 1)), np.full(self.n_rows, self.label)

    def plain(self) -> dict[str, Any]:
        """For JSON, the levels in hexadecimal."""
        levels = [float(level).hex() for level in self.levels]
        return {
            "dtype": self.dtype,
            "levels": levels,
            "counts": list(self.counts),
            "label_level": self.label_level,
            "n_rows": self.n_rows,
        }


def row_from(plain: dict[str, Any]) -> Row:
    """What `Row.plain` wrote."""
    levels = tuple(float.fromhex(level) for level in plain["levels"])
    return Row(plain["dtype"], levels, tuple(plain["counts"]), plain["label_level"], plain["n_rows"])
