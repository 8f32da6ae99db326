"""The forms: textbook, shifted, log-space and complement, and the program of the Hessian."""

from __future__ import annotations

from sympy import Derivative, KroneckerDelta, exp, log

from gradlab.symbolic.complement import COMPLEMENT
from gradlab.symbolic.definition import (
    A,
    Binding,
    L,
    S,
    V,
    Z,
    a,
    d,
    e,
    h,
    i,
    j,
    k,
    l,
    over_classes,
    p,
    row_loss,
    softmax,
    weigh,
    x,
)
from gradlab.symbolic.derivation import SOFTMAX, chain, gradient
from gradlab.symbolic.form import (
    EXPONENTIALS,
    LOSS,
    PIVOT,
    QUOTIENT,
    SHIFT,
    SHIFTED_LOSS,
    SHIFTED_SOFTMAX,
    Form,
    named,
    weighted_sum,
)
from gradlab.symbolic.proofs import Proof, equal, inline

_TEXTBOOK = Form(
    name="textbook",
    idea="the definition as it stands, without a shift",
    breaks="exp overflows for large logits; where all logits are very negative the sum underflows to 0",
    chains=(chain("The loss of one row", L, row_loss(), [named(-weighted_sum(log(p[j])))]),),
    bindings=(
        Binding(e[j], exp(x[j])),
        Binding(S, over_classes(e[k], k)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weigh(log(p[j]))),
        SOFTMAX[0],
    ),
    loss=-LOSS,
    gradient=gradient(j),
)

_SHIFTED = Form(
    name="shifted",
    idea="the largest logit is subtracted before exp",
    breaks="the target's entry p_y - 1 loses every digit once p_y rounds to 1; so does the loss, log(1 + tiny)",
    chains=(
        chain("The loss of one row", L, row_loss(), [QUOTIENT, SHIFTED_LOSS, named(weighted_sum(Z - d[j]))]),
        chain("The probabilities", p[j], softmax(j), [SHIFTED_SOFTMAX, ("name the parts", e[j] / S, "the program")]),
    ),
    bindings=(
        *PIVOT,
        EXPONENTIALS,
        Binding(S, over_classes(e[k], k)),
        Binding(Z, log(S)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weigh(Z - d[j])),
        SOFTMAX[0],
    ),
    loss=LOSS,
    gradient=gradient(j),
)

_LOG_SPACE = Form(
    name="log-space",
    idea="first the logarithms of the probabilities, then the probabilities as their exponentials",
    breaks="as the shifted form; and an absolute error of log p_j becomes a relative error of p_j",
    chains=(
        chain("The loss of one row", L, row_loss(), [QUOTIENT, SHIFTED_LOSS, named(-weighted_sum(l[j]))]),
        chain(
            "The probabilities",
            p[j],
            softmax(j),
            [
                SHIFTED_SOFTMAX,
                (
                    "put the quotient into the exponent",
                    exp(x[j] - x[a] - log(over_classes(SHIFT, k)), evaluate=False),
                    "u / v = exp(log u - log v): no division; the logarithm is the one in the loss",
                ),
                ("name the parts", exp(l[j]), "the program"),
            ],
        ),
    ),
    bindings=(
        *PIVOT,
        Binding(S, over_classes(exp(d[k]), k)),
        Binding(Z, log(S)),
        Binding(l[j], d[j] - Z),
        Binding(p[j], exp(l[j])),
        Binding(h[j], weigh(l[j])),
        SOFTMAX[0],
    ),
    loss=-LOSS,
    gradient=gradient(j),
)

FORMS: dict[str, Form] = {form.name: form for form in (_TEXTBOOK, _SHIFTED, _LOG_SPACE, COMPLEMENT)}

# The program of the Hessian A p_i (delta_ij - p_j); V holds the covariances.
HESSIAN_BINDINGS = (
    *PIVOT,
    EXPONENTIALS,
    Binding(S, over_classes(e[k], k)),
    Binding(p[j], e[j] / S),
    SOFTMAX[0],
    Binding(V[i, j], p[i] * (KroneckerDelta(i, j) - p[j])),
)
HESSIAN = A * V[i, j]


def hessian_proof() -> Proof:
    """A proof that the Hessian's program computes the second derivative of the defined loss along x_i and x_j."""
    slope = inline(gradient(i), SOFTMAX)
    return equal(Derivative(slope, x[j]), HESSIAN, HESSIAN_BINDINGS)
