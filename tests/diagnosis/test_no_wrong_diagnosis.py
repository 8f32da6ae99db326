"""What is no known defect is not taken for one: state that shows late, a cache, a flush of small entries."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array
from tests.runs import run_with_diagnosis


def halved_after_many_calls() -> Any:
    calls = itertools.count()

    def halved(logits: Array, labels: Array) -> Any:
        loss, gradient = shifted(logits, labels)
        return loss, gradient / logits.dtype.type(2 if next(calls) > 300 else 1)

    return halved


def test_what_shows_late_is_taken_for_no_defect_of_a_single_call() -> None:
    found = run_with_diagnosis(Implementation("halved", halved_after_many_calls()), "float64").diagnosis
    assert found is not None
    assert found.n_changed > 0
    assert (found.alternatives, found.side_effects) == ((), ())


def rounded_when_small(logits: Array, labels: Array) -> Any:
    """Right but for entries below 1e-30, which are flushed to 0: no rounding to a narrower dtype does that alone."""
    loss, gradient = shifted(logits, labels)
    return loss, np.where(np.abs(gradient) < 1e-30, 0, gradient)


def test_a_coarse_rounding_is_no_explanation_where_right_answers_contradict_it(diagnosed: Any) -> None:
    found = diagnosed(rounded_when_small, "float64", ["gradient_within_forward_error"])
    assert found.n_wrong > 0
    assert "stored_before_subtracting" not in found.defects


def answers_by_sum() -> Any:
    known: dict[Any, Any] = {}

    def by_sum(logits: Array, labels: Array) -> Any:
        key = (float(logits.sum()), logits.shape, logits.dtype, labels.tobytes())
        return known.setdefault(key, shifted(logits, labels))

    return by_sum


def test_a_cache_is_not_taken_for_a_misread_layout(diagnosed: Any) -> None:
    found = diagnosed(answers_by_sum(), "float64", ["layout_does_not_matter", "rows_are_independent"])
    assert "rows_assumed_contiguous" not in found.defects


def writes_later(logits: Array, labels: Array) -> Any:
    """Its thread writes to the gradient after it has been returned; no two calls share an array."""
    loss, gradient = shifted(logits, labels)
    threading.Timer(0.003, gradient.fill, [7]).start()
    return loss, gradient


def test_what_changes_without_another_call_is_no_shared_buffer(diagnosed: Any) -> None:
    found = diagnosed(writes_later, "float64", ["outputs_share_no_memory"])
    assert "buffer_returned" not in found.defects
