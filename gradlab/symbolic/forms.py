"""Four ways of writing the same loss and gradient, each reached from the definition by named, proved steps.

What differs is what rounding does to them, not their value. A form's steps are what is taught; its bindings, in
order, are the program that is generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Derivative, Eq, Expr, KroneckerDelta, Piecewise, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import (
    A,
    B,
    Binding,
    C,
    P,
    Q,
    R,
    S,
    T,
    U,
    V,
    Z,
    a,
    argmax,
    d,
    e,
    h,
    i,
    j,
    k,
    l,
    over_classes,
    over_others,
    p,
    row_loss,
    softmax,
    t,
    x,
    y,
)
from gradlab.symbolic.derivation import SOFTMAX, Chain, chain, gradient, prove
from gradlab.symbolic.proofs import Proof, equal, inlined


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


def weighted(term: Expr) -> Expr:
    """t_j term, and 0 without a look at the term where t_j = 0: in floating point 0 * inf would be NaN."""
    return Piecewise((0, Eq(t[j], 0)), (t[j] * term, True))


def form_proofs(form: Form) -> tuple[Proof, Proof]:
    """Proofs, from end to end, that a form's program computes the defined loss and its derivative along x_j.

    They use none of the form's steps. Raises ProofError where one does not hold.
    """
    slope = Derivative(row_loss(), x[i])
    return (
        equal(row_loss(), form.loss, form.bindings),
        equal(slope, form.gradient.subs(j, i), form.bindings),
    )


def hessian_proof() -> Proof:
    """A proof that the Hessian's program computes the second derivative of the defined loss along x_i and x_j."""
    slope = inlined(gradient(i), SOFTMAX)
    return equal(Derivative(slope, x[j]), HESSIAN, HESSIAN_BINDINGS)


def step_proofs(form: Form) -> tuple[Proof, ...]:
    """The proof of every step of a form, in order. Raises ProofError where one does not hold."""
    return tuple(prove(step, (SOFTMAX[0], *form.bindings)) for chain_ in form.chains for step in chain_.steps)


_SHIFT = exp(x[k] - x[a])
_OTHERS = over_classes((1 - KroneckerDelta(k, a)) * _SHIFT, k)

_PIVOT = (Binding(a, argmax(x)), Binding(d[j], x[j] - x[a]))

_QUOTIENT = (
    "logarithm of a quotient",
    over_classes(t[j] * (log(over_classes(exp(x[k]), k)) - x[j]), j),
    "log(u / v) = log u - log v, and log(exp(x_j)) = x_j",
)
_SHIFTED_LOSS = (
    "subtract the largest logit",
    over_classes(t[j] * (log(over_classes(_SHIFT, k)) - (x[j] - x[a])), j),
    "adding a constant to every logit changes no probability; with the largest one at 0, exp cannot overflow",
)
_SHIFTED_SOFTMAX = (
    "subtract the largest logit",
    exp(x[j] - x[a]) / over_classes(_SHIFT, k),
    "numerator and denominator are both divided by exp(x_a)",
)


_LOSS = over_classes(h[j], j)


def _program(loss: Expr) -> tuple[str, Expr, str]:
    return "name the parts", loss, "the program; a class of coefficient 0 is left out, as 0 * inf would be NaN"


_TEXTBOOK = Form(
    name="textbook",
    idea="the definition as it stands, without a shift",
    breaks="exp overflows for large logits; where all logits are very negative the sum underflows to 0",
    chains=(chain("L", row_loss(), [_program(-_LOSS)]),),
    bindings=(
        Binding(e[j], exp(x[j])),
        Binding(S, over_classes(e[k], k)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weighted(log(p[j]))),
        SOFTMAX[0],
    ),
    loss=-_LOSS,
    gradient=gradient(j),
)

_EXPONENTIALS = Binding(e[j], exp(d[j]))

_SHIFTED = Form(
    name="shifted",
    idea="the largest logit is subtracted before exp",
    breaks="the target's entry p_y - 1 loses every digit once p_y rounds to 1; so does the loss, log(1 + tiny)",
    chains=(
        chain("L", row_loss(), [_QUOTIENT, _SHIFTED_LOSS, _program(_LOSS)]),
        chain("p_j", softmax(j), [_SHIFTED_SOFTMAX, ("name the parts", p[j], "the program")]),
    ),
    bindings=(
        *_PIVOT,
        _EXPONENTIALS,
        Binding(S, over_classes(e[k], k)),
        Binding(Z, log(S)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weighted(Z - d[j])),
        SOFTMAX[0],
    ),
    loss=_LOSS,
    gradient=gradient(j),
)

