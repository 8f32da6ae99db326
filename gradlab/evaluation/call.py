"""Calling an implementation: whatever it does, an answer comes back."""

from __future__ import annotations

import contextlib
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradlab.evaluation.capture import IN_PROCESS, Capture, Printed
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.process_state import watch_process
from gradlab.evaluation.user_frame import place_of
from gradlab.problems.caching import remember
from gradlab.problems.objective import DERIVATIVES, Objective, derivative_shape
from gradlab.problems.problem import Array, Problem


@dataclass(frozen=True, eq=False)
class Implementation:
    """A callable under test and what it claims.

    name: how it is called in reports. target: how it can be loaded again, such as "package.module:callable".
    function: takes (logits, targets) and the keywords that it claims; returns (loss, the derivative claimed).
    capture: under what its calls are made; a worker has its own.
    """

    name: str
    function: Callable[..., Any]
    claims: Claims = field(default_factory=Claims)
    target: str = ""
    capture: Capture = IN_PROCESS


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back from one call.

    loss: shape () or (N,); gradient: shape (N, K), or the derivative that is claimed instead, in its shape; each as
    returned, as an array. Both None if there is a fault.
    fault: why there is no loss and gradient of the right kind, or None.
    raised: the name of the exception's class, or None.
    noise: what it printed and warned, line by line. changed: what it left changed in the process, in a few words each.
    """

    loss: Array | None
    gradient: Array | None
    fault: str | None = None
    raised: str | None = None
    noise: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Call:
    """The arguments of one call, to be handed over as they are."""

    logits: Any
    targets: Any
    keywords: Mapping[str, Any]


def signature_fault(function: Callable[..., Any], keywords: Iterable[str] = ()) -> str | None:
    """Why `function` cannot be called as (logits, labels), or None if it can or if nothing is known.

    keywords: what is also passed in every call.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(None, None, **dict.fromkeys(keywords))
    except TypeError as error:
        shown = ", ".join(["logits", "labels", *(f"{name}=..." for name in keywords)])
        return f"must be callable as ({shown}); its signature is {signature}: {error}"
    return None


def keywords_for(claims: Claims, objective: Objective, dtype: np.dtype[Any]) -> dict[str, Any]:
    """The keyword arguments by which `objective` is asked for; weights become an array in `dtype`.

    Where it is no mean of which rules make a difference, and its rule is not claimed, the first one that is stands.
    """
    keywords: dict[str, Any] = dict(objective.options)
    arrays = ["class_weights"] if objective.class_weights is not None else []
    for name in (*arrays, *objective.per_row_options):
        keywords[name] = np.array(keywords[name]).astype(dtype)
    if len(claims.mean_over) > 1:
        known = objective.mean_over in claims.mean_over
        keywords["mean_over"] = objective.mean_over if known else claims.mean_over[0]
    if len(claims.reduction) > 1:
        keywords["reduction"] = objective.reduction
    return keywords


def keywords_of(claims: Claims, problem: Problem) -> dict[str, Any]:
    """All keyword arguments by which a problem is asked: those of its objective, and its vector where it has one."""
    keywords = keywords_for(claims, problem.objective, problem.logits.dtype)
    return keywords if problem.vector is None else {**keywords, "vector": problem.vector.copy()}


def call_for(implementation: Implementation, problem: Problem) -> Call:
    """A call with fresh, writable, contiguous copies of the problem's arrays."""
    return Call(problem.logits.copy(), problem.targets.copy(), keywords_of(implementation.claims, problem))


def evaluate(implementation: Implementation, problem: Problem) -> Answer:
    """The answer to one problem, from a fresh call."""
    return answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction)


@remember(512)
def answer(implementation: Implementation, problem: Problem) -> Answer:
    """The answer to one problem, remembered; its arrays are copies, and read-only."""
    fresh = evaluate(implementation, problem)
    if fresh.loss is None or fresh.gradient is None:
        return fresh
    loss, gradient = fresh.loss.copy(), fresh.gradient.copy()
    loss.flags.writeable = False
    gradient.flags.writeable = False
    return replace(fresh, loss=loss, gradient=gradient)


