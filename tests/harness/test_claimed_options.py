"""What is claimed decides what is asked: options, reductions and masks in every combination that is claimed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.selection import problems_in_run
from gradlab.harness.verdict import is_advice
from gradlab.implementations.every_option import every_option
from gradlab.problems.families import FAMILIES
from gradlab.problems.problem import Array
from tests.runs import ONE_OF_EACH_FAMILY, only_first, rejects, unexplained

ALONE: dict[str, dict[str, Any]] = {
    "mean, ignoring": {"options": "ignore_index"},
    "mean, weights and ignoring": {"options": ["class_weights", "ignore_index"]},
    "sum, smoothing and ignoring": {"reduction": "sum", "options": ["label_smoothing", "ignore_index"]},
    "probabilities with weights": {"targets": "probability", "options": "class_weights"},
    "labels and probabilities with smoothing": {"targets": ["index", "probability"], "options": "label_smoothing"},
    "none first": {"reduction": ["none", "mean"], "options": "ignore_index"},
}
PLAN = Plan(PROFILES["quick"], 5)


def judged(function: Any, dtype: str = "float64", most: int | None = ONE_OF_EACH_FAMILY.most, **claims: Any) -> Any:
    """The verdict on one problem of each family, or on so many at most, and the checks that cost it."""
    implementation = Implementation("theirs", function, claims_from({**claims, "dtypes": dtype}))
    report = unexplained(implementation, Plan(replace(ONE_OF_EACH_FAMILY, most=most), 5))
    return str(report.verdict), [line.check.name for line in report.failures]


@pytest.mark.parametrize("name", only_first(ALONE, "mean, weights and ignoring"))
def test_a_sound_one_is_stable_whatever_it_claims(name: str) -> None:
    claims = ALONE[name]

    def theirs(logits: Array, targets: Array, **keywords: Any) -> Any:
        own = claims.get("reduction", "mean")
        return every_option(logits, targets, **{"reduction": own, **keywords} if isinstance(own, str) else keywords)

    assert judged(theirs, **claims) == ("stable", [])


def test_one_that_refuses_masks_and_does_not_claim_them_is_stable() -> None:
    def refusing(logits: Array, labels: Array) -> Any:
        if np.isneginf(logits).any():
            raise ValueError("no masks")
        return every_option(logits, labels)

    assert judged(refusing, masks=False) == ("stable", [])


def test_no_mask_is_given_where_masks_are_not_claimed() -> None:
    claims = claims_from({"masks": False, "dtypes": "float32", "targets": ["index", "probability"]})
    problems = problems_in_run(claims, "float32", PROFILES["quick"], 0)
    assert not any(np.isneginf(problem.logits64).any() for problem in problems)


def test_a_python_float_will_do_for_a_loss_that_keeps_its_dtype() -> None:
    def in_python(logits: Array, labels: Array) -> Any:
        loss, gradient = every_option(logits, labels)
        return float(loss), gradient

    assert judged(in_python, "float32", keeps_dtype=True) == ("stable", [])


def ignored_nan_leaks(logits: Array, labels: Array, ignore_index: int | None = None) -> Any:
    loss, gradient = every_option(logits, labels, ignore_index=ignore_index)
    return loss + 0 * logits.sum(), gradient


def zero_weight_is_one(logits: Array, labels: Array, class_weights: Any = None) -> Any:
    weights = None if class_weights is None else np.where(class_weights == 0, 1, class_weights).astype(logits.dtype)
    return every_option(logits, labels, class_weights=weights)


def zero_is_no_label_to_ignore(logits: Array, labels: Array, ignore_index: int | None = None) -> Any:
    return every_option(logits, labels, ignore_index=ignore_index or None)


def small_smoothing_is_off(logits: Array, labels: Array, label_smoothing: float = 0.0) -> Any:
    return every_option(logits, labels, label_smoothing=label_smoothing if label_smoothing > 0.05 else 0.0)


def weights_normalised_in_place(logits: Array, labels: Array, class_weights: Any = None) -> Any:
    answer = every_option(logits, labels, class_weights=class_weights)
    if class_weights is not None:
        class_weights /= class_weights.sum()
    return answer


def smoothing_of_the_first_64(logits: Array, labels: Array, label_smoothing: float = 0.0) -> Any:
    loss, gradient = every_option(logits, labels, label_smoothing=label_smoothing)
    if label_smoothing:
        gradient[:, 64:] += label_smoothing / logits.shape[1] / len(logits)
    return loss, gradient


def weights_leak_their_dtype(logits: Array, labels: Array, class_weights: Any = None) -> Any:
    loss, gradient = every_option(logits, labels, class_weights=class_weights)
    return loss, gradient if class_weights is None else gradient.astype(np.float64)


DEFECTIVE = {
    ignored_nan_leaks: ("ignore_index", "ignore_index_is_as_defined"),
    zero_weight_is_one: ("class_weights", "class_weights_are_as_defined"),
    zero_is_no_label_to_ignore: ("ignore_index", "ignore_index_is_as_defined"),
    small_smoothing_is_off: ("label_smoothing", "label_smoothing_is_as_defined"),
    weights_normalised_in_place: ("class_weights", "leaves_its_inputs_alone"),
    smoothing_of_the_first_64: ("label_smoothing", "label_smoothing_is_as_defined"),
}


@pytest.mark.parametrize("function", DEFECTIVE, ids=lambda function: function.__name__)
def test_what_is_wrong_about_an_option_alone_is_found(function: Any) -> None:
    option, name = DEFECTIVE[function]
    implementation = Implementation("theirs", function, claims_from({"options": option, "dtypes": "float64"}))
    (check,) = [check for check in CHECKS if check.name == name]
    assert not is_advice(check, implementation.claims)
    assert rejects(implementation, PLAN, check, "float64")


def test_a_dtype_that_is_lost_with_an_option_only_is_found() -> None:
    verdict, failed = judged(weights_leak_their_dtype, "float32", None, options="class_weights", keeps_dtype=True)
    assert (verdict, failed) == ("wrong", ["keeps_the_dtype"])


def test_no_rows_are_tried_with_every_reduction() -> None:
    def refusing(logits: Array, labels: Array, reduction: str = "none") -> Any:
        if reduction == "mean" and not len(logits):
            raise ZeroDivisionError("no rows")
        return every_option(logits, labels, reduction=reduction)

    verdict, failed = judged(refusing, most=None, reduction=["none", "mean"], empty_batch=True)
    assert (verdict, failed) == ("wrong", ["empty_batch_is_answered"])


@pytest.mark.parametrize("targets", [["index"], ["index", "probability"], ["probability", "index"]])
@pytest.mark.parametrize("reduction", [["none", "mean", "sum"], ["mean", "sum"]])
def test_every_stress_family_meets_every_reduction_and_kind_of_target(targets: list[str], reduction: list[str]) -> None:
    claims = claims_from({"targets": targets, "reduction": reduction, "dtypes": "float32"})
    problems = problems_in_run(claims, "float32", PROFILES["quick"], 0)
    asked = {(one.family, one.objective.targets, one.objective.reduction) for one in problems}
    stress = [family.name for family in FAMILIES if family.stress and family.profile == "quick"]
    assert set(product(stress, targets, reduction)) <= asked
