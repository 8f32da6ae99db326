"""The sizes that bounds are made of, against loops over every entry; at a radius they cover all logits within it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.bounds import first_order
from gradlab.bounds.conditioning import conditioning
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

LOGITS = np.array([[0.0, 3.0, 3.0, 5.0, 1.0], [5.0, 4.0, 3.0, 2.0, 1.0], [-1.0, 0.0, -2.0, 4.0, 9.0]])
LABELS = np.array([1, 0, 3])
FIELDS = ("distance", "rises", "probabilities", "log_sum", "losses", "largest")
RADII = (2.0**-10, 0.3, 1.0, 4.0)


def clustered(n_classes: int) -> Problem:
    """One class at 0 and the others together as probable as it: moving them apart changes p by the most."""
    rows = np.full((2, n_classes), -math.log(n_classes - 1))
    rows[0, 0] = rows[1, -1] = 0
    return Problem(rows, np.array([0, 1]))


PROBLEMS = {
    "mixed": Problem(LOGITS, LABELS),
    "equal": Problem(np.zeros((2, 6)), np.array([0, 5])),
    "soft": Problem(LOGITS, np.abs(LOGITS) / 9, Objective("none", "probability", 0.1)),
    "clustered": clustered(1000),
}


def moves(problem: Problem, radius: float) -> list[Array]:
    """Moves of size radius: random, all signs of the largest class against the rest, and rising within each row."""
    rng = np.random.default_rng(3)
    apart = np.where(problem.logits == problem.logits.max(axis=1, keepdims=True), 1.0, -1.0)
    rising = np.linspace(-1, 1, problem.n_classes)
    signs = [rng.choice([-1.0, 1.0], problem.logits.shape) for _ in range(3)]
    drawn = [rng.uniform(-1, 1, problem.logits.shape) for _ in range(3)]
    return [radius * np.broadcast_to(v, problem.logits.shape) for v in (apart, -apart, rising, -rising, *signs, *drawn)]


def test_rises_count_how_often_the_running_maximum_grows_after_each_class() -> None:
    expected = np.zeros(LOGITS.shape)
    for i, row in enumerate(LOGITS):
        records = [k for k in range(1, row.size) if row[k] > max(row[:k])]
        expected[i] = [sum(k > j for k in records) for j in range(row.size)]
    np.testing.assert_array_equal(conditioning(PROBLEMS["mixed"]).rises, expected)


def test_sizes_without_a_radius_are_those_of_the_definition() -> None:
    c = conditioning(PROBLEMS["mixed"])
    for i, row in enumerate(LOGITS.tolist()):
        top, lse = max(row), max(row) + math.log(sum(math.exp(x - max(row)) for x in row))
        np.testing.assert_allclose(c.distance[i], [top - x for x in row])
        np.testing.assert_allclose(c.probabilities[i], [math.exp(x - lse) for x in row])
        np.testing.assert_allclose(c.log_sum[i], lse - top)
        np.testing.assert_allclose(c.losses[i], lse - row[LABELS[i]])
        assert (c.coefficient_sum[i], c.largest[i]) == (1, np.abs(LOGITS).max())


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("name", PROBLEMS)
def test_sizes_at_a_radius_cover_every_move_within_it(name: str, radius: float, field: str) -> None:
    problem = PROBLEMS[name]
    allowed = getattr(conditioning(problem, radius), field) * (1 + 1e-12) + 1e-12
    for move in moves(problem, radius):
        moved = problem.replace(logits=problem.logits + move)
        assert (getattr(conditioning(moved), field) <= allowed).all()


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("name", PROBLEMS)
def test_error_of_the_losses_at_a_radius_covers_every_move_within_it(name: str, radius: float) -> None:
    problem = PROBLEMS[name]
    rows = first_order.any_form_losses(problem, radius)
    whole = first_order.reduced_loss(problem, rows, radius)[0]
    for move in moves(problem, radius):
        moved = problem.replace(logits=problem.logits + move)
        own = first_order.any_form_losses(moved)
        assert (own[0] <= rows[0]).all()
        assert (first_order.reduced_loss(moved, own)[0] <= whole).all()


@pytest.mark.parametrize("row", [[0.0, np.nan], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_rows_without_a_value_have_no_part_in_the_bounds_of_the_others(row: list[float]) -> None:
    lost, alone = Problem(np.array([[1.0, 2.0], row]), np.array([0, 1])), Problem(np.array([[1.0, 2.0]]), np.array([0]))
    fields: list[Any] = [(getattr(conditioning(lost), f)[0], getattr(conditioning(alone), f)[0]) for f in FIELDS]
    for with_lost, without in fields:
        np.testing.assert_array_equal(with_lost, without)
    assert conditioning(lost).coefficient_sum[1] == 0


def test_masked_classes_have_probability_zero_and_no_rise() -> None:
    c = conditioning(Problem(np.array([[-np.inf, 0.0, -np.inf, 1.0]]), np.array([1])))
    np.testing.assert_array_equal(c.probabilities[0, [0, 2]], 0)
    np.testing.assert_array_equal(c.rises[0], [2, 1, 1, 0])
