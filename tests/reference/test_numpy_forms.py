"""The forms printed as NumPy: within the bound of the enclosure, in the logits' dtype, with the domain's rules."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from gradlab.bounds import first_order
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.reference import ball_forms
from tests.reference.numpy_routines import FORMS

SHIFTED_FORMS = [name for name in FORMS if name != "textbook"]
OBJECTIVE = Objective(reduction="none", targets="probability")


def random_problem(seed: int, dtype: str, n_classes: int) -> Problem:
    """Moderate logits, so that every form is safe; coefficients with zeros among them."""
    generator = np.random.default_rng(seed)
    shape = (8, n_classes)
    logits = generator.uniform(-4, 4, size=shape).astype(dtype)
    coefficients = (generator.uniform(size=shape) * generator.integers(0, 2, size=shape)).astype(dtype)
    return Problem(logits, coefficients, OBJECTIVE)


def enclosures(problem: Problem) -> tuple[Array, Array]:
    """The exact losses and gradient to double precision and better, by balls."""
    rows = zip(problem.logits64.tolist(), problem.targets.astype(np.float64).tolist(), strict=True)
    answers = [ball_forms.FORMS["complement"](list(map(arb, x)), list(map(arb, t))) for x, t in rows]
    losses = np.array([float(loss) for loss, _ in answers])
    return losses, np.array([[float(entry) for entry in gradient] for _, gradient in answers])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_classes", [1, 2, 5, 100])
def test_every_form_is_within_its_bound(form: str, dtype: str, n_classes: int) -> None:
    problem = random_problem(1, dtype, n_classes)
    assert problem.is_moderate
    losses, gradient = FORMS[form](problem.logits, problem.targets)
    exact_losses, exact_gradient = enclosures(problem)
    assert (np.abs(losses - exact_losses) <= first_order.any_form_losses(problem)[0]).all()
    assert (np.abs(gradient - exact_gradient) <= first_order.any_form_gradient(problem)[0]).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_answers_have_the_logits_dtype_and_shapes(form: str, dtype: str) -> None:
    logits = np.zeros((3, 4), dtype=as_dtype(dtype))
    losses, gradient = FORMS[form](logits, np.ones((3, 4)))
    assert (losses.dtype, gradient.dtype) == (logits.dtype, logits.dtype)
    assert (losses.shape, gradient.shape) == ((3,), (3, 4))


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_batch_has_an_empty_answer(form: str) -> None:
    losses, gradient = FORMS[form](np.zeros((0, 4)), np.zeros((0, 4)))
    assert (losses.shape, gradient.shape) == ((0,), (0, 4))


@pytest.mark.parametrize("form", FORMS)
def test_the_inputs_are_left_alone(form: str) -> None:
    logits, coefficients = np.arange(4.0).reshape(1, 4), np.full((1, 4), 0.25)
    FORMS[form](logits, coefficients)
    np.testing.assert_array_equal(logits, np.arange(4.0).reshape(1, 4))
    np.testing.assert_array_equal(coefficients, np.full((1, 4), 0.25))


@pytest.mark.parametrize("form", FORMS)
def test_a_masked_class_of_coefficient_0_changes_nothing(form: str) -> None:
    masked = FORMS[form](np.array([[1.0, -np.inf, 2.0]]), np.array([[0.5, 0.0, 0.5]]))
    without = FORMS[form](np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]]))
    np.testing.assert_array_equal(masked[0], without[0])
    np.testing.assert_array_equal(masked[1], np.insert(without[1], 1, 0.0, axis=1))


@pytest.mark.parametrize("form", FORMS)
def test_a_masked_target_has_loss_inf_and_gradient_minus_its_coefficient(form: str) -> None:
    losses, gradient = FORMS[form](np.array([[1.0, -np.inf]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(losses, [np.inf])
    np.testing.assert_array_equal(gradient, [[1.0, -1.0]])


@pytest.mark.parametrize("form", SHIFTED_FORMS)
@pytest.mark.parametrize("bad", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_a_row_without_a_value_is_nan_and_no_other(form: str, bad: list[float]) -> None:
    losses, gradient = FORMS[form](np.array([bad, [0.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(np.isnan(losses), [True, False])
    np.testing.assert_array_equal(np.isnan(gradient), [[True, True], [False, False]])


@pytest.mark.parametrize("form", SHIFTED_FORMS)
def test_a_spread_that_overflows_keeps_a_finite_gradient(form: str) -> None:
    largest = np.finfo(np.float64).max
    _, gradient = FORMS[form](np.array([[largest, -largest]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(gradient, [[1.0, -1.0]])


def test_the_textbook_form_overflows_where_the_others_do_not() -> None:
    logits, coefficients = np.array([[1000.0, 0.0]]), np.array([[1.0, 0.0]])
    answers = {form: FORMS[form](logits, coefficients)[1] for form in FORMS}
    assert {form for form, gradient in answers.items() if not np.isfinite(gradient).all()} == {"textbook"}


def test_only_the_complement_form_keeps_the_target_s_entry_of_a_sure_row() -> None:
    logits, coefficients = np.array([[50.0, 0.0]]), np.array([[1.0, 0.0]])
    entries = {form: FORMS[form](logits, coefficients)[1][0, 0] for form in FORMS}
    assert {form for form, entry in entries.items() if entry != 0} == {"complement"}
    assert entries["complement"] == -np.exp(-50.0)
