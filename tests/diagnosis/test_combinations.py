"""Two defects at once are both named, and the teaching codes' are; what is none of the known ones stays unexplained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.implementations._rows import maximum
from gradlab.implementations.every_option import CLAIMS, every_option
from gradlab.implementations.shifted import shifted
from gradlab.problems.options import REAL_OPTIONS
from gradlab.problems.problem import Array
from gradlab.targets.shipped import everything
from tests.runs import in_one_dtype_first, only_first


def spelled(value: Any) -> str:
    """What stands for a function or a dtype in the name of a test."""
    return str(getattr(value, "__name__", value))


def unshifted_and_not_divided(logits: Array, labels: Array) -> Any:
    rows = np.arange(len(labels))
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    losses = np.log(e.sum(axis=1)) - logits[rows, labels]
    p[rows, labels] -= 1
    return losses.mean(), p


def flipped_and_summed(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss * len(labels), -gradient


def clipped_and_wrong_label(logits: Array, labels: Array) -> Any:
    rows = np.arange(len(labels))
    e = np.exp(logits - maximum(logits))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(np.maximum(p[rows, labels], logits.dtype.type(1e-6))).mean()
    p[rows, labels - 1] -= 1
    return loss, p / logits.dtype.type(len(labels))


COMBINED = {
    unshifted_and_not_divided: ("gradient_not_divided", "no_shift"),
    flipped_and_summed: ("loss_not_divided", "sign_flipped"),
    clipped_and_wrong_label: ("clipped_loss", "label_counted_from_one"),
}
TEACHING = {
    "textbook": ("log_of_softmax", "no_shift"),
    "teaching_example_loop": ("no_shift", "zero_times_infinity"),
    "teaching_global_shift": ("global_shift", "zero_times_infinity"),
    "teaching_label_vector": ("gradient_not_divided", "label_numbers_subtracted", "log_of_softmax", "no_shift"),
    "teaching_one_dimensional": ("log_of_softmax", "no_shift", "whole_matrix_sum"),
}


def weights_missing_in_gradient(logits: Array, targets: Array, **options: Any) -> Any:
    loss, _ = every_option(logits, targets, **options)
    options.pop("sample_weights", None)
    return loss, every_option(logits, targets, **options)[1]


def z_loss_gradient_halved(logits: Array, targets: Array, **options: Any) -> Any:
    loss, _ = every_option(logits, targets, **options)
    return loss, every_option(logits, targets, **{**options, "z_loss": options.get("z_loss", 0.0) / 2})[1]


def all_flipped(logits: Array, targets: Array, **options: Any) -> Any:
    loss, gradient = every_option(logits, targets, **options)
    return loss, -gradient


AMONG_ALL_OPTIONS = {
    all_flipped: "sign_flipped",
    weights_missing_in_gradient: "sample_weights_missing_in_gradient",
    z_loss_gradient_halved: "z_loss_gradient_halved",
}


@pytest.mark.parametrize("function", only_first(AMONG_ALL_OPTIONS, z_loss_gradient_halved), ids=spelled)
def test_a_defect_of_one_option_is_named_where_all_are_claimed(function: Any, diagnosed: Any) -> None:
    found = diagnosed(function, "float64", **CLAIMS)
    assert [one.defects for one in found.alternatives] == [(AMONG_ALL_OPTIONS[function],)]


@pytest.mark.parametrize("option", [*REAL_OPTIONS, "label_smoothing", "class_weights"])
def test_an_option_of_which_nothing_comes_is_named(option: str, diagnosed: Any) -> None:
    def without(logits: Array, labels: Array, **options: Any) -> Any:
        return every_option(logits, labels, **{name: value for name, value in options.items() if name != option})

    found = diagnosed(without, "float64", options=(option,), reduction=("mean", "none"))
    assert [one.defects for one in found.alternatives] == [("option_ignored",)]


@pytest.mark.parametrize(("function", "dtype"), in_one_dtype_first(COMBINED), ids=spelled)
def test_two_defects_at_once_are_both_named(function: Any, dtype: str, diagnosed: Any) -> None:
    assert [one.defects for one in diagnosed(function, dtype).alternatives] == [COMBINED[function]]


@pytest.mark.parametrize(("name", "dtype"), in_one_dtype_first(TEACHING))
def test_the_defects_of_what_is_taught_are_all_named(name: str, dtype: str, diagnosed: Any) -> None:
    function, _ = everything()[name]
    assert [one.defects for one in diagnosed(function, dtype).alternatives] == [TEACHING[name]]


def parameters(found: Any) -> list[str]:
    return [model.parameter for one in found.alternatives for model in one.models]


def epsilon(value: float) -> Any:
    def loss(logits: Array, labels: Array) -> Any:
        rows = np.arange(len(labels))
        e = np.exp(logits - maximum(logits))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[rows, labels] + logits.dtype.type(value)).mean(), shifted(logits, labels)[1]

    return loss


def temperature(value: float) -> Any:
    def loss(logits: Array, labels: Array) -> Any:
        number = logits.dtype.type(value)
        found, gradient = shifted(logits / number, labels)
        return found, gradient / number

    return loss


def multiple(value: float) -> Any:
    def loss(logits: Array, labels: Array) -> Any:
        found, gradient = shifted(logits, labels)
        return found, gradient * gradient.dtype.type(value)

    return loss


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (epsilon(1e-12), "epsilon = 1e-12"),
        (epsilon(3e-5), "epsilon = 3e-05"),
        (temperature(0.5), "T = 0.5"),
        (temperature(3), "T = 3"),
        (multiple(0.125), "factor = 0.125"),
        (multiple(-3), "factor = -3"),
    ],
)
def test_a_parameter_is_estimated(function: Any, said: str, diagnosed: Any) -> None:
    assert parameters(diagnosed(function, "float64")) == [said]


def wrong_in_a_band(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss, np.where((logits > 0.4) & (logits < 0.6), gradient * logits.dtype.type(1.5), gradient)


def a_cubic_term(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    p = np.exp(logits - maximum(logits))
    p /= p.sum(axis=1, keepdims=True)
    return loss, gradient + p**3 * logits.dtype.type(0.01)


def columns_beyond_64(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    gradient[:, 64:] *= logits.dtype.type(0.9)
    return loss, gradient


def first_label_forgotten(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    gradient[labels == 0] = 0
    return loss, gradient


def noisy(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    noise = np.random.default_rng(logits.size).normal(0, 1e-3, gradient.shape)
    return loss, gradient + noise.astype(logits.dtype)


def unfinished(logits: Array, labels: Array) -> Any:
    raise NameError("name 'softmax' is not defined")


UNKNOWN = (wrong_in_a_band, a_cubic_term, columns_beyond_64, first_label_forgotten, noisy)


@pytest.mark.parametrize(("function", "dtype"), in_one_dtype_first(UNKNOWN), ids=spelled)
def test_what_is_none_of_the_known_defects_stays_unexplained(function: Any, dtype: str, diagnosed: Any) -> None:
    found = diagnosed(function, dtype, ["gradient_is_right"])
    assert found.n_wrong > 0
    assert (found.alternatives, found.side_effects, found.unexplained) == ((), (), ("gradient_is_right",))


def test_a_function_that_never_answers_looks_like_no_known_defect(diagnosed: Any) -> None:
    failed = ["returns_loss_and_gradient", "empty_batch_is_answered"]
    found = diagnosed(unfinished, "float64", failed)
    assert (found.defects, found.unexplained) == ((), tuple(failed))


REDUCTIONS = ["none", "mean", "sum"]


def loss_with_zero_times_infinity(logits: Array, labels: Array) -> Any:
    d = logits - maximum(logits)
    hot = np.arange(logits.shape[1]) == labels[:, None]
    losses = np.log(np.exp(d).sum(axis=1)) - (hot * d).sum(axis=1)
    return losses.mean()


@pytest.mark.parametrize("wrong", REDUCTIONS[1:])
def test_a_defect_of_one_reduction_alone_is_named_with_it(diagnosed: Any, wrong: str) -> None:
    def own_path(logits: Array, labels: Array, reduction: str) -> Any:
        loss, gradient = every_option(logits, labels, reduction=reduction)
        if reduction == wrong:
            loss = loss_with_zero_times_infinity(logits, labels) * (len(labels) if wrong == "sum" else 1)
        return loss, gradient

    found = diagnosed(own_path, "float64", ["loss_within_forward_error"], reduction=REDUCTIONS)
    assert (found.defects, found.among) == (("zero_times_infinity",), f"reduction {wrong}")


def test_smoothing_of_the_others_is_named_whatever_it_leaves_of_one_class(diagnosed: Any) -> None:
    def of_the_others(logits: Array, labels: Array, label_smoothing: float = 0.0) -> Any:
        n_rows, n_classes = logits.shape
        t = np.full_like(logits, label_smoothing / max(n_classes - 1, 1))
        t[np.arange(n_rows), labels] = 1 - label_smoothing
        loss, mean_gradient = every_option(logits, t, label_smoothing=0.0)
        missing = 1 - t.sum(axis=1, keepdims=True)
        p = np.exp(logits - maximum(logits))
        return loss, mean_gradient + missing * p / p.sum(axis=1, keepdims=True) / n_rows

    found = diagnosed(of_the_others, "float64", ["label_smoothing_is_as_defined"], options="label_smoothing")
    assert found.defects == ("smoothing_of_the_others",)
