"""The derivation: from the definition of the loss to its gradient A p_j - t_j and its Hessian, in proved steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Derivative, Expr, Indexed, KroneckerDelta, exp, log

from gradlab.symbolic.definition import (
    A,
    Binding,
    H,
    L,
    M,
    g,
    i,
    j,
    k,
    loss,
    m,
    n,
    over_classes,
    p,
    r,
    row_loss,
    softmax,
    t,
    x,
)
from gradlab.symbolic.options import REDUCTIONS, SHARES, RowFactor, RowTerm, coefficient
from gradlab.symbolic.proofs import Proof, equal, inline


@dataclass(frozen=True)
class Step:
    """One rewriting: `before` becomes `after`; `why` says in words what was done."""

    name: str
    before: Expr
    after: Expr
    why: str


@dataclass(frozen=True)
class Chain:
    """Steps that lead from one expression for `quantity` to another; each begins where the last one ended."""

    title: str
    quantity: Expr
    steps: tuple[Step, ...]


def chain(title: str, quantity: Expr, start: Expr, links: Iterable[tuple[str, Expr, str]]) -> Chain:
    """The chain that starts at `start` and goes through the links, each a name, what comes out, and why."""
    steps = []
    for name, after, why in links:
        steps.append(Step(name, start, after, why))
        start = after
    return Chain(title, quantity, tuple(steps))


def prove(step: Step, bindings: Sequence[Binding] = ()) -> Proof:
    """A proof that the step changes the writing and not the value. Raises ProofError where it does."""
    return equal(step.before, step.after, bindings)


# The letters of the closed form.
SOFTMAX = (Binding(A, over_classes(t[k], k)), Binding(p[j], softmax(j)))

# And what the rows' terms are also made of.
WRITTEN_OUT = (*SOFTMAX, Binding(M, log(over_classes(exp(x[k]), k))), Binding(m, over_classes(t[k] * p[k], k)))


def gradient(index: Expr) -> Expr:
    """A p_index - t_index, the closed form of the derivative of a row's loss."""
    return A * p[index] - t[index]


def hessian() -> Expr:
    """A (p_i delta_ij - p_i p_j), the second derivative along classes i and j."""
    return A * (p[i] * KroneckerDelta(i, j) - p[i] * p[j])


def derivation() -> tuple[Chain, ...]:
    """The loss made ready, its derivative along x_i, and the derivative of that along x_j."""
    return chain("The loss of one row", L, row_loss(), _LOSS), _first_derivative(), _second_derivative()


_TOTAL = over_classes(exp(x[k]), k)
_APART = over_classes(t[k], k) * log(_TOTAL) - over_classes(t[k] * x[k], k)
_LOSS = (
    (
        "logarithm of a quotient",
        over_classes(t[j] * (log(_TOTAL) - x[j]), j),
        "log(u / v) = log u - log v, and log(exp(x_j)) = x_j",
    ),
    ("split the sum", _APART, "the logarithm of the sum is the same for every j: it comes out"),
)


def _first_derivative() -> Chain:
    coefficients = over_classes(t[k], k)
    raw = coefficients * over_classes(exp(x[k]) * KroneckerDelta(i, k), k) / _TOTAL
    raw -= over_classes(t[k] * KroneckerDelta(i, k), k)
    links = (
        ("differentiate term by term", raw, "the derivative of x_k along x_i is delta_ik; then the chain rule"),
        (
            "use the deltas",
            coefficients * exp(x[i]) / _TOTAL - t[i],
            "of each sum with delta_ik one term is left, k = i",
        ),
        ("name the parts", gradient(i), "A = sum_k t_k and p_i = exp(x_i) / sum_k exp(x_k)"),
    )
    return chain("Its derivative along one logit", g[i], Derivative(_APART, x[i]), links)


def _second_derivative() -> Chain:
    links = [("differentiate again", hessian(), "dp_i/dx_j = p_i (delta_ij - p_j)")]
    return chain("Its second derivative", H[i, j], Derivative(gradient(i), x[j]), links)


def option_proof(target: str, options: Sequence[str]) -> Proof:
    """A proof that with these options the derivative is still A p_i - t_i, t and A being the options' own.

    target: "index" (the label lies in [0, K), or the row is ignored) or "probability".
    """
    own = coefficient(target, options)
    closed = over_classes(own, j) * softmax(i) - own.subs(j, i)
    return equal(Derivative(-over_classes(own * log(softmax(j)), j), x[i]), closed)


def term_along_logits(term: RowTerm) -> Expr:
    """A row's term with M, m and A written out, as a function of the logits and the coefficients."""
    return inline(term.value, WRITTEN_OUT)


def term_slope(term: RowTerm) -> Expr:
    """The derivative of a row's term along x_i, by its derivatives along M and m."""
    along_lse, along_target = term.slopes
    return along_lse * p[i] + along_target * p[i] * (t[i] - m)


def term_proof(term: RowTerm) -> Proof:
    """A proof that this is its derivative."""
    return equal(Derivative(term_along_logits(term), x[i]), term_slope(term), WRITTEN_OUT)


def factor_slope(factor: RowFactor) -> Expr:
    """The gradient along x_i of a row that is multiplied by a factor."""
    return factor.differentiated * gradient(i)


def factor_proof(factor: RowFactor) -> Proof:
    """A proof that this is its derivative."""
    return equal(Derivative(factor.differentiated * row_loss(), x[i]), factor_slope(factor), SOFTMAX)


def reduction_proof(reduction: str) -> Proof:
    """A proof that the gradient of row r of the reduced loss is the row's own, over the mean's denominator."""
    row_losses = Binding(loss[n], for_row(row_loss(), n))
    share = SHARES[reduction]
    reduced = REDUCTIONS[reduction].subs(n, r) if reduction == "none" else REDUCTIONS[reduction]
    closed = for_row(inline(gradient(i), SOFTMAX), r) * share
    return equal(Derivative(inline(reduced, [row_losses]), x[r, i]), closed)


def for_row(expression: Expr, row: Expr) -> Expr:
    """A formula for one row's logits and coefficients written for the row with this number."""
    return expression.replace(
        lambda part: isinstance(part, Indexed) and part.base in (x, t), lambda part: part.base[row, part.indices[0]]
    )
