"""The formulas of the layer printed as products of matrices, for NumPy's arrays and for flint's matrices of balls.

A sum over an index that two factors share is a product, a factor being transposed where its indices stand the other
way. Among the balls a vector is a matrix of one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, Pow, Sum, Symbol

from gradlab.symbolic.definition import j, n
from gradlab.symbolic.layer import DERIVATIVES, B, G, LayerDerivative, W, X, logit, penalty, sigma, sigma_b
from gradlab.symbolic.routine import Routine, source_of

NAMES = {X: "features", W: "weight", B: "bias", G: "gradient", sigma: "slope", sigma_b: "bias_slope"}
_FUNCTIONS = {"dX": "by_features", "dW": "by_weight", "db": "by_bias"}
_SAYS = {
    "dX": "The derivative by the features, (N, D), gradient being that by the logits, (N, K).",
    "dW": "The derivative by the weight, (D, K), slope being twice what the penalty multiplies its squares by.",
    "db": "The derivative by the bias; bias_slope as slope, or 0.",
}


@dataclass(frozen=True)
class MatrixLanguage:
    """How matrices are written: their type, products, transposes, sums over the rows, and what adds up all squares.

    scaled: a number times a matrix. spread: a vector for each row of a matrix.
    """

    matrix: str
    number: str
    product: str
    transposed: Callable[[str], str]
    row_sum: Callable[[str], str]
    square_sum: Callable[[str], str]
    scaled: Callable[[str, str], str]
    spread: Callable[[str, str], str]


NUMPY = MatrixLanguage(
    "Array",
    "float",
    "@",
    lambda name: f"{name}.T",
    lambda name: f"_sum_of_rows({name})",
    lambda name: f"_sum_of_squares({name})",
    lambda number, name: f"{number} * {name}",
    lambda name, _: name,
)
BALLS = MatrixLanguage(
    "arb_mat",
    "arb",
    "*",
    lambda name: f"{name}.transpose()",
    lambda name: f"_ones(1, {name}.nrows()) * {name}",
    lambda name: f"_sum_of_squares({name})",
    lambda number, name: f"{name} * {number}",
    lambda name, rows: f"_ones({rows}.nrows(), 1) * {name}",
)


def numpy_module(first_line: str) -> str:
    """The source of gradlab/reference/layer_forms.py."""
    head = f'''{first_line}
"""The layer in NumPy: the logits, the derivatives by features, weight and bias, and the penalty.

Arrays have shapes (N, D), (D, K) and (K,), the gradient by the logits (N, K).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
'''
    tail = """def _sum_of_rows(values: Array) -> Array:
    total: Array = values.sum(axis=0)
    return total


def _sum_of_squares(values: Array) -> float:
    return float((values * values).sum())
"""
    return "\n\n".join([head, *[source_of(routine, "") for routine in layer_routines(NUMPY)], tail])


def ball_module(first_line: str) -> str:
    """The source of gradlab/reference/layer_balls.py."""
    head = f'''{first_line}
"""The layer in ball arithmetic, with flint's matrices: as `layer_forms`; a bias is a matrix of one row, (1, K)."""

from __future__ import annotations

