"""Rows that are ignored, class weights, and probabilities for targets: what each of them counts in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._rows import sum_over
from ..every_option import every_option
from ._right import Answer, Array, below_maximum, reduced, softmax
from ._specimen import Specimen, claims_of

Weights = Sequence[float] | Array | None


def ignored_rows_counted(logits: Array, labels: Array, ignore_index: int | None = None) -> Answer:
    """The mean divides by all rows, those to be ignored too."""
    loss, gradient = every_option(logits, labels, reduction="sum", ignore_index=ignore_index)
    n_rows = logits.dtype.type(max(len(logits), 1))
    return loss / n_rows, gradient / n_rows


def ignored_rows_keep_gradient(
    logits: Array, labels: Array, reduction: str = "mean", ignore_index: int | None = None
) -> Answer:
    """The loss of an ignored row is 0, and its gradient is p."""
    loss, gradient = every_option(logits, labels, reduction=reduction, ignore_index=ignore_index)
    n_kept = int((labels != ignore_index).sum()) if reduction == "mean" else 1
    ignored = labels == ignore_index
    gradient[ignored] = (softmax(logits) / logits.dtype.type(max(n_kept, 1)))[ignored]
    return loss, gradient


def ignored_rows_times_zero(
    logits: Array, labels: Array, reduction: str = "mean", ignore_index: int | None = None
) -> Answer:
    """The gradient of an ignored row is p times 0, which is NaN where a logit is NaN or infinite."""
    loss, gradient = every_option(logits, labels, reduction=reduction, ignore_index=ignore_index)
    ignored = labels == ignore_index
    with np.errstate(invalid="ignore"):
        gradient[ignored] = (softmax(logits) * 0)[ignored]
    return loss, gradient


def ignored_label_fixed(
    logits: Array, labels: Array, reduction: str = "mean", ignore_index: int | None = None
) -> Answer:
    """-100 is what is ignored, whatever is asked for; the label that should be is taken for a class."""
    return every_option(logits, labels, reduction=reduction, ignore_index=None if ignore_index is None else -100)


def all_ignored_is_nan(logits: Array, labels: Array, ignore_index: int | None = None) -> Answer:
    """Where every row is ignored, the gradient is 0/0."""
    loss, gradient = every_option(logits, labels, reduction="sum", ignore_index=ignore_index)
    n_kept = np.sum(labels != ignore_index).astype(logits.dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        return loss / n_kept, gradient / n_kept


def weighted_by_count(logits: Array, labels: Array, class_weights: Weights = None) -> Answer:
    """The mean of weighted losses divides by N, and not by the sum of the weights."""
    loss, gradient = every_option(logits, labels, reduction="sum", class_weights=class_weights)
    n_rows = logits.dtype.type(max(len(logits), 1))
    return loss / n_rows, gradient / n_rows


def weights_missing_in_gradient(
    logits: Array, labels: Array, reduction: str = "mean", class_weights: Weights = None
) -> Answer:
    """The loss is weighted, and the gradient is not."""
    loss, _ = every_option(logits, labels, reduction=reduction, class_weights=class_weights)
    return loss, every_option(logits, labels, reduction=reduction)[1]


def weights_missing_in_smoothing(
    logits: Array,
    labels: Array,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    class_weights: Weights = None,
) -> Answer:
    """The smoothed part is weighted by the label's weight, and not by that of each class."""
    losses, gradient = every_option(logits, labels, reduction="none", label_smoothing=label_smoothing)
    own = np.ones(len(logits), dtype=logits.dtype)
    if class_weights is not None:
        own = np.asarray(class_weights, dtype=logits.dtype)[labels]
    losses, gradient = own * losses, own[:, None] * gradient
    if reduction == "none":
        return losses, gradient
    divisor: Any = own.sum() if reduction == "mean" else own.dtype.type(1)
    return sum_over(losses, divisor), gradient / divisor


def mass_forgotten(logits: Array, targets: Array, reduction: str = "mean") -> Answer:
    """With probabilities as targets the gradient is p - q, also where q does not sum to 1."""
    loss, gradient = every_option(logits, targets, reduction=reduction)
    if targets.ndim == 2:
        n_rows = max(len(logits), 1) if reduction == "mean" else 1
        gradient = (softmax(logits) - targets) / logits.dtype.type(n_rows)
    return loss, gradient


def probabilities_taken_for_labels(logits: Array, targets: Array, reduction: str = "mean") -> Answer:
    """Probability targets are rounded to the most likely label."""
    return every_option(logits, targets.argmax(axis=1) if targets.ndim == 2 else targets, reduction=reduction)


def zero_share_times_infinity(logits: Array, targets: Array, reduction: str = "mean") -> Answer:
    """sum_j q_j log p_j is NaN where a class that has no share is masked."""
    if targets.ndim == 1:
        return every_option(logits, targets, reduction=reduction)
    d = below_maximum(logits)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    losses = -(targets * log_p).sum(axis=1)
    return reduced(losses, every_option(logits, targets, reduction="none")[1], reduction)


