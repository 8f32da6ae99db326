"""Formulas printed as NumPy for a batch: an entry x_j becomes an array (N, K), a row's scalar a column (N, 1)."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Indexed, KroneckerDelta, Piecewise, Sum, Symbol, exp, log, tanh
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import LETTERS, Binding, K, argmax, c, epsilon, j, n, w
from gradlab.symbolic.writing import PRODUCT, TIGHT, Language, Piece, left_out, side, write, write_tight

_SCALARS = (K, epsilon)


def as_numpy(expression: Expr, axes: Sequence[Symbol] = (j,)) -> str:
    """NumPy for `expression`, whose free class indices are `axes`; the array has shape (N,) + (K,) * len(axes)."""
    return write(expression, _language(tuple(axes)))


def numpy_assignment(binding: Binding) -> str:
    """The line of NumPy that computes a binding."""
    letter = binding.letter
    axes = letter.indices if isinstance(letter, Indexed) else ()
    return f"{name_of(letter)} = {as_numpy(binding.value, axes)}"


def name_of(letter: Expr) -> str:
    """The name in code of a letter, with or without its index."""
    return LETTERS[letter.base if isinstance(letter, Indexed) else letter].name


def _language(axes: tuple[Symbol, ...]) -> Language:
    def indexed(entry: Expr, _: Language) -> str:
        if entry.indices == axes:
            return name_of(entry)
        (index,) = entry.indices
        if index in axes:
            return name_of(entry) + _align(axes, index, "class" if entry.base == w else "row, class")
        if index not in LETTERS:
            raise TypeError(f"{index} has no axis of its own in {entry}: bind the sum over it first")
        return f"np.take_along_axis({name_of(entry)}, {LETTERS[index].name}, axis=1)"

    def symbol(letter: Expr, _: Language) -> str:
        if letter in axes:
            return "classes" + _align(axes, letter, "class")
        return name_of(letter) + ("[:, :, None]" if len(axes) == 2 and letter not in _SCALARS else "")

    def delta(equal: Expr, language: Language) -> str:
        left, right = sorted(equal.args, key=lambda index: (index not in axes, index == c))
        return f"({write(left, language)} == {write(right, language)})"

    rules = {Indexed: indexed, Symbol: symbol, KroneckerDelta: delta, Piecewise: _guard, argmax: _argmax}
    rules |= {exp: _call, log: _call, log1p: _call, tanh: _call}
    if len(axes) < 2:  # a sum inside a formula with two free indices would need a third axis: bind it first
        rules[Sum] = _sum
    return Language(rules, times=" * ", quotient=_quotient, sum_level=TIGHT)


def _align(axes: tuple[Symbol, ...], index: Symbol, shape: str) -> str:
    """The subscript that puts an array over `index` on its axis; shape: "row, class" or "class"."""
    if len(axes) < 2:
        return ""
    first = index == axes[0]
    if shape == "class":
        return "[:, None]" if first else ""
    return "[:, :, None]" if first else "[:, None, :]"


def _sum(summation: Expr, _: Language) -> str:
    index = summation.limits[0][0]
    summand, other = left_out(summation)
    text = as_numpy(summand, (index,))
    if index == n:
        return f"np.sum({text})"
    if other is not None:
        text = f"np.where(classes == {LETTERS[other].name}, 0, {text})"
    if side(summation) == "all":
        return f"np.sum({text}, axis=1, keepdims=True)"
    if side(summation) == "before":
        return f"np.cumsum(np.pad({text}, ((0, 0), (1, 0)))[:, :-1], axis=1)"
    return f"np.cumsum(np.pad({text}, ((0, 0), (0, 1)))[:, :0:-1], axis=1)[:, ::-1]"


def _guard(guarded: Expr, language: Language) -> str:
    (zero, condition), (value, _) = guarded.args
    where = f"{write(condition.lhs, language)} == {write(condition.rhs, language)}"
    return f"np.where({where}, {write(zero, language)}, {write(value, language)})"


def _argmax(call: Expr, _: Language) -> str:
    return f"np.argmax({LETTERS[call.args[0]].name}, axis=1, keepdims=True)"


def _call(call: Expr, language: Language) -> str:
    return f"np.{call.func.__name__}({write(call.args[0], language)})"


def _quotient(numerator: Expr, denominator: Expr, language: Language) -> Piece:
    return f"{write_tight(numerator, language, PRODUCT)} / {write_tight(denominator, language)}", PRODUCT
