"""What calls of a layer cost: rounds by a clock of the tests' own, and memory, which is measured for real."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.layer import layer
from gradlab.judged.timing import timings_of
from gradlab.measure import layer_timing, timing
from gradlab.measure.costs import costs
from gradlab.measure.layer_timing import layer_yardstick, timed_layer_problem
from gradlab.measure.timing import MAX_ROUNDS, Timing
from gradlab.targets.layers import load_layer

CLAIMS = {"takes": ["X", "W", "b", "targets"], "returns": ["loss", "dX", "dW", "db"]}
SHAPES = ((2, 3, 4), (4, 5, 6))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny shapes, and a clock of which every look takes a tenth of a millisecond."""
    ticks = count()
    monkeypatch.setattr(layer_timing, "LAYER_SHAPES", SHAPES)
    monkeypatch.setattr(timing, "perf_counter", lambda: next(ticks) * 1e-4)


def measured(function: Any) -> list[Timing]:
    return list(costs(Implementation("own", function, claims_from(CLAIMS)), ["float32", "float64"]))


def test_every_shape_and_dtype_gets_its_rounds() -> None:
    found = measured(layer)
    assert [(one.dtype, one.shape) for one in found] == [(d, s) for d in ("float32", "float64") for s in SHAPES]
    assert all(len(one.ratios) == MAX_ROUNDS and one.seconds and not one.note for one in found)


def test_a_layer_without_an_answer_is_not_timed() -> None:
    first, second, *_ = measured(lambda X, W, b, labels: 1 / 0)
    assert first.note.startswith("raised ZeroDivisionError: division by zero")
    assert second.note.startswith("left out after (2, 3, 4): raised ZeroDivisionError")


def test_memory_beyond_the_outputs_is_what_a_call_holds_besides() -> None:
    def holds_a_megabyte(X: Any, W: Any, b: Any, labels: Any) -> Any:
        held = np.ones(2**20, dtype=np.uint8)
        return (held.sum(), *layer(X, W, b, labels)[1:])

    assert all(2**20 <= (one.n_bytes or 0) < 2**20 + 100_000 for one in measured(holds_a_megabyte))


def test_each_call_gets_arrays_of_its_own() -> None:
    sums = set()

    def spoils(X: Any, W: Any, b: Any, labels: Any) -> Any:
        sums.add((X.shape, X.dtype, float(X.sum())))
        found = layer(X, W, b, labels)
        X += 1
        return found

    measured(spoils)
    assert len(sums) == 2 * len(SHAPES)


def test_a_layer_of_another_layout_is_called_as_it_claims() -> None:
    found = load_layer("layer:gradlab.implementations.strangers.layer.numpy_layers:by_einsum", {})
    assert all(one.note == "" and one.ratios for one in costs(found, ["float64"]))


def test_a_layer_in_a_judged_process_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.judged.timing.RemoteFunction", type(layer))
    (found,) = timings_of(Implementation("own", layer, claims_from(CLAIMS)), ["float32"])
    assert (found.ratios, found.note) == ((), "calls of layers are not timed in a judged process")


def test_the_yardstick_changes_nothing_of_the_problem() -> None:
    problem = timed_layer_problem(claims_from(CLAIMS), (4, 5, 6), "float32")
    before = problem.digest
    first = layer_yardstick(problem, np.empty((4, 6), np.float32))
    assert np.array_equal(first, layer_yardstick(problem, np.empty((4, 6), np.float32)))
    assert problem.digest == before
