"""Expressions written out entry by entry for a given number of classes: a proof's fallback and its cross-check."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    Piecewise,
    Rational,
    Sum,
    Symbol,
    expand,
    expand_func,
    expand_log,
    factor,
    fraction,
    log,
    prime,
    together,
)

from gradlab.symbolic.definition import F, K, N, a, c, f, i, j, n, r, without_guard, x, y

_N_ROWS = 2
_N_FEATURES = 2
_CLASS_INDICES = (i, j, a, y, c)


def entries(expression: Expr, n_classes: int) -> Iterator[tuple[Expr, str]]:
    """Every entry of `expression` for K = n_classes (and N = F = 2), with the free indices' values in words.

    All sums are written out and all derivatives carried out.
    """
    sized = expression.xreplace({K: Integer(n_classes), N: Integer(_N_ROWS), F: Integer(_N_FEATURES)})
    sizes = {**dict.fromkeys(_CLASS_INDICES, n_classes), n: _N_ROWS, r: _N_ROWS, f: _N_FEATURES}
    free = [index for index in sizes if index in sized.free_symbols]
    choices = [range(sizes[index]) for index in free]
    for values in product(*choices):
        words = ", ".join(f"{index} = {value}" for index, value in zip(free, values, strict=True))
        entry = sized.xreplace(dict(zip(free, map(Integer, values), strict=True)))
        yield entry.replace(Sum, _written_out).doit(), words


def is_zero_entry(entry: Expr) -> bool:
    """Whether an entry without sums is 0 for all real logits, by SymPy's own algebra with E_k = exp(x_k) > 0."""
    letters = {letter: log(Symbol(f"E{letter.indices}", positive=True)) for letter in _logits_of(entry)}
    form = expand_func(entry.xreplace(letters)).replace(
        Piecewise, lambda *branches: without_guard(Piecewise(*branches))
    )
    form = form.replace(log, lambda argument: expand_log(log(factor(together(argument)))))
    return bool(expand(fraction(together(form))[0]) == 0)


def counterexample(expression: Expr, sizes: range) -> str:
    """A point at which `expression` is not 0, to 30 digits, or has no value, in words; empty if none is found."""
    for n_classes in sizes:
        for entry, words in entries(expression, n_classes):
            value = entry.xreplace(_point(entry.atoms(Indexed)))
            value = value.xreplace(_point(value.free_symbols)).evalf(30)
            if value.is_finite is not True:
                return f"not a finite number at K = {n_classes}{words and ', '}{words}"
            if abs(value) > 1e-20:
                return f"{float(value):.6g} at K = {n_classes}{words and ', '}{words}"
    return ""


def _written_out(summand: Expr, *limits: Expr) -> Expr:
    """The terms of a sum, or of a sum of sums, whose first and last index are numbers, added up."""
    for index, first, last in limits:
        summand = Add(*[summand.xreplace({index: Integer(value)}) for value in range(first, last + 1)])
    return summand


def _point(letters: set[Expr]) -> dict[Expr, Expr]:
    """A different fraction for every letter: a prime over 11."""
    return {letter: Rational(int(prime(place + 2)), 11) for place, letter in enumerate(sorted(letters, key=str))}


def _logits_of(entry: Expr) -> list[Expr]:
    return sorted((letter for letter in entry.atoms(Indexed) if letter.base == x), key=str)
