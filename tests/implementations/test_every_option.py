"""The shifted form with options: held to the formula for every option, evaluated in 60 digits."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

from gradlab.implementations.every_option import every_option
from gradlab.implementations.shifted import shifted

RNG = np.random.default_rng(5)
LOGITS = RNG.uniform(-8, 8, (4, 3))
LABELS = np.array([0, 2, 1, 2])
SHARES = RNG.uniform(0, 1, (4, 3)) * (RNG.uniform(size=(4, 3)) > 0.3)
WEIGHTS = (0.5, 0.0, 2.0)
SAMPLE_WEIGHTS = (0.5, 2.0, 0.0, 3.0)
UPSTREAM = (2.0, -1.0, 0.5, 0.0)

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "all smoothing": {"label_smoothing": 1.0},
    "weights": {"class_weights": WEIGHTS},
    "weights and smoothing": {"class_weights": WEIGHTS, "label_smoothing": 0.25},
    "softcap": {"softcap": 3.0},
    "temperature": {"temperature": 0.7},
    "z-loss": {"z_loss": 0.25},
    "poly": {"poly_epsilon": 2.0},
    "maps and terms": {"softcap": 5.0, "temperature": 1.5, "z_loss": 1e-2, "poly_epsilon": -0.5},
    "all but ignored": {
        "class_weights": WEIGHTS,
        "label_smoothing": 0.25,
        "softcap": 5.0,
        "temperature": 1.5,
        "z_loss": 0.5,
        "poly_epsilon": 1.0,
    },
    "z-loss and ignored": {"ignore_index": 2, "z_loss": 0.5},
    "sample weights": {"sample_weights": SAMPLE_WEIGHTS},
    "sample and class weights": {"sample_weights": SAMPLE_WEIGHTS, "class_weights": WEIGHTS},
    "sample weights over rows": {"sample_weights": SAMPLE_WEIGHTS, "mean_over": "number_of_rows", "ignore_index": 2},
    "sample weights over all": {"sample_weights": SAMPLE_WEIGHTS, "mean_over": "all_rows", "ignore_index": 2},
    "sample weights and terms": {"sample_weights": SAMPLE_WEIGHTS, "z_loss": 0.5, "poly_epsilon": 1.0, "softcap": 3.0},
    "from above": {"upstream": UPSTREAM, "sample_weights": SAMPLE_WEIGHTS, "z_loss": 0.5},
    "ignored": {"ignore_index": 2},
    "ignored, weights and smoothing": {"ignore_index": 2, "class_weights": WEIGHTS, "label_smoothing": 0.25},
}


def exact(targets: Any, reduction: str, options: dict[str, Any]) -> tuple[list[Any], list[list[Any]]]:
    """The losses (one if reduced) and the gradient in 60 digits, straight from the definition."""
    n_classes = LOGITS.shape[1]
    weights = options.get("class_weights", (1.0,) * n_classes)
    smoothing = mpmath.mpf(options.get("label_smoothing", 0.0))
    ignored = [np.ndim(targets) == 1 and target == options.get("ignore_index") for target in targets]
    losses: list[Any] = []
    gradient: list[list[Any]] = []
    for row, target, out in zip(LOGITS, targets, ignored, strict=True):
        share = [float(j == target) for j in range(n_classes)] if np.ndim(targets) == 1 else [float(q) for q in target]
        t = [w * ((1 - smoothing) * q + smoothing / n_classes) * (not out) for w, q in zip(weights, share, strict=True)]
        x, slopes = mapped([mpmath.mpf(float(value)) for value in row], options)
        total = mpmath.fsum(mpmath.exp(value) for value in x)
        p, lse, mass = [mpmath.exp(value) / total for value in x], mpmath.log(total), mpmath.fsum(t)
        m = mpmath.fsum(a * b for a, b in zip(t, p, strict=True))
        z_loss, poly = (mpmath.mpf(options.get(name, 0.0)) * (not out) for name in ("z_loss", "poly_epsilon"))
        own = mpmath.fsum(a * (lse - b) for a, b in zip(t, x, strict=True))
        sample = mpmath.mpf(options.get("sample_weights", (1.0,) * len(LOGITS))[len(losses)])
        above = sample * mpmath.mpf(options.get("upstream", (1.0,) * len(LOGITS))[len(losses)])
        losses.append(sample * (own + z_loss * lse**2 + poly * (mass - m)))
        entries = [mass * b - a + 2 * z_loss * lse * b - poly * b * (a - m) for a, b in zip(t, p, strict=True)]
        gradient.append([above * a * b for a, b in zip(slopes, entries, strict=True)])
    if reduction == "none":
        return losses, gradient
    by = denominator(targets, ignored, options) if reduction == "mean" else mpmath.mpf(1)
    return [mpmath.fsum(losses) / by], [[value / by for value in row] for row in gradient]


def denominator(targets: Any, ignored: list[bool], options: dict[str, Any]) -> Any:
    """What the mean divides by."""
    rule = options.get("mean_over", "sum_of_weights")
    if rule != "sum_of_weights":
        return mpmath.mpf(int(len(targets) if rule == "all_rows" else len(targets) - sum(ignored)))
    weights, sample = options.get("class_weights", (1.0,) * 3), options.get("sample_weights", (1.0,) * 4)
    of_label = [1 if np.ndim(targets) == 2 or out else weights[y] for y, out in zip(targets, ignored, strict=True)]
    return mpmath.fsum(s * w for s, w, out in zip(sample, of_label, ignored, strict=True) if not out)


def mapped(row: list[Any], options: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """The logits after softcap and temperature, and their slopes, in 60 digits."""
    temperature, slopes = mpmath.mpf(options.get("temperature", 1.0)), [mpmath.mpf(1)] * len(row)
    if "softcap" in options:
        c = mpmath.mpf(options["softcap"])
        row, slopes = [c * mpmath.tanh(x / c) for x in row], [mpmath.sech(x / c) ** 2 for x in row]
    return [x / temperature for x in row], [slope / temperature for slope in slopes]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("targets", [LABELS, SHARES], ids=["labels", "probabilities"])
def test_loss_and_gradient_follow_the_definition(targets: Any, case: str, reduction: str) -> None:
    options = {key: value for key, value in OPTIONS[case].items() if key != "ignore_index" or targets is LABELS}
    if reduction != "none":
        options.pop("upstream", None)
    loss, gradient = every_option(LOGITS, targets, reduction=reduction, **options)
    with mpmath.workdps(60):
        true_loss, true_gradient = exact(targets, reduction, options)
        wrong = [float(abs(a - b)) for a, b in zip(np.atleast_1d(loss), true_loss, strict=True)]
        off = [
            float(abs(a - b))
            for row, r in zip(gradient, true_gradient, strict=True)
            for a, b in zip(row, r, strict=True)
        ]
    # every t, loss, term and quotient is at most 64 here, and no more than 40 roundings lead to each
    assert max(wrong + off) <= 40 * 64 * 2.0**-53


def test_without_options_it_is_the_shifted_form_bit_for_bit() -> None:
    loss, gradient = every_option(LOGITS, LABELS)
    expected_loss, expected_gradient = shifted(LOGITS, LABELS)
    assert loss == expected_loss
    assert np.array_equal(gradient, expected_gradient)


def test_an_ignored_row_has_loss_and_gradient_zero_whatever_its_logits() -> None:
    logits = np.array([[np.nan, np.inf], [1.0, 2.0]])
    losses, gradient = every_option(logits, [-100, 1], reduction="none", ignore_index=-100)
    assert losses[0] == 0
    assert gradient[0].tolist() == [0, 0]
    assert np.isfinite(losses[1])


def test_nothing_but_ignored_rows_has_a_nan_mean_and_gradient_zero() -> None:
    loss, gradient = every_option(LOGITS, [7, 7, 7, 7], ignore_index=7)
    assert np.isnan(loss)
    assert (gradient == 0).all()


def test_a_row_of_weight_0_has_loss_and_gradient_zero_whatever_its_logits() -> None:
    logits = np.array([[np.nan, np.inf], [1.0, 2.0]])
    losses, gradient = every_option(logits, [0, 1], reduction="none", sample_weights=[0.0, 2.0])
    assert (losses[0], gradient[0].tolist()) == (0, [0, 0])
    assert np.isfinite(losses[1])


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_an_empty_batch_has_an_empty_or_zero_loss(reduction: str) -> None:
    loss, gradient = every_option(np.zeros((0, 3)), np.zeros(0, int), reduction=reduction)
    assert np.sum(loss) == 0
    assert np.shape(loss) == ((0,) if reduction == "none" else ())
    assert gradient.shape == (0, 3)


def test_a_masked_class_that_does_not_count_leaves_the_loss_finite() -> None:
    loss, gradient = every_option(np.array([[0.0, 0.0, -np.inf]]), np.array([[0.5, 0.5, 0.0]]))
    assert abs(loss - np.log(2)) <= 2.0**-52
    assert gradient.tolist() == [[0, 0, 0]]


def test_a_masked_class_that_counts_has_loss_infinity_and_minus_its_share_as_gradient() -> None:
    loss, gradient = every_option(np.array([[0.0, -np.inf]]), np.array([[0.75, 0.25]]))
    assert np.isposinf(loss)
    assert gradient.tolist() == [[0.25, -0.25]]


def test_smoothing_a_spread_that_overflows_keeps_the_loss_finite() -> None:
    largest = np.finfo(np.float64).max
    loss, _ = every_option(np.array([[largest, -largest]]), [0], label_smoothing=0.125)
    assert loss == largest / 8


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("case", OPTIONS)
def test_options_keep_the_dtype(dtype: Any, case: str) -> None:
    reduction = "none" if "upstream" in OPTIONS[case] else "mean"
    loss, gradient = every_option(LOGITS.astype(dtype), LABELS, reduction=reduction, **OPTIONS[case])
    assert (loss.dtype, gradient.dtype) == (np.dtype(dtype), np.dtype(dtype))


REFUSED: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "reduction": (LABELS, {"reduction": "median"}, ValueError, "reduction must be"),
    "smoothing": (LABELS, {"label_smoothing": 1.5}, ValueError, "label_smoothing must lie"),
    "smoothing sign": (LABELS, {"label_smoothing": -0.5}, ValueError, "label_smoothing must lie"),
    "smoothing nan": (LABELS, {"label_smoothing": float("nan")}, ValueError, "label_smoothing must lie"),
    "softcap": (LABELS, {"softcap": 0.0}, ValueError, "softcap must be above 0, got 0.0"),
    "temperature": (LABELS, {"temperature": -1.0}, ValueError, "temperature must be finite and above 0, got -1.0"),
    "z-loss": (LABELS, {"z_loss": -1.0}, ValueError, "must be finite and at least 0, got -1.0"),
    "poly": (LABELS, {"poly_epsilon": -2.0}, ValueError, "must be finite and at least -1, got -2.0"),
    "weights shape": (LABELS, {"class_weights": (1.0,)}, ValueError, "class_weights must have shape"),
    "weights for each row": (LABELS, {"class_weights": np.ones((4, 3))}, ValueError, "class_weights must have shape"),
    "weights sign": (LABELS, {"class_weights": (1.0, -1.0, 1.0)}, ValueError, "class_weights must be finite"),
    "sample weights shape": (LABELS, {"sample_weights": (1.0,)}, ValueError, r"one number per row, shape \(4,\)"),
    "sample weights sign": (LABELS, {"sample_weights": (1, 1, -1, 1)}, ValueError, "must be finite and at least 0"),
    "upstream nan": (
        LABELS,
        {"reduction": "none", "upstream": (1, 1, np.nan, 1)},
        ValueError,
        "numbers of rows must be finite",
    ),
    "upstream of a mean": (LABELS, {"upstream": (1, 1, 1, 1)}, ValueError, "upstream needs reduction none, got mean"),
    "mean over": (
        LABELS,
        {"mean_over": "weights"},
        ValueError,
        "mean_over must be one of sum_of_weights, .* 'weights'",
    ),
    "ignored probabilities": (SHARES, {"ignore_index": 1}, ValueError, "ignore_index needs labels"),
    "negative probability": (SHARES - 1, {}, ValueError, "probabilities must be finite"),
    "shape of probabilities": (SHARES[:2], {}, ValueError, r"targets must have shape \(4,\) or \(4, 3\)"),
    "integer probabilities": (np.eye(4, 3, dtype=int), {}, TypeError, "probabilities must be floating"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_option_out_of_range_is_refused(case: str) -> None:
    targets, options, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        every_option(LOGITS, targets, **options)
