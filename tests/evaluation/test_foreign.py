"""What foreign code returns and raises is made into plain data once, and nothing in it runs foreign code later."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Call, settle
from gradlab.evaluation.foreign import Described, ForeignError, describe_error, inert, leaves_of
from gradlab.evaluation.text import MAX_TEXT, code_span, one_line, visible

ARGUMENTS = Call(np.zeros((1, 2)), np.zeros(1, dtype=int), {})
ASKED: list[str] = []


class Noted:
    """Notes whatever is asked of it."""

    def __repr__(self) -> str:
        ASKED.append("repr")
        return "Noted()"

    def __array__(self, *arguments: Any, **keywords: Any) -> Any:
        ASKED.append("array")
        return np.zeros(2)

    def __del__(self) -> None:
        ASKED.append("del")


class RaisingError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise SystemExit(3)

    __repr__ = __str__


def test_a_foreign_array_is_converted_once_and_destroyed_in_the_call() -> None:
    ASKED.clear()
    loss, gradient = settle(lambda logits, labels: (0.0, Noted()), ARGUMENTS)
    gc.collect()
    before = list(ASKED)
    assert isinstance(gradient, np.ndarray)
    assert (loss, before) == (0.0, ["array", "del"])
    del gradient
    assert before == ASKED


def test_an_object_that_is_no_pair_is_described_and_let_go() -> None:
    ASKED.clear()
    assert settle(lambda logits, labels: Noted(), ARGUMENTS) == Described("Noted() of type Noted")
    gc.collect()
    assert ASKED == ["repr", "del"]


def test_an_exception_is_let_go_with_all_that_it_refers_to() -> None:
    ASKED.clear()

    def raising(logits: Any, labels: Any) -> Any:
        kept = Noted()
        raise ValueError("too small", id(kept))

    with pytest.raises(ForeignError) as caught:
        settle(raising, ARGUMENTS)
    assert caught.value.kind == "ValueError"
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    gc.collect()
    assert ASKED == ["del"]


def test_an_exception_that_cannot_be_shown_is_described_anyway() -> None:
    assert describe_error(RaisingError()) == "RaisingError: <str raises SystemExit>"


def test_the_name_of_a_class_is_shown_on_one_line() -> None:
    error = type("Bad\x1b[31m\nError", (Exception,), {})("red")
    assert describe_error(error) == "Bad\\x1b[31m Error: red"


def test_arrays_keep_their_memory_and_plain_values_are_themselves() -> None:
    array = np.arange(3.0)
    loss, gradient = inert([np.float32(1), array])
    assert gradient is array
    assert type(loss) is np.float32


def test_an_array_of_objects_keeps_its_shape_and_none_of_them() -> None:
    ASKED.clear()
    array = np.empty((1, 1), dtype=object)
    array[0, 0] = Noted()
    _, gradient = inert((0.0, array))
    assert (gradient.shape, gradient.dtype, gradient[0, 0]) == ((1, 1), np.dtype(object), None)


def test_a_long_text_is_cut() -> None:
    assert len(one_line("x" * 10**7)) == MAX_TEXT + len("...")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\n::error::b", "a\\n::error::b"),
        ("::error file=a::b", "\\x3a:error file=a::b"),
        ("  ##[group]x:", "  ##[group]x\\x3a"),
        ("loss: stable", "loss: stable"),
        ("\u202eevil", "\\u202eevil"),
    ],
)
def test_what_is_shown_commands_neither_a_terminal_nor_a_log(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "span"), [("a.py:f", "`a.py:f`"), ("a|b\n<img>", "`a\\|b <img>`"), ("a`b", "`` a`b ``"), ("``", "`''`")]
)
def test_code_in_markdown_stays_code(text: str, span: str) -> None:
    assert code_span(text) == span


@dataclass
class Grads:
    """What a function of somebody's might return."""

    W: Any
    b: Any


STRUCTURES = [
    ({"loss": 0.0, "grads": {"W": np.zeros(2)}}, "a dict of loss, grads"),
    (Grads(np.zeros(1000), None), "a Grads of W, b"),
    ({}, "a dict of nothing"),
    ((0.0, np.zeros(2)), "a tuple of 2"),
    (np.zeros((2, 3)), "an array of shape (2, 3)"),
    (None, "None"),
]


@pytest.mark.parametrize(("value", "text"), STRUCTURES)
def test_a_structure_is_described_by_its_names_and_none_of_its_numbers_is_spelled(value: Any, text: str) -> None:
    assert leaves_of(value).text == text
