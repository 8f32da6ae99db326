"""The smallest error of one entry of dW that the bounds notice, over its largest entry, by N, D and K.

python -m tools.layer.sensitivity [dtype, float32]

Features are normal, weights normal of a tenth of the usual size, labels at random, the reduction a mean. An error of an
entry is noticed where it is beyond the entry's bound: the smallest such error is put into NumPy's answer, and must be
noticed, it alone. The median over the entries is printed too.
"""

from __future__ import annotations

import sys

import numpy as np

from gradlab.bounds.bound import Bound
from gradlab.layer.bounds.probable import probable_bounds
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.intervals import Enclosures
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array
from tools.layer.forms import FORMS, compute

LayerShape = tuple[int, int, int]  # N, D, K
SHAPES = ((64, 32, 10), (512, 64, 10), (512, 64, 1000), (4096, 512, 50), (4096, 64, 10))


def made_problem(dtype: str, shape: LayerShape) -> LayerProblem:
    """The problem of a shape."""
    rng = np.random.default_rng(shape)
    n_rows, n_features, n_classes = shape
    features = rng.standard_normal((n_rows, n_features)).astype(as_dtype(dtype))
    weight = (0.1 / np.sqrt(n_features) * rng.standard_normal((n_features, n_classes))).astype(as_dtype(dtype))
    return LayerProblem(features, weight, None, rng.integers(0, n_classes, n_rows))


def smallest_noticed(found: Array, exact: Enclosures, bound: Bound) -> tuple[float, float]:
    """The smallest and the median error of an entry that is noticed. Raises ValueError if the smallest is not."""
    needed = bound.error + np.spacing(np.abs(found)).astype(np.float64)
    place = np.unravel_index(np.argmin(needed), needed.shape)
    wrong = found.copy()
    wrong[place] = (exact.nearest()[place] + needed[place]).astype(found.dtype)
    noticed = np.argwhere(absolute_error(wrong, exact) > bound.error).tolist()
    if noticed != [list(place)]:
        raise ValueError(f"an error of {needed[place]} at {place} is to be noticed alone, got {noticed}")
    return float(needed[place]), float(np.median(needed))


def main() -> None:
    dtype = (sys.argv[1:] or ["float32"])[0]
    print(f"{dtype}: the smallest error of one entry of dW that is noticed, over the largest entry (median entry)")
    print("|    N |   D |    K | proved | probable |")
    print("|---|---|---|---|---|")
    for shape in SHAPES:
        problem = made_problem(dtype, shape)
        truth = enclose_layer(problem)
        found, largest = compute(FORMS[0], problem)["dW"], np.abs(truth.dW.nearest()).max()
        cells = []
        for bounds in (proved_bounds(problem), probable_bounds(problem)):
            least, median = smallest_noticed(found, truth.dW, bounds.dW)
            cells.append(f"{least / largest:.2e} ({median / largest:.1e})")
        print(f"| {' | '.join(map(str, shape))} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
