"""Formulas for readers: text and LaTeX of every kind of expression, parentheses where they are needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sympy import Derivative, Expr, KroneckerDelta, Rational, cos, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import (
    A,
    K,
    S,
    a,
    argmax,
    d,
    epsilon,
    i,
    j,
    k,
    over_classes,
    over_others,
    p,
    t,
    weigh,
    x,
    y,
)
from gradlab.symbolic.prose import as_latex, as_text

FORMULAS: dict[str, tuple[Expr, str, str]] = {
    "a difference": (A * p[j] - t[j], "A p_j - t_j", r"A \, p_{j} - t_{j}"),
    "what is added comes first": (x[a] * 0 - t[j] + p[j], "p_j - t_j", r"p_{j} - t_{j}"),
    "a negative term alone": (-x[j], "-x_j", "-x_{j}"),
    "a sum in a product": (t[j] * (d[j] + 1), "t_j (1 + d_j)", r"t_{j} \, \left(1 + d_{j}\right)"),
    "a power": (p[j] ** 2, "p_j p_j", r"p_{j} \, p_{j}"),
    "a quotient": (exp(x[j]) / S, "exp(x_j) / S", r"\frac{\exp\left(x_{j}\right)}{S}"),
    "a quotient by a product": (t[j] / (A * S), "t_j / (A S)", r"\frac{t_{j}}{A \, S}"),
    "a fraction": (Rational(1, 2) * A, "A / 2", r"\frac{A}{2}"),
    "a Greek letter": (epsilon / K, "epsilon / K", r"\frac{\varepsilon}{K}"),
    "a sum": (over_classes(t[k], k), "sum_k t_k", r"\sum_{k} t_{k}"),
    "a sum of a sum": (
        over_classes(t[k] + x[k], k),
        "sum_k (t_k + x_k)",
        r"\sum_{k} \left(t_{k} + x_{k}\right)",
    ),
    "a sum before a factor": (
        over_classes(t[k], k) * over_classes(p[k], k),
        "(sum_k p_k) (sum_k t_k)",
        r"\left(\sum_{k} p_{k}\right) \, \left(\sum_{k} t_{k}\right)",
    ),
    "a class left out": (
        over_classes((1 - KroneckerDelta(k, a)) * exp(d[k]), k),
        "sum_{k != a} exp(d_k)",
        r"\sum_{k \ne a} \exp\left(d_{k}\right)",
    ),
    "the classes before": (over_others(t[k], k, j)[0], "sum_{k < j} t_k", r"\sum_{k < j} t_{k}"),
    "the classes after": (over_others(t[k], k, j)[1], "sum_{k > j} t_k", r"\sum_{k > j} t_{k}"),
    "a delta": (KroneckerDelta(j, y), "delta_jy", r"\delta_{j y}"),
    "log1p": (log1p(S), "log1p(S)", r"\operatorname{log1p}\left(S\right)"),
    "log": (log(S), "log(S)", r"\log\left(S\right)"),
    "the largest class": (argmax(x), "argmax(x)", r"\operatorname{argmax}\left(x\right)"),
    "two indices": (x[i, j], "x_{i,j}", "x_{i,j}"),
    "a derivative": (
        Derivative(x[i] * A, x[i]),
        "d/dx_i [A x_i]",
        r"\frac{\partial}{\partial x_{i}} \left[A \, x_{i}\right]",
    ),
    "a guard": (
        weigh(d[j]),
        "[0 if t_j = 0, else d_j t_j]",
        r"\begin{cases} 0 & \text{if } t_{j} = 0 \\ d_{j} \, t_{j} & \text{otherwise} \end{cases}",
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_reads_as_written_by_hand(name: str) -> None:
    formula, text, _ = FORMULAS[name]
    assert as_text(formula) == text


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_typeset_as_written_by_hand(name: str) -> None:
    formula, _, latex = FORMULAS[name]
    assert as_latex(formula) == latex


@pytest.mark.parametrize("write", [as_text, as_latex])
def test_a_kind_of_expression_without_a_rule_is_refused(write: Callable[[Expr], str]) -> None:
    with pytest.raises(TypeError, match="no rule for cos"):
        write(cos(x[j]))
