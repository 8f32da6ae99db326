"""torch: what its own loss is claimed to do and does, and every way in which a loss for torch may be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.checks.table import applicable
from gradlab.evaluation.claims import BACKWARD, Claims
from gradlab.harness.tally import results_of
from gradlab.harness.verdict import is_advice
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem
from gradlab.targets.load import TargetError, load
from tests.runs import checked

pytest.importorskip("torch")

LOSSES = """
import torch

def function(logits, labels):
    return (torch.logsumexp(logits, 1) - logits[torch.arange(len(labels)), labels]).mean()

class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        ctx.save_for_backward(logits, labels)
        return function(logits, labels)

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        gradient = torch.softmax(logits, 1) - torch.nn.functional.one_hot(labels, logits.shape[1])
        return upstream * gradient / len(labels), None

class Module(torch.nn.Module):
    def forward(self, logits, labels):
        return function(logits, labels)

class Writing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        loss = function(logits, labels)
        logits -= logits.logsumexp(1, keepdim=True)
        ctx.save_for_backward(logits, labels)
        return loss

    backward = Function.backward

class Sized(torch.nn.Module):
    def __init__(self, size):
        super().__init__()

instance = Module()

def no_tensor(logits, labels):
    return 1.0

def assuming_contiguous(logits, labels):
    return function(logits.as_strided(logits.shape, (logits.shape[1], 1)), labels)

def weighted(logits, labels, class_weights=None, label_smoothing=0.0):
    return torch.nn.functional.cross_entropy(logits, labels, class_weights, label_smoothing=label_smoothing)

CLAIMS = {"weighted": {"options": ["class_weights"], "keeps_dtype": True}}
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


def assert_right(loss: Array, gradient: Array) -> None:
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    np.testing.assert_allclose(loss, wanted[0], rtol=1e-14)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-13)


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("name", ["function", "Function.apply", "Function", "Module", "instance", "weighted"])
def test_a_loss_may_be_written_as(name: str) -> None:
    assert_right(*answer(f"torch:losses.py:{name}", LOGITS, LABELS))


@pytest.mark.parametrize("target", ["torch:cross_entropy", "torch:torch.nn:CrossEntropyLoss"])
def test_a_loss_of_torch_is_right(target: str) -> None:
    assert_right(*answer(target, LOGITS, LABELS))


def test_cross_entropy_is_stable() -> None:
    report = checked("torch:cross_entropy", ("float32",))
    assert report.verdict == "stable", report


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_loss_and_gradient_are_in_the_dtype_of_the_logits(dtype: str) -> None:
    loss, gradient = answer("torch:cross_entropy", LOGITS.astype(as_dtype(dtype)), LABELS)
    assert (loss.dtype.name, gradient.dtype.name) == (dtype, dtype)


# What cross_entropy does not claim, because it is not so.
def test_an_ignored_row_of_nan_spoils_its_gradient() -> None:
    logits = np.array([[np.nan, 0.0], [0.0, 0.0]])
    _, gradient = answer("torch:cross_entropy", logits, np.array([7, 1]), ignore_index=7)
    assert np.isnan(gradient[0]).all()
    assert gradient[1].tolist() == [0.5, -0.5]


def test_smoothing_overflows_where_the_loss_does_not() -> None:
    logits = np.array([[3e38, 0, 0, 0, 0]], dtype=np.float32)
    loss, _ = answer("torch:cross_entropy", logits, np.array([0]), label_smoothing=0.1)
    assert loss == np.inf  # the loss is 0.08 * 3e38


def test_a_probability_of_0_at_a_masked_class_makes_nan() -> None:
    loss, _ = answer("torch:cross_entropy", np.array([[0.0, -np.inf]]), np.array([[1.0, 0.0]]))
    assert np.isnan(loss)


def test_label_minus_100_is_ignored_in_silence() -> None:
    loss, gradient = answer("torch:cross_entropy", LOGITS, np.array([0, -100]))
    assert np.isfinite(loss)
    assert not gradient[1].any()


@pytest.mark.usefixtures("losses")
def test_claims_beside_a_loss_count_and_the_callers_go_before_them() -> None:
    (found,) = load("torch:losses.py:weighted", {"keeps_dtype": False})
    assert found.claims == Claims(options=("class_weights",), backward=BACKWARD)
    assert (found.name, found.target) == ("weighted", "torch:losses.py:weighted")


@pytest.mark.usefixtures("losses")
def test_an_option_of_numbers_becomes_a_tensor() -> None:
    loss, _ = answer("torch:losses.py:weighted", LOGITS, LABELS, class_weights=np.array([1.0, 1.0, 0.0]))
    assert loss == pytest.approx(2.4076, abs=1e-4)  # log(e^0 + e^1 + e^2): row 0 alone


