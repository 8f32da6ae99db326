"""Where a target's entry becomes 0: exact values follow from the format alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.atlas.margin import Vanishing, vanishing_margin
from gradlab.evaluation.call import Implementation
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import rounds_to_one, underflows
from gradlab.problems.problem import Array
from gradlab.targets.load import load


def found_for(name: str, dtype: str) -> Vanishing:
    return vanishing_margin(load(name, {})[0], format_of(dtype))


def ulps_apart(margin: float | None, exact: float, dtype: str) -> float:
    assert margin is not None
    return abs(margin - exact) / float(np.spacing(np.asarray(exact, dtype=dtype)))


@pytest.mark.parametrize(("dtype", "rounded"), [("float32", 17), ("float64", 37)])
def test_p_minus_1_is_0_from_where_1_plus_exp_of_minus_the_margin_rounds_to_1(dtype: str, rounded: int) -> None:
    found = found_for("shifted", dtype)
    # exp(-M) <= u, so M >= precision log 2; an exp that is right to 3 ULP moves that by 6 u, less than an ULP of M
    assert ulps_apart(found.margin, rounds_to_one(format_of(dtype)), dtype) <= 1.5
    assert found.confirmed
    assert math.ceil(found.margin or 0) == rounded


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_accurate_entry_is_0_only_where_the_exact_one_rounds_to_0(dtype: str) -> None:
    found = found_for("accurate", dtype)
    assert ulps_apart(found.margin, underflows(format_of(dtype)), dtype) <= 1.5
    assert found.confirmed


def test_a_form_that_overflows_has_its_margin_below_that_and_flickers() -> None:
    found = found_for("textbook", "float32")  # e/(e + 1): e + 1 rounds to e, or by the tie to e + 2, up to e = 2^25
    assert rounds_to_one(format_of("float32")) <= (found.margin or 0) <= 25 * math.log(2)
    assert not found.confirmed


def constant(entry: float) -> Implementation:
    """A loss of 1, and this target's entry, whatever is asked."""

    def answer(logits: Array, labels: Array) -> tuple[Any, Array]:
        return logits.dtype.type(1), np.full_like(logits, entry)

    return Implementation("constant", answer)


def test_an_entry_that_is_never_0_has_no_margin() -> None:
    assert vanishing_margin(constant(-0.5), format_of("float32")) == Vanishing(None)


def test_an_entry_that_is_nan_is_not_0() -> None:
    assert vanishing_margin(constant(math.nan), format_of("float32")) == Vanishing(None)


def test_an_entry_that_is_0_here_and_there_is_not_confirmed() -> None:
    def answer(logits: Array, labels: Array) -> tuple[Any, Array]:
        odd = logits[0, 0].view(np.uint32) % 2 and logits[0, 0] < 30
        return logits.dtype.type(1), np.full_like(logits, -0.5 if odd else 0)

    found = vanishing_margin(Implementation("flickering", answer), format_of("float32"))
    assert found.margin is not None
    assert not found.confirmed
