"""Losses in pieces: put together as they are meant, and told in one line where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.adapters.class_axis import spread
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.harness.plan import Plan
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.load import TargetError, load
from tests.runs import ONE_OF_EACH_FAMILY, run_with_diagnosis, unexplained

PIECES = """
import numpy as np
from gradlab.implementations.every_option import every_option
from gradlab.implementations.shifted import shifted

CLAIMS = {"smoothing_loss": {"options": ["label_smoothing"]}, "with_options": {"options": ["label_smoothing"]}}

def loss(logits, labels):
    return shifted(logits, labels)[0]

def gradient(logits, labels):
    return shifted(logits, labels)[1]

def smoothing_loss(logits, labels, label_smoothing=0.0):
    return every_option(logits, labels, label_smoothing=label_smoothing)[0]

def smoothing_gradient(logits, labels, label_smoothing=0.0):
    return every_option(logits, labels, label_smoothing=label_smoothing)[1]

def rows(logits, labels):
    losses, gradient = every_option(logits, labels, reduction="none")
    return losses, lambda upstream: upstream[:, None] * gradient

def with_options(logits, labels, **options):
    losses, gradient = every_option(logits, labels, reduction="none", **options)
    return losses, lambda upstream: upstream[:, None] * gradient

def first_for_all(logits, labels):
    losses, gradient = every_option(logits, labels, reduction="none")
    return losses, lambda upstream: upstream[0] * gradient

def deaf(logits, labels):
    losses, backward = rows(logits, labels)
    return losses, lambda upstream: backward(np.ones_like(losses))

def no_backward(logits, labels):
    return every_option(logits, labels, reduction="none")

def mean_of_rows(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, lambda upstream: gradient

def transposed(logits, labels):
    losses, gradient = every_option(logits, labels, reduction="none")
    return losses, lambda upstream: gradient.T

def in_place(logits, labels):
    loss, logits[...] = shifted(logits, labels)
    return loss

def images(logits, labels):
    flat = np.moveaxis(logits, 1, -1)
    loss, gradient = shifted(flat.reshape(-1, flat.shape[-1]), labels.reshape(-1))
    return loss, np.moveaxis(gradient.reshape(flat.shape), -1, 1)

def of_each_pixel(logits, labels):
    losses, gradient = every_option(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), reduction="none")
    return losses.reshape(labels.shape), gradient.reshape(logits.shape)

def flat_gradient(logits, labels):
    return shifted(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))

def writing(logits, labels):
    answer = images(logits.copy(), labels)
    logits[...] = 7
    return answer

def softmax(logits):
    return gradient_of_sum(logits)

