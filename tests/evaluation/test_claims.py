"""Claims: what may be claimed, by mapping or by decorator, and what is said of a claim that does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.evaluation.claims import ATTRIBUTE, Claims, claims_from, implementation

FITTING: dict[str, tuple[Any, Any]] = {
    "reduction": ("sum", ("sum",)),
    "targets": (["index", "probability"], ("index", "probability")),
    "dtypes": (("float16", "bfloat16"), ("float16", "bfloat16")),
    "options": ([], ()),
    "level": ("accurate", "accurate"),
    "masks": (False, False),
    "complex_step": (True, True),
    "derivative": ("hessian_diagonal", "hessian_diagonal"),
}

UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (
        {"speed": "high"},
        r"a claim must be one of accumulates_in, backward, bias_layout, big_endian, .*, weight_layout, got 'speed'",
    ),
    "reduction": ({"reduction": "median"}, "claim reduction must be of none, mean, sum, got 'median'"),
    "targets": ({"targets": ["index", "onehot"]}, "claim targets must be of index, probability, got 'onehot'"),
    "dtypes": ({"dtypes": "float8"}, "claim dtypes must be of float16, bfloat16, float32, float64, got 'float8'"),
    "no dtype": (
        {"dtypes": []},
        "claim dtypes must name at least one of float16, bfloat16, float32, float64, got none",
    ),
    "options": ({"options": "margin"}, "claim options must be of label_smoothing, class_weights, ignore_index"),
    "level": ({"level": "perfect"}, "claim level must be one of stable, accurate, got 'perfect'"),
    "flag": ({"masks": 1}, "claim masks must be True or False, got 1"),
    "derivative": ({"derivative": "jacobian"}, "claim derivative must be one of gradient, .*, got 'jacobian'"),
    "no name": ({"derivative": 2}, "claim derivative must be one of gradient, .*, got '2'"),
    "labels by targets": (
        {"derivative": "target_gradient"},
        "claim derivative target_gradient needs probability targets alone, got targets index",
    ),
    "a map of the logits": (
        {"derivative": "hessian", "options": ["softcap"]},
        "claim derivative hessian goes without softcap, .*, upstream, got softcap",
    ),
    "what comes from above": (
        {"derivative": "hessian", "reduction": "none", "options": ["class_weights", "upstream"]},
        "claim derivative hessian goes without softcap, .*, got upstream",
    ),
    "accurate": (
        {"derivative": "hessian", "level": "accurate"},
        "claim level accurate goes with derivative gradient alone, got hessian",
    ),
    "in place": (
        {"derivative": "hessian", "gradient_in_logits": True},
        "claim gradient_in_logits True goes with derivative gradient alone, got hessian",
    ),
    "upstream of a mean": (
        {"options": ["upstream"]},
        "claim options: upstream goes with reduction none alone; claim that too",
    ),
    "a label of probabilities": (
        {"options": ["ignore_index"], "targets": "probability"},
        "claim options: ignore_index goes with targets index alone; claim that too",
    ),
    "no list": ({"dtypes": 32}, "claim dtypes must be a name or a list of names, got 32"),
}


@pytest.mark.parametrize("name", FITTING)
def test_claim_that_fits_is_taken_and_a_string_stands_for_a_list_of_one(name: str) -> None:
    given, kept = FITTING[name]
    assert getattr(claims_from({name: given}), name) == kept


def test_nothing_claimed_is_a_plain_function_of_labels_with_the_mean() -> None:
    assert claims_from({}) == Claims()
    assert (Claims().reduction, Claims().targets, Claims().options) == (("mean",), ("index",), ())


def test_names_given_twice_count_once_in_the_order_given() -> None:
    assert claims_from({"reduction": ["sum", "mean", "sum"]}).reduction == ("sum", "mean")


@pytest.mark.parametrize("name", UNFIT)
def test_claim_that_does_not_fit_is_refused_with_the_rule_and_the_value(name: str) -> None:
    given, message = UNFIT[name]
    with pytest.raises(ValueError, match=message):
        claims_from(given)


def test_claims_can_be_keys_of_a_dictionary() -> None:
    assert len({claims_from({"dtypes": ["float32"]}), claims_from({"dtypes": "float32"})}) == 1


def test_decorator_writes_the_claims_on_the_function_and_changes_nothing_else() -> None:
    def loss(logits: Any, labels: Any) -> Any: ...

    assert implementation(reduction="sum", dtypes=["float32"])(loss) is loss
    assert getattr(loss, ATTRIBUTE) == {"reduction": "sum", "dtypes": ["float32"]}


def test_decorator_refuses_a_claim_that_does_not_fit_before_it_sees_the_function() -> None:
    with pytest.raises(ValueError, match="claim level must be one of"):
        implementation(level="good")
