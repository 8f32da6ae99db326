"""scikit-learn and SciPy: right on moderate logits, and what keeps each of them from being stable."""

from __future__ import annotations

import numpy as np
import pytest

import gradlab
from gradlab.targets.load import TargetError, load

PACKAGES = {"sklearn:HalfMultinomialLoss": "sklearn", "scipy:log_softmax": "scipy", "scipy:logsumexp": "scipy"}
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])


@pytest.mark.parametrize("target", PACKAGES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_loss_and_gradient_are_right(target: str, dtype: str) -> None:
    pytest.importorskip(PACKAGES[target])
    loss, gradient = load(target, {})[0].function(LOGITS.astype(dtype), LABELS)
    wanted = load("shifted", {})[0].function(LOGITS, LABELS)
    tolerance = 8 * float(np.finfo(dtype).eps)
    assert (loss.dtype.name, gradient.dtype.name) == (dtype, dtype)
    np.testing.assert_allclose(loss, wanted[0], rtol=tolerance)
    np.testing.assert_allclose(gradient, wanted[1], rtol=tolerance)


@pytest.mark.parametrize("target", ["sklearn:HalfMultinomialLoss", "scipy:logsumexp"])
def test_digits_are_lost_at_an_offset(target: str) -> None:
    pytest.importorskip(PACKAGES[target])
    loss, _ = load(target, {})[0].function(np.full((1, 2), 1e4, dtype=np.float32), np.array([0]))
    assert loss == 0.693359375  # log 2 = 0.693147


def test_scikit_learn_is_unstable_for_that_reason() -> None:
    pytest.importorskip("sklearn")
    report = gradlab.check("sklearn:HalfMultinomialLoss", profile="quick", dtypes=["float64"])
    assert report.verdict == "unstable"
    assert report.diagnosis is not None
    assert report.diagnosis.defects == ("lse_minus_logit",)


def test_log_softmax_takes_the_other_classes_of_an_infinite_logit_to_be_masked() -> None:
    pytest.importorskip("scipy")
    report = gradlab.check("scipy:log_softmax", profile="quick", dtypes=["float64"])
    assert report.verdict == "stable"
    assert "rows_without_value_are_nan" in [line.check.name for line in report.advice]


def test_more_labels_than_rows_do_not_reach_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=r"must have shapes \(N, K\) and \(N,\), got \(2, 3\) and \(3,\)"):
        load("sklearn:HalfMultinomialLoss", {})[0].function(LOGITS, np.array([0, 1, 2]))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("sklearn:log_loss", "sklearn:log_loss must be HalfMultinomialLoss after sklearn:"),
        ("scipy:softmax", "scipy:softmax must be log_softmax or logsumexp after scipy:"),
    ],
)
def test_a_target_that_is_not_there(target: str, reason: str) -> None:
    pytest.importorskip(target.partition(":")[0])
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert str(caught.value) == reason
