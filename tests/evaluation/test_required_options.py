"""Options without a default: by which names they are known, and what they are given where they are off."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.claims import OPTIONS, Claims, claims_from
from gradlab.evaluation.keywords import keywords_for
from gradlab.evaluation.required_options import neutral_values, option_of, required_options, shape_said
from gradlab.layer.names import PARAMETERS
from gradlab.problems.objective import Objective

FLOAT32 = np.dtype(np.float32)


def function_of(parameters: str, docs: str = "") -> Callable[..., Any]:
    """A function that takes these parameters."""
    names: dict[str, Any] = {}
    exec(f"def f({parameters}):\n    {docs!r}", names)  # of a text in this file
    found: Callable[..., Any] = names["f"]
    return found


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_known_by_its_own_name(option: str) -> None:
    assert option_of(option) == option


@pytest.mark.parametrize("name", [name for listed in PARAMETERS.values() for name in listed.split()])
def test_no_name_of_what_a_layer_takes_is_an_option(name: str) -> None:
    assert option_of(name) == ""


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("class_weight", "class_weights"),
        ("classWeights", "class_weights"),
        ("weights_of_each_class", "class_weights"),
        ("instance_weights", "sample_weights"),
        ("weight_per_row", "sample_weights"),
        ("smooth_eps", "label_smoothing"),
        ("ignore_idx", "ignore_index"),
        ("logits_soft_cap", "softcap"),
        ("softmax_temp", "temperature"),
        ("z_loss_coef", "z_loss"),
        ("classifier_weight", ""),
        ("class_labels", ""),
        ("loss_weight_matrix", ""),
        ("hidden_states", ""),
        ("weights", ""),
    ],
)
def test_a_name_is_an_option_where_all_its_words_say_so(name: str, option: str) -> None:
    assert option_of(name) == option


@pytest.mark.parametrize(
    ("docs", "option"),
    [
        ("w: features (N, D). weights: shape (K,).", "class_weights"),
        ("weights: one for each example, (N,)", "sample_weights"),
        ("weights: a matrix (D, K)", ""),
        ("weights: of the network", ""),
        ("weights: something (M3,)", ""),
    ],
)
def test_mere_weights_are_what_the_docstring_gives_them_as_a_shape(docs: str, option: str) -> None:
    expected = (f"{option}=weights",) if option else ()
    assert required_options(function_of("x, w, y, weights", docs)) == expected


def test_class_weights_of_two_axes_are_a_weight_matrix() -> None:
    assert required_options(function_of("x, class_weight, y", "class_weight: (n_features, n_classes)")) == ()


def test_what_has_a_default_or_goes_by_place_alone_is_not_required() -> None:
    assert required_options(function_of("z, y, class_weights=None, *, label_smoothing=0.0")) == ()
    assert required_options(function_of("z, y, class_weights, /, *, smoothing, **others")) == (
        "label_smoothing=smoothing",
    )


def test_an_option_under_two_names_is_the_first_of_them() -> None:
    assert required_options(function_of("z, y, class_weight, weight_per_class")) == ("class_weights=class_weight",)


def test_shape_is_read_on_the_line_of_the_name() -> None:
    assert shape_said("a: of rows\nw: of (N, D)", "a") == ()
    assert shape_said("W_all (D, K); W (K, D)", "W") == ("K", "D")


@pytest.mark.parametrize("option", OPTIONS)
def test_what_is_required_is_handed_over_in_every_call(option: str) -> None:
    keywords = keywords_for(Claims(required=(f"{option}=other",)), Objective(), FLOAT32, (3, 4))
    assert set(keywords) == {"other"}


def test_weights_that_change_nothing_are_ones_in_the_dtype_of_the_logits() -> None:
    found = neutral_values(("class_weights", "sample_weights"), FLOAT32, (3, 4))
    assert {name: (one.dtype, one.tolist()) for name, one in found.items()} == {
        "class_weights": (FLOAT32, [1.0] * 4),
        "sample_weights": (FLOAT32, [1.0] * 3),
    }


def test_numbers_that_change_nothing_are_those_of_an_objective_without_options() -> None:
    names = [name for name in OPTIONS if "weights" not in name and name not in ("upstream", "ignore_index")]
    assert Objective(**neutral_values(names, FLOAT32, None)) == Objective()
    assert math.isinf(neutral_values(["softcap"], FLOAT32, None)["softcap"])


def test_a_problem_with_the_option_on_gives_its_own_value_under_the_claimed_keyword() -> None:
    claims = claims_from({"options": ["class_weights=cw"], "required": "label_smoothing"})
    assert claims.options == ("class_weights",)
    assert claims.keyword_of == {"class_weights": "cw", "label_smoothing": "label_smoothing"}
    keywords = keywords_for(claims, replace(Objective(), class_weights=(1.0, 2.0)), FLOAT32, (5, 2))
    assert keywords["cw"].tolist() == [1.0, 2.0]
    assert keywords["label_smoothing"] == 0.0


@pytest.mark.parametrize("claims", [{"required": ["weights"]}, {"options": ["weights=class_weights"]}, {"required": 3}])
def test_what_is_no_option_cannot_be_required(claims: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"claim (required|options) must be"):
        claims_from(claims)
