"""Every rule of every case is recognised from an implementation made for it, and from no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.conformance.profile import follow_rules, profile_of
from gradlab.campaigns.conformance.table import CASES
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Progress
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.targets.load import load
from gradlab.targets.shipped import sound as sound_names
from tests.campaigns.conformance.followers import FOLLOWERS, first_row, less_log_sum, reduced, sound

EVERY_RULE = [(case, rule) for case, followers in FOLLOWERS.items() for rule in followers]
DTYPES = ("float32", "float64")
NOWHERE_ELSE = {"float32": {"float32"}, "float64": {"loss_float64", "gradient_float64", "float64"}}  # there it is kept


def claiming_all(function: Any, **changes: Any) -> Implementation:
    options = ("label_smoothing", "class_weights", "ignore_index", "sample_weights")
    claims = {"targets": ("index", "probability"), "options": options, **changes}
    return Implementation("mine", function, Claims(**claims))


def test_there_is_a_follower_of_every_rule() -> None:
    assert EVERY_RULE == [(name, rule.name) for name, case in CASES.items() for rule in case.all_rules]


def test_the_rules_of_a_case_have_names_of_their_own_and_one_is_gradlabs() -> None:
    for name, case in CASES.items():
        names = [rule.name for rule in case.all_rules]
        assert len(set(names)) == len(names), name
        assert any(rule.ours for rule in case.rules), name


def of_gradient(name: str) -> bool:
    """Whether the cases, which are of the gradient, can be asked of it."""
    return load(name, {})[0].claims.derivative == "gradient"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("case", "rule"), EVERY_RULE)
def test_a_rule_is_recognised_and_no_other(case: str, rule: str, dtype: str) -> None:
    found = follow_rules(claiming_all(FOLLOWERS[case][rule]), CASES[case], dtype)
    if case == "dtype_of_answers" and (rule in NOWHERE_ELSE[dtype] or (rule, dtype) == ("loss_float32", "float32")):
        rule = "kept"
    assert found.name == rule, found.seen


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(one for one in sound_names() if of_gradient(one)))
def test_what_is_sound_follows_a_known_rule_wherever_it_is_asked(name: str, dtype: str) -> None:
    (implementation,) = load(name, {})
    if dtype not in implementation.claims.dtypes:
        pytest.skip("it does not claim it")
    unknown = {case for case, one in profile_of(implementation, dtype).items() if one.name == "another rule"}
    assert unknown <= (set() if implementation.claims.empty_batch else {"empty_batch"})


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_gradlabs_own_rules_are_among_those_that_fit_in_every_dtype(dtype: str) -> None:
    options = ("label_smoothing", "class_weights", "ignore_index", "sample_weights")
    claims = {"options": options, "targets": ("index", "probability")}
    (implementation,) = load("every_option", claims)
    found = profile_of(implementation, dtype)
    assert [case for case, one in found.items() if not one.as_ruled] == []


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_another_reduction_that_is_claimed_is_asked_for(reduction: str) -> None:
    found = profile_of(claiming_all(reduced(reduction, reduction), reduction=(reduction,)), "float64")
    assert found["loss"].name == {"none": "per_row", "sum": "sum"}[reduction]
    assert found["nan_row"].name == "contained"
    assert found["empty_batch"].name == "not claimed"
    assert found["empty_batch"].says == "reduction mean"


def test_a_reduction_that_is_seen_and_not_claimed_does_not_hide_the_other_rules() -> None:
    found = profile_of(Implementation("mine", reduced("sum", "sum")), "float32")
    assert [found[case].name for case in ("loss", "nan_row", "masked_target")] == ["sum", "contained", "infinite_loss"]


def test_each_case_is_announced_before_it_is_asked() -> None:
    told: list[Progress] = []
    found = profile_of(Implementation("mine", reduced("mean", "mean")), "float32", told.append)
    assert [one.phase for one in told] == list(found)
    assert [(one.done, one.total) for one in told] == [(done, len(found)) for done in range(len(found))]


def test_what_is_not_claimed_is_not_asked() -> None:
    asked: list[Any] = []

    def function(logits: Any, labels: Any, **options: Any) -> Any:
        asked.append((np.asarray(labels).ndim, options))
        return sound(logits, labels, **options)

    found = profile_of(Implementation("mine", function, Claims(masks=False)), "float32")
    assert all(one == (1, {}) for one in asked)
    assert (found["masked_class"].name, found["masked_class"].says) == ("not claimed", "masks")
    assert found["label_smoothing"].says == "label_smoothing"
    assert found["label_smoothing"].as_ruled


def test_probabilities_of_any_sum_are_not_asked_of_what_claims_that_they_sum_to_1() -> None:
    implementation = claiming_all(sound, normalised_targets=True)
    assert follow_rules(implementation, CASES["targets_of_any_sum"], "float32").says == "targets of any sum"


def test_what_follows_no_rule_is_shown_as_it_is() -> None:
    found = follow_rules(claiming_all(first_row(2.5, [1, 2, 3])), CASES["nan_row"], "float64")
    assert (found.name, found.as_ruled) == ("another rule", False)
    assert found.says.startswith("loss 1.454, gradient [[0.5, 1, 1.5], ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda logits, labels: None, "returns no pair (loss, gradient)"),
        (lambda logits, labels: ("a", logits), "returns what are no real numbers"),
        (lambda logits, labels: (1j, logits), "returns what are no real numbers"),
    ],
)
def test_what_is_no_answer_is_told_in_one_line(answer: Any, said: str) -> None:
    found = follow_rules(Implementation("mine", answer), CASES["loss"], "float32")
    assert (found.name, found.says) == ("another rule", said)


def test_an_exception_is_told_in_one_line() -> None:
    def function(logits: Any, labels: Any) -> Any:
        raise ValueError("two\nlines")

    found = follow_rules(Implementation("mine", function), CASES["masked_class"], "float32")
    assert found.says.startswith("raises ValueError: two lines (test_profile.py, line ")
    assert "\n" not in found.says


def test_spellings_are_told_by_what_becomes_of_them() -> None:
    found = follow_rules(claiming_all(FOLLOWERS["integer_labels"]["some_refused"]), CASES["integer_labels"], "float32")
    assert found.seen.startswith("the same (uint8, int8, int16, int32); raises TypeError: labels must not be uint64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_difference_of_a_few_bounds_is_another_rule(dtype: str) -> None:
    def off(logits: Any, targets: Any, **options: Any) -> Any:
        loss, gradient = sound(logits, targets, **options)
        return loss * (1 + 2000 * np.finfo(logits.dtype).eps), gradient

    implementation = claiming_all(off)
    assert follow_rules(implementation, CASES["loss"], dtype).name == "another rule"
    assert follow_rules(implementation, CASES["label_smoothing"], dtype).name == "another rule"


def test_lse_minus_the_dot_product_is_no_class_at_a_bad_label() -> None:
    def function(logits: Any, labels: Any) -> Any:
        return less_log_sum(logits, (labels[:, None] == np.arange(logits.shape[1])).astype(logits.dtype))

    assert profile_of(Implementation("mine", function), "float32")["label_k"].name == "no_class"
