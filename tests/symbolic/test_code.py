"""The code printers: each kind of expression, run, gives what SymPy gives for it."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from flint import arb
from sympy import Expr, Indexed, KroneckerDelta, Sum, Symbol, cos, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.ball_code import as_ball, ball_assignment, ball_list
from gradlab.symbolic.definition import (
    A,
    B,
    Binding,
    C,
    K,
    V,
    a,
    argmax,
    epsilon,
    i,
    j,
    k,
    over_classes,
    over_others,
    p,
    t,
    w,
    weigh,
    x,
    y,
)
from gradlab.symbolic.numpy_code import as_numpy, numpy_assignment

LOGITS = [0.5, -1.25, 2.0, 0.0]
COEFFICIENTS = [0.25, 0.0, 0.5, 1.0]
WEIGHTS = [1.0, 2.0, 0.5, 3.0]
LABEL, LARGEST, SMOOTHING = 1, 2, 0.125

FORMULAS: dict[str, Expr] = {
    "a difference": x[j] - x[a],
    "a quotient": exp(x[j]) / over_classes(exp(x[k]), k),
    "a logarithm": log(1 + t[j]),
    "log1p": log1p(t[j]),
    "a power": x[j] ** 2,
    "a negative factor": -x[j] * t[j],
    "a difference of differences": x[j] - (t[j] - w[j]),
    "a sum over all classes": over_classes(x[k] * t[k], k) * x[j],
    "a class left out": over_classes((1 - KroneckerDelta(k, a)) * exp(x[k]), k) + x[j],
    "a guard": weigh(log(t[j])),
    "one-hot": KroneckerDelta(j, y) * (1 - epsilon) + epsilon / K,
    "class weights": w[j] * t[j],
}


def exactly(formula: Expr) -> list[float]:
    """The entries of a formula by SymPy, each class in turn."""
    arrays = {x: LOGITS, t: COEFFICIENTS, w: WEIGHTS}
    entries = []
    for index in range(len(LOGITS)):
        entry = formula.subs({K: len(LOGITS), j: index, a: LARGEST, y: LABEL, epsilon: SMOOTHING}).doit()
        values = {letter: arrays[letter.base][int(letter.indices[0])] for letter in entry.atoms(Indexed)}
        entries.append(float(entry.subs(values)))
    return entries


@pytest.mark.parametrize("name", FORMULAS)
@np.errstate(divide="ignore", invalid="ignore")
def test_numpy_code_computes_the_formula(name: str) -> None:
    scope = {
        "np": np,
        "logits": np.array([LOGITS, LOGITS]),
        "coefficients": np.array([COEFFICIENTS, COEFFICIENTS]),
        "class_weights": np.array(WEIGHTS),
        "label": np.array([[LABEL], [LABEL]]),
        "largest": np.array([[LARGEST], [LARGEST]]),
        "label_smoothing": SMOOTHING,
        "n_classes": len(LOGITS),
        "classes": np.arange(len(LOGITS)),
    }
    computed = eval(as_numpy(FORMULAS[name]), scope)
    # a handful of operations on values of size 1 to 20: 1e-14 is 45 units in the last place of 1
    np.testing.assert_allclose(computed, [exactly(FORMULAS[name])] * 2, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_ball_code_encloses_the_formula(name: str) -> None:
    scope = {
        "_ZERO": arb(0),
        "logits": [arb(value) for value in LOGITS],
        "coefficients": [arb(value) for value in COEFFICIENTS],
        "class_weights": [arb(value) for value in WEIGHTS],
        "label": LABEL,
        "largest": LARGEST,
        "label_smoothing": arb(SMOOTHING),
        "n_classes": len(LOGITS),
        "classes": range(len(LOGITS)),
    }
    computed = eval(ball_list(FORMULAS[name], j), scope)
    assert all(ball.overlaps(arb(value, 1e-14)) for ball, value in zip(computed, exactly(FORMULAS[name]), strict=True))


RUNNING = {"before": Binding(B[j], over_others(t[k], k, j)[0]), "after": Binding(C[j], over_others(t[k], k, j)[1])}
OTHERS = {
    "before": [math.fsum(COEFFICIENTS[:index]) for index in range(4)],
    "after": [math.fsum(COEFFICIENTS[index + 1 :]) for index in range(4)],
}


@pytest.mark.parametrize("side", RUNNING)
def test_numpy_s_running_sums_are_those_of_the_other_classes(side: str) -> None:
    scope: dict[str, object] = {"np": np, "coefficients": np.array([COEFFICIENTS])}
    exec(numpy_assignment(RUNNING[side]), scope)
    np.testing.assert_array_equal(np.asarray(scope[f"coefficients_{side}"]), [OTHERS[side]])


@pytest.mark.parametrize("side", RUNNING)
def test_the_balls_running_sums_are_those_of_the_other_classes(side: str) -> None:
    scope = {"accumulate": accumulate, "coefficients": COEFFICIENTS, "_ZERO": 0.0, "classes": range(4)}
    exec(ball_assignment(RUNNING[side]), scope)
    assert scope[f"coefficients_{side}"] == OTHERS[side]


def test_the_largest_class_is_the_first_one_on_a_tie() -> None:
    tied = [1.0, 3.0, 3.0]
    in_numpy = eval(as_numpy(argmax(x), ()), {"np": np, "logits": np.array([tied])})
    in_balls = eval(as_ball(argmax(x)), {"logits": [arb(value) for value in tied], "classes": range(3)})
    assert in_numpy.tolist() == [[in_balls]] == [[1]]


def test_two_free_indices_give_two_axes() -> None:
    scope = {"np": np, "probabilities": np.array([[0.25, 0.75]]), "classes": np.arange(2)}
    computed = eval(as_numpy(p[i] * (KroneckerDelta(i, j) - p[j]), (i, j)), scope)
    np.testing.assert_array_equal(computed, [[[0.1875, -0.1875], [-0.1875, 0.1875]]])


def test_an_entry_with_two_indices_is_found_again() -> None:
    assert as_numpy(A * V[i, j], (i, j)) == "coefficient_sum[:, :, None] * covariances"
    assert as_ball(A * V[i, j]) == "coefficient_sum * covariances[i][j]"


@pytest.mark.parametrize(
    ("formula", "axes"),
    [
        (over_classes(t[k], k) * p[i] * p[j], (i, j)),
        (over_classes(t[k] * x[j], k), (j,)),
        (cos(x[j]), (j,)),
    ],
    ids=["a sum beside two axes", "a sum that depends on the class outside", "no rule"],
)
def test_numpy_code_that_would_not_fit_is_refused(formula: Expr, axes: tuple[Symbol, ...]) -> None:
    with pytest.raises(TypeError):
        as_numpy(formula, axes)


def test_a_running_sum_without_a_binding_is_refused_in_balls() -> None:
    with pytest.raises(TypeError, match="a running sum needs a binding of its own"):
        as_ball(p[j] * over_others(t[k], k, j)[0])


def test_a_sum_over_some_of_the_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="a sum must start at class 0 or end at class K - 1"):
        as_ball(Sum(t[k], (k, 1, 3)))
