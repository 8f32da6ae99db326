"""The lab's maps: the errors are those that gradlab counts, and digits end where the model says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from tests.lab.model import FORMS, loss_and_gradient
from tests.lab.node import run
from tests.lab.settings import DTYPES

SCRIPTS = ("arithmetic.js", "forms.js", "maps.js")
REACH = {"float16": 24, "float32": 128, "float64": 960}
ENDS = """
return Object.fromEntries(Forms.NAMES.map((name) => [name, ["loss", "entry"].map((quantity) =>
  Maps.lostFrom(name, quantity, Arithmetic.FORMATS[data.dtype], data.reach))]));
"""
POINTS = """
const format = Arithmetic.FORMATS[data.dtype];
const text = (x) => Arithmetic.shortest(x, Arithmetic.FORMATS.float64);
return data.points.map(([offset, margin]) => {
  const row = Maps.rowAt(offset, margin, format);
  const { value, error } = Maps.fateAt(data.form, row, "entry", format);
  return [...row, value, error].map(text);
});
"""


@pytest.mark.parametrize("dtype", DTYPES)
def test_digits_end_where_the_page_says_they_end(dtype: str) -> None:
    ends: dict[str, list[float | None]] = run(SCRIPTS, ENDS, {"dtype": dtype, "reach": REACH[dtype]})
    for form, pair in ends.items():
        for place, end in enumerate(pair):
            if end is not None:
                assert is_lost(answer(form, end, dtype)[place])
                assert not is_lost(answer(form, end - 2**-6, dtype)[place])


def answer(form: str, margin: float, dtype: str) -> tuple[Any, Any]:
    fmt = format_of(dtype)
    loss, gradient = loss_and_gradient(form, np.array([margin, 0]).astype(fmt.dtype), 0, fmt)
    return loss, gradient[0]


def is_lost(value: Any) -> bool:
    return not math.isfinite(value) or value == 0


def test_the_shifted_form_ends_where_its_docstring_says() -> None:
    (single, _), (double, _) = (
        run(SCRIPTS, ENDS, {"dtype": dtype, "reach": REACH[dtype]})["shifted"] for dtype in ("float32", "float64")
    )
    assert round(single) == 17
    assert round(double) == 37


@pytest.mark.parametrize("form", FORMS)
def test_an_error_is_what_gradlab_counts(form: str) -> None:
    points = np.random.default_rng(29).uniform(-80, 80, (500, 2)).tolist()
    given = np.array(run(SCRIPTS, POINTS, {"dtype": "float32", "points": points, "form": form}))
    given = np.where(given == "-inf", "-Infinity", given).astype(np.float64)
    logits, value, error = given[:, :2].astype(np.float32), given[:, 2].astype(np.float32), given[:, 3]
    problem = Problem(logits, np.zeros(len(logits), dtype=np.int64), Objective("none"), "points of the map")
    counted = error_in_ulp(value, enclose(problem).gradient[:, 0], problem.format)
    finite = np.isfinite(value)
    assert np.allclose(error[finite], counted[finite], rtol=1e-5, atol=1e-5)
