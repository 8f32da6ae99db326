"""Formulas as a reader sees them: one line of plain text, or LaTeX."""

from __future__ import annotations

from sympy import (
    Derivative,
    Eq,
    Expr,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Piecewise,
    Sum,
    Symbol,
    exp,
    log,
    tanh,
)
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import argmax
from gradlab.symbolic.writing import PRODUCT, TIGHT, Language, Piece, left_out, side, write, write_tight

_GREEK = (
    {"epsilon": r"\varepsilon"}
    | {name: rf"\{name}" for name in ("kappa", "lambda", "phi", "sigma", "tau")}
    | {"sigma_b": r"\sigma_{b}"}
)


def as_text(expression: Expr) -> str:
    """The formula on one line, such as "sum_j t_j (log(S) - d_j)"."""
    return write(expression, _TEXT)


def as_latex(expression: Expr) -> str:
    """The formula for LaTeX's mathematical mode; amsmath is enough."""
    return write(expression, _LATEX)


def range_of(summation: Expr, language: Language) -> str:
    """Which classes a sum runs over, as "j", "j < a", "j > a" or "j != a"."""
    index, first, last = summation.limits[0]
    where = {"all": None, "before": ("<", last + 1), "after": (">", first - 1)}[side(summation)]
    _, other = left_out(summation)
    if other is not None:
        where = ("!=", other)
    if where is None:
        return write(index, language)
    return f"{write(index, language)} {where[0]} {write(where[1], language)}"


def _text_sum(summation: Expr, language: Language) -> str:
    condition = range_of(summation, language)
    under = condition if " " not in condition else "{" + condition + "}"
    outer = "".join(f"sum_{write(index, language)} " for index, _, _ in reversed(summation.limits[1:]))
    return f"{outer}sum_{under} {write_tight(left_out(summation)[0], language, PRODUCT)}"


def _latex_sum(summation: Expr, language: Language) -> str:
    condition = range_of(summation, language).replace("!=", r"\ne")
    outer = "".join(rf"\sum_{{{write(index, language)}}} " for index, _, _ in reversed(summation.limits[1:]))
    return rf"{outer}\sum_{{{condition}}} {write_tight(left_out(summation)[0], language, PRODUCT)}"


def _text_indexed(entry: Expr, language: Language) -> str:
    indices = ",".join(write(index, language) for index in entry.indices)
    return f"{entry.base.label}_{indices if len(entry.indices) == 1 else '{' + indices + '}'}"


def _latex_indexed(entry: Expr, language: Language) -> str:
    return rf"{entry.base.label}_{{{','.join(write(index, language) for index in entry.indices)}}}"


def _text_delta(delta: Expr, language: Language) -> str:
    return f"delta_{''.join(write(index, language) for index in delta.args)}"


def _latex_delta(delta: Expr, language: Language) -> str:
    return rf"\delta_{{{' '.join(write(index, language) for index in delta.args)}}}"


def _text_guard(guarded: Expr, language: Language) -> str:
    (_, condition), (value, _) = guarded.args
    return f"[0 if {write(condition, language)}, else {write(value, language)}]"


def _latex_guard(guarded: Expr, language: Language) -> str:
    (_, condition), (value, _) = guarded.args
    cases = rf"0 & \text{{if }} {write(condition, language)} \\ {write(value, language)} & \text{{otherwise}}"
    return rf"\begin{{cases}} {cases} \end{{cases}}"


def _text_quotient(numerator: Expr, denominator: Expr, language: Language) -> Piece:
    below = write(denominator, language) if isinstance(denominator, Sum) else write_tight(denominator, language)
    level = TIGHT if numerator.has(Sum) else PRODUCT
    return f"{_above(numerator, language, level)} / {below}", PRODUCT


def _above(numerator: Expr, language: Language, level: int) -> str:
    if level == TIGHT and numerator.is_Mul:
        return language.times.join(write_tight(factor, language) for factor in numerator.as_ordered_factors())
    return write_tight(numerator, language, level)


def _latex_quotient(numerator: Expr, denominator: Expr, language: Language) -> Piece:
    return rf"\frac{{{write(numerator, language)}}}{{{write(denominator, language)}}}", TIGHT


def _text_call(call: Expr, language: Language) -> str:
    return f"{call.func.__name__}({', '.join(write(argument, language) for argument in call.args)})"


def _latex_call(call: Expr, language: Language) -> str:
    known = {"exp": r"\exp", "log": r"\log", "tanh": r"\tanh"}
    name = known.get(call.func.__name__, rf"\operatorname{{{call.func.__name__}}}")
    return rf"{name}\left({', '.join(write(argument, language) for argument in call.args)}\right)"


def written_equation(equation: Expr, language: Language) -> str:
    """Its two sides about the sign."""
    return f"{write(equation.lhs, language)} = {write(equation.rhs, language)}"


def _text_derivative(derivative: Expr, language: Language) -> str:
    over = " ".join(f"d{write(variable, language)}" for variable, _ in derivative.args[1:])
    return f"d/{over} [{write(derivative.expr, language)}]"


def _latex_derivative(derivative: Expr, language: Language) -> str:
    over = " ".join(rf"\partial {write(variable, language)}" for variable, _ in derivative.args[1:])
    return rf"\frac{{\partial}}{{{over}}} \left[{write(derivative.expr, language)}\right]"


_TEXT = Language(
    rules={
        Sum: _text_sum,
        Indexed: _text_indexed,
        KroneckerDelta: _text_delta,
        Piecewise: _text_guard,
        Derivative: _text_derivative,
        Eq: written_equation,
        exp: _text_call,
        log: _text_call,
        log1p: _text_call,
        tanh: _text_call,
        argmax: _text_call,
        Symbol: lambda symbol, _: symbol.name,
        IndexedBase: lambda base, _: str(base.label),
    },
    times=" ",
    quotient=_text_quotient,
    sum_level=PRODUCT,
)

_LATEX = Language(
    rules={
        Sum: _latex_sum,
        Indexed: _latex_indexed,
        KroneckerDelta: _latex_delta,
        Piecewise: _latex_guard,
        Derivative: _latex_derivative,
        Eq: written_equation,
        exp: _latex_call,
        log: _latex_call,
        log1p: _latex_call,
        tanh: _latex_call,
        argmax: _latex_call,
        Symbol: lambda symbol, _: _GREEK.get(symbol.name, symbol.name),
        IndexedBase: lambda base, _: str(base.label),
    },
    times=r" \, ",
    quotient=_latex_quotient,
    sum_level=PRODUCT,
    brackets=(r"\left(", r"\right)"),
)
