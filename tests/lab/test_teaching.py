"""The lab's four teaching codes: they are those of `implementations/specimens/`, and with all mends they are right."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from tests.lab.node import run
from tools.lab.collapse import QUANTITIES, STORED

SCRIPTS = ("arithmetic.js", "forms.js", "teaching.js")
MODULES = {
    "a": "teaching_label_vector",
    "b": "teaching_one_dimensional",
    "c": "teaching_global_shift",
    "d": "teaching_example_loop",
}
N_PROBLEMS = 150
Array = np.ndarray[Any, np.dtype[Any]]
GRADIENTS = """
const format = Arithmetic.FORMATS[data.dtype];
const parts = data.code ? Teaching.CODES[data.code].parts : Teaching.MENDED;
const text = (x) => String(x).replace("Infinity", "inf");
return data.problems.map(([X, y, W, b]) => {
  const { loss, dW, db } = Teaching.gradients(parts, { X, y, W, b }, format);
  return [loss, ...dW.flat(), ...db, Teaching.trueLoss({ X, y, W, b })].map(text);
});
"""


def draw(dtype: str) -> list[tuple[Array, Array, Array, Array]]:
    """X (5, 2), y (5,), W (2, 3), b (3,); a third of them has logits at which exp overflows or underflows."""
    random = np.random.default_rng(37)
    sizes = np.where(np.arange(N_PROBLEMS) % 3 == 0, 600.0, 2.0)
    return [
        (
            random.normal(size=(5, 2)).astype(dtype),
            random.integers(0, 3, 5),
            (size * random.normal(size=(2, 3))).astype(dtype),
            random.normal(size=3).astype(dtype),
        )
        for size in sizes
    ]


def lab(code: str, dtype: str) -> Array:
    """The loss, dW, db and the true loss of each problem, one row for each."""
    problems = [[one.tolist() for one in problem] for problem in draw(dtype)]
    return np.array(run(SCRIPTS, GRADIENTS, {"code": code, "dtype": dtype, "problems": problems})).astype(np.float64)


@pytest.mark.parametrize("code", MODULES)
def test_a_code_of_the_page_is_the_specimen(code: str) -> None:
    specimen = import_module(f"gradlab.implementations.specimens.{MODULES[code]}").softmax_regression
    with np.errstate(all="ignore"):
        answers = [specimen(*problem) for problem in draw("float64")]
    expected = np.array([[loss, *dW.ravel(), *db] for loss, dW, db in answers])
    assert np.isnan(expected).any()
    assert np.allclose(lab(code, "float64")[:, :-1], expected, rtol=1e-11, atol=1e-14, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_mended_code_is_right(dtype: str) -> None:
    unit = format_of(dtype).unit_roundoff
    for problem, answer in zip(draw(dtype), lab("", dtype), strict=True):
        truth = enclose_layer(layer_problem(problem))
        exact = np.concatenate([one.nearest().ravel() for one in (truth.loss, truth.dW, truth.db)])
        reach = 1 + np.abs(problem[0] @ problem[2]).max()  # the logits themselves are rounded
        assert np.allclose(answer[:-1], exact, rtol=0, atol=60 * unit * reach * (1 + exact[0]))


def test_the_loss_shown_as_true_is_within_1_ulp_of_the_oracle() -> None:
    for problem, answer in zip(draw("float32"), lab("", "float32"), strict=True):
        given = np.asarray(answer[-1]).astype(np.float32)
        assert error_in_ulp(given, enclose_layer(layer_problem(problem)).loss, format_of("float32")) <= 1


def layer_problem(problem: tuple[Array, Array, Array, Array]) -> LayerProblem:
    X, y, W, b = problem
    return LayerProblem(X, W, b, y, Objective("mean"))


def test_the_curves_of_trainings_are_the_stored_ones() -> None:
    stored = json.loads(STORED.read_text())["trainings"]
    shown = run(("collapse.js",), "return COLLAPSE.trainings;", None)
    assert [(one["target"], one["seed"]) for one in shown] == [(one["target"], one["seed"]) for one in stored]
    for one, whole in zip(shown, stored, strict=True):
        places = [whole["curve"]["step"].index(step) for step in one["step"]]
        assert one["step"][-1] == whole["curve"]["step"][-1]
        for name in QUANTITIES:
            assert np.allclose(one[name], np.array(whole["curve"][name])[places], rtol=1e-3, atol=0)
