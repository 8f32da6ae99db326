"""The layer's derivatives are proved for symbolic N, F and K, false ones are not; the code is what the formulas say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import arb, arb_mat
from sympy import Integer, Sum

from gradlab.problems.problem import Array
from gradlab.reference import layer_balls, layer_forms
from gradlab.symbolic.definition import K, i, j, n, over_classes
from gradlab.symbolic.layer import (
    DERIVATIVES,
    G,
    LayerDerivative,
    W,
    X,
    chain_proof,
    delta_proof,
    layer_proof,
    over_rows,
)
from gradlab.symbolic.layer_code import BALLS, NUMPY, write_matrix
from gradlab.symbolic.layer_document import layer_document
from gradlab.symbolic.proofs import SYMBOLIC, ProofError
from gradlab.symbolic.render import STYLES, derive

by_name = pytest.mark.parametrize("derivative", DERIVATIVES, ids=lambda one: one.name)


@by_name
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_derivative_of_the_defined_loss_is_proved(derivative: LayerDerivative, reduction: str) -> None:
    assert layer_proof(derivative, reduction).method == SYMBOLIC


@by_name
def test_the_chain_rule_is_proved_whatever_the_gradient_by_the_logits(derivative: LayerDerivative) -> None:
    assert chain_proof(derivative).method == SYMBOLIC


def test_a_logit_moves_with_the_weights_of_its_class() -> None:
    assert delta_proof().statement.endswith("= X_{n,f} delta_ij")


def test_the_statement_names_every_sum() -> None:
    assert chain_proof(DERIVATIVES[1]).statement.startswith("sum_n sum_j ")


FALSE = {
    "dX with another weight": replace(
        DERIVATIVES[0], formula=over_classes(G[DERIVATIVES[0].by.indices[0], j] * W[0, j], j)
    ),
    "dW of the first row": replace(DERIVATIVES[1], formula=X[0, DERIVATIVES[1].by.indices[0]] * G[0, i]),
    "dW of another sign": replace(DERIVATIVES[1], formula=-DERIVATIVES[1].formula),
    "db twice": replace(DERIVATIVES[2], formula=2 * over_rows(G[n, i])),
    "db over the classes": replace(DERIVATIVES[2], formula=Sum(G[0, j], (j, 0, K - 1))),
}


@pytest.mark.parametrize("mistake", FALSE)
def test_a_false_derivative_has_no_proof(mistake: str) -> None:
    with pytest.raises(ProofError, match="false"):
        chain_proof(FALSE[mistake])


def test_a_derivative_without_its_penalty_has_no_proof() -> None:
    with pytest.raises(ProofError, match="false"):
        layer_proof(replace(DERIVATIVES[2], added=Integer(0)), "sum")


def test_a_product_whose_indices_do_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="no factor of a matrix product"):
        write_matrix(over_classes(G[n, j] * W[j, j], j), (n, i), NUMPY)


@pytest.mark.parametrize(
    ("language", "code"), [(NUMPY, "gradient @ weight.T"), (BALLS, "gradient * weight.transpose()")]
)
def test_a_sum_over_a_shared_index_is_a_product(language: object, code: str) -> None:
    assert write_matrix(DERIVATIVES[0].formula, DERIVATIVES[0].indices, language) == code  # type: ignore[arg-type]


def test_the_generated_code_is_the_sum_over_the_entries() -> None:
    rng = np.random.default_rng(0)
    features, weight, gradient, bias = (rng.standard_normal(shape) for shape in ((3, 2), (2, 4), (3, 4), (4,)))
    logits = [[sum(features[a, b] * weight[b, c] for b in range(2)) + bias[c] for c in range(4)] for a in range(3)]
    assert layer_forms.logits(features, weight, bias) == pytest.approx(np.array(logits))
    by_features = [[sum(gradient[a, c] * weight[b, c] for c in range(4)) for b in range(2)] for a in range(3)]
    assert layer_forms.by_features(weight, gradient) == pytest.approx(np.array(by_features))
    by_weight = [
        [sum(features[a, b] * gradient[a, c] for a in range(3)) + 0.5 * weight[b, c] for c in range(4)]
        for b in range(2)
    ]
    assert layer_forms.by_weight(features, weight, gradient, 0.5) == pytest.approx(np.array(by_weight))
    by_bias = [sum(gradient[a, c] for a in range(3)) + 0.25 * bias[c] for c in range(4)]
    assert layer_forms.by_bias(bias, gradient, 0.25) == pytest.approx(np.array(by_bias))
    assert layer_forms.penalty(weight, bias, 0.5, 0.25) == pytest.approx(
        0.25 * (weight**2).sum() + 0.125 * (bias**2).sum()
    )


def test_balls_and_numpy_agree() -> None:
    rng = np.random.default_rng(1)
    features, weight, gradient, bias = (rng.standard_normal(shape) for shape in ((3, 2), (2, 4), (3, 4), (1, 4)))

    def matrix(values: Array) -> arb_mat:
        n_rows, n_columns = values.shape
        return arb_mat(n_rows, n_columns, [arb(one) for one in values.ravel().tolist()])

    def numbers(values: arb_mat) -> Array:
        return np.array([float(one) for one in values.entries()]).reshape(values.nrows(), values.ncols())

    X, W, G, b = map(matrix, (features, weight, gradient, bias))
    slope, half = arb(0.5), arb(0.25)
    assert numbers(layer_balls.logits(X, W, b)) == pytest.approx(layer_forms.logits(features, weight, bias))
    assert numbers(layer_balls.by_features(W, G)) == pytest.approx(layer_forms.by_features(weight, gradient))
    by_weight = layer_forms.by_weight(features, weight, gradient, 0.5)
    assert numbers(layer_balls.by_weight(X, W, G, slope)) == pytest.approx(by_weight)
    assert numbers(layer_balls.by_bias(b, G, half)) == pytest.approx(layer_forms.by_bias(bias, gradient, 0.25))
    expected = layer_forms.penalty(weight, bias, 0.5, 0.25)
    assert float(layer_balls.penalty(W, b, slope, half)) == pytest.approx(expected)


@pytest.mark.parametrize("style", STYLES)
def test_the_derivation_of_the_layer_is_printed_in_every_style(style: str) -> None:
    printed = derive("layer", style)
    assert all(name in printed for name in ("dX", "dW", "db", "penalty"))


def test_every_formula_of_the_layer_says_what_proved_it() -> None:
    contents = layer_document()
    numbered = [line for section in contents.sections for line in section.lines if line.number]
    facts = [fact for section in contents.sections for fact in section.facts]
    assert [line.name for line in numbered] == ["dX", "dW", "db"]
    assert all(line.method for line in numbered)
    assert len(facts) == 7  # of the logits, and three derivatives of two reductions
    assert all(fact.method for fact in facts)


def test_the_program_of_the_layer_runs() -> None:
    names: dict[str, Any] = {}
    exec(derive("layer", "python"), names)
    x, w = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 1.0], [0.5, 1.0, 0.0]])
    assert names["logits"](x, w, np.zeros(3)).tolist() == [[2.0, 2.0, 1.0]]