def gradient_of_sum(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def backward(p, upstream):
    return p * (upstream - (p * upstream).sum(axis=1, keepdims=True))

def cross_entropy(p, labels):
    rows = np.arange(len(labels))
    gradient = np.zeros_like(p)
    gradient[rows, labels] = -1 / p[rows, labels] / p.dtype.type(len(labels))
    return -np.log(p[rows, labels]).mean(), gradient

def loss_of_p_alone(p, labels):
    return -np.log(p[np.arange(len(labels)), labels]).mean()
"""
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LABELS = np.array([0, 2, 1, 1])

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.fixture(autouse=True)
def _pieces(in_an_empty_folder: Any, tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(PIECES)


def the(target: str) -> Implementation:
    return load(target, {})[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "target",
    [
        "pair:p.py:loss,gradient",
        "pair:p:loss,gradient",
        "upstream:p.py:rows",
        "in-place:p.py:in_place",
        "class-axis:1:p.py:images",
        "probabilities:p.py:softmax,backward,cross_entropy",
    ],
)
def test_the_whole_is_right_where_the_pieces_are(target: str, dtype: str) -> None:
    wanted = the("shifted").function(LOGITS, LABELS)
    loss, gradient = the(target).function(LOGITS.astype(dtype), LABELS)
    tolerance = 16 * float(np.finfo(dtype).eps)
    assert gradient.dtype.name == dtype
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance, atol=tolerance)


def test_options_go_to_both_of_a_pair() -> None:
    implementation = the("pair:p.py:smoothing_loss,smoothing_gradient")
    assert implementation.claims.options == ("label_smoothing",)
    seen = implementation.function(LOGITS, LABELS, label_smoothing=0.5)
    wanted = the("every_option").function(LOGITS, LABELS, label_smoothing=0.5)
    np.testing.assert_array_equal(seen[0], wanted[0])
    np.testing.assert_array_equal(seen[1], wanted[1])


@pytest.mark.parametrize("reduction", ["mean", "none", "sum"])
def test_the_reduction_is_made_of_the_rows_losses(reduction: str) -> None:
    problem = Problem(LOGITS, LABELS, Objective(reduction, label_smoothing=0.25))
    seen = evaluate(the("upstream:p.py:with_options"), problem)
    wanted = the("every_option").function(LOGITS, LABELS, reduction=reduction, label_smoothing=0.25)
    assert seen.fault is None
    np.testing.assert_allclose(np.asarray(seen.loss), wanted[0], rtol=1e-15)
    np.testing.assert_allclose(np.asarray(seen.gradient), wanted[1], rtol=1e-15)


def test_no_rows_have_a_backward_pass_too() -> None:
    loss, gradient = the("upstream:p.py:rows").function(LOGITS[:0], LABELS[:0], reduction="sum")
    assert (loss, gradient.shape) == (0, (0, 3))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_backward", r"a loss with an upstream gradient must return \(losses, backward\)"),
        ("mean_of_rows", r"the losses must have shape \(4,\), got \(\)"),
        ("transposed", r"backward must return an array of shape \(4, 3\), got \(3, 4\)"),
    ],
)
def test_a_backward_pass_that_does_not_fit_is_told(name: str, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        the(f"upstream:p.py:{name}").function(LOGITS, LABELS)


def test_a_backward_pass_that_takes_the_first_row_for_all_is_rejected_and_named() -> None:
    implementation = the("upstream:p.py:first_for_all")
    assert implementation.claims.options == ("upstream",)
    report = run_with_diagnosis(implementation, "float64")
    assert str(report.verdict) == "wrong"
    assert report.diagnosis is not None
    assert report.diagnosis.defects == ("upstream_first_for_all",)


def test_a_backward_pass_that_takes_nothing_from_above_is_rejected() -> None:
    report = unexplained(the("upstream:p.py:deaf"), Plan(ONE_OF_EACH_FAMILY, 0, dtypes=("float64",)))
    assert "upstream_is_as_defined" in {line.check.name for line in report.failures}


def test_what_is_above_is_claimed_beside_the_options_that_the_function_claims() -> None:
    (implementation,) = load("upstream:p.py:with_options", {"options": ["label_smoothing"]})
    assert implementation.claims.options == ("label_smoothing", "upstream")


def test_a_gradient_in_the_logits_is_claimed_and_is_there() -> None:
    implementation, logits = the("in-place:p.py:in_place"), LOGITS.copy()
    _, gradient = implementation.function(logits, LABELS)
    assert implementation.claims.gradient_in_logits
    assert gradient is logits


def test_images_have_their_rows_in_order() -> None:
    losses, gradient = the("class-axis:-1:p.py:of_each_pixel").function(LOGITS, LABELS)
    wanted = the("every_option").function(LOGITS, LABELS, reduction="none")
    np.testing.assert_array_equal(losses, wanted[0])
    np.testing.assert_array_equal(gradient, wanted[1])


@pytest.mark.parametrize("count", [0, 1, 2, 7, 12, 64, 257])
def test_rows_are_spread_over_three_dimensions(count: int) -> None:
    sizes = spread(count)
    assert np.prod(sizes) == count
    assert (sum(size > 1 for size in sizes) >= 2) == (count in (12, 64))


def test_what_is_written_into_an_image_is_written_into_the_logits() -> None:
    logits = LOGITS.copy()
    the("class-axis:1:p.py:writing").function(logits, LABELS)
    assert (logits == 7).all()


def test_an_image_keeps_its_shape() -> None:
    with pytest.raises(ValueError, match=r"the gradient must have shape \(2, 1, 2, 3\), got \(4, 3\)"):
        the("class-axis:-1:p.py:flat_gradient").function(LOGITS, LABELS)
    with pytest.raises(ValueError, match=r"logits must have shape \(N, K\), got \(3,\)"):
        the("class-axis:1:p.py:images").function(LOGITS[0], LABELS)


def test_a_loss_of_probabilities_has_a_gradient_by_them() -> None:
    with pytest.raises(TypeError, match=r"a loss of probabilities must return \(loss, gradient by the probabilities\)"):
        the("probabilities:p.py:softmax,backward,loss_of_p_alone").function(LOGITS, LABELS)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("pair:p.py:loss", "pair:p.py:loss must be module:loss,gradient or file.py:loss,gradient after pair:"),
        ("pair:loss,gradient", "pair:loss,gradient must be module:loss,gradient or file.py:loss,gradient after pair:"),
        ("pair:p.py:loss,nothing", "_pieces has no 'nothing'"),
        ("pair:p.py:loss,not a name", "pair:p.py:loss,not a name: 'not a name' is no name of a callable"),
        ("pair:nowhere.py:loss,gradient", "nowhere.py does not exist"),
        ("upstream:p.py", "upstream:p.py must be module:callable or file.py:callable after upstream:"),
        ("in-place:p.py:LABELS", "p.py has no 'LABELS'"),
        ("class-axis:2:p.py:images", "class-axis:2:p.py:images must be 1 or -1 after class-axis:"),
        ("probabilities:p.py:softmax,cross_entropy", "must be module:softmax,backward,cross_entropy or "),
    ],
)
def test_a_target_that_is_not_there_is_told_in_one_line(target: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert said.removeprefix("_pieces") in str(caught.value)
    assert "\n" not in str(caught.value)
