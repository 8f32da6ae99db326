"""Writing a SymPy expression in a language: the walk over sums and products, which all languages share.

A language is a table: for each kind of expression (a SymPy class) the rule that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Function, Integer, KroneckerDelta, Mul, Pow, Rational, Sum, Symbol

from gradlab.symbolic.definition import F, K, N

# How tightly a piece of text holds together; a piece is put into parentheses where a tighter one is needed.
LOOSE, PRODUCT, TIGHT = 0, 1, 2

Piece = tuple[str, int]


@dataclass(frozen=True)
class Language:
    """rules: SymPy class -> what writes it; times: between factors; quotient: (numerator, denominator) -> text.

    sum_level: TIGHT where a sum is a call, PRODUCT where it reaches as far to the right as it can.
    brackets: what is put around a piece that must hold together.
    """

    rules: Mapping[type, Callable[[Expr, Language], str]]
    times: str
    quotient: Callable[[Expr, Expr, Language], Piece]
    sum_level: int
    brackets: tuple[str, str] = ("(", ")")


def write(expression: Expr, language: Language) -> str:
    """The text of `expression`. Raises TypeError for a kind of expression that the language has no rule for."""
    return _piece(expression, language)[0]


def write_tight(expression: Expr, language: Language, level: int = TIGHT) -> str:
    """The same, in parentheses unless it holds together at least as tightly as `level`."""
    text, own_level = _piece(expression, language)
    return text if own_level >= level else text.join(language.brackets)


def left_out(summation: Expr) -> tuple[Expr, Symbol | None]:
    """The summand of a sum, and the class a if it has the factor 1 - delta_ka, which leaves a out."""
    index = summation.limits[0][0]
    for factor in Mul.make_args(summation.function):
        for delta in factor.atoms(KroneckerDelta):
            if factor == 1 - delta and index in delta.args:
                (other,) = set(delta.args) - {index}
                return summation.function / factor, other
    return summation.function, None


def pick(summation: Expr) -> tuple[Expr, Symbol] | None:
    """The summand at class a, and a, if the summand has the factor delta_ja: the sum is that, or 0 if a is no class."""
    index = summation.limits[0][0]
    for factor in Mul.make_args(summation.function):
        if isinstance(factor, KroneckerDelta) and index in factor.args:
            (other,) = set(factor.args) - {index}
            return (summation.function / factor).xreplace({index: other}), other
    return None


def side(summation: Expr) -> str:
    """Which classes a sum runs over: "all", "before" a class or "after" it. Raises ValueError for anything else."""
    _, first, last = summation.limits[0]
    if first == 0:
        return "all" if last in (K - 1, N - 1, F - 1) else "before"
    if last == K - 1:
        return "after"
    raise ValueError(f"a sum must start at class 0 or end at class K - 1, got {summation}")


def _piece(expression: Expr, language: Language) -> Piece:
    if isinstance(expression, Integer):
        return str(expression), TIGHT if expression >= 0 else LOOSE
    if isinstance(expression, Add):
        return _add(expression, language), LOOSE
    if isinstance(expression, Mul | Pow | Rational):
        return _multiply(expression, language)
    for kind in type(expression).__mro__:
        if kind in language.rules:
            level = language.sum_level if isinstance(expression, Sum) else TIGHT
            return language.rules[kind](expression, language), level
    raise TypeError(f"no rule for {type(expression).__name__} in {expression}")


def _add(expression: Expr, language: Language) -> str:
    """Numbers first, then what is added, then what is subtracted."""
    terms = sorted(expression.as_ordered_terms(), key=lambda term: not term.is_Number)
    terms = sorted(terms, key=lambda term: term.could_extract_minus_sign())
    text = write(terms[0], language)
    for term in terms[1:]:
        if term.could_extract_minus_sign():
            text += f" - {write_tight(-term, language, PRODUCT)}"
        else:
            text += f" + {write_tight(term, language, PRODUCT)}"
    return text


def _multiply(expression: Expr, language: Language) -> Piece:
    if expression.could_extract_minus_sign():
        return f"-{write_tight(-expression, language, PRODUCT)}", LOOSE
    numerator, denominator = _fraction(expression)
    if denominator != 1:
        return language.quotient(numerator, denominator, language)
    if isinstance(expression, Pow):
        base = write_tight(expression.base, language)
        return language.times.join([base] * int(expression.exp)), PRODUCT
    return _factors(expression, language), PRODUCT


def _factors(product: Expr, language: Language) -> str:
    """Letters first, then functions, then brackets; a sum last, since it reaches to the right."""
    factors = sorted(product.as_ordered_factors(), key=_rank)
    texts = [write_tight(factor, language) for factor in factors]
    if isinstance(factors[-1], Sum) and not any(isinstance(factor, Sum) for factor in factors[:-1]):
        texts[-1] = write(factors[-1], language)
    return language.times.join(texts)


def _rank(factor: Expr) -> tuple[int, str]:
    kinds = ((Sum, 4), (Add, 3), (KroneckerDelta, 1), (Function, 2))
    return next((rank for kind, rank in kinds if isinstance(factor, kind)), 0), str(factor)


def _fraction(expression: Expr) -> tuple[Expr, Expr]:
    above, below = [], []
    for factor in Mul.make_args(expression):
        if isinstance(factor, Rational):
            above.append(Integer(factor.p))
            below.append(Integer(factor.q))
        elif isinstance(factor, Pow) and factor.exp.is_negative:
            below.append(1 / factor)
        else:
            above.append(factor)
    return Mul(*above), Mul(*below)
