"""The objective's options, each defined once: what it makes of a row's coefficients, or of the rows' losses.

A row's loss is sum_j t_j (-log p_j) whatever the options are: an option is a rule that turns coefficients into
coefficients. To add one, give its letter a name in `definition.LETTERS`, write its rule and enter it in the table; the
proofs, the printed derivation and the generated code follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Expr, Integer, KroneckerDelta, Sum

from gradlab.symbolic.definition import K, N, c, denominator, epsilon, j, loss, n, over_classes, q, w, y


@dataclass(frozen=True)
class Option:
    """rule: the coefficient of class j without the option -> with it, in terms of `letter`; meaning: in words."""

    letter: Expr
    rule: Callable[[Expr], Expr]
    meaning: str


def _smoothed(coefficient: Expr) -> Expr:
    return (1 - epsilon) * coefficient + epsilon / K


def _weighted(coefficient: Expr) -> Expr:
    return w[j] * coefficient


def _ignored(coefficient: Expr) -> Expr:
    return (1 - KroneckerDelta(y, c)) * coefficient


TARGETS: dict[str, Expr] = {
    "index": KroneckerDelta(j, y),
    "probability": q[j],
}

# In the order in which they are applied.
OPTIONS: dict[str, Option] = {
    "label_smoothing": Option(epsilon, _smoothed, "the target moves towards the uniform distribution by epsilon"),
    "class_weights": Option(w, _weighted, "each class's term is multiplied by the weight of that class"),
    "ignore_index": Option(c, _ignored, "a row with the label c contributes nothing"),
}

# Rules that need a label, so they go with index targets only: factors 0 or 1 of a whole row.
ROW_OPTIONS = ("ignore_index",)
KEPT = _ignored(Integer(1))

# What a row adds to the denominator of the mean: its label's weight, or 1.
DENOMINATORS: dict[str, Expr] = {
    "index": _ignored(over_classes(_weighted(KroneckerDelta(j, y)), j)),
    "probability": Integer(1),
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
