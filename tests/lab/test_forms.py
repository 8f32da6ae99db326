"""Every figure of the lab's page of forms: the truths against the oracle, the computed values bit for bit."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from tests.lab.model import FORMS, loss_and_gradient
from tests.lab.node import run
from tests.lab.settings import DTYPES, N_SETTINGS, Setting, as_data, draw, padded

SCRIPTS = ("arithmetic.js", "forms.js")
N_EVALUATED = 834  # for each of four forms and three dtypes: 10,000 in all

TRUTHS = """
const format = Arithmetic.FORMATS[data.format];
return data.rows.map(({ logits, label }) => {
  const truth = Forms.truthOf(logits, label);
  return [truth.loss[0], ...truth.g].map((value) => Arithmetic.nearest(value, format));
});
"""
VALUES = """
const format = Arithmetic.FORMATS[data.format];
const text = (value) => Arithmetic.bitsOf(value, format).toString();
return data.rows.map(({ logits, label }) => {
  const steps = Forms.evaluate(data.form, logits, label, format);
  return ["loss", "g"].flatMap((key) => steps.find((step) => step.key === key).values.map(text));
});
"""


@cache
def truths(dtype: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], Problem]:
    """Losses (N,) and gradients (N, 5) as the lab has them, and the problem that they answer."""
    settings = draw(dtype)
    logits, labels = padded(settings)
    answers = run(SCRIPTS, TRUTHS, as_data(settings))
    gradient = np.zeros(logits.shape, logits.dtype)
    for row, answer in zip(gradient, answers, strict=True):
        row[: len(answer) - 1] = answer[1:]
    losses = np.array([answer[0] for answer in answers], dtype=logits.dtype)
    return losses, gradient, Problem(logits, labels, Objective("none"), "settings of the lab")


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_losses_shown_as_true_are_within_1_ulp_of_the_oracle(dtype: str) -> None:
    losses, _, problem = truths(dtype)
    assert len(losses) == N_SETTINGS
    assert error_in_ulp(losses, enclose(problem).losses, problem.format).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradients_shown_as_true_are_within_1_ulp_of_the_oracle(dtype: str) -> None:
    _, gradient, problem = truths(dtype)
    assert error_in_ulp(gradient, enclose(problem).gradient, problem.format).max() <= 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_form_computes_what_its_arithmetic_says_bit_for_bit(dtype: str, form: str) -> None:
    settings = draw(dtype, N_EVALUATED)
    answers = run(SCRIPTS, VALUES, {**as_data(settings), "form": form})
    wrong = [one for one, answer in zip(settings, answers, strict=True) if expected(form, one) != numbers(answer, one)]
    assert wrong == []


def expected(form: str, setting: Setting) -> list[int]:
    """The bits of the loss and of the gradient's entries."""
    loss, gradient = loss_and_gradient(form, setting.logits, setting.label, setting.format)
    return bits(np.array([loss, *gradient], dtype=setting.logits.dtype))


def numbers(answer: list[str], setting: Setting) -> list[int]:
    unsigned = np.array([int(text) for text in answer], dtype=np.uint64)
    width = 8 * setting.logits.dtype.itemsize
    return bits(unsigned.astype(f"uint{width}").view(setting.logits.dtype))


def bits(values: np.ndarray[Any, Any]) -> list[int]:
    """The bits of each value; every NaN has the same."""
    plain = np.where(np.isnan(values), np.array(np.nan, dtype=values.dtype), values)
    return [int(one) for one in plain.view(f"uint{8 * values.dtype.itemsize}")]
