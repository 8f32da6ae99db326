"""Problems in words: exact numbers, as short as they can be, and what is not the default."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.formatting import SHOWN_ENTRIES, numbers, snippet
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

ZEROS = Problem(np.zeros((1, 2), dtype=np.float32), np.array([1]))


@pytest.mark.parametrize(
    ("rows", "dtype", "text"),
    [
        ([[0, 1], [-2, 1e30]], "float64", "[[0, 1], [-2, 1e+30]]"),
        ([[0.1, 0.2]], "float32", "[[0.1, 0.2]]"),
        ([[1 / 3]], "float64", "[[0.3333333333333333]]"),
        ([[1 / 3]], "float32", "[[0.33333334]]"),
        ([[1 / 3]], "float16", "[[0.3333]]"),
        ([[np.nan, np.inf, -np.inf, -0.0]], "float32", "[[nan, inf, -inf, -0.0]]"),
    ],
)
def test_numbers_are_as_short_as_they_can_be(rows: Any, dtype: str, text: str) -> None:
    assert numbers(np.asarray(rows, dtype=np.float64).astype(as_dtype(dtype))) == text


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_numbers_read_back_exactly(dtype: str) -> None:
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 256, (20, 20 * as_dtype(dtype).itemsize), dtype=np.uint8)
    values = np.ascontiguousarray(bits).view(as_dtype(dtype))
    with np.errstate(invalid="ignore"):
        values = values[np.isfinite(values.astype(np.float64)).all(axis=1)]
        back = np.array(eval(numbers(values), {"float": float})).astype(as_dtype(dtype))
    assert values.size
    assert back.tobytes() == values.tobytes()


def test_a_snippet_can_be_pasted() -> None:
    assert snippet(ZEROS) == "logits [[0, 0]], labels [1]"


def test_a_snippet_says_what_is_not_the_default() -> None:
    problem = Problem(np.zeros((1, 2)), np.array([[0.5, 1]]), Objective("sum", "probability", 0.1, (1.0, 2.0)))
    assert snippet(problem) == (
        "logits [[0, 0]], targets [[0.5, 1]], reduction sum, label_smoothing 0.1, class_weights (1.0, 2.0)"
    )


def test_a_large_problem_is_left_to_its_case() -> None:
    wide = Problem(np.zeros((1, SHOWN_ENTRIES + 1)), np.array([0]))
    assert snippet(wide) == f"1 x {SHOWN_ENTRIES + 1} logits"
