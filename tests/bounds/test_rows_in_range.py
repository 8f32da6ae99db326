"""From where on a row may overflow on the way, so that no bound says anything of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gradlab.bounds.conditioning import rows_in_range
from gradlab.bounds.running_error import Bounded, parameter
from gradlab.problems.dtypes import as_dtype, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

EDGES = [  # objective, logit and whether what becomes of it stays below half of the largest number
    (Objective(temperature=0.5), 1 / 4, 1.0),
    (Objective(temperature=0.25), 1 / 8, 1.0),
    (Objective(z_loss=4.0), 1 / 8, 0.5),
    (Objective(z_loss=2.0**20), 2.0**-21, 0.5),
]


@pytest.mark.parametrize("case", range(len(EDGES)))
def test_rows_are_in_range_up_to_half_of_the_largest_number(case: int) -> None:
    objective, share, power = EDGES[case]
    edge = (float(np.finfo(np.float32).max) * share) ** power
    logits = np.array([[0.99 * edge, 0], [1.01 * edge, 0]], np.float32)
    assert rows_in_range(Problem(logits, np.array([0, 0]), objective)).tolist() == [True, False]


ERRORS = [  # objective, logit as a share of the largest number, to the power; below the limit, and with its error above
    (Objective(temperature=0.5), 1 / 4, 1.0, 0.96, 0.99),
    (Objective(z_loss=4.0), 1 / 8, 0.5, 0.95, 0.985),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_the_error_of_what_comes_near_half_of_the_largest_number_counts(case: int) -> None:
    objective, share, power, inside, outside = ERRORS[case]
    largest = float(np.finfo(np.float32).max)  # bfloat16 ends in the same binade
    logits = np.array([[(one * largest * share) ** power, 0] for one in (inside, outside)])
    problem = Problem(logits.astype(as_dtype("bfloat16")), np.array([0, 0]), objective)
    assert rows_in_range(problem).tolist() == [True, False]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_term_is_in_range_with_all_that_the_errors_of_maps_make_of_it(sign: float) -> None:
    fmt, temperature, z_loss = format_of("bfloat16"), 0.7, 4.0
    edge = temperature * math.sqrt(fmt.largest / (2 * z_loss))
    logits = np.unique((sign * edge * np.linspace(0.85, 1, 200)).astype(fmt.dtype))
    x = logits.astype(np.float64)
    mapped = Bounded(x, x, np.zeros(x.shape), fmt) / parameter(temperature, fmt)
    reach = np.maximum(mapped.high - x / temperature, x / temperature - mapped.low) + mapped.error
    lse = Bounded(x / temperature - reach, x / temperature + reach, mapped.error, fmt)  # of one class
    term = lse * lse * parameter(z_loss, fmt) + 0.0  # the sum of all terms
    objective = Objective("none", temperature=temperature, z_loss=z_loss)
    found = rows_in_range(Problem(logits[:, None], np.zeros(len(x), dtype=int), objective))
    np.testing.assert_array_equal(found, term.size + term.error < fmt.largest / 2)
    assert 0.2 < found.mean() < 0.8


L = float(np.finfo(np.float32).max)
ONE = [0.0, 0.0]
FAR = [0.0, -64.0]
LSE_ONE = [1 - math.log(2)] * 2


def rows_of(objective: Objective, rows: list[list[float]], labels: list[int]) -> Problem:
    return Problem(np.array(rows, dtype=np.float32), np.array(labels), objective)


LIMITS: dict[str, tuple[Callable[[float], Problem], float]] = {
    # what is computed on the way, of a parameter s; the s from which it may overflow
    "A": (lambda s: rows_of(Objective("sum", class_weights=(s, 1.0)), [ONE], [0]), L / 4),
    "A, which is divided by as much": (lambda s: rows_of(Objective(class_weights=(s, 1.0)), [ONE], [0]), L / 4),
    "A times a row's factor": (
        lambda s: rows_of(Objective("sum", class_weights=(4.0, 1.0), sample_weights=(s,)), [ONE], [0]),
        L / 16,
    ),
    "A, whose row has a factor below 1": (
        lambda s: rows_of(Objective("sum", class_weights=(s, 1.0), sample_weights=(0.25,)), [ONE], [0]),
        L / 4,
    ),
    "an entry times what comes from above": (
        lambda s: rows_of(Objective("none", upstream=(-s,)), [ONE], [0]),
        L / 4,
    ),
    "a factor of a row whose A is small": (
        lambda s: rows_of(Objective("sum", class_weights=(2.0**-10, 0.5), sample_weights=(s,)), [ONE], [0]),
        L / 4,
    ),
    "lse - x_j times a coefficient": (
        lambda s: rows_of(Objective("sum", class_weights=(1.0, s)), [FAR], [1]),
        L / 128,
    ),
    "lse - x_j times a factor": (lambda s: rows_of(Objective("sum", sample_weights=(s,)), [FAR], [1]), L / 128),
    "lse - x_j times a coefficient, with a factor below 1": (
        lambda s: rows_of(Objective("sum", class_weights=(1.0, s), sample_weights=(0.25,)), [FAR], [1]),
        L / 128,
    ),
    "lse - x_j times a factor, before coefficients below 1": (
        lambda s: rows_of(Objective("sum", class_weights=(0.25, 0.25), sample_weights=(s,)), [FAR], [1]),
        L / 128,
    ),
    "lse - x_j over a small denominator": (
        lambda s: rows_of(Objective(class_weights=(1.0, 0.25)), [[0.0, -s]], [1]),
        L / 8,
    ),
    "lse - x_j times a weight that it is divided by": (
        lambda s: rows_of(Objective(class_weights=(1.0, 8.0)), [[0.0, -s]], [1]),
        L / 16,
    ),
    "the slope of a term": (lambda s: rows_of(Objective("none", z_loss=s), [LSE_ONE], [0]), L / 8),
    "a term's factor of p_j": (lambda s: rows_of(Objective("none", poly_epsilon=s), [ONE], [0]), L / 4),
    "a sum of weights": (
        lambda s: rows_of(Objective(class_weights=(s, 1.0)), [ONE] * 3, [0, 0, 0]),
        L / 6,
    ),
    "a weight of a class that no row has": (
        lambda s: rows_of(Objective("sum", class_weights=(1.0, s)), [ONE], [0]),
        L / 2,
    ),
    "a slope over a small denominator": (
        lambda s: rows_of(Objective(class_weights=(0.125, 1.0), temperature=1 / s), [ONE], [0]),
        L / 32,
    ),
    "lse - x_j of equal logits times a factor": (
        lambda s: rows_of(Objective("sum", sample_weights=(s,)), [[0.0] * 64], [0]),
        L / (2 * math.log(64)),
    ),
    "lse - x_j times a target": (
        lambda s: Problem(np.array([FAR], np.float32), np.array([[0, s]], np.float32), Objective("sum", "probability")),
        L / 128,
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_comes_near_the_largest_number_on_the_way_is_out_of_range_and_what_stays_below_is_not(name: str) -> None:
    problem_of, limit = LIMITS[name]
    assert rows_in_range(problem_of(0.98 * limit)).all()
    assert not rows_in_range(problem_of(1.02 * limit)).any()


def test_a_distance_that_nothing_makes_larger_is_in_range_whatever_it_is() -> None:
    shares = np.array([[0.5, 0.5]], dtype=np.float32)
    problem = Problem(np.array([[0.0, -0.75 * L]], dtype=np.float32), shares, Objective("none", "probability"))
    assert rows_in_range(problem).all()


def test_a_weight_that_a_mean_divides_by_is_a_normal_number() -> None:
    for share, in_range in ((1.01, True), (0.99, False)):
        weights = (2.0**-126 * share, 1.0)
        assert rows_in_range(rows_of(Objective(sample_weights=weights), [ONE] * 2, [0, 0])).all() == in_range


def test_a_slope_is_in_range_up_to_a_quarter_of_the_largest_number() -> None:
    for share, in_range in ((1.02, True), (0.98, False)):
        assert rows_in_range(rows_of(Objective("none", temperature=4 / L * share), [ONE], [0])).all() == in_range
