"""Layers written for torch and JAX, whose gradients come from the framework."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import adapt_layer_to_claims, answer_to_layer_call, evaluate_layer, layer_call_for
from gradlab.layer.probe import probe_problem, right_outputs
from gradlab.layer.problem import LayerProblem
from gradlab.problems.objective import Objective
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import load_layer

TORCH = """
import torch
from torch.nn.functional import cross_entropy, linear

def function(x, weight, target, bias=None):
    return cross_entropy(linear(x, weight, bias), target)

def penalised(W, X, y, reg):
    return cross_entropy(X @ W, y) + reg * (W * W).sum()

def soft(features, weights, one_hot):
    return -(one_hot * torch.log_softmax(features @ weights, 1)).sum(1).mean()

def several(hidden, weight, labels):
    logits = linear(hidden, weight)
    return cross_entropy(logits, labels), logits

def without_bias(X, W, b, y):
    return cross_entropy(X @ W, y)

class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, labels):
        p = torch.softmax(hidden @ weight.T, 1)
        ctx.save_for_backward(hidden, weight, labels, p)
        return -torch.log(p[torch.arange(len(p)), labels]).mean()

    @staticmethod
    def backward(ctx, upstream):
        hidden, weight, labels, p = ctx.saved_tensors
        g = upstream * (p - torch.nn.functional.one_hot(labels, p.shape[1])) / len(p)
        return g @ weight, g.T @ hidden, None

apply = Function.apply

class Wrong(Function):
    @staticmethod
    def backward(ctx, upstream):
        dx, dw, _ = Function.backward(ctx, torch.ones_like(upstream))
        return dx, 2 * dw, None

class Module(torch.nn.Module):
    def forward(self, x, w, b, t):
        return function(x, w.T, t, b)

instance = Module()
"""
JAX = """
import jax
import jax.numpy as jnp

def function(x, w, labels):
    log_p = jax.nn.log_softmax(x @ w)
    return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()

def penalised(params, X, y, *, weight_decay=0.0):
    return function(X, params, y) + weight_decay / 2 * (params ** 2).sum()

@jax.custom_vjp
def custom(x, w, labels):
    return function(x, w, labels)

def forward(x, w, labels):
    return custom(x, w, labels), (x, w, labels)

def backward(saved, upstream):
    x, w, labels = saved
    g = upstream * (jax.nn.softmax(x @ w) - jax.nn.one_hot(labels, w.shape[1])) / len(x)
    return g @ w.T, 3 * x.T @ g, None

