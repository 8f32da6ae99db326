"""Formulas as MathML, for pages in a browser: presentation elements, without attributes."""

from __future__ import annotations

import re
from html import escape

from sympy import Derivative, Eq, Expr, Indexed, IndexedBase, KroneckerDelta, Piecewise, Sum, Symbol, exp, log, tanh
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import argmax
from gradlab.symbolic.prose import range_of, written_equation
from gradlab.symbolic.writing import PRODUCT, TIGHT, Language, Piece, left_out, write, write_tight

_GREEK = {
    "delta": "δ",
    "epsilon": "ε",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "phi": "φ",
    "sigma": "\u03c3",
    "tau": "τ",
}
_TIMES = "\u2062"  # an invisible times, which a screen reader says
_CALL = "\u2061"  # the application of a function
_BELOW, _ABOVE = "⋖", "⋗"  # stand for < and > until all text has its tags
_SIGNS = {"-": "\u2212", _BELOW: "&lt;", _ABOVE: "&gt;"}
_TOKEN = re.compile(r"(?P<skip><mtext>.*?</mtext>|<[^<>]+>)|(?P<mn>\d+)|(?P<mi>[^\W\d_]+)|(?P<mo>[^\s\w<>])|\s+")


def as_mathml(left: Expr, right: Expr) -> str:
    """The equation left = right as an element `math`, set as a formula of its own."""
    return f'<math display="block">{mathml_of(left)}<mo>=</mo>{mathml_of(right)}</math>'


def mathml_of(expression: Expr) -> str:
    """The formula as one `mrow`."""
    return f"<mrow>{_TOKEN.sub(_element, write(expression, _MATHML))}</mrow>"


def _element(token: re.Match[str]) -> str:
    """A token as its element. Rules write tags for what has structure, and everything else as text."""
    kind = token.lastgroup
    if kind is None or kind == "skip":
        return token[0] if kind else ""
    return f"<{kind}>{_GREEK.get(token[0]) or _SIGNS.get(token[0]) or escape(token[0])}</{kind}>"


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


def _sum(summation: Expr, language: Language) -> str:
    condition = range_of(summation, language).replace("!=", "≠").replace(" < ", _BELOW).replace(" > ", _ABOVE)
    outer = "".join(_under(write(index, language)) for index, _, _ in reversed(summation.limits[1:]))
    return f"{outer}{_under(condition)}{write_tight(left_out(summation)[0], language, PRODUCT)}"


def _under(condition: str) -> str:
    return f"<munder>∑{_row(condition)}</munder>"


def _indexed(entry: Expr, language: Language) -> str:
    return f"<msub>{_label(entry.base)}{_row(','.join(write(index, language) for index in entry.indices))}</msub>"


def _label(base: Expr) -> str:
    return str(base.label)


def _delta(delta: Expr, language: Language) -> str:
    return f"<msub>delta{_row(_TIMES.join(write(index, language) for index in delta.args))}</msub>"


def _symbol(symbol: Expr, _: Language) -> str:
    name, _, index = symbol.name.partition("_")
    return f"<msub>{name}{_row(index)}</msub>" if index else name


def _guard(guarded: Expr, language: Language) -> str:
    (_, condition), (value, _) = guarded.args
    rows = (
        ("0", f"<mtext>if\u00a0</mtext>{write(condition, language)}"),
        (write(value, language), "<mtext>otherwise</mtext>"),
    )
    table = "".join(f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>" for value, when in rows)
    return _row(f"{{<mtable>{table}</mtable>")


def _quotient(numerator: Expr, denominator: Expr, language: Language) -> Piece:
    return f"<mfrac>{_row(write(numerator, language))}{_row(write(denominator, language))}</mfrac>", TIGHT


def _call(call: Expr, language: Language) -> str:
    return f"{call.func.__name__}{_CALL}({', '.join(write(argument, language) for argument in call.args)})"


def _derivative(derivative: Expr, language: Language) -> str:
    over = "".join(f"∂{write(variable, language)}" for variable, _ in derivative.args[1:])
    return f"<mfrac>∂{_row(over)}</mfrac>[{write(derivative.expr, language)}]"


_MATHML = Language(
    rules={
        Sum: _sum,
        Indexed: _indexed,
        KroneckerDelta: _delta,
        Piecewise: _guard,
        Derivative: _derivative,
        Eq: written_equation,
        **dict.fromkeys((exp, log, log1p, tanh, argmax), _call),
        Symbol: _symbol,
        IndexedBase: lambda base, _: _label(base),
    },
    times=_TIMES,
    quotient=_quotient,
    sum_level=PRODUCT,
)