def answer_to_call(implementation: Implementation, call: Call, reduction: str) -> Answer:
    """The answer from a call with arrays of the caller's choice: another layout, a larger batch."""
    shape = call.logits.shape  # before the call, which may change it
    outcome = perform(implementation.function, call, implementation.capture)
    return _answer(outcome, shape, reduction, implementation.claims.derivative)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one call did, before it is judged: the value returned, the exception; noise and changed as in `Answer`."""

    value: Any = None
    error: BaseException | None = None
    noise: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class CallFaultError(Exception):
    """Why a call is not made any more: what it did to its process when it was made, such as ending it."""


current_purpose: ContextVar[str] = ContextVar("purpose", default="")  # of calls; "": for the answer itself


@contextlib.contextmanager
def made_for(purpose: str) -> Iterator[None]:
    """States what the calls inside are made for, such as the name of a check; what is stated outside counts."""
    token = current_purpose.set(current_purpose.get() or purpose)
    try:
        yield
    finally:
        current_purpose.reset(token)


def perform(function: Callable[..., Any], call: Call, capture: Capture = IN_PROCESS) -> Outcome:
    """What the call did. Exceptions, SystemExit too, are caught; only KeyboardInterrupt passes.

    What is printed through sys.stdout and sys.stderr, and every warning, is kept. NumPy's error state is the one that
    it starts with, and is restored; what else is changed in the process is told, and put back where that is possible.
    """
    value, error = None, None
    printed = Printed(capture.spill)
    with (
        np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"),  # as NumPy starts up
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("always")
        changes = watch_process(capture.watches)
        try:
            value = function(call.logits, call.targets, **call.keywords)
        except KeyboardInterrupt:
            raise
        except BaseException as problem_of_theirs:
            error = problem_of_theirs
        changed = changes()
    text = "" if printed.closed else printed.getvalue()
    noise = [f"printed {line!r}" for line in text.splitlines()]
    noise += [f"{w.category.__name__}: {_on_one_line(str, w.message)}" for w in caught]
    return Outcome(value, error, tuple(noise), changed)


def describe_error(error: BaseException) -> str:
    """The class of an exception, its message, and the line of foreign code where it was raised; on one line."""
    text = _on_one_line(str, error)
    return (f"{type(error).__name__}: {text}" if text else type(error).__name__) + place_of(error)


def array_of(value: Any, name: str) -> tuple[Array | None, str | None]:
    """Something that an implementation returned as an array, or why it is none; name: what it is."""
    try:
        return np.asarray(value), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, f"returned a {name} that is no array: {_describe(value)} ({describe_error(error)})"


def _answer(outcome: Outcome, shape: tuple[int, ...], reduction: str, derivative: str) -> Answer:
    """The answer of a call with logits of this shape."""
    word = DERIVATIVES[derivative]
    if isinstance(outcome.error, CallFaultError):
        return _faulty(str(outcome.error), outcome)
    if outcome.error is not None:
        kind = type(outcome.error).__name__
        return Answer(None, None, f"raised {describe_error(outcome.error)}", kind, outcome.noise, outcome.changed)
    pair = pair_of(outcome.value)
    if pair is None:
        return _faulty(f"returned {_describe(outcome.value)}, must return (loss, {word})", outcome)
    loss, fault = _real_array(pair[0], "loss", shape[:1] if reduction == "none" else ())
    if fault is None:
        gradient, fault = _real_array(pair[1], word, derivative_shape(derivative, shape))
    if fault is not None:
        return _faulty(fault, outcome)
    return Answer(loss, gradient, None, None, outcome.noise, outcome.changed)


def pair_of(value: Any) -> tuple[Any, Any] | None:
    """The loss and the gradient in what was returned, or None if it is no tuple or list of two."""
    if not isinstance(value, tuple | list):
        return None
    parts = (
        list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
    )  # what a subclass says is not asked
    pair = tuple(parts)
    return (pair[0], pair[1]) if len(pair) == 2 else None


def _faulty(fault: str, outcome: Outcome) -> Answer:
    if inspect.iscoroutine(outcome.value):
        outcome.value.close()  # or Python warns that it was never awaited, whenever it is collected
    return Answer(None, None, fault, None, outcome.noise, outcome.changed)


def _real_array(value: Any, name: str, shape: tuple[int, ...]) -> tuple[Array | None, str | None]:
    array, fault = array_of(value, name)
    if array is None:
        return None, fault
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        return None, f"returned a {name} of dtype {array.dtype}, must be a real floating-point number"
    if array.shape != shape:
        return None, f"returned a {name} of shape {array.shape}, must be {shape}"
    return array, None


def _describe(value: Any) -> str:
    if isinstance(value, tuple | list):
        size = list.__len__(value) if isinstance(value, list) else tuple.__len__(value)
        return f"a {type(value).__name__} of {size}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = re.sub(r" at 0x[0-9a-f]+", "", _on_one_line(repr, value))  # an address is another one in every run
    return f"{text:.60} of type {type(value).__name__}" if value is not None else "None"


def _on_one_line(spell: Callable[[Any], str], value: Any) -> str:
    """str or repr of something foreign, on one line; what is wrong with it where even that raises."""
    try:
        return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in " ".join(spell(value).split()))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{spell.__name__} raises {type(error).__name__}>"
