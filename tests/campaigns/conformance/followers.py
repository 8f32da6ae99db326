"""For every rule of every case the smallest implementation that follows it: the sound one, changed in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.implementations.every_option import every_option, per_row

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Any]
INF, NAN = np.inf, np.nan


def sound(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    """As gradlab defines it all."""
    answer: tuple[Any, Any] = every_option(logits, targets, **options)
    return answer


def reduced(loss: str, gradient: str) -> Function:
    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        return sound(logits, targets, reduction=loss)[0], sound(logits, targets, reduction=gradient)[1]

    return function


def divided(by: Callable[[Array, Array, Any], Any]) -> Function:
    """The sum over a denominator: by(logits, targets, weights)."""

    def function(logits: Any, targets: Any, reduction: str = "mean", **options: Any) -> tuple[Any, Any]:
        loss, gradient = sound(logits, targets, reduction="sum", **options)
        denominator = np.asarray(by(logits, targets, options.get("class_weights"))).astype(logits.dtype)
        return loss / denominator, gradient / denominator

    return function


def over(rule: str) -> Function:
    """The mean over something else, one of the names of `mean_over`."""
    return lambda logits, targets, **options: sound(logits, targets, **{**options, "mean_over": rule})


def squared(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    gradient = sound(logits, targets)[1]
    return (gradient**2).sum(), gradient


def weighted_by_the_label(logits: Any, labels: Any, class_weights: Any, **options: Any) -> tuple[Any, Any]:
    losses, gradient = sound(logits, labels, **{**options, "reduction": "none"})
    w = class_weights[labels]
    return (w * losses).sum() / w.sum(), w[:, None] * gradient / w.sum()


def label_part_alone(logits: Any, labels: Any, class_weights: Any, label_smoothing: float, **options: Any) -> Any:
    hard = sound(logits, labels, class_weights=class_weights)
    soft = sound(logits, labels, label_smoothing=1.0)
    return [(1 - label_smoothing) * h + label_smoothing * s for h, s in zip(hard, soft, strict=True)]


def smoothed_over_others(logits: Any, labels: Any, label_smoothing: float, **options: Any) -> tuple[Any, Any]:
    n_classes = logits.shape[1]
    return sound(logits, labels, label_smoothing=label_smoothing * n_classes / (n_classes - 1), **options)


def p_minus_t(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    even = np.full_like(logits, 1 / logits.shape[1])
    p = per_row(logits, even, z_loss=0.0, poly_epsilon=0.0)[1] + even
    return sound(logits, targets)[0], (p - targets) / len(logits)


def less_log_sum(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    largest = logits.max(axis=1, keepdims=True)
    lse = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
    return (lse - (targets * logits).sum(axis=1)).mean(), p_minus_t(logits, targets)[1]


def normalised(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    return sound(logits, targets / targets.sum(axis=1, keepdims=True), **options)


def first_row(loss: float | None, gradient: Any) -> Function:
    """The first row answered by these, None for what is right; the mean taken over all, by their weights."""

    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        rows = logits.copy()
        if gradient is not None:
            rows[0] = 0  # what else stands there
        if targets.ndim == 1:
            targets = np.clip(targets, 0, logits.shape[1] - 1)
        weights = options.get("sample_weights")
        losses, gradients = sound(rows, targets, reduction="none", sample_weights=weights)
        if loss is not None:
            losses[0] = loss
        if gradient is not None:
            gradients[0] = gradient
        total = logits.dtype.type(len(rows)) if weights is None else weights.sum()
        return losses.sum() / total, gradients / total

    return function


def with_constant(loss: float | None, gradient: float | None) -> Function:
    """These values everywhere, None for what is right."""

    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        right = sound(logits, targets, **options)
        return (
            right[0] if loss is None else logits.dtype.type(loss),
            right[1] if gradient is None else np.full_like(logits, gradient),
        )

    return function


def with_labels(change: Callable[[Array, int], Array]) -> Function:
    return lambda logits, labels, **options: sound(logits, change(labels, logits.shape[1]))


def ignoring_bad_labels(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
    bad = (labels < 0) | (labels >= logits.shape[1])
    return sound(logits, np.where(bad, -7, labels), ignore_index=-7)


def counting_bad_labels(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
    bad = (labels < 0) | (labels >= logits.shape[1])
    loss, gradient = sound(logits, np.where(bad, -7, labels), ignore_index=-7, reduction="sum")
    return loss / len(labels), gradient / len(labels)


def with_no_class(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
    one_hot = (labels[:, None] == np.arange(logits.shape[1])).astype(logits.dtype)
    return less_log_sum(logits, one_hot)


def refusing(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    raise ValueError("no")


def in_dtypes(loss: str, gradient: str) -> Function:
    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        right = sound(logits, targets, **options)
        kinds = [logits.dtype if one == "kept" else np.dtype(one) for one in (loss, gradient)]
        return tuple(np.asarray(value).astype(kind) for value, kind in zip(right, kinds, strict=True))  # type: ignore[return-value]  # two

    return function


def flushing(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    loss, gradient = sound(logits, targets, **options)
    return loss, np.where(np.abs(gradient) < np.finfo(gradient.dtype).tiny, 0, gradient).astype(gradient.dtype)


def refusing_labels(names: Sequence[str]) -> Function:
    def function(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
        if labels.dtype.name in names:
            raise TypeError(f"labels must not be {labels.dtype}")
        return sound(logits, labels, **options)

    return function


def misreading_labels(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
    return sound(logits, labels * (labels.dtype.itemsize == 8), **options)


def refusing_layouts(flags: Sequence[str]) -> Function:
    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        if not all(logits.flags[flag] for flag in flags):
            raise ValueError("logits must be contiguous")
        return sound(logits, targets, **options)

    return function


def misreading_layouts(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    return sound(logits if logits.flags.c_contiguous else -logits, targets, **options)


def gradient_in_logits(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    loss, gradient = sound(logits, targets, **options)
    logits[...] = gradient
    return loss, logits


def shifting_in_place(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
    answer = sound(logits, targets, **options)
    logits -= logits.max(axis=1, keepdims=True) - 1
    return answer


def finite(gradient: Any) -> Function:
    """A loss that is clipped where it is infinite, and this gradient in the first row, None for the right one."""

    def function(logits: Any, targets: Any, **options: Any) -> tuple[Any, Any]:
        right = sound(logits, targets, **options)[1]
        if gradient is not None:
            right[0] = gradient
        return logits.dtype.type(10), right

    return function


ALL_NAN = with_constant(NAN, NAN)
BAD_LABELS: dict[str, Function] = {
    "refused": sound,
    "wraps": with_labels(lambda labels, n_classes: labels % n_classes),
    "clips": with_labels(lambda labels, n_classes: np.clip(labels, 0, n_classes - 1)),
    "nan_loss": first_row(NAN, 0),
    "ignored": ignoring_bad_labels,
    "no_class": with_no_class,
    "counted": counting_bad_labels,
    "silent": first_row(3, 0),
}
FOLLOWERS: dict[str, dict[str, Function]] = {
    "loss": {
        "mean": reduced("mean", "mean"),
        "sum": reduced("sum", "sum"),
        "per_row": reduced("none", "sum"),
        "mean_of_entries": divided(lambda logits, *_: logits.size),
        "mean_with_gradient_of_sum": reduced("mean", "sum"),
        "sum_with_gradient_of_mean": reduced("sum", "mean"),
        "per_row_with_gradient_of_mean": reduced("none", "mean"),
        "squared_gradient": squared,
    },
    "weighted_mean": {"sum_of_weights": sound, "number_of_rows": divided(lambda logits, *_: len(logits))},
    "sample_weighted_mean": {"sum_of_weights": sound, "number_of_rows": over("number_of_rows")},
    "weightless_row_without_value": {
        "zero": sound,
        "nan": first_row(NAN, NAN),
        "nan_loss": first_row(NAN, 0),
        "spreads": ALL_NAN,
    },
    "weighted_mean_of_probabilities": {
        "number_of_rows": sound,
        "sum_of_shares": divided(lambda logits, targets, weights: (targets * weights).sum()),
    },
    "weights_with_smoothing": {
        "per_class": sound,
        "by_the_label": weighted_by_the_label,
        "label_part_alone": label_part_alone,
    },
    "label_smoothing": {"epsilon_over_k": sound, "epsilon_over_others": smoothed_over_others},
    "ignored_rows_in_mean": {"left_out": sound, "counted": divided(lambda logits, *_: len(logits))},
    "all_rows_ignored": {
        "nan_loss": sound,
        "zero": with_constant(0, 0),
        "nan": ALL_NAN,
        "nan_gradient": with_constant(0, NAN),
    },
    "targets_of_any_sum": {
        "derivative": sound,
        "p_minus_t": p_minus_t,
        "less_log_sum": less_log_sum,
        "normalised": normalised,
    },
    "masked_class": {
        "zero": sound,
        "nan_loss": with_constant(NAN, None),
        "nan": first_row(NAN, NAN),
        "spreads": ALL_NAN,
    },
    "masked_class_of_probability_0": {
        "zero": sound,
        "nan_loss": with_constant(NAN, None),
        "nan": first_row(NAN, NAN),
        "spreads": ALL_NAN,
    },
    "masked_target": {
        "infinite_loss": sound,
        "nan_gradient": first_row(INF, NAN),
        "nan": first_row(NAN, NAN),
        "finite_loss": finite(None),
        "clipped": finite(0),
        "spreads": ALL_NAN,
    },
    "only_masked": {
        "nan": sound,
        "zero": first_row(0, 0),
        "infinite_loss": first_row(INF, NAN),
        "spreads": ALL_NAN,
    },
    "nan_row": {"contained": sound, "spreads": ALL_NAN, "refused": refusing},
    "infinite_logit": {
        "nan": sound,
        "nan_gradient": first_row(INF, NAN),
        "nan_there": first_row(INF, [-1, NAN, 0]),
        "limit": first_row(INF, [-1, 1, 0]),
        "spreads": ALL_NAN,
        "refused": refusing,
    },
    "infinite_target": {
        "nan": sound,
        "nan_there": first_row(NAN, [NAN, 0, 0]),
        "limit": first_row(0, 0),
        "spreads": ALL_NAN,
        "refused": refusing,
    },
    "label_k": BAD_LABELS,
    "label_minus_1": BAD_LABELS,
    "label_minus_100": BAD_LABELS,
    "empty_batch": {"nan": sound, "zero": with_constant(0, None), "refused": refusing},
    "dtype_of_answers": {
        "kept": sound,
        "loss_float64": in_dtypes("float64", "kept"),
        "gradient_float64": in_dtypes("kept", "float64"),
        "loss_float32": in_dtypes("float32", "kept"),
        "float64": in_dtypes("float64", "float64"),
        "float32": in_dtypes("float32", "float32"),
        "mixed": in_dtypes("float32", "float16"),
    },
    "subnormals": {"kept": sound, "flushed": flushing},
    "integer_labels": {
        "any": sound,
        "some_refused": refusing_labels(["uint64"]),
        "int64_only": refusing_labels(["int8", "int16", "int32", "uint8", "uint64"]),
        "misread": misreading_labels,
    },
    "layout": {
        "any": sound,
        "some_refused": refusing_layouts(["WRITEABLE"]),
        "contiguous_only": refusing_layouts(["C_CONTIGUOUS", "WRITEABLE", "ALIGNED"]),
        "misread": misreading_layouts,
    },
    "arguments": {"unchanged": sound, "gradient_in_logits": gradient_in_logits, "changed": shifting_in_place},
}
