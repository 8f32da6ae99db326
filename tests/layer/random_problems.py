"""Random problems of the layer: every dtype, kind of objective, mask, range of the features and of the margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array

REAL_OPTIONS = (("softcap", 5.0), ("temperature", 0.7), ("z_loss", 0.1), ("poly_epsilon", 2.0))
RANGES = ("plain", "confident", "huge_margins", "mixed_scales", "offset", "tiny", "zeros", "equal_rows", "huge")


def random_problem(rng: np.random.Generator, dtype: str | None = None, kind: str | None = None) -> LayerProblem:
    """A small problem of a dtype and a range, each drawn where it is not given; options are drawn too."""
    dtype = dtype or str(rng.choice(DTYPE_NAMES))
    n_rows, n_features, n_classes = (int(one) for one in rng.integers(1, 9, 3))
    features, weight = rng.standard_normal((n_rows, n_features)), rng.standard_normal((n_features, n_classes))
    features, weight = _in_range(rng, kind or str(rng.choice(RANGES)), features, weight)
    bias = rng.standard_normal(n_classes) if rng.random() < 0.7 else None
    if bias is not None and rng.random() < 0.2 and n_classes > 1:
        bias[rng.integers(n_classes)] = -np.inf
    objective = _objective(rng, n_rows, n_classes)
    soft = objective.targets == "probability"
    targets = rng.dirichlet(np.ones(n_classes), n_rows) if soft else rng.integers(0, n_classes, n_rows)
    if objective.ignore_index is not None:
        targets = np.where(rng.random(n_rows) < rng.choice([0.3, 1.0], p=[0.9, 0.1]), objective.ignore_index, targets)
    cast = _caster(dtype)
    penalised = objective.reduction != "none" and rng.random() < 0.5
    finite_bias = bias is not None and bool(np.isfinite(bias).all())
    penalty = Penalty(float(rng.choice([0.1, 1e-4])), rng.random() < 0.5, finite_bias and rng.random() < 0.5)
    return LayerProblem(
        cast(features),
        cast(weight),
        None if bias is None else cast(bias),
        cast(targets) if soft else targets,
        objective,
        penalty if penalised else Penalty(),
    )


def _caster(dtype: str):  # type: ignore[no-untyped-def]  # a closure of one line
    fmt = format_of(dtype)

    def cast(values: Array) -> Array:
        finite = np.clip(values, -fmt.largest, fmt.largest)
        return np.where(np.isinf(values), values, finite).astype(fmt.dtype)

    return cast


def _in_range(rng: np.random.Generator, kind: str, features: Array, weight: Array) -> tuple[Array, Array]:
    match kind:
        case "confident":
            return features, weight * rng.choice([3.0, 10.0, 40.0])
        case "huge_margins":
            return features * 2.0 ** rng.integers(4, 12), weight * 2.0 ** rng.integers(0, 4)
        case "mixed_scales":
            return features * np.exp2(rng.integers(-12, 12, features.shape[1])), weight
        case "offset":
            return features, weight + 100.0
        case "tiny":
            return features * 2.0**-12, weight * 2.0**-8
        case "zeros":
            return features * (rng.random(features.shape) < 0.5), weight * (rng.random(weight.shape) < 0.5)
        case "equal_rows":
            return np.repeat(features[:1], len(features), axis=0), weight
        case "huge":
            return features * 2.0**60, weight * 2.0 ** -rng.integers(0, 120)
    return features, weight


def _objective(rng: np.random.Generator, n_rows: int, n_classes: int) -> Objective:
    soft = rng.random() < 0.3
    plain = Objective(str(rng.choice(["mean", "sum", "none"])), "probability" if soft else "index")
    options: dict[str, object] = {}
    if rng.random() < 0.3:
        options["label_smoothing"] = float(rng.choice([0.1, 0.5, 1.0]))
    if rng.random() < 0.3:
        options["class_weights"] = tuple(rng.choice([0.0, 0.5, 1.0, 3.0], n_classes).tolist())
    if not soft and rng.random() < 0.3:
        options["ignore_index"] = int(rng.choice([-100, 0]))
    if rng.random() < 0.2:
        options["sample_weights"] = tuple(rng.choice([0.0, 0.5, 2.0], n_rows).tolist())
    elif plain.reduction == "none" and rng.random() < 0.3:
        options["upstream"] = tuple(rng.choice([-1.0, 0.0, 2.5], n_rows).tolist())
    if rng.random() < 0.3:
        options["mean_over"] = str(rng.choice(["number_of_rows", "all_rows"]))
    if rng.random() < 0.2:
        name, value = REAL_OPTIONS[rng.integers(len(REAL_OPTIONS))]
        options[name] = value
    return replace(plain, **options)  # type: ignore[arg-type]  # the keywords are Objective's own
