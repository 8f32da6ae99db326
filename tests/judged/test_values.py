"""What calls return comes back as it was, and what is no value is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gradlab.evaluation.foreign import Described, Leaves
from gradlab.judged.values import decode_value, encode_value
from gradlab.problems.problem import Array

VALUES = {
    "none": None,
    "true": True,
    "an integer": 2**200,
    "a float": 0.1,
    "infinity": -math.inf,
    "minus 0": -0.0,
    "a complex number": 1 - 2j,
    "text": "line\n\x1b[31m \udc80",
    "bytes": b"\x00\xff",
    "float32": np.float32(0.1),
    "bfloat16": ml_dtypes.bfloat16(0.1),
    "described": Described("an odd thing"),
    "a pair": (1.5, np.float64(2)),
    "pairs in pairs": ((1, "a"), (None, (2.5,))),
}


def through_json(value: Any) -> Any:
    arrays: list[Array] = []

    def write(array: Array) -> list[Any]:
        arrays.append(array)
        return ["array", len(arrays) - 1]

    plain = json.loads(json.dumps(encode_value(value, write)))
    return decode_value(plain, lambda said: arrays[said[1]])


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = through_json(value)
    assert type(again) is type(value)
    assert again == value
    assert str(again) == str(value)  # -0.0 too


def test_an_array_is_the_one_that_was_written() -> None:
    array = np.arange(3.0)
    assert through_json((0.0, array))[1] is array


def test_leaves_come_back_with_their_paths() -> None:
    again = through_json(Leaves({"loss": 1.5, "grads.W": Described("nothing")}, "a tuple of 2"))
    assert again.parts == {"loss": 1.5, "grads.W": Described("nothing")}
    assert again.text == "a tuple of 2"


def test_an_array_of_objects_comes_back_without_its_objects() -> None:
    again = through_json(np.array([object(), object()]))
    assert (again.shape, again.dtype) == ((2,), np.dtype(object))
    assert again.tolist() == [None, None]


def test_an_object_is_no_value() -> None:
    with pytest.raises(TypeError, match="plain data, got one of type object"):
        through_json(object())


NO_VALUES: list[Any] = [
    None,
    [],
    [1],
    {"plain": 1},
    ["plain"],
    ["plain", 1, 2],
    ["plain", [1]],
    ["plain", {"a": 1}],
    ["text", 5],
    ["text", "a" * (2**20 + 1)],
    ["bytes", "no hexadecimal"],
    ["scalar", "<f4", "00"],
    ["scalar", "O", "00" * 8],
    ["complex", "1", 2],
    ["objects", [-1]],
    ["objects", "many"],
    ["leaves", ["a"], "text"],
    ["leaves", {}, 5],
    ["pickle", "cos\nsystem\n"],
    ["tuple", ["tuple", ["tuple", ["tuple", ["tuple", ["tuple"]]]]]],
]


@pytest.mark.parametrize("plain", NO_VALUES, ids=lambda plain: f"{json.dumps(plain):.40}")
def test_what_is_no_value_is_refused(plain: Any) -> None:
    def read(said: list[Any]) -> Array:
        raise ValueError(f"{said} is no array")

    with pytest.raises(ValueError):  # noqa: PT011  # of many kinds: any of them is a refusal
        decode_value(plain, read)
