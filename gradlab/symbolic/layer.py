"""The layer: logits that are not given but defined, put into the definition of the loss, and the derivatives of that.

The number of features is F here, since D_n are the denominators of a mean. The logit of row n and class j is a function
that SymPy knows by name alone until it differentiates: then it takes the derivative of what the name stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic, Derivative, Expr, Function, Indexed, IndexedBase, Integer, KroneckerDelta, Sum, Symbol

from gradlab.symbolic.definition import Binding, F, N, f, i, j, loss, n, over_classes, r, row_loss, x
from gradlab.symbolic.derivation import SOFTMAX, for_row, gradient
from gradlab.symbolic.options import REDUCTIONS, SHARES
from gradlab.symbolic.proofs import Proof, equal, inline

X = IndexedBase("X", real=True)
W = IndexedBase("W", real=True)
B = IndexedBase("b", real=True)
G = IndexedBase("G", real=True)
h = Symbol("h", integer=True, nonnegative=True)
sigma = Symbol("sigma", nonnegative=True)
sigma_b = Symbol("sigma_b", nonnegative=True)


def over_features(summand: Expr) -> Expr:
    """The sum of `summand` for h = 0, ..., F - 1."""
    return Sum(summand, (h, 0, F - 1))


def over_rows(summand: Expr) -> Expr:
    """The sum of `summand` for n = 0, ..., N - 1."""
    return Sum(summand, (n, 0, N - 1))


def logit(row: Expr, index: Expr) -> Expr:
    """z_nj = sum_h x_nh w_hj + b_j: the only place where the linear map is written."""
    return over_features(X[row, h] * W[h, index]) + B[index]


def penalty() -> Expr:
    """(sigma sum w^2 + sigma_b sum b^2)/2, sigma being the slope, sigma_b the same where the bias is penalised or 0."""
    squares = over_classes(over_features(W[h, j] ** 2), j)
    return (sigma * squares + sigma_b * over_classes(B[j] ** 2, j)) / 2


class Logit(Function):  # type: ignore[misc]  # SymPy has no types
    """The logit of a row and a class by name; its derivatives are those of `logit`."""

    nargs = 2
    is_real = True

    @property
    def free_symbols(self) -> set[Basic]:
        return set(super().free_symbols) | set(logit(*self.args).free_symbols)

    def _eval_derivative(self, variable: Expr) -> Expr:
        return logit(*self.args).diff(variable)


@dataclass(frozen=True)
class LayerDerivative:
    """The derivative by one entry of a parameter: its name, the entry, and the formula, G being that by the logits.

    indices: of the entry. added: the penalty's part.
    """

    name: str
    by: Expr
    formula: Expr
    added: Expr

    @property
    def indices(self) -> tuple[Expr, ...]:
        return tuple(self.by.indices)


DERIVATIVES = (
    LayerDerivative("dX", X[r, f], over_classes(G[r, j] * W[f, j], j), Integer(0)),
    LayerDerivative("dW", W[f, i], over_rows(X[n, f] * G[n, i]), sigma * W[f, i]),
    LayerDerivative("db", B[i], over_rows(G[n, i]), sigma_b * B[i]),
)


def chain_proof(derivative: LayerDerivative) -> Proof:
    """A proof that a formula is the chain rule's, whatever the gradient G by the logits: with all options, then.

    sum_n sum_j G_nj dz_nj is what moves where the logits move by dz.
    """
    moved = over_rows(over_classes(G[n, j] * Derivative(logit(n, j), derivative.by), j))
    return equal(moved, derivative.formula)


def layer_proof(derivative: LayerDerivative, reduction: str) -> Proof:
    """A proof that a formula is the derivative of the defined loss of the layer, for symbolic N, F and K.

    reduction: "mean" or "sum". SymPy differentiates the whole, the penalty too; in the formula, G is written out as the
    closed form of the gradient by the logits.
    """
    row_losses = Binding(loss[n], for_row(row_loss(), n))
    reduced = _with_defined_logits(inline(REDUCTIONS[reduction], [row_losses])) + penalty()
    own = for_row(inline(gradient(i), SOFTMAX), r) * SHARES[reduction]
    closed = inline(derivative.formula, [Binding(G[r, i], own)]) + derivative.added
    return equal(_with_named_logits(reduced.diff(derivative.by)), closed)


def _with_defined_logits(expression: Expr) -> Expr:
    return expression.replace(
        lambda part: isinstance(part, Indexed) and part.base == x, lambda part: Logit(*part.indices)
    )


def _with_named_logits(expression: Expr) -> Expr:
    return expression.replace(Logit, lambda row, index: x[row, index])


def delta_proof() -> Proof:
    """A proof that a logit moves with a weight of its own class alone, as fast as the feature is large."""
    return equal(Derivative(logit(n, j), W[f, i]), KroneckerDelta(i, j) * X[n, f])
