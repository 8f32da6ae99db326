"""Formulas printed as ball arithmetic (python-flint's arb) for one row: an entry x_j becomes one element of a list."""

from __future__ import annotations

from sympy import Expr, Indexed, KroneckerDelta, Piecewise, Sum, Symbol, exp, log, tanh
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import LETTERS, Binding, argmax, c, n
from gradlab.symbolic.numpy_code import name_of
from gradlab.symbolic.writing import PRODUCT, TIGHT, Language, Piece, left_out, pick, side, write, write_tight


def as_ball(expression: Expr) -> str:
    """Ball arithmetic for `expression`; its free class indices keep their letters."""
    return write(expression, _LANGUAGE)


def ball_list(entry: Expr, *indices: Symbol) -> str:
    """The list of `entry` for every class; a list of lists for two indices, the first one outermost."""
    text = as_ball(entry)
    for index in reversed(indices):
        text = f"[{text} for {index} in classes]"
    return text


def ball_assignment(binding: Binding) -> str:
    """The line of code that computes a binding: a ball, or the list of one ball for each class."""
    letter, value = binding.letter, binding.value
    if not isinstance(letter, Indexed):
        return f"{name_of(letter)} = {as_ball(value)}"
    if isinstance(value, Sum) and side(value) != "all":
        return f"{name_of(letter)} = {_running_sums(value)}"
    return f"{name_of(letter)} = {ball_list(value, *letter.indices)}"


def _running_sums(summation: Expr) -> str:
    """The list over j of the sums over the classes before j, or after j, in O(K) and without a subtraction."""
    index = summation.limits[0][0]
    term = as_ball(summation.function)
    if side(summation) == "before":
        return f"list(accumulate(({term} for {index} in classes[:-1]), initial=_ZERO))"
    return f"list(accumulate(({term} for {index} in classes[:0:-1]), initial=_ZERO))[::-1]"


def _sum(summation: Expr, language: Language) -> str:
    index = summation.limits[0][0]
    if side(summation) != "all":
        raise TypeError(f"a running sum needs a binding of its own, got {summation}")
    if (only := pick(summation)) is not None:
        entry, place = only
        return f"({write(entry, language)} if {LETTERS[place].name} in classes else _ZERO)"
    summand, other = left_out(summation)
    if index == n:
        return f"sum({name_of(summand)}, _ZERO)"
    condition = f" if {index} != {LETTERS[other].name}" if other is not None else ""
    return f"sum(({write(summand, language)} for {index} in classes{condition}), _ZERO)"


def _guard(guarded: Expr, language: Language) -> str:
    """Only an exact 0 takes the branch of 0: a ball that merely contains it does not."""
    (_, condition), (value, _) = guarded.args
    tested = write_tight(condition.lhs - condition.rhs, language)
    return f"_ZERO if {tested}.is_zero() else {write(value, language)}"


def _index(entry: Expr, _: Language) -> str:
    if entry.indices == (n,):
        return name_of(entry)
    return name_of(entry) + "".join(f"[{_index_name(index)}]" for index in entry.indices)


def _index_name(index: Symbol) -> str:
    return LETTERS[index].name if index in LETTERS else str(index)


def _delta(equal: Expr, _: Language) -> str:
    left, right = sorted(equal.args, key=lambda index: (index in LETTERS, index == c))
    return f"int({_index_name(left)} == {_index_name(right)})"


def _argmax(call: Expr, _: Language) -> str:
    return f"max(classes, key={LETTERS[call.args[0]].name}.__getitem__)"


def _call(call: Expr, language: Language) -> str:
    return f"{write_tight(call.args[0], language)}.{call.func.__name__}()"


def _quotient(numerator: Expr, denominator: Expr, language: Language) -> Piece:
    return f"{write_tight(numerator, language, PRODUCT)} / {write_tight(denominator, language)}", PRODUCT


_LANGUAGE = Language(
    rules={
        Indexed: _index,
        Symbol: lambda letter, _: _index_name(letter),
        KroneckerDelta: _delta,
        Sum: _sum,
        Piecewise: _guard,
        argmax: _argmax,
        exp: _call,
        log: _call,
        log1p: _call,
        tanh: _call,
    },
    times=" * ",
    quotient=_quotient,
    sum_level=TIGHT,
)
