"""Problems of the layer in words and numbers: what reads back exactly, as short as it can be."""

from __future__ import annotations

from gradlab.layer.problem import LayerProblem
from gradlab.problems.formatting import SHOWN_ENTRIES, numbers, statement


def n_numbers(problem: LayerProblem) -> int:
    """How many numbers features, weight and bias are."""
    return int(problem.features.size + problem.weight.size + (0 if problem.bias is None else problem.bias.size))


def layer_snippet(problem: LayerProblem) -> str:
    """A problem to be pasted: X, W, b, labels and what is not the default; its sizes only where it is large."""
    large = n_numbers(problem) > SHOWN_ENTRIES
    if large:
        shape = f"{problem.n_rows} rows, {problem.n_features} features, {problem.n_classes} classes"
        content = shape + ("" if problem.bias is not None else ", no bias")
    else:
        kind = "labels" if problem.objective.targets == "index" else "targets"
        bias = "" if problem.bias is None else f", b {numbers(problem.bias)}"
        arrays = f"X {numbers(problem.features)}, W {numbers(problem.weight)}{bias}"
        content = f"{arrays}, {kind} {numbers(problem.targets)}"
    return content + statement(problem.objective, large) + _penalty(problem)


def _penalty(problem: LayerProblem) -> str:
    penalty = problem.penalty
    if not penalty.is_on:
        return ""
    form = f"{penalty.strength:g}{'/2' if penalty.halved else ''} |W|^2"
    return f", penalty {form}{', the bias too' if penalty.takes_bias else ''}"
