"""The derivation of the layer as a document: the logits, the penalty, and the derivatives by X, W and b, proved."""

from __future__ import annotations

from sympy import Expr, IndexedBase, Symbol

from gradlab.symbolic.definition import Letter, j, n, x
from gradlab.symbolic.document import Document, Line, Section
from gradlab.symbolic.layer import (
    DERIVATIVES,
    B,
    G,
    LayerDerivative,
    W,
    X,
    chain_proof,
    delta_proof,
    layer_proof,
    logit,
    penalty,
    sigma,
    sigma_b,
)
from gradlab.symbolic.options import REDUCTIONS
from gradlab.symbolic.proofs import Proof

LAYER = "layer"
LETTERS: dict[Expr, Letter] = {
    X: Letter("features", "the features, F for each row"),
    W: Letter("weight", "the weight"),
    B: Letter("bias", "the bias"),
    x: Letter("logits", "the logits"),
    G: Letter("gradient", "the derivative of the reduced loss by the logits"),
    sigma: Letter("slope", "what the derivative of the penalty multiplies the weight by"),
    sigma_b: Letter("bias_slope", "the same of the bias, 0 where it is not penalised"),
}
_BY_CHAIN_RULE = "The chain rule, whatever G is, so with every option of the loss; the penalty adds its own derivative."
_ADDED = Symbol("penalty")


def layer_document() -> Document:
    """The derivation, every formula of it proved just now. Raises ProofError for one that is not true."""
    logits = Section("The logits", "", [Line(x[n, j], logit(n, j))], [_delta_fact()])
    added = Section("The penalty", "It is added to the reduced loss.", [Line(_ADDED, penalty())])
    lines = [_line(number, one) for number, one in enumerate(DERIVATIVES, start=1)]
    facts = [_whole_fact(one, name) for one in DERIVATIVES for name in ("mean", "sum") if name in REDUCTIONS]
    derivatives = Section("The derivatives", _BY_CHAIN_RULE, lines, facts)
    title = "From the definition of the layer to its derivatives by features, weight and bias"
    return Document(title, [logits, added, derivatives], list(LETTERS.items()))


def _line(number: int, one: LayerDerivative) -> Line:
    left = IndexedBase(one.name)[one.indices]
    return Line(left, one.formula + one.added, number, one.name, "", chain_proof(one).method)


def _whole_fact(one: LayerDerivative, reduction: str) -> Proof:
    proof = layer_proof(one, reduction)
    return Proof(f"{one.name} is the derivative of the whole, reduced by the {reduction}, G written out", proof.method)


def _delta_fact() -> Proof:
    return Proof(
        "a logit moves with a weight of its own class alone, as fast as the feature is large", delta_proof().method
    )
