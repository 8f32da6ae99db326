"""Calling an implementation: whatever it does, an answer comes back."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from gradlab.evaluation.bits import is_as_before
from gradlab.evaluation.capture import IN_PROCESS, Capture, Elsewhere, Printed
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import ForeignError, array_of, describe, describe_error, inert, kind_of, pair_of
from gradlab.evaluation.keywords import keywords_of
from gradlab.evaluation.process_state import watch_process
from gradlab.evaluation.text import on_one_line, one_line
from gradlab.evaluation.together import done_together
from gradlab.problems.caching import remember
from gradlab.problems.objective import DERIVATIVES, derivative_shape
from gradlab.problems.problem import Array, Problem

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Implementation:
    """A callable under test and what it claims.

    name: how it is called in reports. target: how it can be loaded again, such as "package.module:callable".
    function: takes (logits, targets) and the keywords that it claims; returns (loss, the derivative claimed).
    capture: under what its calls are made; a worker has its own. changed: what loading it has changed in the process,
    in a few words each.
    """

    name: str
    function: Callable[..., Any]
    claims: Claims = field(default_factory=Claims)
    target: str = ""
    capture: Capture = IN_PROCESS
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back from one call.

    loss: shape () or (N,); gradient: shape (N, K), or the derivative that is claimed instead, in its shape; each as
    returned, as an array. Both None if there is a fault.
    fault: why there is no loss and gradient of the right kind, or None.
    raised: the name of the exception's class, or None.
    noise: what it printed and warned, line by line. changed: what it left changed in the process, in a few words each.
    written: where that was looked at, the arguments that the call has changed, by name, as they were after it.
    """

    loss: Array | None
    gradient: Array | None
    fault: str | None = None
    raised: str | None = None
    noise: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    written: Mapping[str, Array] = field(default_factory=dict)


class AnyAnswer(Protocol):
    """What an answer of every scope has: why there is none, or None, and what else the call did; as in `Answer`."""

    @property
    def fault(self) -> str | None: ...

    @property
    def raised(self) -> str | None: ...

    @property
    def noise(self) -> tuple[str, ...]: ...

    @property
    def changed(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, eq=False)
class Call:
    """The arguments of one call, to be handed over as they are."""

    logits: Any
    targets: Any
    keywords: Mapping[str, Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What is handed over in order."""
        return self.logits, self.targets

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays that are handed over, by what they are."""
        keywords = {name.replace("_", " "): one for name, one in self.keywords.items() if isinstance(one, np.ndarray)}
        return {"logits": self.logits, "labels": self.targets, **keywords}


@dataclass(frozen=True, eq=False)
class GivenArguments:
    """What a function was called with, as it is."""

    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]


class Arguments(Protocol):
    """What a function is called with."""

    @property
    def arguments(self) -> tuple[Any, ...]: ...

    @property
    def keywords(self) -> Mapping[str, Any]: ...


def call_for(implementation: Implementation, problem: Problem) -> Call:
    """A call with fresh, writable, contiguous copies of the problem's arrays."""
    return Call(problem.logits.copy(), problem.targets.copy(), keywords_of(implementation.claims, problem))


def evaluate(implementation: Implementation, problem: Problem) -> Answer:
    """The answer to one problem, from a fresh call."""
    return answer_to_call(implementation, call_for(implementation, problem), problem.objective.reduction)


@remember(512)
def answer(implementation: Implementation, problem: Problem) -> Answer:
    """The answer to one problem, remembered; its arrays are copies, and read-only."""
    call = call_for(implementation, problem)
    fresh = answer_to_call(implementation, call, problem.objective.reduction)
    fresh = with_writes(fresh, call, call_for(implementation, problem))
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


def with_writes(given: Answer, call: Call, untouched: Call) -> Answer:
    """The answer from a call, with the arguments that it has changed; untouched: the same call, which was not made."""
    before = untouched.arrays
    written = {name: one for name, one in call.arrays.items() if not is_as_before(one, before[name])}
    return replace(given, written=written) if written else given


