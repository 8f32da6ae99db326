"""Mistakes of which no simple rule tells where they show: only outside of what all is right is said."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from tests.localisation.functions import Mistake, mean, parts


def later_rows_are_the_middle_one(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    if len(y) > 2:
        g[len(y) // 2 + 1 :] = g[len(y) // 2]
    return mean(losses, g)


def mean_without_the_ends(x: Array, y: Array) -> Any:
    losses, g, _ = parts(x, y)
    loss, g = mean(losses, g)
    return (np.sort(losses)[1:-1].mean() if len(y) > 4 else loss), g


IN_PART = {
    "later_rows_are_the_middle_one": Mistake(
        later_rows_are_the_middle_one,
        "wrong only where the batch has 3 rows or more (right up to 2)",
        "the gradient of a row is that of another row of the batch",
    ),
    "mean_without_the_ends": Mistake(
        mean_without_the_ends,
        "wrong only where the batch has 5 rows or more (right up to 4)",
        "only the loss is wrong",
    ),
}
