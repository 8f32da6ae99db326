"""Problems of the layer and answers to them as plain data for JSON: every number in hexadecimal, no bit is lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.layer.answer import LayerAnswer
from gradlab.layer.oracle.truth import LayerTruth
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.problem import Array
from gradlab.storage.encoding import (
    NOISE_LENGTH,
    NOISE_LINES,
    Plain,
    decoded_objective,
    encoded_array,
    encoded_bounds,
    encoded_objective,
    fields_of,
    hex_of,
    labels_from,
    matrix_from,
    number_from,
)


def encoded_layer_problem(problem: LayerProblem) -> Plain:
    """All of a problem: dtype, shape [N, D, K], family, objective, penalty, features, weight, bias and targets."""
    index = problem.objective.targets == "index"
    return {
        **outline_of_layer_problem(problem),
        "features": encoded_array(problem.features),
        "weight": encoded_array(problem.weight),
        "bias": None if problem.bias is None else encoded_array(problem.bias),
        "targets": problem.targets.tolist() if index else encoded_array(problem.targets),
    }


def outline_of_layer_problem(problem: LayerProblem) -> Plain:
    """The same with null in place of the arrays."""
    penalty = problem.penalty
    return {
        "dtype": problem.format.name,
        "shape": [problem.n_rows, problem.n_features, problem.n_classes],
        "family": problem.family,
        "objective": encoded_objective(problem.objective),
        "penalty": {"strength": hex_of(penalty.strength), "halved": penalty.halved, "takes_bias": penalty.takes_bias},
        **dict.fromkeys(("features", "weight", "bias", "targets")),
    }


def encoded_layer_answer(answer: LayerAnswer) -> Plain:
    """What a layer gave: its fault, or its outputs with their dtypes; and what it printed or warned."""
    arrays = {
        name: {"dtype": array.dtype.name, "values": encoded_array(array)} for name, array in answer.outputs.items()
    }
    noise = [line[:NOISE_LENGTH] for line in answer.noise[:NOISE_LINES]]
    return {"fault": answer.fault, **{name: arrays.get(name) for name in OUTPUTS}, "noise": noise}


def encoded_layer_truth(truth: LayerTruth) -> Plain:
    """The enclosures of all outputs."""
    return {name: encoded_bounds(truth.output(name)) for name in OUTPUTS}


def decoded_layer_problem(plain: Any) -> LayerProblem:
    """The problem written as plain data. Raises ValueError that shows the rule and the value."""
    names = ("dtype", "shape", "family", "objective", "penalty", "features", "weight", "bias", "targets")
    fields = fields_of(plain, "problem", names)
    dtype, shape = fields["dtype"], fields["shape"]
    if dtype not in DTYPE_NAMES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPE_NAMES)}, got {dtype!r}")
    if not (isinstance(shape, list) and len(shape) == 3 and all(type(one) is int and one >= 0 for one in shape)):
        raise ValueError(f"shape must be [n_rows, n_features, n_classes], got {shape!r:.60}")
    if not isinstance(fields["family"], str):
        raise ValueError(f"family must be a string, got {fields['family']!r}")
    n, d, k = shape
    objective = decoded_objective(fields["objective"])
    features, weight = (
        matrix_from(fields[name], name, dtype, size) for name, size in (("features", (n, d)), ("weight", (d, k)))
    )
    index = objective.targets == "index"
    targets = labels_from(fields["targets"], n) if index else matrix_from(fields["targets"], "targets", dtype, (n, k))
    bias = None if fields["bias"] is None else _row_from(fields["bias"], dtype, k)
    penalty = _penalty_from(fields["penalty"])
    try:
        return LayerProblem(features, weight, bias, targets, objective, penalty, fields["family"])
    except TypeError as error:
        raise ValueError(str(error)) from error


def _row_from(given: Any, dtype: str, length: int) -> Array:
    return np.asarray(matrix_from([given], "bias", dtype, (1, length))[0])


def _penalty_from(given: Any) -> Penalty:
    fields = fields_of(given, "penalty", ("strength", "halved", "takes_bias"))
    for name in ("halved", "takes_bias"):
        if not isinstance(fields[name], bool):
            raise ValueError(f"{name} must be true or false, got {fields[name]!r}")
    return Penalty(number_from(fields["strength"], "strength"), fields["halved"], fields["takes_bias"])
