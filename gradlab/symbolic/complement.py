"""The complement form: the target's entry and the loss are made from the other classes, so that nothing cancels."""

from __future__ import annotations

from sympy import Expr, KroneckerDelta, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import (
    B,
    Binding,
    C,
    L,
    P,
    Q,
    R,
    S,
    T,
    U,
    Z,
    a,
    d,
    e,
    g,
    h,
    j,
    k,
    over_classes,
    over_others,
    p,
    row_loss,
    softmax,
    t,
    weigh,
    x,
    y,
)
from gradlab.symbolic.derivation import chain, gradient
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

_OTHERS = over_classes((1 - KroneckerDelta(k, a)) * SHIFT, k)


def _over_all_others(summand: Expr) -> Expr:
    return over_classes((1 - KroneckerDelta(k, j)) * summand, k)


_COMPLEMENT_LOSS = (
    QUOTIENT,
    SHIFTED_LOSS,
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
    named(weighted_sum(Z - d[j])),
)
_COMPLEMENT_SOFTMAX = (
    SHIFTED_SOFTMAX,
    (
        "take the largest term out of the sum",
        exp(x[j] - x[a]) / (1 + _OTHERS),
        "the denominator is 1 + R, with the R of the loss",
    ),
    ("name the parts", e[j] / S, "the program"),
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
    "The target's entry of the gradient",
    g[y],
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
COMPLEMENT = Form(
    name="complement",
    idea="the target's entry and the loss are made from the other classes, so that nothing cancels",
    breaks="rounding of x_j - x_a costs digits of small probabilities; a tiny 1 - p_y underflows with its exp",
    chains=(
        chain("The loss of one row", L, row_loss(), _COMPLEMENT_LOSS),
        chain("The probabilities", p[j], softmax(j), _COMPLEMENT_SOFTMAX),
        chain("The gradient, from its closed form", g[j], gradient(j), _COMPLEMENT_GRADIENT),
        _ONE_HOT,
    ),
    bindings=(
        *PIVOT,
        EXPONENTIALS,
        Binding(R, over_classes((1 - KroneckerDelta(k, a)) * e[k], k)),
        Binding(S, 1 + R),
        Binding(Z, log1p(R)),
        Binding(p[j], e[j] / S),
        Binding(h[j], weigh(Z - d[j])),
        Binding(B[j], _BEFORE_AND_AFTER_T[0]),
        Binding(C[j], _BEFORE_AND_AFTER_T[1]),
        Binding(T[j], B[j] + C[j]),
        Binding(P[j], _BEFORE_AND_AFTER_P[0]),
        Binding(Q[j], _BEFORE_AND_AFTER_P[1]),
        Binding(U[j], P[j] + Q[j]),
    ),
    loss=LOSS,
    gradient=p[j] * T[j] - t[j] * U[j],
)
