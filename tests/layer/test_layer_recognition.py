"""How a layer is called is recognised by names and calls, and a doubt says how to claim it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.layer.diagnosis import diagnose_layer
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.evaluation.layer_claims import LayerClaims
from gradlab.harness.profiles import PROFILES
from gradlab.harness.selection import problems_in_run
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.names import parameter_roles
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.layer.problem import Penalty
from gradlab.layer.recognition import UnclearError, recognise_layer
from gradlab.targets.layers import load_layer
from tests.layer.layers import LAYERS, Called, right


def recognised(function: Any, **claims: Any) -> Implementation:
    found = Implementation("layer", function, claims_from({"layer": {}, **claims}))
    return Implementation("layer", function, recognise_layer(found))


def layer_of(function: Any, **claims: Any) -> LayerClaims:
    layer = recognised(function, **claims).claims.layer
    assert layer is not None
    return layer


@pytest.mark.parametrize("case", LAYERS, ids=[one.function.__name__ for one in LAYERS])
def test_how_it_is_called_is_recognised(case: Called) -> None:
    claims = recognised(case.function).claims
    layer = claims.layer
    assert layer is not None
    assert " ".join(layer.takes) == case.takes
    assert " ".join(layer.returns) == case.returns
    assert claims.one_hot == case.one_hot
    assert f"{layer.weight_layout} {layer.feature_layout} {layer.bias_layout}" == case.layouts
    form = {"l2_form": layer.l2_form, "l2_takes_bias": layer.l2_takes_bias}
    assert form == (case.l2 or {"l2_form": "", "l2_takes_bias": None})


@pytest.mark.parametrize("case", LAYERS, ids=[one.function.__name__ for one in LAYERS])
def test_what_comes_back_is_in_the_layout_of_the_problem(case: Called) -> None:
    found = recognised(case.function)
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    expected = right_outputs(problem)
    answer = evaluate_layer(found, problem)
    assert answer.fault is None
    assert set(answer.outputs) == set(found.claims.layer.places)  # type: ignore[union-attr]  # recognised
    for name, array in answer.outputs.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("case", LAYERS, ids=[one.function.__name__ for one in LAYERS])
def test_complete_claims_are_what_they_were_when_they_are_written_and_read(case: Called) -> None:
    from dataclasses import asdict

    claims = recognised(case.function).claims
    assert claims_from(asdict(claims)) == claims
    assert recognise_layer(Implementation("layer", case.function, claims)) == claims


def scaled(X: Any, W: Any, b: Any, y: Any, reg: Any) -> Any:
    """The loss and gradients, all twice what they are to be."""
    loss, dX, dW, db = right(X, W, b, y)
    return 2 * loss + reg * (W * W).sum(), 2 * dX, 2 * dW + 2 * reg * W, 2 * db


def labels_as_numbers(X: Any, W: Any, b: Any, y: Any) -> Any:
    z = X @ W + b
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    d = (p - y[:, None]) / len(X)
    return -np.log(p[range(len(y)), y]).mean(), X.T @ d, d.sum(0)


def transposed(X: Any, W: Any, y: Any) -> Any:
    loss, dX, dW, _ = right(X, W, 0, y)
    return loss, dX, dW.T


def gradient_of_one_row(X: Any, W: Any, b: Any, y: Any) -> Any:
    loss, _, dW, _ = right(X, W, b, y)
    return loss, dW, right(X[:1], W, b, y[:1])[3]


def wrong_mapping(X: Any, W: Any, b: Any, y: Any) -> Any:
    loss, dX, dW, db = right(X, W, b, y)
    return {"loss": loss + 1, "grads": {"W": -dW, "b": db * len(X), "X": dX[::-1]}}


@pytest.mark.parametrize(
    ("function", "takes", "returns"),
    [
        (scaled, "X W b targets l2", "loss dX dW db"),
        (labels_as_numbers, "X W b targets", "loss dW db"),
        (transposed, "X W targets", "loss dX dW"),
        (gradient_of_one_row, "X W b targets", "loss dW db"),
        (wrong_mapping, "X W b targets", "loss=loss dX=grads.X dW=grads.W db=grads.b"),
    ],
)
def test_a_layer_that_is_wrong_is_recognised_as_the_one_it_is_meant_to_be(
    function: Any, takes: str, returns: str
) -> None:
    found = recognised(function)
    layer = found.claims.layer
    assert layer is not None
    assert (" ".join(layer.takes), " ".join(layer.returns), found.claims.one_hot) == (takes, returns, False)


def test_an_output_of_another_shape_is_a_fault_that_shows_both() -> None:
    found = recognised(transposed)
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    assert evaluate_layer(found, problem).fault == "returned a dW of shape (4, 7), must be (7, 4)"


def with_penalties(in_loss: float, in_gradient: float) -> Any:
    def penalised(X: Any, W: Any, y: Any, reg: Any) -> Any:
        loss, _, dW, _ = right(X, W, 0, y)
        return loss + in_loss * reg * (W * W).sum(), dW + in_gradient * reg * W

    return penalised


@pytest.mark.parametrize(
    ("in_loss", "in_gradient", "form"),
    [
        (0.5, 1.0, "half"),
        (1.0, 2.0, "whole"),
        (0.5, 2.0, "half"),  # the loss is the definition, of which the gradient is to be the derivative
        (1.0, 1.0, "whole"),
        (0.0, 2.0, "whole"),
        (0.5, 0.0, "half"),
        (0.3, 1.0, "half"),
        (0.3, 0.6, "half"),  # which it is not, as will be found
        (0.1, 0.2, "half"),  # of 5 rows: over N, which is claimed where it is meant
        (0.0, 0.0, "half"),
    ],
)
def test_the_penalty_is_that_of_the_loss_or_else_that_of_the_gradient(
    in_loss: float, in_gradient: float, form: str
) -> None:
    assert layer_of(with_penalties(in_loss, in_gradient)).l2_form == form


def test_a_penalty_that_is_claimed_is_taken_as_it_is() -> None:
    claimed = layer_of(with_penalties(0.1, 0.2), l2_form="whole", l2_takes_bias=False)
    assert claimed.l2_form == "whole"


def test_a_penalty_that_is_divided_by_the_rows_is_handed_over_times_their_number() -> None:
    def penalised(X: Any, W: Any, y: Any, reg: Any) -> Any:
        loss, _, dW, _ = right(X, W, 0, y)
        return loss + reg / (2 * len(X)) * (W * W).sum(), dW + reg / len(X) * W

    found = recognised(penalised, l2_form="half_mean")
    problem = probe_problem(found.claims).replace(bias=None, penalty=Penalty(0.25))
    answer, expected = evaluate_layer(found, problem), right_outputs(problem)
    np.testing.assert_allclose(answer.outputs["dW"], expected["dW"] + 0.25 * problem.weight64, rtol=1e-12)
    np.testing.assert_allclose(answer.outputs["loss"], expected["loss"] + 0.125 * (problem.weight64**2).sum())


def lists(X: Any, W: Any, b: Any, y: Any) -> Any:
    loss, _, dW, db = right(X, W, b, y)
    return [float(loss), dW.tolist(), db.tolist()]


def loss_of_one_entry(X: Any, W: Any, y: Any) -> Any:
    loss, _, dW, _ = right(X, W, 0, y)
    return np.array([loss]), dW


def test_a_loss_that_is_an_array_of_one_is_a_fault_and_not_overlooked() -> None:
    found = recognised(loss_of_one_entry)
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    assert evaluate_layer(found, problem).fault == "returned a loss of shape (1,), must be ()"


def test_lists_of_numbers_are_arrays() -> None:
    assert layer_of(lists).returns == ("loss", "dW", "db")


def predictions_too(X: Any, Y: Any, Y_hat: Any) -> Any:
    return X.T @ (Y_hat - Y)


def nothing_known(first: Any, second: Any) -> Any:
    return first


def one_too_many(X: Any, W: Any, y: Any, learning_rate: Any) -> Any:
    return right(X, W, 0, y)


def loss_alone(X: Any, W: Any, y: Any) -> Any:
    return right(X, W, 0, y)[0]


def raising(X: Any, W: Any, y: Any) -> Any:
    raise OSError("no disk")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (predictions_too, r"recognised X as X, Y as targets, and no W; Y_hat is not known; claim it: --takes W,X,targ"),
        (nothing_known, r"recognised none of its parameters, .*first, second are not known; claim it"),
        (one_too_many, r"learning_rate is not known, and with X, W, targets, b nothing is right; claim it"),
        (loss_alone, r"called with X, W, targets, it returned .* of type float64, and no gradient in it; claim it"),
        (raising, r"called with X, W, targets, it raised OSError: no disk.*; claim it: .*--returns loss,dW"),
    ],
)
def test_a_doubt_says_what_was_recognised_and_how_to_claim_it(function: Any, message: str) -> None:
    with pytest.raises(UnclearError, match=message):
        recognised(function)


def two_losses(X: Any, W: Any, y: Any) -> Any:
    loss, _, dW, _ = right(X, W, 0, y)
    return loss + 0.5, loss + 0.25, 2 * dW


def test_of_two_numbers_that_are_both_wrong_neither_is_taken_for_the_loss() -> None:
    with pytest.raises(UnclearError, match="returns several arrays that may be loss"):
        recognised(two_losses)
    assert layer_of(two_losses, returns=["loss", "-", "dW"]).returns == ("loss", "-", "dW")


def accuracy_first(X: Any, W: Any, y: Any) -> Any:
    loss, _, dW, _ = right(X, W, 0, y)
    return 0.75, dW, loss


def test_of_two_numbers_the_loss_is_the_one_that_is_right() -> None:
    assert layer_of(accuracy_first).returns == ("-", "dW", "loss")


def scrambled(p: Any, q: Any, r: Any, s: Any, strength_of_it: Any) -> Any:
    _, dX, dW, db = right(s, q.T, p, r)
    return db, dW.T + strength_of_it * q, dX


def test_what_is_claimed_is_called_so() -> None:
    claims = {"takes": ["b", "W", "targets", "X", "l2"], "returns": "db,dW,dX"}
    found = recognised(scrambled, **claims)
    assert found.claims.layer == LayerClaims(
        ("b", "W", "targets", "X", "l2"), ("db", "dW", "dX"), "KD", "ND", "K", "half", False
    )


def test_an_option_l2_of_a_name_is_handed_over_by_it() -> None:
    def penalised(X: Any, W: Any, y: Any, *, gamma: Any = 0.0) -> Any:
        loss, _, dW, _ = right(X, W, 0, y)
        return loss + gamma * (W * W).sum(), dW + 2 * gamma * W

    assert layer_of(penalised).takes == ("X", "W", "targets")
    found = layer_of(penalised, options=["l2=gamma"])
    assert (found.takes, found.l2_form) == (("X", "W", "targets", "l2=gamma"), "whole")


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"takes": ["X", "W"]}, "claim takes must name X, W, targets, got no targets"),
        ({"takes": ["X", "W", "y"]}, "claim takes must be of X, W, b, targets, l2, n_classes, n_features, got 'y'"),
        ({"takes": ["X", "W", "W", "targets"]}, "claim takes must name each once, got W twice"),
        ({"takes": ["X=x", "W", "targets"]}, "claim takes must end with what goes by keyword"),
        ({"returns": ["loss"]}, "claim returns must name a gradient, dX, dW, db, got loss"),
        ({"returns": "loss,grad"}, "claim returns must be of loss, dX, dW, db, -, got 'grad'"),
        ({"takes": "X,W,targets", "returns": "dW,db"}, "claim returns: db goes with b in takes alone"),
        ({"weight_layout": "WK"}, "claim weight_layout must be one of DK, KD, got 'WK'"),
        ({"l2_form": "double"}, "claim l2_form must be one of half, whole, half_mean, whole_mean, got 'double'"),
        ({"takes": "X,W,targets", "l2_takes_bias": True}, "claim l2_takes_bias goes with b in takes alone"),
        ({"l2_takes_bias": 2}, "claim l2_takes_bias must be True or False, got 2"),
        ({"layer": "yes"}, "claim layer must be a mapping, got 'yes'"),
    ],
)
def test_a_claim_of_a_layer_that_does_not_fit_is_refused(claims: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        claims_from(claims)


def test_a_loss_of_logits_claims_no_layer() -> None:
    assert claims_from({"reduction": "sum"}).layer is None
    assert Claims().layer is None


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("lm_head_weight", ("W",)),
        ("hidden_states", ("X",)),
        ("_input", ("X",)),
        ("linear_bias", ("b",)),
        ("target_ids", ("targets",)),
        ("X_train", ("X",)),
        ("trainLabels", ("targets",)),
        ("W1", ("W",)),
        ("weight_decay", ("l2",)),
        ("numClasses", ("n_classes",)),
        ("y_hat", ()),
        ("learning_rate", ()),
    ],
)
def test_names_say_what_a_parameter_takes(name: str, roles: tuple[str, ...]) -> None:
    assert parameter_roles(name) == roles


FROM_ONE = """
import numpy as np