WEIGHTS = {"options": ["class_weights"]}
IGNORING = {"options": ["ignore_index"]}
PROBABILITIES = {"targets": ["probability"]}

SPECIMENS = (
    Specimen(
        ignored_rows_counted,
        wrong="loss = (1/N) sum of the losses of the n rows that count",
        mend="divide by the number of rows that are not ignored",
        logits=[[0, 0], [0, 0]],
        labels=[0, -100],
        options={"ignore_index": -100},
        killed_by="ignore_index_is_as_defined",
        seen="MXNet #2220; ChainerX #8301; FlagGems #73",
        claims=IGNORING,
    ),
    Specimen(
        ignored_rows_keep_gradient,
        wrong="g_i = p_i in an ignored row, where it is 0",
        mend="set the whole row of the gradient to 0",
        logits=[[0, 0], [0, 0]],
        labels=[0, -100],
        options={"ignore_index": -100},
        killed_by="ignore_index_is_as_defined",
        seen="pytorch #11551, #73205; MXNet #6202",
        claims=IGNORING,
    ),
    Specimen(
        ignored_rows_times_zero,
        wrong="g_i = 0 p_i in an ignored row: NaN where a logit of it is NaN or infinite",
        mend="set the whole row of the gradient to 0",
        logits=[[0, 0], [float("inf"), 0]],
        labels=[0, -100],
        options={"ignore_index": -100},
        killed_by="ignore_index_is_as_defined",
        seen="F.cross_entropy of torch 2.13",
        claims=IGNORING,
    ),
    Specimen(
        ignored_label_fixed,
        wrong="rows are ignored where y = -100, and not where y is the ignore_index given",
        mend="compare with the ignore_index that the caller gives",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"ignore_index": 1},
        killed_by="ignore_index_is_as_defined",
        seen="Chainer #2715, #2716; pytorch #12670, #15508",
        claims=IGNORING,
    ),
    Specimen(
        all_ignored_is_nan,
        wrong="g = 0/0 where no row counts; an ignored row has gradient 0",
        mend="write the zeros of ignored rows last: the mean over nothing stays NaN, and its gradient is 0",
        logits=[[0, 0]],
        labels=[-100],
        options={"ignore_index": -100},
        killed_by="ignore_index_is_as_defined",
        seen="pytorch #70348, #75181, #116349; torchtune #2341; NeMo-Automodel #3796",
        claims=IGNORING,
    ),
    Specimen(
        weighted_by_count,
        wrong="loss = (1/N) sum_i w_(y_i) loss_i; the weighted mean divides by sum_i w_(y_i)",
        mend="divide by the sum of the labels' weights",
        logits=[[0, 0]],
        labels=[0],
        options={"class_weights": (0.5, 2.0)},
        killed_by="class_weights_are_as_defined",
        seen="pytorch #50528; ChainerX #8301",
        claims=WEIGHTS,
    ),
    Specimen(
        weights_missing_in_gradient,
        wrong="loss_i = w_y (-log p_y), and g_i = p - one_hot(y) without w_y",
        mend="multiply the row of the gradient by w_y",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"class_weights": (0.5, 2.0)},
        killed_by="class_weights_are_as_defined",
        claims=WEIGHTS,
    ),
    Specimen(
        weights_missing_in_smoothing,
        wrong="loss_i = w_y sum_j t_j (-log p_j); each class of the smoothed target has its own weight",
        mend="loss_i = sum_j w_j t_j (-log p_j)",
        logits=[[0, 0]],
        labels=[0],
        options={"class_weights": (0.5, 2.0), "label_smoothing": 0.25},
        killed_by="class_weights_are_as_defined",
        seen="pytorch #104776",
        claims={"options": ["label_smoothing", "class_weights"]},
    ),
    Specimen(
        mass_forgotten,
        wrong="g = p - q; the derivative of -sum_j q_j log p_j is (sum q) p - q",
        mend="multiply p by the sum of the targets; or claim normalised_targets, where it is always 1",
        logits=[[0, 0]],
        labels=[[0.5, 0.25]],
        killed_by="probability_targets_are_as_defined",
        seen="tensorflow #46672, #60314; NeMo-Automodel #2428; meganeura #102",
        claims=PROBABILITIES,
    ),
    Specimen(
        probabilities_taken_for_labels,
        wrong="q is replaced by one_hot(argmax q)",
        mend="loss = -sum_j q_j log p_j",
        logits=[[1, 0]],
        labels=[[0.5, 0.25]],
        killed_by="probability_targets_are_as_defined",
        claims=PROBABILITIES,
    ),
    Specimen(
        zero_share_times_infinity,
        wrong="loss = -sum_j q_j log p_j is NaN where q_j = 0 and log p_j = -inf",
        mend="where(q > 0, q log p, 0)",
        logits=[[0, -np.inf]],
        labels=[[1, 0]],
        killed_by="masked_class_has_probability_zero",
        seen="optax #896, #898",
        claims=PROBABILITIES,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
