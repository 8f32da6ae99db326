"""What a function returns or takes that is of another kind than gradlab asks for, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from gradlab.evaluation.call import CallFaultError, Implementation, Outcome
from gradlab.evaluation.foreign import Described, describe, describe_error, pair_of
from gradlab.problems.objective import DERIVATIVES
from gradlab.problems.problem import Array, Problem

_TENSOR = re.compile(r"\bTensor\b")
_WANTS_TENSORS = re.compile(
    r"must be Tensor|'numpy\.ndarray' object has no attribute "
    r"'(device|dim|detach|float|gather|log_softmax|logsumexp|requires_grad|scatter|softmax|unsqueeze|view)'"
)
_JAX = re.compile(r"\b(ArrayImpl|JitTracer|Tracer)\b")


def advice_on(implementation: Implementation, problem: Problem, outcome: Outcome) -> str:
    """What is of another kind in one call, and what to do; "" where it is nothing of what is known."""
    if isinstance(outcome.error, CallFaultError):
        return ""
    target = implementation.target or "MODULE:FUNCTION"
    if outcome.error is not None:
        return _takes_tensors(target) if _WANTS_TENSORS.search(describe_error(outcome.error)) else ""
    pair = pair_of(outcome.value)
    if pair is None:
        return _advice_on_one(outcome.value, problem, target)
    return _advice_on_pair(pair[0], pair[1], implementation, problem)


def framework_in(text: str) -> str:
    """The framework, torch or jax, whose arrays a description of an error or of a result speaks of; "" for none."""
    if _WANTS_TENSORS.search(text) or _TENSOR.search(text):
        return "torch"
    return "jax" if _JAX.search(text) else ""


def _takes_tensors(target: str) -> str:
    return f"it takes torch tensors: a torch loss is checked as torch:{target}"


def _advice_on_one(value: object, problem: Problem, target: str) -> str:
    """Where no pair came back."""
    if isinstance(value, Described):
        for pattern, prefix in ((_TENSOR, "torch"), (_JAX, "jax")):
            if pattern.search(value.text):
                return f"it returns a {prefix} loss alone: it is checked as {prefix}:{target}"
        return f"it returns {_kind(value.text)}: it must return (loss, {_word(problem)})"
    if value is None:
        return f"it returns None: it must return (loss, {_word(problem)})"
    if isinstance(value, np.ndarray | np.generic | float | int) and np.shape(value) in ((), (problem.n_rows,)):
        return (
            f"it returns the loss alone: it must return (loss, {_word(problem)}); a gradient of its own goes with "
            "it as pair:FILE:loss,gradient"
        )
    if np.shape(np.asarray(value)) == problem.logits.shape:
        return f"it returns the {_word(problem)} alone: it must return (loss, {_word(problem)})"
    return f"it returns {_kind(describe(value))}: it must return (loss, {_word(problem)})"


def _advice_on_pair(loss: object, gradient: object, implementation: Implementation, problem: Problem) -> str:
    """Where a pair came back; "" where both are of the right kind."""
    word, rows, shape = _word(problem), (problem.n_rows,), problem.logits.shape
    texts = [one.text for one in (loss, gradient) if isinstance(one, Described)]
    if any(map(_TENSOR.search, texts)):
        target = implementation.target or "MODULE:FUNCTION"
        return f"it returns torch tensors: a torch loss is checked as torch:{target}, or return .detach().numpy()"
    if texts:
        return f"it returns {_kind(texts[0])}: loss and {word} must be numbers and arrays"
    shapes: dict[tuple[object, object], Callable[[], str]] = {
        (shape, ()): lambda: f"it returns ({word}, loss): it must return (loss, {word})",
        (shape, rows): lambda: f"it returns ({word}, loss): it must return (loss, {word})",
        (rows, shape): lambda: "it returns a loss for each row: claim reduction=none",
        ((), shape[::-1]): lambda: f"it returns the {word} with classes and rows the other way round",
        ((), shape): lambda: "it returns one loss for the batch: claim reduction=mean, or sum",
    }
    found = shapes.get((np.shape(_array(loss)), np.shape(_array(gradient))))
    is_right = np.shape(_array(loss)) == (rows if problem.objective.reduction == "none" else ())
    return "" if found is None or (is_right and np.shape(_array(gradient)) == shape) else found()


def _kind(text: str) -> str:
    """A description without what is another in each call: "a list of 3" is a list."""
    _, separator, name = text.rpartition(" of type ")
    return f"an object of type {name}" if separator else re.sub(r" of \d+$", "", text)


def _array(value: object) -> Array:
    return np.asarray(value)


def _word(problem: Problem) -> str:
    return DERIVATIVES[problem.objective.derivative]