custom.defvjp(forward, backward)
"""


def answers(found: Implementation) -> tuple[LayerProblem, LayerAnswer]:
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    return problem, evaluate_layer(found, problem)


def is_right(found: Implementation) -> dict[str, bool]:
    """Whether each output is right, by name."""
    problem, answer = answers(found)
    assert answer.fault is None, answer.fault
    expected = right_outputs(problem)
    return {name: np.allclose(array, expected[name], rtol=1e-5, atol=1e-8) for name, array in answer.outputs.items()}


def loaded(folder: Path, framework: str, name: str, **claims: Any) -> Implementation:
    path = folder / f"own_{framework}.py"
    path.write_text({"torch": TORCH, "jax": JAX}[framework])
    return load_layer(f"layer:{framework}:{path}:{name}", claims)


@pytest.mark.parametrize(
    ("name", "takes", "layout", "outputs"),
    [
        ("function", "X W targets b", "KD", {"loss", "dX", "dW", "db"}),
        ("penalised", "W X targets l2", "DK", {"loss", "dX", "dW"}),
        ("soft", "X W targets", "DK", {"loss", "dX", "dW"}),
        ("several", "X W targets", "KD", {"loss", "dX", "dW"}),
        ("Function", "X W targets", "KD", {"loss", "dX", "dW"}),
        ("apply", "X W targets", "KD", {"loss", "dX", "dW"}),
        ("Module", "X W b targets", "DK", {"loss", "dX", "dW", "db"}),
        ("instance", "X W b targets", "DK", {"loss", "dX", "dW", "db"}),
    ],
)
def test_a_layer_written_for_torch_is_recognised(
    name: str, takes: str, layout: str, outputs: set[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    found = loaded(tmp_path, "torch", name)
    layer = found.claims.layer
    assert layer is not None
    assert (" ".join(layer.takes), layer.weight_layout) == (takes, layout)
    assert found.claims.one_hot == (name == "soft")
    assert is_right(found) == dict.fromkeys(outputs, True)


def test_a_gradient_of_an_autograd_function_is_its_own(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert is_right(loaded(tmp_path, "torch", "Wrong")) == {"loss": True, "dX": True, "dW": False}


def test_a_bias_that_the_loss_ignores_has_a_gradient_of_zeros(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    _, answer = answers(loaded(tmp_path, "torch", "without_bias"))
    assert not answer.outputs["db"].any()


@pytest.mark.parametrize("way", ["scaled", "twice", "accumulated", "detached"])
@pytest.mark.parametrize("name", ["function", "Wrong"])
def test_a_backward_pass_may_be_asked_for_in_other_ways(name: str, way: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = loaded(tmp_path, "torch", name)
    assert way in found.claims.backward
    problem, plain = answers(found)
    call = layer_call_for(found, problem)
    upstream = {"upstream": np.asarray(0.5, problem.features.dtype)} if way == "scaled" else {}
    asked = replace(call, keywords={**call.keywords, "backward": way, **upstream})
    answer = answer_to_layer_call(found, asked, problem)
    factor = {"scaled": 0.5, "accumulated": 2.0}.get(way, 1.0)
    honours = np.allclose(answer.outputs["dX"], factor * plain.outputs["dX"], rtol=1e-6, atol=0)
    assert honours == (name == "function" or way != "scaled")
    np.testing.assert_allclose(answer.outputs["loss"], plain.outputs["loss"], rtol=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "linear_cross_entropy", "linear_cross_entropy_auto"])
def test_layers_of_torch_itself_are_right_where_nothing_is_special(name: str) -> None:
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn.functional, "linear_cross_entropy") and name != "cross_entropy":
        pytest.skip("this torch has no linear_cross_entropy")
    found = load_layer(f"layer:torch:{name}", {})
    assert is_right(found) == dict.fromkeys(("loss", "dX", "dW", "db"), True)


@pytest.mark.parametrize(
    ("name", "takes", "right"),
    [
        ("function", "X W targets", {"loss": True, "dX": True, "dW": True}),
        ("penalised", "W X targets l2=weight_decay", {"loss": True, "dX": True, "dW": True}),
        ("custom", "X W targets", {"loss": True, "dX": True, "dW": False}),
    ],
)
def test_a_layer_written_for_jax_is_recognised(name: str, takes: str, right: dict[str, bool], tmp_path: Path) -> None:
    pytest.importorskip("jax")
    found = loaded(tmp_path, "jax", name)
    assert found.claims.layer is not None
    assert " ".join(found.claims.layer.takes) == takes
    assert is_right(found) == right


def test_a_layer_of_jax_itself_is_right() -> None:
    pytest.importorskip("jax")
    assert is_right(load_layer("layer:jax:log_softmax", {})) == dict.fromkeys(("loss", "dX", "dW", "db"), True)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_what_is_none_of_the_framework_is_one_line(framework: str) -> None:
    pytest.importorskip(framework)
    with pytest.raises(TargetError, match=f"layer:{framework}:nothing must be .*, module:callable or file.py:callable"):
        load_layer(f"layer:{framework}:nothing", {})


@pytest.mark.parametrize(("framework", "source"), [("torch", TORCH), ("jax", JAX)])
def test_a_layer_of_a_framework_that_is_called_without_it_says_how_it_is_written(
    framework: str, source: str, tmp_path: Path
) -> None:
    pytest.importorskip(framework)
    (tmp_path / "own.py").write_text(source)
    with pytest.raises(TargetError, match=f"a layer of {framework} is written layer:{framework}:FILE:FUNCTION"):
        load_layer(f"layer:{tmp_path / 'own.py'}:function", {})


@pytest.mark.parametrize(
    ("name", "right"),
    [("cross_entropy", True), ("linear_cross_entropy", True), ("linear_cross_entropy_auto", False)],
)
def test_a_batch_of_ignored_rows_is_asked_of_layers_of_torch(name: str, right: bool) -> None:
    """The chunked one of torch 2.14 gives gradients of NaN, where the plain one gives 0."""
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn.functional, "linear_cross_entropy") and name != "cross_entropy":
        pytest.skip("this torch has no linear_cross_entropy")
    found = load_layer(f"layer:torch:{name}", {})
    assert found.claims.options == ("ignore_index",)
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    ignored = problem.replace(objective=Objective(ignore_index=-3), targets=np.full(problem.n_rows, -3))
    answer = evaluate_layer(found, ignored)
    assert answer.fault is None
    assert np.array_equal(answer.outputs["dW"], np.zeros(problem.weight.shape)) == right


def test_an_option_that_is_an_array_is_not_differentiated_by(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "own.py").write_text(
        "from torch.nn.functional import cross_entropy\n"
        "def f(X, W, y, *, class_weights=None):\n"
        "    return cross_entropy(X @ W, y, weight=class_weights)\n"
    )
    found = load_layer(f"layer:torch:{tmp_path / 'own.py'}:f", {"options": ["class_weights"]})
    problem = adapt_layer_to_claims(found.claims, probe_problem(found.claims))
    weighted = problem.replace(objective=Objective(class_weights=(1.0, 2.0, 0.5, 1.0)))
    answer, expected = evaluate_layer(found, weighted), right_outputs(weighted)
    assert found.claims.layer is not None
    assert set(found.claims.layer.places) == {"loss", "dX", "dW"}
    np.testing.assert_allclose(answer.outputs["dW"], expected["dW"], rtol=1e-10)