_LOG_SPACE = Form(
    name="log-space",
    idea="first the logarithms of the probabilities, then the probabilities as their exponentials",
    breaks="as the shifted form; and an absolute error of log p_j becomes a relative error of p_j",
    chains=(
        chain("L", row_loss(), [_QUOTIENT, _SHIFTED_LOSS, _program(-_LOSS)]),
        chain(
            "p_j",
            softmax(j),
            [
                _SHIFTED_SOFTMAX,
                (
                    "put the quotient into the exponent",
                    exp(x[j] - x[a] - log(over_classes(_SHIFT, k)), evaluate=False),
                    "u / v = exp(log u - log v): no division; the logarithm is the one in the loss",
                ),
                ("name the parts", p[j], "the program"),
            ],
        ),
    ),
    bindings=(
        *_PIVOT,
        Binding(S, over_classes(exp(d[k]), k)),
        Binding(Z, log(S)),
        Binding(l[j], d[j] - Z),
        Binding(p[j], exp(l[j])),
        Binding(h[j], weighted(l[j])),
        SOFTMAX[0],
    ),
    loss=-_LOSS,
    gradient=gradient(j),
)


def _over_all_others(summand: Expr) -> Expr:
    return over_classes((1 - KroneckerDelta(k, j)) * summand, k)


_COMPLEMENT_LOSS = (
    _QUOTIENT,
    _SHIFTED_LOSS,
    (
        "take the largest term out of the sum",
        over_classes(t[j] * (log(1 + _OTHERS) - (x[j] - x[a])), j),
        "it is exp(0) = 1 exactly; the others are what the loss is made of when the target is the largest",
    ),
    (
        "write log(1 + R) as log1p(R)",
        over_classes(t[j] * (log1p(_OTHERS) - (x[j] - x[a])), j),
        "1 + R rounds to 1 when R is tiny; log1p keeps its digits",
    ),
    _program(_LOSS),
)
_COMPLEMENT_SOFTMAX = (
    _SHIFTED_SOFTMAX,
    (
        "take the largest term out of the sum",
        exp(x[j] - x[a]) / (1 + _OTHERS),
        "the denominator is 1 + R, with the R of the loss",
    ),
    ("name the parts", p[j], "the program"),
)
_BEFORE_AND_AFTER_T = over_others(t[k], k, j)
_BEFORE_AND_AFTER_P = over_others(p[k], k, j)
_COMPLEMENT_GRADIENT = (
    ("write A as the sum it is", p[j] * over_classes(t[k], k) - t[j], "A = sum_k t_k"),
    (
        "multiply t_j by 1",
        p[j] * over_classes(t[k], k) - t[j] * over_classes(p[k], k),
        "1 = sum_k p_k: the probabilities sum to 1",
    ),
    (
        "cancel k = j",
        p[j] * _over_all_others(t[k]) - t[j] * _over_all_others(p[k]),
        "p_j t_j stands in both sums: removed on paper, it cannot cancel in floating point",
    ),
    (
        "split the others into before and after",
        p[j] * sum(_BEFORE_AND_AFTER_T) - t[j] * sum(_BEFORE_AND_AFTER_P),
        "running sums from both ends give all K sums in O(K), without a subtraction",
    ),
    ("name the parts", p[j] * T[j] - t[j] * U[j], "the program"),
)
_ONE_HOT = chain(
    "g_y",
    (p[j] * _over_all_others(t[k]) - t[j] * _over_all_others(p[k]))
    .subs(j, y)
    .replace(lambda part: part.is_Indexed and part.base == t, lambda part: KroneckerDelta(part.indices[0], y)),
    [
        (
            "for an index target",
            -over_classes((1 - KroneckerDelta(k, y)) * p[k], k),
            "t_k = delta_ky: the target's entry is minus the sum of the other probabilities, instead of p_y - 1",
        )
    ],
)
_COMPLEMENT = Form(
    name="complement",
    idea="the target's entry and the loss are made from the other classes: nothing cancels",
    breaks="rounding of x_j - x_a costs digits of small probabilities; a tiny 1 - p_y underflows with its exp",
    chains=(
        chain("L", row_loss(), _COMPLEMENT_LOSS),
        chain("p_j", softmax(j), _COMPLEMENT_SOFTMAX),
        chain("g_j", gradient(j), _COMPLEMENT_GRADIENT),
        _ONE_HOT,
    ),
    bindings=(
        *_PIVOT,
        _EXPONENTIALS,
        Binding(R, over_classes((1 - KroneckerDelta(k, a)) * e[k], k)),
        Binding(S, 1 + R),
        Binding(Z, log1p(R)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weighted(Z - d[j])),
        Binding(B[j], _BEFORE_AND_AFTER_T[0]),
        Binding(C[j], _BEFORE_AND_AFTER_T[1]),
        Binding(T[j], B[j] + C[j]),
        Binding(P[j], _BEFORE_AND_AFTER_P[0]),
        Binding(Q[j], _BEFORE_AND_AFTER_P[1]),
        Binding(U[j], P[j] + Q[j]),
    ),
    loss=_LOSS,
    gradient=p[j] * T[j] - t[j] * U[j],
)

FORMS: dict[str, Form] = {form.name: form for form in (_TEXTBOOK, _SHIFTED, _LOG_SPACE, _COMPLEMENT)}

# The program of the Hessian A p_i (delta_ij - p_j); V holds the covariances.
HESSIAN_BINDINGS = (
    *_PIVOT,
    _EXPONENTIALS,
    Binding(S, over_classes(e[k], k)),
    Binding(p[j], e[j] / S),
    SOFTMAX[0],
    Binding(V[i, j], p[i] * (KroneckerDelta(i, j) - p[j])),
)
HESSIAN = A * V[i, j]