from flint import arb, arb_mat
'''
    tail = """def _ones(n_rows: int, n_columns: int) -> arb_mat:
    return arb_mat(n_rows, n_columns, [arb(1)] * (n_rows * n_columns))


def _sum_of_squares(values: arb_mat) -> arb:
    return sum((entry * entry for entry in values.entries()), arb(0))
"""
    return "\n\n".join([head, *[source_of(routine, "") for routine in layer_routines(BALLS)], tail])


def layer_routines(language: MatrixLanguage) -> tuple[Routine, ...]:
    """The functions of a module: the logits, the three derivatives and the penalty."""
    matrix = language.matrix
    linear = Routine(
        f"logits(features: {matrix}, weight: {matrix}, bias: {matrix}) -> {matrix}",
        "X W + b, (N, K).",
        [f"return {write_matrix(logit(n, j), (n, j), language)}"],
    )
    given = f"weight: {matrix}, bias: {matrix}, slope: {language.number}, bias_slope: {language.number}"
    added = Routine(
        f"penalty({given}) -> {language.number}",
        "What is added to the loss: half the slope times the sum of the squares of the weight, and of the bias.",
        [f"return {_write_penalty(language)}"],
    )
    return linear, *(_routine(one, language) for one in DERIVATIVES), added


def _routine(derivative: LayerDerivative, language: MatrixLanguage) -> Routine:
    formula = Add(derivative.formula, derivative.added)
    letters = [letter for letter in NAMES if formula.has(letter)]
    kinds = [language.number if letter in (sigma, sigma_b) else language.matrix for letter in letters]
    parameters = ", ".join(f"{NAMES[letter]}: {kind}" for letter, kind in zip(letters, kinds, strict=True))
    return Routine(
        f"{_FUNCTIONS[derivative.name]}({parameters}) -> {language.matrix}",
        _SAYS[derivative.name],
        [f"return {write_matrix(formula, derivative.indices, language)}"],
    )


def write_matrix(expression: Expr, axes: tuple[Symbol, ...], language: MatrixLanguage) -> str:
    """The code of a matrix, or vector, whose entry at `axes` is the expression: sums first, then what is added."""
    terms = sorted(Add.make_args(expression), key=lambda term: not isinstance(term, Sum))
    return " + ".join(_term(term, axes, language, terms[0]) for term in terms)


def _term(term: Expr, axes: tuple[Symbol, ...], language: MatrixLanguage, first: Expr) -> str:
    if isinstance(term, Sum):
        return _product(term, axes, language)
    numbers = [factor for factor in Mul.make_args(term) if not isinstance(factor, Indexed)]
    (entry,) = (factor for factor in Mul.make_args(term) if isinstance(factor, Indexed))
    if entry.indices != axes:  # a vector that is added to each row
        (rows,) = (factor for factor in Mul.make_args(first.function) if axes[0] in factor.indices)
        return language.spread(NAMES[entry.base], NAMES[rows.base])
    return language.scaled(NAMES[numbers[0]], NAMES[entry.base]) if numbers else NAMES[entry.base]


def _product(summation: Expr, axes: tuple[Symbol, ...], language: MatrixLanguage) -> str:
    ((bound, _, _),) = summation.limits
    factors = Mul.make_args(summation.function)
    if len(factors) == 1:
        return language.row_sum(NAMES[factors[0].base])
    left, right = sorted(factors, key=lambda factor: axes[0] not in factor.indices)
    sides = (_oriented(left, (axes[0], bound), language), _oriented(right, (bound, axes[1]), language))
    return f" {language.product} ".join(sides)


def _oriented(factor: Expr, indices: tuple[Symbol, ...], language: MatrixLanguage) -> str:
    if factor.indices not in (indices, indices[::-1]):
        raise TypeError(f"{factor} is no factor of a matrix product over {indices}")
    name = NAMES[factor.base]
    return name if factor.indices == indices else language.transposed(name)


def _write_penalty(language: MatrixLanguage) -> str:
    """The code of the penalty, a half of a sum of a slope times a sum of squares each."""
    parts = []
    for term in Add.make_args((2 * penalty()).expand()):
        (number,) = (factor for factor in Mul.make_args(term) if isinstance(factor, Symbol))
        (summation,) = (factor for factor in Mul.make_args(term) if isinstance(factor, Sum))
        if not isinstance(summation.function, Pow) or summation.function.exp != 2:
            raise TypeError(f"the penalty must be made of squares, got {summation}")
        parts.append(f"{NAMES[number]} * {language.square_sum(NAMES[summation.function.base.base])}")
    return f"({' + '.join(sorted(parts, reverse=True))}) / 2"
