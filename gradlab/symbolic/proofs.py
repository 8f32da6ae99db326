"""Proofs that two expressions are equal: for symbolic K where the rules reach, otherwise entry by entry.

Every function here returns a `Proof` or raises `ProofError`: a false statement has no proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Dummy, Expr, Indexed, Sum

from gradlab.symbolic.definition import Binding, argmax
from gradlab.symbolic.entries import counterexample, entries, is_zero_entry
from gradlab.symbolic.normal_form import is_zero
from gradlab.symbolic.prose import as_text

SIZES = range(1, 7)
SYMBOLIC = "symbolic K"
ENTRY_BY_ENTRY = f"entry by entry for K = {SIZES[0]}..{SIZES[-1]}"
TAYLOR = "Taylor arithmetic over balls"


class ProofError(Exception):
    """The statement is false, or could not be proved."""


@dataclass(frozen=True)
class Proof:
    """What was proved, in one line, and how: SYMBOLIC, ENTRY_BY_ENTRY or TAYLOR, which checks it at random points."""

    statement: str
    method: str

    @property
    def label(self) -> str:
        """The method, and whether it proves the statement or checks it."""
        return f"{'checked' if self.method == TAYLOR else 'proved'}: {self.method}"


def equal(before: Expr, after: Expr, bindings: Sequence[Binding] = ()) -> Proof:
    """A proof that `before` equals `after` once the letters are replaced by what `bindings` say they stand for.

    Raises ProofError, with a counterexample if one is found.
    """
    difference = inline(before, bindings) - inline(after, bindings)
    if is_zero(difference):
        return Proof(_statement(before, after), SYMBOLIC)
    return equal_entry_by_entry(before, after, bindings)


def equal_entry_by_entry(before: Expr, after: Expr, bindings: Sequence[Binding] = ()) -> Proof:
    """The same by writing out every entry for each K in SIZES; SymPy's own algebra, no rules of this project."""
    difference = inline(before, bindings) - inline(after, bindings)
    found = counterexample(difference, SIZES[:3])
    if found:
        raise ProofError(f"{_statement(before, after)} is false: the difference is {found}")
    for n_classes in SIZES:
        for entry, words in entries(difference, n_classes):
            if not is_zero_entry(entry):
                raise ProofError(f"{_statement(before, after)} was not shown at K = {n_classes}, {words}")
    return Proof(_statement(before, after), ENTRY_BY_ENTRY)


def inline(expression: Expr, bindings: Sequence[Binding]) -> Expr:
    """`expression` with every letter of `bindings` replaced, the last one first.

    A class chosen as the largest stays a letter: the formulas hold whichever class it is.
    """
    for binding in reversed(bindings):
        if not isinstance(binding.value, argmax):
            expression = _replace(expression, binding)
    return expression


def _replace(expression: Expr, binding: Binding) -> Expr:
    if not isinstance(binding.letter, Indexed):
        return expression.replace(lambda part: part == binding.letter, lambda _: _with_fresh_bounds(binding.value))
    base, indices = binding.letter.base, binding.letter.indices

    def value(entry: Expr) -> Expr:
        at = dict(zip(indices, entry.indices, strict=True))
        return _with_fresh_bounds(binding.value).subs(at, simultaneous=True)

    return expression.replace(lambda part: isinstance(part, Indexed) and part.base == base, value)


def _with_fresh_bounds(value: Expr) -> Expr:
    """`value` with the bound index of every sum renamed, so that no index from outside can be caught by it."""
    return value.replace(Sum, _with_fresh_bound)


def _with_fresh_bound(summand: Expr, *limits: Expr) -> Expr:
    fresh = {limit[0]: Dummy(str(limit[0]), integer=True, nonnegative=True) for limit in limits}
    return Sum(summand.xreplace(fresh), *[(fresh[index], first, last) for index, first, last in limits])


def _statement(before: Expr, after: Expr) -> str:
    return f"{as_text(before)} = {as_text(after)}"
