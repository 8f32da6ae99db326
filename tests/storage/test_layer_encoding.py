"""Problems of the layer as plain data: nothing is lost, and what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from gradlab.layer.problem import LayerProblem
from gradlab.storage.layer_encoding import decoded_layer_problem, encoded_layer_problem
from tests.layer_claims import questions


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_a_problem_of_the_layer_is_read_back_bit_for_bit(dtype: str) -> None:
    for question in questions(dtype, ()):
        read = decoded_layer_problem(json.loads(json.dumps(encoded_layer_problem(question.problem))))
        assert read.digest == question.problem.digest
        assert (read.family, read.penalty) == (question.problem.family, question.problem.penalty)


def without_bias() -> LayerProblem:
    return LayerProblem(np.ones((2, 3)), np.ones((3, 2)), None, np.array([0, 1]))


def test_a_layer_without_a_bias_has_none_when_it_is_read_back() -> None:
    assert decoded_layer_problem(encoded_layer_problem(without_bias())).bias is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dtype": "float8"}, "dtype must be one of"),
        ({"shape": [2, 3]}, r"shape must be \[n_rows, n_features, n_classes\]"),
        ({"weight": [["0x1p+0"]]}, "weight must be a list of 3 rows"),
        ({"bias": ["0x1p+0"]}, "bias must have 2 entries"),
        ({"penalty": {"strength": "0x1p+0", "halved": 1, "takes_bias": False}}, "halved must be true or false"),
        ({"targets": [0, 5]}, "labels must lie in"),
    ],
)
def test_what_is_no_problem_of_the_layer_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decoded_layer_problem({**encoded_layer_problem(without_bias()), **changes})


def test_every_field_of_a_layer_problem_is_encoded() -> None:
    encoded = encoded_layer_problem(without_bias())
    assert {one.name for one in fields(LayerProblem)} <= set(encoded)
