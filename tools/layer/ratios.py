"""How far sound layers stay below the bounds: the largest error over bound, by dtype and output, over random problems.

python -m tools.layer.ratios [problems for each dtype, 600] [first seed, 0]

Problems of all shapes, up to 1000 rows and 300 features or classes, with weights of different sizes and rows as they
come or sorted by their label. Each is computed by every form of `tools.layer.forms`. The probable bounds are asked for
where `has_random_errors` says that they are for this problem.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace

import numpy as np

from gradlab.layer.bounds.outputs import LayerBounds
from gradlab.layer.bounds.probable import has_random_errors, probable_bounds
from gradlab.layer.bounds.proved import proved_bounds
from gradlab.layer.oracle.truth import LayerTruth, enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from tools.layer.forms import FORMS, Outputs, compute

MAX_ENTRIES = 40_000  # of the products of two sizes, so that many problems are worked through


def draw_problem(rng: np.random.Generator, dtype: str) -> LayerProblem:
    """A problem whose sizes are log-uniform, with normal features and weights, and in half of the cases an option."""
    while True:
        n_rows, n_features, n_classes = (int(2 ** rng.uniform(0, most)) for most in (10, 8.2, 8.2))
        if max(n_rows * n_classes, n_rows * n_features, n_features * n_classes) <= MAX_ENTRIES:
            break
    scale = rng.choice([0.01, 0.3, 1.0, 3.0]) / np.sqrt(n_features)
    weight, bias = scale * rng.standard_normal((n_features, n_classes)), 0.3 * rng.standard_normal(n_classes)
    features = rng.standard_normal((n_rows, n_features)) + rng.choice([0.0, 0.0, 2.0])
    labels = rng.integers(0, n_classes, n_rows)
    if rng.random() < 0.3:
        labels.sort()
    arrays = [one.astype(as_dtype(dtype)) for one in (features, weight, bias)]
    penalty = Penalty(float(rng.choice([0.0, 1e-3])), rng.random() < 0.5, rng.random() < 0.5)
    plain = LayerProblem(arrays[0], arrays[1], arrays[2], labels, Objective(str(rng.choice(["mean", "sum"]))), penalty)
    return _with_option(rng, plain)


def _with_option(rng: np.random.Generator, plain: LayerProblem) -> LayerProblem:
    n_rows, n_classes, objective = plain.n_rows, plain.n_classes, plain.objective
    match rng.integers(10):
        case 0:
            return plain.replace(objective=replace(objective, label_smoothing=0.1))
        case 1:
            weights = tuple(rng.choice([0.5, 1.0, 3.0], n_classes).tolist())
            return plain.replace(objective=replace(objective, class_weights=weights))
        case 2:
            kept = np.where(rng.random(n_rows) < 0.3, -100, plain.targets)
            kept[0] = plain.targets[0]
            return plain.replace(targets=kept, objective=replace(objective, ignore_index=-100))
        case 3:
            weights = tuple((0.5 + rng.random(n_rows)).tolist())
            return plain.replace(objective=replace(objective, sample_weights=weights))
        case 4:
            targets = rng.dirichlet(np.ones(n_classes), n_rows).astype(plain.features.dtype)
            return plain.replace(targets=targets, objective=replace(objective, targets="probability"))
    return plain


def largest_ratios(found: Outputs, truth: LayerTruth, bounds: LayerBounds) -> dict[str, float]:
    """The largest error over bound of each output; infinite where an answer without an error may not be wrong."""
    ratios = {}
    for name in OUTPUTS:
        error, bound = absolute_error(found[name], truth.output(name)), bounds.output(name).error
        with np.errstate(all="ignore"):
            ratio = np.where((error == 0) | np.isinf(bound), 0.0, error / bound)
        ratios[name] = float(np.where(np.isnan(ratio), np.inf, ratio).max(initial=0.0))
    return ratios


def survey(dtype: str, seeds: range) -> tuple[dict[tuple[str, str], float], Counter[str]]:
    """The largest ratios, by the kind of bound and the output, and how many problems there were of each kind."""
    largest: dict[tuple[str, str], float] = {}
    counts: Counter[str] = Counter()
    for seed in seeds:
        problem = draw_problem(np.random.default_rng([seed, DTYPE_NAMES.index(dtype)]), dtype)
        truth = enclose_layer(problem)
        bounds = {"proved": proved_bounds(problem)}
        if has_random_errors(problem):
            bounds["probable"] = probable_bounds(problem)
        counts.update(list(bounds))
        for form in FORMS:
            found = compute(form, problem)
            for kind, one in bounds.items():
                for name, ratio in largest_ratios(found, truth, one).items():
                    largest[kind, name] = max(largest.get((kind, name), 0.0), ratio)
                    if ratio > 1:
                        print(
                            f"{dtype} seed {seed}, {form.name}: {name} is {ratio:.3g} times the {kind} bound",
                            flush=True,
                        )
    return largest, counts


def main() -> None:
    given = [int(one) for one in sys.argv[1:]]
    n_problems, first = (given + [600, 0][len(given) :])[:2]
    print(f"| dtype | bound | problems | {' | '.join(OUTPUTS)} |")
    print("|---|---|---|" + "---|" * len(OUTPUTS))
    for dtype in DTYPE_NAMES:
        largest, counts = survey(dtype, range(first, first + n_problems))
        for kind in counts:
            cells = " | ".join(f"{largest[kind, name]:.2g}" for name in OUTPUTS)
            print(f"| {dtype} | {kind} | {counts[kind]} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
