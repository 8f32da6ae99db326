"""Vectors for Hessian-vector products: for each row one of the kinds below, picked by the problem's own contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import round_to
from gradlab.problems.problem import PRODUCT, Array, Problem

Kind = Callable[[Format, np.random.Generator, int], Array]


def huge(fmt: Format) -> float:
    """A power of two whose square is near the largest number; what it is multiplied by on the way has room."""
    return float(2.0 ** (int(np.log2(fmt.largest)) // 2))


def tiny(fmt: Format) -> float:
    """A power of two among the smallest normal numbers: any probability less than 1 makes less of it."""
    return fmt.smallest_normal * 4


# fmt: off
KINDS: dict[str, Kind] = {
    "whole numbers": lambda fmt, rng, n: rng.integers(-3, 4, n).astype(np.float64),
    "unit vector": lambda fmt, rng, n: np.eye(n)[rng.integers(n)],
    "mixed signs": lambda fmt, rng, n: rng.normal(size=n),
    "constant": lambda fmt, rng, n: np.full(n, rng.normal()),
    "all of one sign": lambda fmt, rng, n: rng.uniform(0.5, 1, n),
    "nearly constant": lambda fmt, rng, n: 1 + rng.integers(0, 4, n) * 4 * fmt.unit_roundoff,
    "huge": lambda fmt, rng, n: rng.normal(size=n) * huge(fmt),
    "tiny": lambda fmt, rng, n: rng.normal(size=n) * tiny(fmt),
    "of every scale": lambda fmt, rng, n: rng.choice([-1.0, 1.0], n) * 2.0 ** rng.uniform(-10, 10, n),
    "zero": lambda fmt, rng, n: np.zeros(n),
}
# fmt: on


def with_vector(problem: Problem) -> Problem:
    """The problem with the product for derivative, and a vector; the same one for the same contents."""
    rng = np.random.default_rng(int(problem.digest, 16))
    kinds = list(KINDS.values())
    drawn = [kinds[rng.integers(len(kinds))](problem.format, rng, problem.n_classes) for _ in range(problem.n_rows)]
    vector = round_to(problem.format, np.array(drawn).reshape(problem.logits.shape))
    return problem.replace(objective=replace(problem.objective, derivative=PRODUCT), vector=vector)
