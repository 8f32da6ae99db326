"""JAX: losses of optax, and any loss for JAX, with the derivative that it says it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import run
from gradlab.checks.table import check_named
from gradlab.evaluation.claims import Claims
from gradlab.problems.problem import Array, Problem
from gradlab.result import largest_ratio
from gradlab.targets.load import TargetError, load

jax = pytest.importorskip("jax")

LOSSES = """
import jax
import jax.numpy as jnp

def losses(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]

def mean(logits, labels):
    return losses(logits, labels).mean()

@jax.custom_vjp
def doubled(logits, labels):
    return mean(logits, labels)

doubled.defvjp(
    lambda logits, labels: (mean(logits, labels), jax.grad(mean)(logits, labels)),
    lambda gradient, upstream: (2 * upstream * gradient, None),
)

def weighted(logits, labels, class_weights=None, label_smoothing=0.0):
    if label_smoothing > 0:
        raise ValueError("no smoothing")
    weights = class_weights[labels]
    return (weights * losses(logits, labels)).sum() / weights.sum()

def with_a_constant(logits, labels):
    return mean(logits + jnp.zeros(3), labels)

CLAIMS = {"losses": {"reduction": "none"}, "mean": {"flushes_subnormals": False}}
"""
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])


@pytest.fixture
def losses(in_an_empty_folder: None) -> Path:
    """The file of losses, in the current folder."""
    path = Path("losses.py")
    path.write_text(LOSSES)
    return path


def answer(target: str, *arguments: Any, **keywords: Any) -> tuple[Array, Array]:
    (found,) = load(target, {})
    loss, gradient = found.function(*arguments, **keywords)
    return loss, gradient


def right() -> tuple[Any, Array]:
    loss, gradient = load("shifted", {})[0].function(LOGITS, LABELS)
    return loss, gradient


def assert_right(loss: Array, gradient: Array) -> None:
    np.testing.assert_allclose(loss, right()[0], rtol=1e-14)
    np.testing.assert_allclose(gradient, right()[1], rtol=1e-13)


@pytest.mark.usefixtures("losses")
def test_a_loss_is_differentiated() -> None:
    assert_right(*answer("jax:losses.py:mean", LOGITS, LABELS))


def test_a_loss_of_optax_is_right() -> None:
    pytest.importorskip("optax")
    assert_right(*answer("jax:optax.softmax_cross_entropy_with_integer_labels", LOGITS, LABELS))


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "safe_softmax_cross_entropy"])
def test_a_loss_of_optax_over_probabilities_is_right(name: str) -> None:
    pytest.importorskip("optax")
    assert_right(*answer(f"jax:optax.{name}", LOGITS, np.eye(3)[LABELS]))


def test_a_loss_of_optax_keeps_a_loss_for_each_row() -> None:
    pytest.importorskip("optax")
    loss, gradient = answer("jax:optax.softmax_cross_entropy_with_integer_labels", LOGITS, LABELS, reduction="none")
    np.testing.assert_allclose(loss.mean(), right()[0])
    np.testing.assert_allclose(gradient, 2 * right()[1])


# What it does not hold: the loss is lse - x_y, which has lost the digits of log 2 at an offset of 10,000.
def test_optax_loses_digits_at_an_offset() -> None:
    pytest.importorskip("optax")
    logits = np.full((1, 2), 1e4, dtype=np.float32)
    loss, _ = answer("jax:optax.softmax_cross_entropy_with_integer_labels", logits, np.array([0]))
    assert loss == 0.693359375  # log 2 = 0.693147


@pytest.mark.usefixtures("losses")
def test_the_derivative_that_a_loss_states_is_the_one_that_counts() -> None:
    loss, gradient = answer("jax:losses.py:doubled", LOGITS, LABELS)
    np.testing.assert_allclose(loss, right()[0])
    np.testing.assert_allclose(gradient, 2 * right()[1])


@pytest.mark.usefixtures("losses")
def test_subnormals_are_flushed_unless_the_loss_says_otherwise() -> None:
    claims = load("jax:losses.py:losses", {})[0].claims
    assert claims == Claims(
        reduction=("none",), options=("upstream",), backward=("scaled", "double"), flushes_subnormals=True
    )
    assert not load("jax:losses.py:mean", {})[0].claims.flushes_subnormals


@pytest.mark.usefixtures("losses")
def test_options_are_constants_and_arrays_of_the_compiled_function() -> None:
    weights = np.array([1.0, 1.0, 0.0])
    loss, _ = answer("jax:losses.py:weighted", LOGITS, LABELS, class_weights=weights, label_smoothing=0.0)
    assert loss == pytest.approx(2.4076, abs=1e-4)  # log(e^0 + e^1 + e^2): row 0 alone
    with pytest.raises(ValueError, match="no smoothing"):
        answer("jax:losses.py:weighted", LOGITS, LABELS, class_weights=weights, label_smoothing=0.1)


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_constants_have_the_type_of_everyday_use(dtype: str) -> None:
    loss, gradient = answer("jax:losses.py:with_a_constant", LOGITS.astype(dtype), LABELS)
    everyday = "float64" if dtype == "float64" else "float32"  # of jnp.zeros
    assert (loss.dtype.name, gradient.dtype.name) == (everyday, dtype)


def test_float64_is_left_as_it_was() -> None:
    pytest.importorskip("optax")
    answer("jax:optax.softmax_cross_entropy", LOGITS, np.eye(3)[LABELS])
    assert not jax.config.jax_enable_x64


@pytest.mark.usefixtures("losses")
def test_what_jax_says_of_a_loss_passes() -> None:
    with pytest.raises(TypeError, match="integer"):
        answer("jax:losses.py:mean", LOGITS, LABELS + 0.5)


def test_a_target_that_is_no_loss() -> None:
    with pytest.raises(TargetError, match=r"^jax:optax.hinge must be optax\.soft.*, module:callable or file.py:call"):
        load("jax:optax.hinge", {})


COTANGENTS = """
import jax
import jax.numpy as jnp

def built(backward):
    @jax.custom_vjp
    def loss(x, y):
        return forward(x, y)[0]

    def forward(x, y):
        log_p = jax.nn.log_softmax(x)
        g = (jnp.exp(log_p) - jax.nn.one_hot(y, x.shape[1], dtype=x.dtype)) / x.shape[0]
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean(), g

    loss.defvjp(forward, lambda g, cotangent: (backward(g, cotangent), None))
    return loss

deaf = built(lambda g, cotangent: g)
sound = built(lambda g, cotangent: g * cotangent)
"""


@pytest.mark.parametrize(("name", "is_right"), [("deaf", False), ("sound", True)])
def test_a_cotangent_other_than_one_is_asked_for(name: str, is_right: bool, tmp_path: Path) -> None:
    (tmp_path / "cotangents.py").write_text(COTANGENTS)
    (implementation,) = load(f"jax:{tmp_path}/cotangents.py:{name}", {})
    problem = Problem(np.array([[1, 2, 3], [0.5, 0, -1]], dtype=np.float32), np.array([0, 2]))
    found = run(check_named("upstream_gradient_multiplies_the_gradient"), implementation, problem)
    assert (largest_ratio(found) <= 1) == is_right
