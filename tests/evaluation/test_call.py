"""Calling an implementation: whatever it does, an answer comes back that says what it did."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Call, Implementation, answer, call_for, evaluate, perform
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import kind_of
from gradlab.evaluation.keywords import keywords_for, signature_fault
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

PROBLEM = Problem(np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0]]), np.array([1, 0]))
GRADIENT = np.zeros((2, 3))


class NoText(Exception):  # noqa: N818 - an exception of a stranger's, by a stranger's name
    def __str__(self) -> str:
        raise RuntimeError


class NoArray:
    def __array__(self, *arguments: Any, **keywords: Any) -> Array:
        raise SystemExit(5)

    def __repr__(self) -> str:
        raise RuntimeError


class Pair(tuple[Any, ...]):
    def __len__(self) -> int:
        raise RuntimeError

    def __getitem__(self, index: Any) -> Any:
        raise RuntimeError


def raising(error: BaseException) -> Callable[..., Any]:
    def function(logits: Array, labels: Array) -> Any:
        raise error

    return function


def recursive(logits: Array, labels: Array) -> Any:
    return recursive(logits, labels)


def returning(value: Any) -> Implementation:
    return Implementation("returning", lambda logits, labels: value)


def fault_of(function: Callable[..., Any]) -> str | None:
    return evaluate(Implementation("theirs", function), PROBLEM).fault


RAISED = {
    "ValueError": (raising(ValueError("no\n  good")), "raised ValueError: no good"),
    "no message": (raising(KeyError()), "raised KeyError"),
    "SystemExit": (raising(SystemExit(3)), "raised SystemExit: 3"),
    "GeneratorExit": (raising(GeneratorExit()), "raised GeneratorExit"),
    "BaseException": (raising(BaseException("b")), "raised BaseException: b"),
    "no text": (raising(NoText()), "raised NoText: <str raises RuntimeError>"),
}

RETURNED = {
    "nothing": (None, "returned None, must return (loss, gradient)"),
    "a number": (0.5, "returned 0.5 of type float, must return (loss, gradient)"),
    "an array": (GRADIENT, "returned an array of shape (2, 3), must return (loss, gradient)"),
    "three": ((1, 2, 3), "returned a tuple of 3, must return (loss, gradient)"),
    "a dictionary": ({"loss": 1}, "returned {'loss': 1} of type dict, must return (loss, gradient)"),
    "a generator": ((x for x in "ab"), "returned <generator object <genexpr>> of type generator, must return"),
    "loss by row": ((np.zeros(2), GRADIENT), "returned a loss of shape (2,), must be ()"),
    "gradient transposed": ((0.5, GRADIENT.T), "returned a gradient of shape (3, 2), must be (2, 3)"),
    "complex loss": ((1j, GRADIENT), "returned a loss of dtype complex128, must be a real floating-point number"),
    "text": (("loss", GRADIENT), "returned a loss of dtype <U4, must be a real floating-point number"),
    "objects": ((0.5, GRADIENT.astype(object)), "returned a gradient of dtype object, must be a real"),
    "ragged": ((0.5, [[1], [1, 2]]), "returned a gradient that is no array: a list of 2 (ValueError: setting an"),
    "no array": ((NoArray(), GRADIENT), "returned a loss that is no array: <repr raises RuntimeError> of type NoArray"),
}


@pytest.mark.parametrize("name", RAISED)
def test_exception_becomes_a_fault_that_names_it_on_one_line(name: str) -> None:
    function, fault = RAISED[name]
    line = raising.__code__.co_firstlineno + 2
    assert fault_of(function) == f"{fault} (test_call.py, line {line})"


def test_exception_of_a_library_names_the_line_that_called_it() -> None:
    def function(logits: Array, labels: Array) -> Any:
        return np.zeros((2, 3)).sum(axis=7), logits

    line = function.__code__.co_firstlineno + 1
    assert str(fault_of(function)).endswith(f" (test_call.py, line {line})")


def test_endless_recursion_becomes_a_fault() -> None:
    assert str(fault_of(recursive)).startswith("raised RecursionError: maximum recursion depth exceeded")


def test_exception_is_named_by_its_class() -> None:
    assert evaluate(Implementation("theirs", raising(ValueError("x"))), PROBLEM).raised == "ValueError"


def test_keyboard_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate(Implementation("theirs", raising(KeyboardInterrupt())), PROBLEM)


@pytest.mark.parametrize("name", RETURNED)
def test_anything_but_loss_and_gradient_becomes_a_fault_that_says_what_came_back(name: str) -> None:
    value, fault = RETURNED[name]
    given = evaluate(returning(value), PROBLEM)
    assert given.loss is None
    assert given.gradient is None
    assert str(given.fault).startswith(fault)


@pytest.mark.parametrize(
    "value",
    [(0.5, GRADIENT), Pair((0.5, GRADIENT)), [np.float32(0.5), GRADIENT.tolist()], (np.array(1), GRADIENT.astype(int))],
)
def test_pairs_of_numbers_are_taken_in_any_spelling(value: Any) -> None:
    given = evaluate(returning(value), PROBLEM)
    assert given.fault is None
    assert given.gradient is not None
    assert given.gradient.dtype.kind == "f"


def test_coroutine_becomes_a_fault_and_leaves_no_warning_behind() -> None:
    async def never(logits: Array, labels: Array) -> None: ...

    assert "must return (loss, gradient)" in str(fault_of(never))
    gc.collect()  # where it was not closed, Python warns here that it was never awaited


def test_dtypes_are_kept_as_returned() -> None:
    given = evaluate(returning((np.float16(1), GRADIENT.astype(np.float32))), PROBLEM)
    assert [a.dtype for a in (given.loss, given.gradient) if a is not None] == [np.float16, np.float32]


def test_reduction_none_asks_for_a_loss_for_each_row() -> None:
    rows = PROBLEM.replace(objective=Objective("none"))
    assert evaluate(returning((np.zeros(2), GRADIENT)), rows).fault is None
    assert evaluate(returning((0.5, GRADIENT)), rows).fault == "returned a loss of shape (), must be (2,)"


def talkative(logits: Array, labels: Array) -> Any:
    print("one\ntwo")
    print("three", file=sys.stderr)
    warnings.warn("careful", RuntimeWarning, stacklevel=1)
    return 0.5, np.zeros(logits.shape)


def test_what_is_printed_and_warned_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    noise = evaluate(Implementation("talkative", talkative), PROBLEM).noise
    assert noise == ("printed 'one'", "printed 'two'", "printed 'three'", "RuntimeWarning: careful")
    assert capsys.readouterr() == ("", "")


def test_warnings_of_numpy_are_kept_even_where_the_caller_ignores_them() -> None:
    overflowing = Implementation("theirs", lambda logits, labels: (np.exp(logits * 1e4).max(), logits))
    with np.errstate(all="ignore"):
        noise = evaluate(overflowing, PROBLEM).noise
    assert noise == ("RuntimeWarning: overflow encountered in exp",)


def closing(logits: Array, labels: Array) -> Any:
    sys.stdout.close()
    return 0.5, np.zeros(logits.shape)


def meddling(logits: Array, labels: Array) -> Any:
    np.seterr(all="raise")
    warnings.simplefilter("error")
    sys.stdout = sys.stderr
    return 0.5, np.zeros(logits.shape)


def test_closing_the_output_does_no_harm() -> None:
    assert fault_of(closing) is None
    assert not sys.stdout.closed


def test_state_of_numpy_warnings_and_output_is_restored() -> None:
    before = np.geterr(), list(warnings.filters), sys.stdout
    assert fault_of(meddling) is None
    assert (np.geterr(), list(warnings.filters), sys.stdout) == before


def overwriting(logits: Array, labels: Array) -> Any:
    logits[:] = np.nan
    labels[:] = 0
    return 0.5, np.zeros(logits.shape)


def test_problem_stays_as_it_is_when_the_arguments_are_overwritten() -> None:
    evaluate(Implementation("overwriting", overwriting), PROBLEM)
    assert PROBLEM.logits[1, 0] == 3
    assert PROBLEM.targets[0] == 1


def test_gradient_is_measured_against_the_shape_before_the_call() -> None:
    def shrinking(logits: Array, labels: Array) -> Any:
        gradient = np.zeros(logits.shape)
        logits.resize((0,), refcheck=False)
        return 0.5, gradient

    assert fault_of(shrinking) is None


def test_every_call_gets_arrays_of_its_own_that_can_be_written_to() -> None:
    implementation = Implementation("theirs", lambda logits, labels: None)
    first, second = (call_for(implementation, PROBLEM) for _ in range(2))
    assert first.logits.flags.writeable
    assert first.targets.flags.writeable
    assert not np.shares_memory(first.logits, second.logits)


def test_answer_is_remembered_and_cannot_be_written_to() -> None:
    calls = []

    def counting(logits: Array, labels: Array) -> Any:
        calls.append(1)
        return 0.5, np.zeros(logits.shape)

    implementation = Implementation("counting", counting)
    assert answer(implementation, PROBLEM) is answer(implementation, PROBLEM)
    assert len(calls) == 1
    gradient = answer(implementation, PROBLEM).gradient
    assert gradient is not None
    with pytest.raises(ValueError, match="read-only"):
        gradient[0, 0] = 1


def test_remembered_answer_is_no_view_of_a_buffer_that_is_used_again() -> None:
    buffer = np.zeros((2, 3))

    def reusing(logits: Array, labels: Array) -> Any:
        buffer[:] = logits
        return 0.5, buffer

    gradient = answer(Implementation("reusing", reusing), PROBLEM).gradient
    buffer[:] = -1
    np.testing.assert_array_equal(gradient, PROBLEM.logits)


def test_plain_objective_is_asked_for_without_keywords() -> None:
    assert keywords_for(Claims(), Objective(), np.dtype(np.float32)) == {}


def test_reduction_is_passed_on_where_several_are_claimed() -> None:
    several = Claims(reduction=("none", "sum"))
    assert keywords_for(several, Objective("sum"), np.dtype(np.float32)) == {"reduction": "sum"}


def test_options_are_passed_by_keyword_and_weights_in_the_dtype_of_the_logits() -> None:
    objective = Objective(label_smoothing=0.1, class_weights=(1.0, 2.0), ignore_index=-100)
    keywords = keywords_for(Claims(), objective, np.dtype(np.float32))
    weights = keywords.pop("class_weights")
    assert keywords == {"label_smoothing": 0.1, "ignore_index": -100}
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, [1, 2])


def test_performing_a_call_gives_value_or_error() -> None:
    call = Call(PROBLEM.logits, PROBLEM.targets, {})
    assert perform(lambda logits, labels: 7, call).value == 7
    error = perform(raising(ValueError()), call).error
    assert error is not None
    assert kind_of(error) == "ValueError"


@pytest.mark.parametrize(
    "function",
    [lambda logits, labels: 0, lambda *arguments: 0, lambda logits, labels, reduction="mean": 0, np.exp, print],
    ids=["two", "any", "keyword", "ufunc", "built-in"],
)
def test_function_of_logits_and_labels_has_no_fault_in_its_signature(function: Callable[..., Any]) -> None:
    assert signature_fault(function) is None


@pytest.mark.parametrize("function", [lambda: 0, lambda logits: 0, lambda logits, labels, weights: 0])
def test_signature_that_does_not_take_logits_and_labels_is_shown(function: Callable[..., Any]) -> None:
    assert str(signature_fault(function)).startswith("must be callable as (logits, labels); its signature is (")