def asked_together(implementation: Implementation, tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What tasks return that call the implementation, in their order.

    Where another process makes the calls, all are asked for before the first answer is read: neither has to wait.
    """
    return [task() for task in tasks] if implementation.capture.elsewhere is None else done_together(tasks)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one call did, before it is judged: the value returned, the exception; noise and changed as in `Answer`."""

    value: Any = None
    error: CallFaultError | ForeignError | None = None
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


def settle(function: Callable[..., Any], call: Arguments, keep: Callable[[Any], Any] = inert) -> Any:
    """What a call returns, with nothing in it that runs foreign code later; what it leaves behind is destroyed here.

    keep: makes plain data of what is returned.

    Raises ForeignError for what it raises, but CallFaultError and KeyboardInterrupt as they are.
    """
    try:
        return keep(function(*call.arguments, **call.keywords))
    except (CallFaultError, ForeignError, KeyboardInterrupt):
        raise
    except BaseException as error:
        known = ForeignError(kind_of(error), describe_error(error))
    raise known  # not while the other is handled: that would keep it, and all that it refers to


def perform(
    function: Callable[..., Any],
    call: Arguments,
    capture: Capture = IN_PROCESS,
    keep: Callable[[Any], Any] = inert,
) -> Outcome:
    """What the call did. Exceptions, SystemExit too, are caught; only KeyboardInterrupt passes.

    What is printed through sys.stdout and sys.stderr, and every warning, is kept. NumPy's error state is the one that
    it starts with, and is restored; what else is changed in the process is told, and put back where that is possible.
    """
    if capture.elsewhere is not None:
        return _perform_elsewhere(function, call, capture.elsewhere, keep)
    value: Any = None
    error: CallFaultError | ForeignError | None = None
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
            value = settle(function, call, keep)
        except (CallFaultError, ForeignError) as problem_of_theirs:
            error = problem_of_theirs
        changed = changes()
    text = "" if printed.closed else printed.getvalue()
    noise = [f"printed {one_line(line)!r}" for line in text.splitlines()]
    noise += [f"{w.category.__name__}: {on_one_line(str, w.message)}" for w in caught]
    return Outcome(value, error, tuple(noise), changed)


def _perform_elsewhere(
    function: Callable[..., Any], call: Arguments, elsewhere: Elsewhere, keep: Callable[[Any], Any]
) -> Outcome:
    """The same of a call that is made in another process, and performed there: no foreign code runs here."""
    value: Any = None
    error: CallFaultError | ForeignError | None = None
    with elsewhere.listening() as said:
        try:
            value = settle(function, call, keep)
        except (CallFaultError, ForeignError) as problem_of_theirs:
            error = problem_of_theirs
    return Outcome(value, error, tuple(said.noise), tuple(said.changed))


def _answer(outcome: Outcome, shape: tuple[int, ...], reduction: str, derivative: str) -> Answer:
    """The answer of a call with logits of this shape."""
    word = DERIVATIVES[derivative]
    if isinstance(outcome.error, CallFaultError):
        return _faulty(str(outcome.error), outcome)
    if outcome.error is not None:
        raised, kind = describe_error(outcome.error), kind_of(outcome.error)
        return Answer(None, None, f"raised {raised}", kind, outcome.noise, outcome.changed)
    pair = pair_of(outcome.value)
    if pair is None:
        return _faulty(f"returned {describe(outcome.value)}, must return (loss, {word})", outcome)
    loss, fault = real_array(pair[0], "loss", shape[:1] if reduction == "none" else ())
    if fault is None:
        gradient, fault = real_array(pair[1], word, derivative_shape(derivative, shape))
    if fault is not None:
        return _faulty(fault, outcome)
    return Answer(loss, gradient, None, None, outcome.noise, outcome.changed)


def _faulty(fault: str, outcome: Outcome) -> Answer:
    return Answer(None, None, fault, None, outcome.noise, outcome.changed)


def real_array(value: Any, name: str, shape: tuple[int, ...]) -> tuple[Array | None, str | None]:
    """Something returned as an array of real numbers of this shape, or why it is none; name: what it is."""
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
