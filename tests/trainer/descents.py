"""Trainings to try: small random ones, descent on them in many digits, and in the format itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb, ctx

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.problem import TrainerProblem

BITS = 200

Balls = list[list[arb]]


def random_training(seed: int, dtype: str = "float32", share: float = 1.0) -> TrainerProblem:
    """A small training; share: its rate, over the largest at which no two points are taken apart."""
    generator = np.random.default_rng(seed)
    n_rows, n_features, n_classes = (int(generator.integers(1, most)) for most in (9, 5, 6))
    spread = 10.0 ** generator.integers(-2, 2)
    features = (spread * generator.normal(size=(n_rows, n_features))).astype(dtype)
    targets: Array = generator.integers(0, n_classes, n_rows)
    if seed % 5 == 4:  # of halves, which sum to 1 exactly
        one_hot = np.eye(n_classes, dtype=dtype)
        targets = one_hot[targets] / 2 + one_hot[targets[::-1]] / 2
    start = generator.normal(size=(n_features, n_classes)).astype(dtype)
    bias = generator.normal(size=n_classes).astype(dtype) if seed % 3 else None
    strength = float(generator.uniform(0, 0.1)) if seed % 2 else 0.0
    penalty = Penalty(strength, seed % 4 != 1, bias is not None and seed % 7 < 3)
    n_steps = int(generator.integers(0, 12))
    size = None if seed % 4 else 3
    problem = TrainerProblem(features, targets, start, bias, 0.1, n_steps, penalty, size)
    return problem.replace(learning_rate=share * 2 / curvature_of(problem).smoothness)


def exact_descent(problem: TrainerProblem) -> Balls:
    """The parameters after all steps, as balls of many digits, at the working precision."""
    found, data, shares = (_balls(one) for one in (problem.start64, problem.extended64, problem.shares64))
    slopes = [row[0] for row in _balls(problem.slopes)]
    classes = range(problem.n_classes)
    for step in range(problem.n_steps):
        rows = np.arange(problem.n_rows)[problem.batches[step % len(problem.batches)]].tolist()
        gradient = [[slope * one for one in row] for slope, row in zip(slopes, found, strict=True)]
        for i in rows:
            logits = [sum((x * row[j] for x, row in zip(data[i], found, strict=True)), arb(0)) for j in classes]
            exponentials = [logit.exp() for logit in logits]
            total = sum(exponentials, arb(0))
            for d, x in enumerate(data[i]):
                for j in classes:
                    gradient[d][j] += x * (exponentials[j] / total - shares[i][j]) / len(rows)
        rate = arb(problem.learning_rate)
        found = [[one - rate * by for one, by in zip(*pair, strict=True)] for pair in zip(found, gradient, strict=True)]
    return found


def distance(parameters: Array, exact: Balls) -> float:
    """|parameters - exact|, rounded up."""
    with ctx.workprec(BITS):
        pairs = zip(_balls(parameters), exact, strict=True)
        apart = [own - one for row, others in pairs for own, one in zip(row, others, strict=True)]
        squares = [one * one for one in apart]  # flint's power of a ball around 0 is NaN
        return float(sum(squares, arb(0)).abs_upper().sqrt().abs_upper()) * (1 + 2.0**-50)


def trained(problem: TrainerProblem, order: np.random.Generator | None = None) -> Array:
    """The parameters after all steps as code in the problem's format has them; order: in which sums are taken."""
    dtype = problem.features.dtype.type
    found: Any = problem.start64.astype(dtype)
    data, shares = problem.extended64.astype(dtype), problem.shares64.astype(dtype)
    rate, slopes = dtype(problem.learning_rate), problem.slopes.astype(dtype)
    for step in range(problem.n_steps):
        rows = np.arange(problem.n_rows)[problem.batches[step % len(problem.batches)]]
        columns = np.arange(data.shape[1])
        if order is not None:
            rows, columns = order.permutation(rows), order.permutation(columns)
        logits = np.zeros((len(rows), problem.n_classes), dtype)
        for d in columns:
            logits += data[rows, d][:, None] * found[d]
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        g = (p - shares[rows]) / dtype(len(rows))
        gradient = np.zeros_like(found)
        for i, row in enumerate(rows):
            gradient += data[row][:, None] * g[i]
        found = found - rate * (gradient + slopes * found)
    return np.asarray(found)


def _balls(values: Array) -> Balls:
    return [[arb(float(value)) for value in row] for row in values]