@pytest.mark.usefixtures("losses")
def test_a_loss_that_writes_to_its_logits_is_seen() -> None:
    logits = LOGITS.copy()
    answer("torch:losses.py:Writing", logits, LABELS)
    assert not np.array_equal(logits, LOGITS)


@pytest.mark.usefixtures("losses")
def test_a_loss_that_takes_its_logits_to_be_contiguous_is_seen() -> None:
    right, _ = answer("torch:losses.py:assuming_contiguous", LOGITS, LABELS)
    other, _ = answer("torch:losses.py:assuming_contiguous", np.asfortranarray(LOGITS), LABELS)
    assert right != other


@pytest.mark.parametrize("spelled", [LOGITS[::-1, ::-1][::-1, ::-1], np.broadcast_to(LOGITS, LOGITS.shape)])
def test_arrays_that_torch_does_not_take_are_copied(spelled: Array) -> None:
    assert_right(*answer("torch:cross_entropy", spelled, LABELS.astype(np.int16)))


@pytest.mark.usefixtures("losses")
def test_a_loss_must_be_a_tensor() -> None:
    with pytest.raises(TypeError, match="the loss must be a tensor, got float"):
        answer("torch:losses.py:no_tensor", LOGITS, LABELS)


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("cross_entrop", "torch:cross_entrop must be cross_entropy, module:callable or file.py:callable after torch:"),
        ("losses.py:Sized", "torch:losses.py:Sized must be a class without arguments: TypeError: "),
        ("losses.py:lost", "losses.py has no 'lost'"),
        ("nope.py:loss", "nope.py does not exist"),
    ],
)
def test_a_target_that_is_no_loss(rest: str, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        load(f"torch:{rest}", {})
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


BACKWARD_PASSES = """
import torch

CLAIMS = {name: {"reduction": "none"} for name in ("FirstRow", "EveryRow")}
CLAIMS |= {"differentiable": {"double_backward": True}}

def built(reduced, backward):
    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits, labels):
            log_p = torch.log_softmax(logits, 1)
            rows = torch.arange(len(labels))
            gradient = log_p.exp()
            gradient[rows, labels] -= 1
            ctx.save_for_backward(gradient / len(labels) if reduced else gradient)
            losses = -log_p[rows, labels]
            return losses.mean() if reduced else losses

        @staticmethod
        def backward(ctx, upstream):
            return backward(*ctx.saved_tensors, upstream), None

    return Loss

Deaf = built(True, lambda g, upstream: g)
InPlace = built(True, lambda g, upstream: g.mul_(upstream))
Magnitude = built(True, lambda g, upstream: g * upstream.abs())
Sound = built(True, lambda g, upstream: g * upstream)
FirstRow = built(False, lambda g, upstream: g * upstream[:1])
EveryRow = built(False, lambda g, upstream: g * upstream[:, None])

def needs_gradient(logits, labels):
    assert logits.requires_grad
    return torch.nn.functional.cross_entropy(logits, labels)

def differentiable(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels)
"""
FAILS = {
    "Deaf": "upstream_gradient_multiplies_the_gradient",
    "Magnitude": "upstream_gradient_multiplies_the_gradient",
    "InPlace": "second_backward_pass_gives_the_same_gradient",
    "FirstRow": "upstream_is_as_defined",
    "needs_gradient": "logits_may_need_no_gradient",
}


def failing(target: str) -> set[str]:
    """The checks that fail on two rows and are held against the loss."""
    (implementation,) = load(target, {})
    claims = implementation.claims
    upstream = (0.5, -3.0) if "upstream" in claims.options else None
    problem = Problem(LOGITS.astype(np.float32), LABELS, Objective(claims.reduction[0], upstream=upstream))
    found = results_of(applicable(claims, problem), implementation, problem)
    return {check.name for check, result in found if not (result.passed or is_advice(check, claims))}


@pytest.mark.parametrize("name", FAILS)
def test_the_backward_pass_is_asked_for_more_than_a_gradient_of_ones(name: str, tmp_path: Path) -> None:
    (tmp_path / "passes.py").write_text(BACKWARD_PASSES)
    assert FAILS[name] in failing(f"torch:{tmp_path}/passes.py:{name}")


@pytest.mark.parametrize("name", ["Sound", "EveryRow", "differentiable"])
def test_a_sound_backward_pass_fails_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "passes.py").write_text(BACKWARD_PASSES)
    assert failing(f"torch:{tmp_path}/passes.py:{name}") == set()


def test_a_double_backward_pass_is_claimed_where_it_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def loss(logits, labels):\n    return 0.0, logits\n")
    with pytest.raises(TargetError, match="claim double_backward goes with backward double alone, got none"):
        load(f"{tmp_path}/plain.py:loss", {"double_backward": True})
