"""A normal form for expressions with sums over a symbolic number of classes: equal expressions, same form.

SymPy's `simplify` fails on such sums, so the few rules that are needed are applied term by term. Each is an identity
for K >= 1, real logits and class indices in [0, K): sums are linear; sum_k delta_kj f(k) = f(j);
the sum over k > j is the whole sum less f(j) less the sum over k < j; x_k = log E_k with E_k > 0, so that
exponentials become products; log(u v) = log u + log v for positive u, v.
"""

from __future__ import annotations

from sympy import (
    Add,
    Derivative,
    Expr,
    IndexedBase,
    KroneckerDelta,
    Mul,
    Piecewise,
    Sum,
    Symbol,
    expand,
    expand_log,
    factor,
    fraction,
    log,
    together,
)
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import F, K, N, without_guard, x

_EXPONENTIALS = IndexedBase("E", positive=True)


def is_zero(expression: Expr) -> bool:
    """Whether the normal form of `expression` is 0. False means: not 0, or not found to be."""
    form = _rewritten(_differentiate(expression).replace(_is_logit, lambda logit: log(_EXPONENTIALS[logit.indices])))
    numerator, _ = fraction(together(form))
    return bool(_with_deltas_used(expand(numerator)) == 0)


def _is_logit(expression: Expr) -> bool:
    return bool(getattr(expression, "base", None) == x)


def _differentiate(expression: Expr) -> Expr:
    """Derivatives carried out by SymPy; the sums are left alone."""
    return expression.replace(Derivative, lambda inner, *variables: inner.diff(*[pair[0] for pair in variables]))


def _rewritten(expression: Expr) -> Expr:
    if not expression.args or expression.is_Indexed:
        return expression
    if isinstance(expression, Sum):
        form = _rewritten(expression.function)
        for index, first, last in expression.limits:  # the innermost sum comes first
            form = _sum(expand(form), index, first, last)
        return form
    arguments = [_rewritten(argument) for argument in expression.args]
    if isinstance(expression, log1p):
        return _logarithm(1 + arguments[0])
    if isinstance(expression, log):
        return _logarithm(arguments[0])
    if isinstance(expression, Piecewise):
        return _rewritten(without_guard(expression))
    return expression.func(*arguments)


def _logarithm(argument: Expr) -> Expr:
    return expand_log(log(factor(together(expand(argument)))))


def _sum(summand: Expr, index: Symbol, first: Expr, last: Expr) -> Expr:
    if last == K - 1 and first != 0:
        whole = _sum(summand, index, 0, last)
        return whole - summand.subs(index, first - 1) - _sum(summand, index, 0, first - 2)
    return Add(*[_sum_of_term(term, index, first, last) for term in Add.make_args(summand)])


def _sum_of_term(term: Expr, index: Symbol, first: Expr, last: Expr) -> Expr:
    constant, rest = term.as_independent(index, as_Add=False)
    if rest == 1:
        return constant * (last - first + 1)
    deltas = [delta for delta in _delta_factors(rest) if index in delta.args]
    if first == 0 and last in (K - 1, N - 1, F - 1) and deltas:
        (other,) = set(deltas[0].args) - {index}
        remaining = _without_factor(rest, deltas[0])
        return constant * expand(remaining.subs(index, other))
    bound = Symbol(f"k{_depth(rest)}", integer=True, nonnegative=True)
    return constant * Sum(rest.subs(index, bound), (bound, first, last))


def _delta_factors(product: Expr) -> list[Expr]:
    """The deltas that `product` is a multiple of, a power counted as its base: delta^2 = delta."""
    bases = [factor.as_base_exp()[0] for factor in Mul.make_args(product)]
    return [base for base in bases if isinstance(base, KroneckerDelta)]


def _without_factor(product: Expr, delta: Expr) -> Expr:
    return Mul(*[factor for factor in Mul.make_args(product) if factor.as_base_exp()[0] != delta])


def _depth(expression: Expr) -> int:
    return 1 + max((_depth(inner.function) for inner in expression.atoms(Sum)), default=0)


def _with_deltas_used(expression: Expr) -> Expr:
    """The sum of terms `expression` with delta_ij f(i, j) written as delta_ij f(i, i)."""
    return expand(Add(*[_with_equal_indices(term) for term in Add.make_args(expression)]))


def _with_equal_indices(term: Expr) -> Expr:
    """A product with every index written as the first of those that its deltas make equal."""
    groups: list[set[Symbol]] = []
    for delta in _delta_factors(term):
        term = _without_factor(term, delta)
        touched = [group for group in groups if group & set(delta.args)]
        groups = [group for group in groups if group not in touched] + [set(delta.args).union(*touched)]
    for group in groups:
        first, *others = sorted(group, key=str)
        term = term.subs(dict.fromkeys(others, first)) * Mul(*[KroneckerDelta(first, other) for other in others])
    return term
