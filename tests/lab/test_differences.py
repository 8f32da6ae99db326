"""The lab's page of finite differences: computed bit for bit, truncation as it is, the bound as gradlab proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from flint import arb

from gradlab.bounds.first_order import forward_losses
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from tests.lab.model import Number, Operations, loss_and_gradient, precision, rounded
from tests.lab.node import run

SCRIPTS = ("arithmetic.js", "forms.js", "differences.js")
DTYPES = ("float32", "float64")
KINDS = ("central", "forward")
LOWEST = {"float32": -40, "float64": -64}
N_SETTINGS = 400
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Row:
    """Logits (3,), of which the first is 0 and is moved by 2^exponent; the label is class 0 or 1."""

    logits: Array
    label: int
    exponent: int
    format: Format

    def moved(self, sign: int) -> Array:
        logits = self.logits.copy()
        logits[0] = sign * 2.0**self.exponent
        return logits


def draw(dtype: str) -> list[Row]:
    random = np.random.default_rng(23)
    fmt = format_of(dtype)
    rows = []
    for _ in range(N_SETTINGS):
        logits = np.array([0, *random.uniform(-30, 30, 2) * random.choice([1, 0.1])]).astype(fmt.dtype)
        rows.append(Row(logits, int(random.integers(2)), int(random.integers(LOWEST[dtype], 0)), fmt))
    return rows


def lab(dtype: str, expression: str) -> Any:
    """The value of an expression in row, h, and format, for every row."""
    data = [[one.logits.astype(float).tolist(), one.label, one.exponent] for one in draw(dtype)]
    program = f"""
    const format = Arithmetic.FORMATS.{dtype};
    const text = (x) => Arithmetic.shortest(x, Arithmetic.FORMATS.float64);
    return data.map(([logits, label, exponent]) => {{
      const [row, h] = [{{ logits, label, index: 0 }}, 2 ** exponent];
      return {expression};
    }});
    """
    return run(SCRIPTS, program, data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_difference_is_computed_as_its_arithmetic_says(dtype: str, kind: str) -> None:
    given = lab(dtype, f"text(Differences.quotient(row, h, {kind!r}, format))")
    expected = [difference(row, kind) for row in draw(dtype)]
    assert [float(text) for text in given] == expected


def difference(row: Row, kind: str) -> float:
    h: Number = row.format.dtype.type(2.0**row.exponent)
    up = loss_and_gradient("shifted", row.moved(1), row.label, row.format)[0]
    down = loss_and_gradient("shifted", row.moved(0 if kind == "forward" else -1), row.label, row.format)[0]
    return float((up - down) / (h if kind == "forward" else h + h))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_complex_step_is_computed_as_its_arithmetic_says(dtype: str) -> None:
    given = lab(dtype, "text(Differences.complexStep(row, h, format))")
    assert [float(text) for text in given] == [complex_step(row) for row in draw(dtype)]


def complex_step(row: Row) -> float:
    """By an evaluation at 0 + ih in which every real operation is rounded."""
    to, fmt = Operations(row.format), row.format
    h = fmt.dtype.type(2.0**row.exponent)
    e = np.array([to.exp(one) for one in row.logits - row.logits.max()])
    imaginary = e[0] * rounded(lambda ball: ball.sin(), h, fmt)
    e[0] = e[0] * rounded(lambda ball: ball.cos(), h, fmt)
    angle = rounded(lambda ball: ball.atan(), imaginary / to.sum(e), fmt)
    return float((angle - h if row.label == 0 else angle) / h)


@pytest.mark.parametrize("kind", KINDS)
def test_truncation_is_the_exact_quotient_less_the_derivative(kind: str) -> None:
    given = lab("float64", f"text(Differences.truncation(row, h, {kind!r}))")
    with precision(800):
        expected = [truncation(row, kind) for row in draw("float64")]
    assert np.allclose([float(text) for text in given], expected, rtol=1e-6, atol=0)


def truncation(row: Row, kind: str) -> float:
    h, x = arb(2) ** row.exponent, [arb(float(one)) for one in row.logits]

    def loss(moved: arb) -> arb:
        total = sum(((one - moved).exp() for one in (moved, *x[1:])), arb(0)).log() + moved
        return total - (moved if row.label == 0 else x[1])

    p = 1 / sum((one.exp() for one in x), arb(0))
    back = arb(0) if kind == "forward" else -h
    return float(((loss(h) - loss(back)) / (h - back) - (p - (row.label == 0))).mid())


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_of_a_loss_is_gradlabs(dtype: str) -> None:
    rows = draw(dtype)
    given = lab(dtype, "Differences.lossBound(logits, label, format)")
    logits, labels = np.array([row.logits for row in rows]), np.array([row.label for row in rows])
    expected = forward_losses(Problem(logits, labels, Objective("none"), "lab")).error
    assert np.allclose(given, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_error_of_a_central_difference_is_above_the_bound(dtype: str) -> None:
    within = """(() => {
      const bound = Differences.centralBound(row, h, format);
      const error = Math.abs(Differences.quotient(row, h, "central", format)
        - Arithmetic.plain(Forms.truthOf(logits, label).g[0]));
      return error / (bound.truncation + bound.roundoff);
    })()"""
    ratios = lab(dtype, within)
    assert max(ratios) <= 1
    assert max(ratios) > 0.01  # a bound that nothing comes near would say little
