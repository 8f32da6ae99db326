"""A way of writing the loss and its gradient: what a form is, how it is proved, and the steps that forms share.

Forms differ in what rounding does to them, not in their value. A form's steps are what is taught; its bindings, in
order, are the program that is generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Derivative, Expr, exp, log

from gradlab.symbolic.definition import (
    Binding,
    a,
    argmax,
    d,
    e,
    h,
    i,
    j,
    k,
    over_classes,
    row_loss,
    t,
    weigh,
    x,
)
from gradlab.symbolic.derivation import SOFTMAX, Chain, prove
from gradlab.symbolic.proofs import Proof, equal


@dataclass(frozen=True)
class Form:
    """One way of writing the loss and its gradient.

    idea: what is done differently; breaks: where rounding defeats it.
    chains: the steps from the definition. bindings: the intermediate quantities in the order of evaluation.
    loss, gradient: in the letters of the bindings; the gradient at class j.
    """

    name: str
    idea: str
    breaks: str
    chains: tuple[Chain, ...]
    bindings: tuple[Binding, ...]
    loss: Expr
    gradient: Expr


def form_proofs(form: Form) -> tuple[Proof, Proof]:
    """Proofs, from end to end, that a form's program computes the defined loss and its derivative along x_j.

    They use none of the form's steps. Raises ProofError where one does not hold.
    """
    slope = Derivative(row_loss(), x[i])
    return (
        equal(row_loss(), form.loss, form.bindings),
        equal(slope, form.gradient.subs(j, i), form.bindings),
    )


def step_proofs(form: Form) -> tuple[Proof, ...]:
    """The proof of every step of a form, in order. Raises ProofError where one does not hold."""
    return tuple(prove(step, (SOFTMAX[0], *form.bindings)) for chain_ in form.chains for step in chain_.steps)


def weighted_sum(term: Expr) -> Expr:
    """sum_j t_j term, without the classes of coefficient 0."""
    return over_classes(weigh(term), j)


def named(loss: Expr) -> tuple[str, Expr, str]:
    """The last step of a loss: its program."""
    return "name the parts", loss, "the program; a class of coefficient 0 is left out, as 0 * inf would be NaN"


SHIFT = exp(x[k] - x[a])

PIVOT = (Binding(a, argmax(x)), Binding(d[j], x[j] - x[a]))

QUOTIENT = (
    "logarithm of a quotient",
    over_classes(t[j] * (log(over_classes(exp(x[k]), k)) - x[j]), j),
    "log(u / v) = log u - log v, and log(exp(x_j)) = x_j",
)
SHIFTED_LOSS = (
    "subtract the largest logit",
    over_classes(t[j] * (log(over_classes(SHIFT, k)) - (x[j] - x[a])), j),
    "adding a constant to every logit changes no probability; with the largest one at 0, exp cannot overflow",
)
SHIFTED_SOFTMAX = (
    "subtract the largest logit",
    exp(x[j] - x[a]) / over_classes(SHIFT, k),
    "numerator and denominator are both divided by exp(x_a)",
)
EXPONENTIALS = Binding(e[j], exp(d[j]))
LOSS = over_classes(h[j], j)
