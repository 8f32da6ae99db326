"""The lab's online softmax: every state bit for bit, and the sums shown as true against ball arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.dtypes import Format, format_of
from tests.lab.model import BITS, Operations, precision
from tests.lab.node import run
from tests.lab.settings import DTYPES

SCRIPTS = ("arithmetic.js", "forms.js", "online.js")
N_ROWS = 300
Array = np.ndarray[Any, np.dtype[Any]]
PROGRAM = """
const format = Arithmetic.FORMATS[data.dtype];
const text = (x) => Arithmetic.shortest(x, Arithmetic.FORMATS.float64);
const last = (row) => Online.pass(row, format).at(-1);
return data.rows.map((row) => ({
  states: Online.pass(row, format).map(({ m, s }) => [m, s].map(text)),
  merged: text(Online.merge(last(row.slice(0, 4)), last(row.slice(4)), format).s),
  twice: text(Online.twoPasses(row, format).s),
  truth: text(Arithmetic.nearest(Online.sumOf(row), format)),
}));
"""


def draw(dtype: str) -> Array:
    """Rows of 8 logits; a third of them rises, a third falls."""
    random = np.random.default_rng(31)
    rows = random.uniform(-1, 1, (N_ROWS, 8)) * random.choice([0.1, 3, 40], (N_ROWS, 1))
    third = N_ROWS // 3
    rows[:third] = np.sort(rows[:third])
    rows[third : 2 * third] = -np.sort(-rows[third : 2 * third])
    return np.asarray(rows.astype(dtype))


def lab(dtype: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = run(SCRIPTS, PROGRAM, {"dtype": dtype, "rows": draw(dtype).astype(float).tolist()})
    return answers


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_sum_is_what_its_arithmetic_gives(dtype: str) -> None:
    fmt = format_of(dtype)
    for row, answer in zip(draw(dtype), lab(dtype), strict=True):
        to = Operations(fmt)
        states = read(row, to)
        assert [[float(m), float(s)] for m, s in answer["states"]] == [[float(m), float(s)] for m, s in states]
        (m, s), (n, t) = read(row[:4], to)[-1], read(row[4:], to)[-1]
        top = max(m, n)
        assert float(answer["merged"]) == s * to.exp(m - top) + t * to.exp(n - top)
        assert float(answer["twice"]) == to.sum(np.array([to.exp(x) for x in row - row.max()]))


def read(row: Array, to: Operations) -> list[tuple[Any, Any]]:
    """The largest logit and the sum after each logit, as `implementations/online.py` has them."""
    states = [(row[0], to.exp(row[0] - row[0]))]
    for x in row[1:]:
        m, s = states[-1]
        top = max(m, x)
        states.append((top, s * to.exp(m - top) + to.exp(x - top)))
    return states


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_sum_shown_as_true_is_within_1_ulp(dtype: str) -> None:
    fmt: Format = format_of(dtype)
    rows = draw(dtype)
    with precision(BITS):
        balls = [sum(((arb(float(x)) - arb(float(row.max()))).exp() for x in row), arb(0)) for row in rows]
        exact = to_enclosures(balls)
    given = np.array([float(answer["truth"]) for answer in lab(dtype)]).astype(dtype)
    assert error_in_ulp(given, exact, fmt).max() <= 1
