"""How long the layer's enclosures take, in seconds of processor time, and how wide they are.

python benchmarks/layer_oracle.py

The width is the largest radius over the sum of the sizes of an entry's terms, |X|^T |G| for dW, as a power of two.
Large problems go through sliced products, those with an option of one number through balls.
"""

from __future__ import annotations

import time

import numpy as np

from gradlab.layer.oracle.answers import Skeleton
from gradlab.layer.oracle.fast import answer_by_slices
from gradlab.layer.oracle.truth import LayerTruth, enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.intervals import ldexp
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array
from gradlab.reference import layer_forms

CASES = (  # N, D, K, the dtype, by how much the usual weights are multiplied, the temperature
    (64, 512, 1000, "float32", 1.0, 1.0),
    (256, 64, 4096, "float32", 1.0, 1.0),
    (4096, 512, 50, "float32", 1.0, 1.0),
    (64, 512, 1000, "float32", 40.0, 1.0),
    (64, 512, 1000, "bfloat16", 1.0, 1.0),
    (64, 512, 1000, "float64", 1.0, 1.0),
    (64, 128, 300, "float32", 1.0, 2.0),
)


def made_problem(
    n_rows: int, n_features: int, n_classes: int, dtype: str, scale: float, temperature: float
) -> LayerProblem:
    """A problem of labels at random, with normal features, and normal weights that give logits of the size `scale`."""
    rng = np.random.default_rng([n_rows, n_features, n_classes])
    cast = as_dtype(dtype)
    features = rng.standard_normal((n_rows, n_features)).astype(cast)
    weight = (scale / np.sqrt(n_features) * rng.standard_normal((n_features, n_classes))).astype(cast)
    bias, labels = rng.standard_normal(n_classes).astype(cast), rng.integers(0, n_classes, n_rows)
    return LayerProblem(features, weight, bias, labels, Objective(temperature=temperature))


def widths(truth: LayerTruth) -> list[float]:
    """log2 of the largest radius over the sum of sizes, of the loss (over itself), dX, dW and db."""
    problem = truth.problem
    sizes = np.abs(_gradient(problem))
    features, weight = np.abs(problem.features64), np.abs(problem.weight64)
    beside = (
        np.abs(truth.loss.nearest()),
        layer_forms.by_features(weight, sizes),
        layer_forms.by_weight(features, weight, sizes, 0.0),
        layer_forms.by_bias(problem.bias64, sizes, 0.0),
    )
    found = (truth.loss, truth.dX, truth.dW, truth.db)
    return [
        float(np.log2((ldexp(one.radius, one.exponent) / size).max())) for one, size in zip(found, beside, strict=True)
    ]


def _gradient(problem: LayerProblem) -> Array:
    """The gradient by the logits in float64, which is enough for its sizes."""
    d = (problem.float64_logits - problem.float64_logits.max(axis=1, keepdims=True)) / problem.objective.temperature
    p = np.exp(d) / np.exp(d).sum(axis=1, keepdims=True)
    others = p.copy()
    others[np.arange(len(p)), problem.targets] = 0.0
    p[np.arange(len(p)), problem.targets] = -others.sum(axis=1)
    return np.asarray(p / (problem.n_rows * problem.objective.temperature))


def main() -> None:
    enclose_layer(made_problem(64, 8, 1000, "float32", 1.0, 1.0))  # what is compiled and remembered once
    print("| N, D, K | dtype, logits, temperature | way | seconds | log2 width: loss, dX, dW, db |")
    print("|---|---|---|---|---|")
    for n_rows, n_features, n_classes, dtype, scale, temperature in CASES:
        problem = made_problem(n_rows, n_features, n_classes, dtype, scale, temperature)
        start = time.process_time()
        truth = enclose_layer(problem)
        seconds = time.process_time() - start
        way = "balls" if answer_by_slices(Skeleton(problem)) is None else "slices"
        shown = ", ".join(f"{one:.0f}" for one in widths(truth))
        case = f"| {n_rows}, {n_features}, {n_classes} | {dtype}, {scale:g}, {temperature:g} | {way}"
        print(f"{case} | {seconds:.2f} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
