"""The domain rules, what is remembered, and what is left to ball arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.oracle import enclosure
from gradlab.oracle.enclosure import CROSSOVER, Truth, enclose, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.exact import balls
from gradlab.oracle.fast import vectorised
from gradlab.oracle.fast.row_softmax import ROW_BLOCK_ENTRIES
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]
PATHS: dict[str, Callable[[Problem], Truth]] = {"balls": enclose_by_balls, "double-double": enclose_by_double_double}

every_path = pytest.mark.parametrize("solve", PATHS.values(), ids=list(PATHS))

SUM = Objective(reduction="sum")


def float32(rows: list[list[float]]) -> Array:
    return np.array(rows, dtype=np.float32)


@every_path
@pytest.mark.parametrize("bad", [[math.nan, 0.0, 1.0], [math.inf, 0.0, 1.0], [-math.inf] * 3])
def test_a_row_without_a_value_is_nan_and_no_other(bad: list[float], solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([bad, [0.0, 1.0, 2.0]]), np.array([0, 1]), SUM))
    assert np.isnan(truth.gradient.nearest()).tolist() == [[True] * 3, [False] * 3]
    assert np.isnan(truth.losses.nearest()).tolist() == [True, False]
    assert np.isnan(truth.loss.nearest())


@every_path
def test_a_masked_class_has_gradient_zero_and_changes_nothing_else(solve: Callable[[Problem], Truth]) -> None:
    masked = solve(Problem(float32([[1.0, -math.inf, 0.5]]), np.array([2]), SUM))
    without = solve(Problem(float32([[1.0, 0.5]]), np.array([1]), SUM))
    assert masked.gradient.nearest()[0].tolist() == [
        without.gradient.nearest()[0, 0],
        0.0,
        without.gradient.nearest()[0, 1],
    ]
    assert masked.gradient[0, 1].radius == 0.0
    assert masked.loss.nearest() == without.loss.nearest()


@every_path
def test_a_masked_target_has_infinite_loss_and_gradient_minus_one(solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([[0.0, -math.inf, 0.0]]), np.array([1]), SUM))
    assert truth.loss.nearest() == math.inf
    assert truth.gradient.nearest().tolist() == [[0.5, -1.0, 0.5]]


@every_path
def test_a_row_of_infinite_loss_stays_in_its_place(solve: Callable[[Problem], Truth]) -> None:
    logits = float32([[1.0, -math.inf, 0.0], [0.0, 1.0, 2.0]])
    both = solve(Problem(logits, np.array([1, 1]), SUM)).gradient.nearest()
    alone = solve(Problem(logits[1:], np.array([1]), SUM)).gradient.nearest()
    assert both[1].tolist() == alone[0].tolist()


@every_path
def test_nan_outweighs_an_infinite_loss(solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([[0.0, -math.inf], [math.nan, 0.0]]), np.array([1, 0])))
    assert np.isnan(truth.loss.nearest())
    assert truth.losses.nearest()[0] == math.inf


@every_path
@pytest.mark.parametrize("row", [[math.nan] * 2, [math.inf, 0.0], [-math.inf] * 2, [5.0, 1.0]])
def test_an_ignored_row_is_zero_whatever_it_holds(row: list[float], solve: Callable[[Problem], Truth]) -> None:
    objective = Objective(ignore_index=-1)
    truth = solve(Problem(float32([row, [0.0, 0.0]]), np.array([-1, 0]), objective))
    assert truth.gradient.nearest().tolist() == [[0.0, 0.0], [-0.5, 0.5]]
    assert truth.losses.nearest()[0] == 0.0
    assert truth.loss.nearest() == math.log(2)


@every_path
def test_the_mean_over_ignored_rows_alone_is_nan_with_gradient_zero(solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([[0.0, 1.0]]), np.array([-1]), Objective(ignore_index=-1)))
    assert np.isnan(truth.loss.nearest())
    assert truth.gradient.nearest().tolist() == [[0.0, 0.0]]


@every_path
@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.25, 0.25), (1.0, 0.0), (3.0, 5.0)])
def test_a_mean_is_the_sum_over_its_denominator_whatever_that_is(
    weights: tuple[float, ...], solve: Callable[[Problem], Truth]
) -> None:
    logits, labels = np.array([[0.0, 1.0], [2.0, 1.5]]), np.array([0, 1])
    mean, total = (solve(Problem(logits, labels, Objective(r, class_weights=weights))) for r in ("mean", "sum"))
    for one, other in ((mean.loss, total.loss), (mean.gradient, total.gradient)):
        np.testing.assert_allclose(one.nearest(), other.nearest() / sum(weights), rtol=2.0**-51, atol=0)


@every_path
def test_a_mean_over_weights_of_zero_has_no_value(solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([[0.0, 1.0]]), np.array([0]), Objective(class_weights=(0.0, 1.0))))
    assert np.isnan(truth.loss.nearest())
    assert np.isnan(truth.gradient.nearest()).all()
    assert truth.losses.nearest().tolist() == [0.0]


@every_path
@pytest.mark.parametrize(("reduction", "loss"), [("mean", math.nan), ("sum", 0.0)])
def test_an_empty_batch_has_mean_nan_and_sum_zero(
    reduction: str, loss: float, solve: Callable[[Problem], Truth]
) -> None:
    truth = solve(Problem(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), Objective(reduction=reduction)))
    np.testing.assert_array_equal(truth.loss.nearest(), loss)
    assert truth.gradient.shape == (0, 3)
    assert truth.losses.shape == (0,)


@every_path
def test_an_empty_batch_without_reduction_has_no_losses(solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), Objective(reduction="none")))
    assert truth.loss.shape == (0,)


@every_path
@pytest.mark.parametrize("logit", [0.0, 3e38, -3e38, 1e-45])
def test_one_class_leaves_nothing_to_lose(logit: float, solve: Callable[[Problem], Truth]) -> None:
    truth = solve(Problem(float32([[logit]]), np.array([0])))
    assert truth.loss.nearest() == 0.0
    assert truth.gradient.nearest().tolist() == [[0.0]]
    assert truth.gradient.radius.item() == 0.0


@every_path
def test_a_spread_that_overflows_is_in_the_domain(solve: Callable[[Problem], Truth]) -> None:
    largest = float(np.finfo(np.float64).max)
    truth = solve(Problem(np.array([[largest, -largest]]), np.array([1])))
    assert truth.loss.exponent == 1024
    assert truth.loss.nearest() == math.inf
    assert truth.gradient.nearest().tolist() == [[1.0, -1.0]]


@every_path
def test_a_probability_below_float64_keeps_its_relative_radius(solve: Callable[[Problem], Truth]) -> None:
    entry = solve(Problem(np.array([[0.0, -2000.0]]), np.array([0]), SUM)).gradient[0, 1]
    assert entry.exponent == math.floor(-2000 / math.log(2))
    assert 0 < entry.radius < 2.0**-70


@every_path
def test_a_gradient_that_vanishes_is_enclosed_about_zero(solve: Callable[[Problem], Truth]) -> None:
    objective = Objective(reduction="sum", targets="probability")
    truth = solve(Problem(np.zeros((1, 3)), np.full((1, 3), 0.25), objective))
    assert truth.gradient.nearest().tolist() == [[0.0] * 3]


def forbidden(problem: Problem, rows: Array) -> balls.RowAnswers:
    raise AssertionError(f"rows {rows.tolist()} went to ball arithmetic")


def random_problem(objective: Objective, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 10, (20, 50))
    targets = rng.dirichlet(np.ones(50), 20) if objective.targets == "probability" else rng.integers(0, 50, 20)
    return Problem(logits, targets, objective)


OBJECTIVES = [Objective(), Objective(label_smoothing=0.1), Objective(targets="probability")]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_double_double_decides_ordinary_rows_by_itself(objective: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorised, "answer_rows", forbidden)
    truth = enclose_by_double_double(random_problem(objective, 1))
    assert np.isfinite(truth.losses.nearest()).all()
    assert np.isfinite(truth.gradient.nearest()).all()


UNDECIDED = {
    "a gradient that vanishes": Problem(np.zeros((1, 3)), np.full((1, 3), 0.25), Objective(targets="probability")),
    "a logit beyond the limit": Problem(np.array([[1e308, 0.0]]), np.array([0])),
    "a probability beyond the limit": Problem(np.zeros((1, 2)), np.array([[1e-300, 1.0]]), OBJECTIVES[2]),
    "a target above the limit": Problem(np.zeros((1, 2)), np.array([[1e40, 1.0]]), OBJECTIVES[2]),
    "a weight beyond the limit": Problem(
        np.zeros((1, 2)), np.array([0]), Objective(class_weights=(1e-200, 1.0), label_smoothing=0.5)
    ),
    "an infinite loss": Problem(np.array([[0.0, -np.inf]]), np.array([1])),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_double_double_cannot_decide_goes_to_balls(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorised, "answer_rows", forbidden)
    with pytest.raises(AssertionError, match="went to ball arithmetic"):
        enclose_by_double_double(UNDECIDED[case])


@pytest.mark.parametrize(
    ("n_rows", "path"),
    [
        (CROSSOVER + 1, "answer_by_double_double"),
        (CROSSOVER, "answer_by_double_double"),
        (CROSSOVER - 1, "answer_rows"),
    ],
)
def test_the_number_of_entries_chooses_the_path(n_rows: int, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []

    def noting(name: str) -> Callable[[Problem, Array], balls.RowAnswers]:
        original: Callable[[Problem, Array], balls.RowAnswers] = getattr(enclosure, name)

        def solve(problem: Problem, rows: Array) -> balls.RowAnswers:
            chosen.append(name)
            return original(problem, rows)

        return solve

    for name in ("answer_by_double_double", "answer_rows"):
        monkeypatch.setattr(enclosure, name, noting(name))
    enclose(Problem(np.full((n_rows, 1), 0.123), np.zeros(n_rows, np.int64)))
    assert chosen == [path]


def test_equal_contents_are_enclosed_once() -> None:
    assert enclose(random_problem(SUM, 3)) is enclose(random_problem(SUM, 3))


def test_the_family_is_not_part_of_the_contents() -> None:
    problem = random_problem(SUM, 3)
    assert enclose(problem.replace(family="another")) is enclose(problem)


CHANGES: dict[str, Callable[[Problem], Problem]] = {
    "logits": lambda p: p.replace(logits=-p.logits),
    "targets": lambda p: p.replace(targets=(p.targets + 1) % 50),
    "objective": lambda p: p.replace(objective=Objective(reduction="none")),
    "dtype": lambda p: p.replace(logits=p.logits.view(np.float32)[:, ::2]),
    "sign of zero": lambda p: p.replace(logits=np.where(p.logits > 30, p.logits, -0.0)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_contents_are_enclosed_anew(change: str) -> None:
    problem = random_problem(SUM, 4)
    assert enclose(CHANGES[change](problem)) is not enclose(problem)


def test_only_the_latest_problems_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosure, "_KEPT_PROBLEMS", 2)
    problems = [random_problem(SUM, seed) for seed in (5, 6, 7)]
    first = enclose(problems[0])
    for problem in problems[1:]:
        enclose(problem)
    assert enclose(problems[0]) is not first


def test_problems_that_fit_leave_one_another_in_place() -> None:
    first = enclose(random_problem(SUM, 10))
    enclose(random_problem(SUM, 11))
    assert enclose(random_problem(SUM, 10)) is first


def test_large_problems_push_one_another_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosure, "_KEPT_ENTRIES", 1500)
    first = enclose(random_problem(SUM, 8))
    enclose(random_problem(SUM, 9))
    assert enclose(random_problem(SUM, 8)) is not first


def test_doubling_the_precision_ends_with_an_error_if_nothing_becomes_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balls, "is_narrow", lambda values, fmt: np.zeros(values.shape, dtype=bool))
    with pytest.raises(ArithmeticError, match="no narrow enclosure at"):
        enclose_by_balls(Problem(np.zeros((1, 2)), np.array([0])))


def test_the_highest_precision_is_above_what_the_largest_parameters_can_ask_for() -> None:
    size, exponent, count, narrow = 8500, 2099, 50, 1094  # bits, as the module's docstring adds them up
    assert 2 * (size + exponent + count + narrow) < balls._HIGHEST_PRECISION


@pytest.mark.parametrize("n_classes", [3, 1000, 40_000])
def test_rows_are_solved_in_blocks_that_hold_what_can_be_solved_and_nothing_else(n_classes: int) -> None:
    places = np.array([0, 1, 2, 5, 7, 8, *range(100, 300)])
    blocks = list(vectorised._row_blocks(places, n_classes))
    assert all(type(block.start) is type(block.stop) is int for block in blocks)
    assert [place for block in blocks for place in range(block.start, block.stop)] == places.tolist()
    assert max(block.stop - block.start for block in blocks) <= max(1, ROW_BLOCK_ENTRIES // n_classes)
