"""A number in decimal, hexadecimal and bits, and how many bits an error costs."""

from __future__ import annotations

import pytest

from gradlab.pages.numbers import bits_lost, bits_of, written
from gradlab.problems.dtypes import format_of


@pytest.mark.parametrize(
    ("value", "dtype", "bits"),
    [
        (1.0, "float16", "0 01111 0000000000"),
        (-2.5, "bfloat16", "1 10000000 0100000"),
        (float("inf"), "float32", "0 11111111 00000000000000000000000"),
        (2.0**-149, "float32", "0 00000000 00000000000000000000001"),
        (-0.0, "float64", f"1 {'0' * 11} {'0' * 52}"),
    ],
)
def test_the_bits_of_a_number(value: float, dtype: str, bits: str) -> None:
    assert str(bits_of(value, dtype)) == bits


@pytest.mark.parametrize(
    ("said", "shown", "hexadecimal", "is_rounded"),
    [
        ("0.125 (0x1.0000000000000p-3)", "0.125", "0x1.0000000000000p-3", False),
        ("104 ± 3e-17", "104 ± 3e-17", "0x1.a000000000000p+6", False),
        ("0.1", "0.1", "0x1.999999999999ap-4", True),
        ("at most 1", "at most 1", "0x1.0000000000000p+0", False),
        ("nan", "nan", None, False),
    ],
)
def test_a_value_as_a_report_says_it(said: str, shown: str, hexadecimal: str | None, is_rounded: bool) -> None:
    found = written(said, "float32")
    assert (found.said, found.hexadecimal, found.is_rounded) == (shown, hexadecimal, is_rounded)
    assert found.bits is not None


@pytest.mark.parametrize("said", ["a gradient of no rows", "is float64", ""])
def test_what_is_no_number_has_no_bits(said: str) -> None:
    assert written(said, "float32").bits is None


@pytest.mark.parametrize(
    ("error", "lost"), [(0, 0), (0.5, 0), (1, 1), (4.0, 3), (2.0**40, 24), ("inf", None), ("nan", None)]
)
def test_bits_lost(error: float | str, lost: float | None) -> None:
    assert bits_lost(error, format_of("float32")) == lost
