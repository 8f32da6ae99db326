"""The programs of what may be asked for in place of the gradient, besides the whole Hessian, and their proofs.

The Hessian's diagonal and its product with a vector are parts of the Hessian A p_i (delta_ij - p_j); the derivative by
the targets is that of the defined loss along one of them, the others held: their sum may change.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Derivative, Expr, Integer, KroneckerDelta, log

from gradlab.symbolic.definition import (
    A,
    Binding,
    S,
    Z,
    b,
    d,
    e,
    i,
    j,
    k,
    mu,
    over_classes,
    p,
    q,
    softmax,
)
from gradlab.symbolic.derivation import SOFTMAX, hessian
from gradlab.symbolic.form import EXPONENTIALS, PIVOT
from gradlab.symbolic.options import LABEL_OPTIONS, OPTIONS, coefficient
from gradlab.symbolic.proofs import Proof, equal

_SOFTMAX = (*PIVOT, EXPONENTIALS, Binding(S, over_classes(e[k], k)), Binding(p[j], e[j] / S), SOFTMAX[0])
_OF_TARGETS = coefficient("probability", [name for name in OPTIONS if name not in LABEL_OPTIONS])


@dataclass(frozen=True)
class Program:
    """Bindings in order, the entry of class j that they lead to, and what it is, in words."""

    bindings: tuple[Binding, ...]
    entry: Expr
    meaning: str


PROGRAMS = {
    "hessian_diagonal": Program(_SOFTMAX, A * p[j] * (1 - p[j]), "The diagonal of the Hessian"),
    "hessian_vector_product": Program(
        (*_SOFTMAX, Binding(mu, over_classes(p[k] * b[k], k))),
        A * p[j] * (b[j] - mu),
        "The product of the Hessian and a vector",
    ),
    "target_gradient": Program(
        (*PIVOT, EXPONENTIALS, Binding(S, over_classes(e[k], k)), Binding(Z, log(S))),
        _OF_TARGETS.diff(q[j]) * (Z - d[j]),
        "The derivative of the row's loss along each target probability",
    ),
}


def derivative_proof(name: str) -> Proof:
    """A proof that a program computes what its name says: a part of the Hessian, or a derivative of the defined loss.

    hessian_diagonal: the Hessian's entry with i = j. hessian_vector_product: the sum over j of its entries i, j times
    b_j. target_gradient: the derivative along target q_i, with every option on that goes with probabilities.
    """
    program = PROGRAMS[name]
    return equal(definition_of(name), program.entry.subs(j, i), program.bindings)


def definition_of(name: str) -> Expr:
    """What a program computes, for class i, by its definition."""
    defined: dict[str, Expr] = {
        "hessian_diagonal": hessian().subs(KroneckerDelta(i, j), Integer(1)).subs(j, i),
        "hessian_vector_product": over_classes(hessian() * b[j], j),
        "target_gradient": Derivative(-over_classes(_OF_TARGETS * log(softmax(j)), j), q[i]),
    }
    return defined[name]
