"""Probable bounds: never above the proved ones, above what sound sums err by, and asked for where their model holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradlab.bounds import first_order, probable
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import family_problems
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

WIDE = ("float32", "float64")
FLOAT32 = format_of("float32")


def drawn(n_rows: int, n_classes: int, dtype: str = "float32") -> Problem:
    rng = np.random.default_rng([n_rows, n_classes])
    return Problem(rng.uniform(-1, 1, (n_rows, n_classes)).astype(dtype), rng.integers(0, n_classes, n_rows))


@pytest.mark.parametrize("n_terms", [1, 90, 91, 2048, 2**17])
def test_a_probable_sum_carries_no_more_than_a_proved_one(n_terms: int) -> None:
    assert probable.probable_sum_roundings(n_terms, FLOAT32) <= n_terms


def test_four_times_as_many_terms_carry_twice_as_much() -> None:
    one, four = (probable.probable_sum_roundings(n, FLOAT32) for n in (2**12, 2**14))
    assert four == pytest.approx(2 * one, rel=1e-3)


@pytest.mark.parametrize("name", WIDE)
def test_bounds_of_long_sums_are_several_times_as_sharp(name: str) -> None:
    problem = drawn(1, 32768, name)
    assert probable.gradient(problem).error.max() * 15 < first_order.gradient(problem).error.max()
    rows = drawn(65536, 2, name)
    assert float(probable.loss(rows).error) * 25 < float(first_order.loss(rows).error)


def one_by_one(terms: Array) -> np.float32:
    sums: Array = np.cumsum(terms, dtype=np.float32)
    return np.float32(sums[-1])


def by_pairs(terms: Array) -> np.float32:
    while len(terms) > 1:
        terms = np.append(terms, np.float32(0)) if len(terms) % 2 else terms
        terms = terms[::2] + terms[1::2]
    return np.float32(terms[0])


ORDERS: dict[str, Callable[[Array], np.float32]] = {
    "as they come": one_by_one,
    "from the last": lambda terms: one_by_one(terms[::-1]),
    "ascending": lambda terms: one_by_one(np.sort(terms)),
    "descending": lambda terms: one_by_one(np.sort(terms)[::-1]),
    "in pairs": by_pairs,
    "in blocks of 128": lambda terms: one_by_one(np.add.reduceat(terms, np.arange(0, len(terms), 128))),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n_terms", [2048, 32768, 131072])
def test_sums_in_any_usual_order_err_by_less(order: str, n_terms: int) -> None:
    carried = probable.probable_sum_roundings(n_terms, FLOAT32) * FLOAT32.unit_roundoff
    for seed in range(20):
        terms = np.exp(np.random.default_rng(seed).uniform(-1, 1, n_terms)).astype(np.float32)
        exact = float(terms.astype(np.float64).sum())  # off by 2^-36 of what is allowed at most
        assert abs(float(ORDERS[order](terms)) - exact) <= carried * exact


@pytest.mark.parametrize(
    "problem",
    [
        drawn(2, 100),
        drawn(2, 2048).replace(logits=np.zeros((2, 2048), dtype=np.float32)),
        drawn(2, 2048).replace(logits=np.float32(8) * drawn(2, 2048).logits),
        drawn(2, 2048).replace(objective=Objective(label_smoothing=0.1)),
        Problem(drawn(2, 2048).logits.astype("float16"), np.array([0, 1])),
    ],
    ids=["few terms", "equal terms", "terms of many sizes", "an option", "half precision"],
)
def test_they_are_not_asked_for_elsewhere(problem: Problem) -> None:
    assert not probable.has_random_sums(problem)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("profile", ["quick", "standard", "thorough"])
def test_a_run_has_no_more_terms_than_the_probability_is_for(profile: str, name: str) -> None:
    asked = [p for p in family_problems(format_of(name), profile, 0) if probable.has_random_sums(p)]
    assert len(asked) >= 4
    assert sum(problem.logits.size for problem in asked) * len(WIDE) < probable.TERMS
