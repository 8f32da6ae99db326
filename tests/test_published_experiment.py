"""Blanchard, Higham and Higham's experiment on generated logits: 10 classes, 2500 rows, each operation in fp16.

P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and softmax functions, IMA Journal of
Numerical Analysis 41(4), 2021, doi 10.1093/imanum/draa038, section 6. Theirs are the logits of a network, of which 475
of 2500 rows overflow without a shift; here they are normal, of a width at which about as many do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from gradlab.bounds import first_order
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

N_ROWS, N_CLASSES, U = 2500, 10, 2.0**-11
ROWS = np.arange(N_ROWS)
LOGITS = np.random.default_rng(41).normal(0, 5.2, (N_ROWS, N_CLASSES)).astype(np.float16)
X = LOGITS.astype(np.float64)
TOP, LOW = X.max(axis=1), X.min(axis=1)
LSE = TOP + np.log(np.exp(X - TOP[:, None]).sum(axis=1))  # in float64: 42 bits more than are needed here
SOFTMAX = np.exp(X - LSE[:, None])


def rounded(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(np.float16)


def exp(x: Array) -> Array:
    """exp in fp16, correctly rounded, as the theorems assume."""
    return rounded(np.exp(x.astype(np.float64)))


def total(terms: Array) -> Array:
    """The sum of each row in fp16, term by term."""
    running = terms[:, 0]
    with np.errstate(over="ignore"):
        for column in terms.T[1:]:
            running = running + column
    return running


@cache
def unshifted() -> tuple[Array, Array, Array]:
    """Their algorithm 3.1: lse, the softmax as a quotient, and as exp(x - lse)."""
    e = exp(LOGITS)
    s = total(e)
    with np.errstate(invalid="ignore"):
        lse = rounded(np.log(s.astype(np.float64)))
        return lse, e / s[:, None], exp(LOGITS - lse[:, None])


@cache
def shifted() -> tuple[Array, Array, Array, Array]:
    """Their algorithm 4.1: lse, the softmax as a quotient, and as exp(x - lse); and lse less the largest logit."""
    largest = LOGITS.argmax(axis=1)
    e = exp(LOGITS - LOGITS[ROWS, largest][:, None])
    others = e.copy()
    others[ROWS, largest] = 0
    s = total(others)
    log_sum = rounded(np.log1p(s.astype(np.float64)))
    lse = LOGITS[ROWS, largest] + log_sum
    return lse, e / (1 + s)[:, None], exp(LOGITS - lse[:, None]), log_sum


def relative(lse: Array) -> Array:
    return np.asarray(np.abs(lse.astype(np.float64) - LSE) / np.abs(LSE))


def normwise(softmax: Array) -> Array:
    return np.asarray(np.abs(softmax.astype(np.float64) - SOFTMAX).max(axis=1) / SOFTMAX.max(axis=1))


FARTHEST = np.abs(X - LSE[:, None]).max(axis=1)
SIZE = np.abs(LSE + N_CLASSES - LOW)

# Error and bound of each theorem, row by row.
THEOREMS: dict[str, tuple[Callable[[], Array], Array]] = {
    "3.2, lse": (lambda: relative(unshifted()[0]), U * (1 + (N_CLASSES + 1) / np.abs(LSE))),
    "3.3, softmax": (lambda: normwise(unshifted()[1]), np.full(N_ROWS, U * (N_CLASSES + 3))),
    "4.2, shifted lse": (lambda: relative(shifted()[0]), U * SIZE / np.abs(LSE)),
    "4.3, shifted softmax": (lambda: normwise(shifted()[1]), U * (N_CLASSES + 2 + 2 * (TOP - LOW))),
    "4.4, shifted exp(x - lse)": (lambda: normwise(shifted()[2]), U * (1 + FARTHEST + SIZE)),
}


def finite() -> Array:
    """The rows on which nothing overflows without a shift."""
    return np.isfinite(unshifted()[0])


def problem(rows: Array) -> Problem:
    """These rows, with the labels 0 to 9 in turn."""
    return Problem(LOGITS[rows], np.flatnonzero(rows) % N_CLASSES, Objective("none"))


def worst(posed: Problem, losses: tuple[Array, Array], softmax: tuple[Array, Array]) -> float:
    """The largest error over its bound, of all losses and of all entries of softmax - one_hot: pairs (value, bound)."""
    one_hot = np.arange(N_CLASSES) == posed.targets[:, None]
    truth = enclose(posed)
    of_losses = absolute_error(losses[0], truth.losses) / losses[1]
    of_gradient = absolute_error(softmax[0] - one_hot.astype(np.float16), truth.gradient) / softmax[1]
    return float(max(of_losses.max(), of_gradient.max()))


def at_label(values: Array, posed: Problem) -> Array:
    return np.asarray(values[np.arange(posed.n_rows), posed.targets])


def test_about_as_many_rows_as_in_the_paper_overflow_without_a_shift() -> None:
    assert 350 <= np.count_nonzero(~finite()) <= 600


def test_no_row_overflows_with_a_shift() -> None:
    assert all(np.isfinite(part).all() for part in shifted())


def test_rows_that_overflow_have_an_infinite_lse_and_no_softmax() -> None:
    lse, softmax, _ = unshifted()
    assert (lse[~finite()] == np.inf).all()
    assert (softmax[~finite()].astype(np.float64).sum(axis=1) != 1).all()


@pytest.mark.parametrize("theorem", THEOREMS)
def test_error_is_within_the_bound_of_the_theorem(theorem: str) -> None:
    measured, bound = THEOREMS[theorem]
    rows = finite() if theorem.startswith("3") else np.ones(N_ROWS, dtype=bool)
    assert (measured()[rows] <= bound[rows]).all()


@pytest.mark.parametrize("theorem", THEOREMS)
def test_bound_of_the_theorem_is_within_a_factor_of_twenty_of_the_largest_error(theorem: str) -> None:
    measured, bound = THEOREMS[theorem]
    assert (measured() / bound)[finite()].max() > 0.05


def test_dividing_is_more_accurate_than_exp_of_a_difference() -> None:
    assert normwise(shifted()[1]).max() < normwise(shifted()[2]).max()


def test_shifted_form_is_within_the_forward_bound_entry_by_entry() -> None:
    posed = problem(np.ones(N_ROWS, dtype=bool))
    _, softmax, _, log_sum = shifted()
    losses = log_sum - at_label(LOGITS - LOGITS.max(axis=1, keepdims=True), posed)
    bounds = first_order.forward_losses(posed)[0], first_order.forward_gradient(posed)[0]
    assert worst(posed, (losses, bounds[0]), (softmax, bounds[1])) <= 1


def test_exp_of_a_difference_is_within_the_bound_of_any_form_entry_by_entry() -> None:
    posed = problem(np.ones(N_ROWS, dtype=bool))
    lse, _, softmax, _ = shifted()
    bounds = first_order.any_form_losses(posed)[0], first_order.any_form_gradient(posed)[0]
    assert worst(posed, (lse - at_label(LOGITS, posed), bounds[0]), (softmax, bounds[1])) <= 1


@pytest.mark.parametrize("form", [1, 2], ids=["quotient", "exp of a difference"])
def test_unshifted_form_is_within_the_bound_of_any_form_where_nothing_overflows(form: int) -> None:
    posed = problem(finite())
    softmax, lse = unshifted()[form][finite()], unshifted()[0][finite()]
    bounds = first_order.any_form_losses(posed)[0], first_order.any_form_gradient(posed)[0]
    assert worst(posed, (lse - at_label(posed.logits, posed), bounds[0]), (softmax, bounds[1])) <= 1
