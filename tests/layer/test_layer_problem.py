"""What a problem of the layer accepts, keeps and knows about itself."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of
from gradlab.problems.objective import Objective

SOFT = Objective(targets="probability")
X, W, B = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]]), np.ones((2, 4)), np.arange(4.0)
LABELS = np.array([0, 3, 1])


def small(dtype: str = "float64", **changes: Any) -> LayerProblem:
    features, weight, bias = (one.astype(as_dtype(dtype)) for one in (X, W, B))
    return LayerProblem(features, weight, bias, LABELS).replace(**changes)


def test_arrays_are_copied() -> None:
    features = X.copy()
    problem = LayerProblem(features, W, B, LABELS)
    features[0, 0] = 7
    assert problem.features[0, 0] == 1


@pytest.mark.parametrize("name", ["features", "weight", "bias", "targets"])
def test_arrays_are_read_only(name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(small(), name)[0] = 0


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_its_arrays_keep_their_dtype(dtype: str) -> None:
    problem = small(dtype)
    assert problem.format is format_of(dtype)
    assert {np.asarray(one).dtype for one in (problem.features, problem.weight, problem.bias)} == {as_dtype(dtype)}


def test_it_knows_its_sizes_and_the_shapes_of_what_is_returned() -> None:
    problem = small()
    assert (problem.n_rows, problem.n_features, problem.n_classes) == (3, 2, 4)
    assert [problem.shape_of(one) for one in OUTPUTS] == [(), (3, 2), (2, 4), (4,)]
    assert small(objective=Objective("none")).shape_of("loss") == (3,)


def test_without_a_bias_there_is_no_gradient_by_it() -> None:
    assert small().outputs == OUTPUTS
    assert small(bias=None).outputs == ("loss", "dX", "dW")
    assert small(bias=None).bias64.tolist() == [0.0] * 4


def test_the_logits_are_the_linear_map() -> None:
    expected = [[sum(X[i, d] * W[d, j] for d in range(2)) + B[j] for j in range(4)] for i in range(3)]
    problem = small()
    assert problem.float64_logits.tolist() == expected
    assert problem.at_logits(problem.float64_logits).targets.tolist() == LABELS.tolist()


def test_probabilities_go_with_the_logits_dtype() -> None:
    targets = np.full((3, 4), 0.25, as_dtype("bfloat16"))
    problem = small("bfloat16", targets=targets, objective=SOFT)
    assert problem.at_logits(problem.float64_logits).targets.dtype == np.float64


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "integer features": ({"features": X.astype(int)}, ValueError, "dtype must be one of"),
    "one axis": ({"features": X[0]}, ValueError, r"features must have shape \(n_rows, n_features\), got \(2,\)"),
    "no features": ({"features": X[:, :0], "weight": W[:0]}, ValueError, "at least one feature, got 0"),
    "transposed weight": ({"weight": W.T}, ValueError, r"weight must have shape \(2, n_classes\), got \(4, 2\)"),
    "no classes": ({"weight": W[:, :0]}, ValueError, "at least one class, got 0"),
    "dtype of the weight": ({"weight": W.astype("f4")}, TypeError, "features' dtype float64, got float32"),
    "a column as bias": ({"bias": B[:, None]}, ValueError, r"bias must have shape \(4,\), .*got \(4, 1\)"),
    "dtype of the bias": ({"bias": B.astype("f4")}, TypeError, "features' dtype float64, got float32"),
    "label above": ({"targets": np.array([0, 4, 1])}, ValueError, r"labels must lie in \[0, 4\), got 4"),
    "float labels": ({"targets": np.zeros(3)}, TypeError, "labels must be integers"),
    "too few labels": ({"targets": LABELS[:2]}, ValueError, r"labels must have shape \(3,\), got \(2,\)"),
    "shape of probabilities": ({"targets": np.ones((3, 3)), "objective": SOFT}, ValueError, r"shape \(3, 4\)"),
    "too few weights": ({"objective": Objective(class_weights=(1.0,))}, ValueError, "must have 4 entries"),
    "rows' weights": ({"objective": Objective(sample_weights=(1.0,))}, ValueError, "must have 3 entries"),
    "a second derivative": ({"objective": Objective(derivative="hessian")}, ValueError, "must be the gradient"),
    "a penalty of no row": ({"objective": Objective("none"), "penalty": Penalty(0.1)}, ValueError, "mean or sum"),
    "a bias that is not there": ({"bias": None, "penalty": Penalty(0.1, True, True)}, ValueError, "needs one"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(case: str) -> None:
    changes, error, message = BAD[case]
    with pytest.raises(error, match=message):
        small(**changes)


@pytest.mark.parametrize("strength", [-1.0, math.inf, math.nan])
def test_a_penalty_is_finite_and_not_negative(strength: float) -> None:
    with pytest.raises(ValueError, match="strength must be finite and at least 0"):
        Penalty(strength)


def test_the_slope_of_a_penalty_is_its_strength_or_twice_that() -> None:
    assert (Penalty(0.25).slope, Penalty(0.25, halved=False).slope) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("changes", "judged"),
    [
        ({}, True),
        ({"bias": None}, True),
        ({"bias": np.array([0.0, -math.inf, 0.0, 0.0])}, True),
        ({"bias": np.array([0.0, math.inf, 0.0, 0.0])}, False),
        ({"features": np.where(X == 3, math.nan, X)}, False),
        ({"weight": np.where(W == 1, -math.inf, W)}, False),
    ],
)
def test_which_values_are_judged(changes: dict[str, Any], judged: bool) -> None:
    assert small(**changes).is_judged is judged


def test_rows_are_taken_with_what_is_said_of_each() -> None:
    problem = small(objective=Objective(sample_weights=(1.0, 2.0, 3.0))).rows(np.array([2, 0, 2]))
    assert problem.features.tolist() == X[[2, 0, 2]].tolist()
    assert problem.targets.tolist() == LABELS[[2, 0, 2]].tolist()
    assert problem.objective.sample_weights == (3.0, 1.0, 3.0)


def test_the_digest_is_that_of_the_contents() -> None:
    assert small().digest == small(family="other").digest
    others = [small("float32"), small(bias=None), small(bias=B + 1), small(weight=2 * W), small(penalty=Penalty(0.1))]
    others += [small(targets=LABELS[::-1]), small(objective=Objective("sum")), small(penalty=Penalty(0.1, False))]
    assert len({one.digest for one in [small(), *others]}) == 1 + len(others)


def test_it_is_pickled_by_its_fields() -> None:
    problem = small(penalty=Penalty(0.5, takes_bias=True))
    assert pickle.loads(pickle.dumps(problem)).digest == problem.digest


def test_an_empty_batch_and_one_class_are_problems() -> None:
    assert small().rows(slice(0, 0)).shape_of("dX") == (0, 2)
    assert LayerProblem(X, W[:, :1], None, np.zeros(3, int)).n_classes == 1