def softmaxCost(theta, numClasses, inputSize, lambda_, data, labels):
    W = theta.reshape(numClasses, inputSize)
    n = data.shape[1]
    z = W @ data
    z = z - z.max(axis=0)
    p = np.exp(z) / np.exp(z).sum(axis=0)
    truth = TRUTH
    cost = -(truth * np.log(p)).sum() / n + lambda_ / 2 * (W ** 2).sum()
    return cost, ((p - truth) @ data.T / n + lambda_ * W).ravel()
"""


@pytest.mark.parametrize(
    "truth",
    [
        "np.eye(numClasses)[:, labels - 1].astype(p.dtype)",
        "(labels[None, :] == np.arange(1, numClasses + 1)[:, None]).astype(p.dtype)",
    ],
)
def test_labels_from_one_do_not_hide_the_layouts_and_are_named(truth: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(FROM_ONE.replace("TRUTH", truth))
    found = load_layer(f"layer:{tmp_path / 'own.py'}:softmaxCost", {"dtypes": ["float64"]})
    assert found.claims.layer is not None
    assert (found.claims.layer.weight_layout, found.claims.layer.feature_layout) == ("KD", "DN")
    problems = problems_in_run(found.claims, "float64", PROFILES["smoke"], 0)
    found_out = diagnose_layer(found, problems, ["loss_of_the_layer_is_right", "dw_of_the_layer_is_right"])
    assert found_out.defects == ("labels_counted_from_one",)
