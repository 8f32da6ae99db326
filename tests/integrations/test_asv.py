"""What asv is given to track: always a finite number, with its unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.integrations.asv import MAX_BITS, bits_lost, suites


def nan(logits: Any, labels: Any) -> Any:
    return np.float32("nan"), np.full_like(logits, np.nan)


def infinite(logits: Any, labels: Any) -> Any:
    return np.float32("inf"), np.full_like(logits, np.inf)


def raising(logits: Any, labels: Any) -> Any:
    raise RuntimeError("no")


@pytest.mark.parametrize("function", [nan, infinite, raising])
def test_an_answer_that_is_wrong_altogether_loses_a_finite_number_of_bits(function: Callable[..., Any]) -> None:
    found = bits_lost(Implementation("f", function), "float32", "quick")
    assert found == (MAX_BITS,) * 3


def test_every_tracked_number_has_a_unit() -> None:
    _, memory, accuracy = suites(shifted)
    tracked = [vars(suite)[name] for suite in (memory, accuracy) for name in vars(suite) if name.startswith("track_")]
    assert {function.unit for function in tracked} == {"bytes", "log2 (1 + ULP)", "checks", "problems"}


def test_the_keywords_that_are_claimed_are_passed() -> None:
    def summed(logits: Any, labels: Any, reduction: str = "mean") -> Any:
        assert reduction == "sum"
        return shifted(logits, labels)

    vars(summed)["__gradlab_claims__"] = {"reduction": ["sum", "mean"]}
    speed, _, _ = suites(summed, shapes=[(2, 3)])
    suite = speed()
    suite.setup("summed", "2x3", "float32")
    suite.time_loss_and_gradient("summed", "2x3", "float32")


def test_a_dtype_that_is_not_claimed_is_left_out() -> None:
    speed, _, _ = suites("shifted", shapes=[(2, 3)])
    with pytest.raises(NotImplementedError, match="does not claim float16"):
        speed().setup("shifted", "2x3", "float16")
