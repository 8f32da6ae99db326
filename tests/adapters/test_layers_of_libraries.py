"""The layers of libraries: called rightly, and what is said of each holds. Skipped where the library is not there."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import adapt_layer_to_claims, answer_to_layer_call, evaluate_layer, layer_call_for
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import load_layer

# The target, the package that it needs, and what it returns.
LIBRARIES = {
    "sklearn:LinearModelLoss": ("sklearn", {"loss", "dW", "db"}),
    "statsmodels:MNLogit": ("statsmodels", {"loss", "dW", "db"}),
    "jax:jax_cce.linear_cross_entropy": ("jax_cce", {"loss", "dX", "dW"}),
    "liger:fused_linear_cross_entropy": ("liger_kernel", {"loss", "dX", "dW", "db"}),
    "megatron:vocab_parallel_cross_entropy": ("megatron", {"loss", "dX", "dW", "db"}),
}


def need(package: str) -> None:
    """Skips the test where a package is not there; it is not imported: Triton has to be told to interpret first."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def answers(found: Implementation, penalty: Penalty | None = None) -> tuple[LayerProblem, LayerAnswer]:
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims, penalty))
    answer = evaluate_layer(found, problem)
    assert answer.fault is None, answer.fault
    return problem, answer


@pytest.mark.parametrize("name", LIBRARIES)
def test_all_that_a_library_returns_is_right_on_an_ordinary_problem(name: str) -> None:
    package, outputs = LIBRARIES[name]
    need(package)
    problem, answer = answers(load_layer(f"layer:{name}", {}))
    expected = right_outputs(problem)
    assert set(answer.outputs) == outputs
    for output in outputs:
        np.testing.assert_allclose(answer.outputs[output].astype(np.float64), expected[output], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LIBRARIES)
def test_loading_and_calling_a_library_leaves_the_process_as_it_was(name: str) -> None:
    need(LIBRARIES[name][0])
    found = load_layer(f"layer:{name}", {})
    _, answer = answers(found)
    assert (found.changed, answer.changed) == ((), ())


@pytest.mark.parametrize("name", [name for name in LIBRARIES if not name.startswith("jax:")])
def test_another_name_of_a_library_is_one_line_with_those_that_there_are(name: str) -> None:
    need(LIBRARIES[name][0])
    prefix, _, own = name.partition(":")
    with pytest.raises(TargetError, match=f"^layer:{prefix}:nothing must be {own} after layer:{prefix}:$"):
        load_layer(f"layer:{prefix}:nothing", {})


@pytest.mark.parametrize("name", ["sklearn:LinearModelLoss", "statsmodels:MNLogit"])
def test_a_single_class_has_a_loss_of_0_and_no_gradient(name: str) -> None:
    need(LIBRARIES[name][0])
    found = load_layer(f"layer:{name}", {})
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    one = problem.replace(weight=problem.weight[:, :1], bias=problem.bias64[:1], targets=np.zeros(problem.n_rows, int))
    answer = evaluate_layer(found, one)
    assert answer.fault is None
    assert not any(array.any() for array in answer.outputs.values())


def test_the_penalty_of_scikit_learn_is_half_the_squares_and_leaves_the_bias_out() -> None:
    need("sklearn")
    found = load_layer("layer:sklearn:LinearModelLoss", {})
    problem, plain = answers(found)
    _, penalised = answers(found, Penalty(0.5))
    added = {name: penalised.outputs[name] - plain.outputs[name] for name in plain.outputs}
    np.testing.assert_allclose(added["loss"], 0.25 * (problem.weight64**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(added["dW"], 0.5 * problem.weight64, atol=1e-14)
    np.testing.assert_allclose(added["db"], 0.0, atol=1e-14)


def test_statsmodels_gives_the_reference_class_what_keeps_the_sum_over_the_classes_at_0() -> None:
    need("statsmodels")
    _, answer = answers(load_layer("layer:statsmodels:MNLogit", {}))
    np.testing.assert_allclose(answer.outputs["dW"].sum(axis=1), 0.0, atol=1e-14)


def test_statsmodels_has_no_number_beyond_the_range_of_exp() -> None:
    need("statsmodels")
    found = load_layer("layer:statsmodels:MNLogit", {})
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    answer = evaluate_layer(found, problem.replace(weight=problem.weight * 1000))
    assert np.isnan(answer.outputs["dW"]).any()


def test_the_step_of_mlxtend_is_2_n_times_the_derivative_of_its_cost() -> None:
    need("mlxtend")
    problem, answer = answers(load_layer("layer:mlxtend:SoftmaxRegression", {}))
    expected = right_outputs(problem)
    np.testing.assert_allclose(answer.outputs["loss"], expected["loss"] / 2, rtol=1e-12)
    np.testing.assert_allclose(answer.outputs["dW"], problem.n_rows * expected["dW"], rtol=1e-12)


def test_triton_is_told_to_interpret_for_as_long_as_it_takes() -> None:
    need("liger_kernel")
    before = dict(os.environ)
    load_layer("layer:liger:fused_linear_cross_entropy", {})
    assert dict(os.environ) == before


def test_a_label_of_k_is_the_next_rows_first_logit_to_liger() -> None:
    """What a label outside does shows in the loss: it is finite, and that of another number than any of its own row."""
    need("liger_kernel")
    found = load_layer("layer:liger:fused_linear_cross_entropy", {})
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    labels = np.array([problem.n_classes, *problem.targets[1:]])
    answer = answer_to_layer_call(found, layer_call_for(found, problem, {"targets": labels}), problem)
    assert np.isfinite(answer.outputs["loss"])
