"""The objective's options, each defined once, in one of four kinds; and what a batch's losses are reduced to.

A row's loss is sum_j t_j (-log p_j) + its terms, p being softmax of the mapped logits. An option is a rule that turns
coefficients into coefficients (`OPTIONS`), a map of every logit before the softmax (`LOGIT_MAPS`), a term that is
added to the row's loss (`ROW_TERMS`), or a factor of all that (`ROW_FACTORS`). To add one, give its letter a name in
`definition.LETTERS`, write its rule and enter it in the table of its kind; its derivatives, the proofs, the printed
derivation and the generated code follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Expr, Integer, KroneckerDelta, Sum, tanh

from gradlab.problems.options import PER_ROW_OPTIONS, REAL_OPTIONS
from gradlab.symbolic.definition import (
    A,
    K,
    M,
    N,
    c,
    denominator,
    epsilon,
    j,
    kappa,
    lambda_,
    loss,
    m,
    n,
    over_classes,
    phi,
    q,
    s,
    tau,
    u,
    v,
    w,
    y,
)


@dataclass(frozen=True)
class Option:
    """rule: the coefficient of class j without the option -> with it, in terms of `letter`; meaning: in words."""

    letter: Expr
    rule: Callable[[Expr], Expr]
    meaning: str


@dataclass(frozen=True)
class LogitMap:
    """What becomes of each logit before the softmax, a function of `u` and of `letter`; meaning: in words."""

    letter: Expr
    mapped: Expr
    meaning: str

    @property
    def slope(self) -> Expr:
        """Its derivative: what the gradient along the mapped logit is multiplied by."""
        return self.mapped.diff(u)


@dataclass(frozen=True)
class RowTerm:
    """What is added to a row's loss: a function of M = log sum_k exp(x_k), m = sum_j t_j p_j, A and `letter`.

    Its derivative along x_i is dterm/dM p_i + dterm/dm p_i (t_i - m), since dM/dx_i = p_i and dm/dx_i = p_i (t_i - m).
    """

    letter: Expr
    value: Expr
    meaning: str

    @property
    def slopes(self) -> tuple[Expr, Expr]:
        """Its derivatives along M and m."""
        return self.value.diff(M), self.value.diff(m)


@dataclass(frozen=True)
class RowFactor:
    """What a row's loss is multiplied by, its terms too: as it is returned, and as it is differentiated.

    Both are the same but for a factor that only a backward pass gets. meaning: in words.
    """

    letter: Expr
    returned: Expr
    differentiated: Expr
    meaning: str


def _smooth(coefficient: Expr) -> Expr:
    return (1 - epsilon) * coefficient + epsilon / K


def _weigh(coefficient: Expr) -> Expr:
    return w[j] * coefficient


def _ignore(coefficient: Expr) -> Expr:
    return (1 - KroneckerDelta(y, c)) * coefficient


TARGETS: dict[str, Expr] = {
    "index": KroneckerDelta(j, y),
    "probability": q[j],
}

# In the order in which they are applied.
OPTIONS: dict[str, Option] = {
    "label_smoothing": Option(epsilon, _smooth, "the target moves towards the uniform distribution by epsilon"),
    "class_weights": Option(w, _weigh, "each class's term is multiplied by the weight of that class"),
    "ignore_index": Option(c, _ignore, "a row with the label c contributes nothing"),
}

# In the order in which they are applied.
LOGIT_MAPS: dict[str, LogitMap] = {
    "softcap": LogitMap(kappa, kappa * tanh(u / kappa), REAL_OPTIONS["softcap"].meaning),
    "temperature": LogitMap(tau, u / tau, REAL_OPTIONS["temperature"].meaning),
}

ROW_TERMS: dict[str, RowTerm] = {
    "z_loss": RowTerm(
        lambda_, lambda_ * M**2, "z_loss times the square of the log-sum-exp is added to each row's loss"
    ),
    "poly_epsilon": RowTerm(
        phi, phi * (A - m), "poly_epsilon times the sum of t_j (1 - p_j) is added to each row's loss"
    ),
}

ROW_FACTORS: dict[str, RowFactor] = {
    "sample_weights": RowFactor(s, s, s, PER_ROW_OPTIONS["sample_weights"].meaning),
    "upstream": RowFactor(v, Integer(1), v, PER_ROW_OPTIONS["upstream"].meaning),
}

# Rules that need a label, so they go with index targets only: factors 0 or 1 of a whole row.
LABEL_OPTIONS = ("ignore_index",)
KEPT = _ignore(Integer(1))

# What a row adds to the denominator of the mean, by what that is over and by the kind of target.
DENOMINATORS: dict[str, dict[str, Expr]] = {
    "sum_of_weights": {"index": _ignore(s * over_classes(_weigh(KroneckerDelta(j, y)), j)), "probability": s},
    "number_of_rows": {"index": KEPT, "probability": Integer(1)},
    "all_rows": {"index": Integer(1), "probability": Integer(1)},
}

REDUCTIONS: dict[str, Expr] = {
    "none": loss[n],
    "sum": Sum(loss[n], (n, 0, N - 1)),
    "mean": Sum(loss[n], (n, 0, N - 1)) / Sum(denominator[n], (n, 0, N - 1)),
}

# What the gradient of a row's own loss is multiplied by in the gradient of the reduced loss.
SHARES: dict[str, Expr] = {
    "none": Integer(1),
    "sum": Integer(1),
    "mean": 1 / Sum(denominator[n], (n, 0, N - 1)),
}


def coefficient(target: str, options: Sequence[str]) -> Expr:
    """t_j for a kind of target, "index" or "probability", with the named options switched on."""
    value = TARGETS[target]
    for name, option in OPTIONS.items():
        if name in options:
            value = option.rule(value)
    return value
