"""Contract: shapes, dtypes, memory, state and layout; what every caller relies on without thinking of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np

from gradlab.bounds import derivative_bound, first_order, loss_bound
from gradlab.checks.check import Bounds, Findings, agree, solve, values_of
from gradlab.checks.flushing import flushed
from gradlab.evaluation.bits import is_as_before
from gradlab.evaluation.call import (
    Answer,
    AnyAnswer,
    Call,
    CallFaultError,
    Implementation,
    answer,
    answer_to_call,
    asked_together,
    call_for,
    evaluate,
    perform,
)
from gradlab.evaluation.foreign import kind_of, pair_of
from gradlab.evaluation.layouts import INTEGERS, LAYOUTS, READ_ONLY, one_row_repeated
from gradlab.evaluation.shared_state import GENERATORS
from gradlab.problems.objective import DERIVATIVES
from gradlab.problems.problem import Array, Problem
from gradlab.result import Fact

SMALLEST = 4  # entries of a problem on which it is said what loading has changed


def returns_loss_and_gradient(implementation: Implementation, problem: Problem) -> Findings:
    """A call returns a loss of the reduction's shape and a gradient of the logits' shape."""
    fault = answer(implementation, problem).fault
    return [Fact("the call", fault or "returned a loss and a gradient", "", fault is None)]


def keeps_the_dtype(implementation: Implementation, problem: Problem) -> Findings:
    """Loss and gradient have the dtype of the logits; a Python float will do for the loss."""
    values_of(answer(implementation, problem), problem)
    pair = pair_of(perform(implementation.function, call_for(implementation, problem), implementation.capture).value)
    wanted = problem.logits.dtype.name
    findings: Findings = []
    for what, value in zip(("loss", DERIVATIVES[problem.objective.derivative]), pair or (), strict=False):
        is_float = what == "loss" and type(value) is float
        name = "a Python float" if is_float else np.asarray(value).dtype.name
        findings.append(Fact(f"the {what}", f"is {name}", wanted, is_float or name == wanted))
    return findings


def leaves_its_inputs_alone(implementation: Implementation, problem: Problem) -> Findings:
    """Logits, labels and weights hold the same bits after the call; or the logits the gradient, where claimed."""
    given, before = answer(implementation, problem), call_for(implementation, problem).arrays
    logits, gradient = given.written.get("logits"), given.gradient
    is_gradient = logits is not None and gradient is not None and np.array_equal(logits, gradient, equal_nan=True)
    excused = ("logits",) if implementation.claims.gradient_in_logits and is_gradient else ()
    return [
        _unchanged_fact(name, given.written.get(name, one), one) for name, one in before.items() if name not in excused
    ]


def outputs_share_no_memory(implementation: Implementation, problem: Problem) -> Findings:
    """The gradient is no view of the inputs, but of the logits where that is claimed; later calls do not change it."""
    call = call_for(implementation, problem)
    first = answer_to_call(implementation, call, problem.objective.reduction)
    before = values_of(first, problem)
    word = DERIVATIVES[problem.objective.derivative]
    shared = [name for name, a in _arrays(first, word).items() if _overlaps(a, name, implementation, call)]
    later_calls = [evaluate(implementation, other) for other in (problem.replace(logits=-problem.logits), problem)]
    kept = same_bits(values_of(first, problem), before)
    later = [array for one in later_calls for array in _arrays(one, word).values()]
    again = any(np.shares_memory(a, b) for a in _arrays(first, word).values() for b in later)
    inputs = f"share memory with an input: {' and '.join(shared)}" if shared else "share no memory with an input"
    found = "is changed" if not kept else "shares memory with the next" if again else "is what it was"
    return [
        Fact(f"loss and {word}", inputs, "memory of their own", not shared),
        Fact(f"the {word}, after another call,", found, "what it was", kept and not again),
    ]


def same_call_gives_same_bits(implementation: Implementation, problem: Problem) -> Findings:
    """The same call twice gives the same bits."""
    first = values_of(evaluate(implementation, problem), problem)
    second = values_of(evaluate(implementation, problem), problem)
    return [
        Fact("the same call again", f"gives {difference_of(first, second)}", "the same bits", same_bits(first, second))
    ]


def calls_leave_no_state(implementation: Implementation, problem: Problem) -> Findings:
    """Calls with other logits, labels and shapes in between do not change the answer."""
    first = values_of(evaluate(implementation, problem), problem)
    for other in (problem.replace(logits=-problem.logits), problem.rows(np.tile(np.arange(problem.n_rows), 2))):
        evaluate(implementation, other)
    second = values_of(evaluate(implementation, problem), problem)
    if implementation.claims.deterministic:
        text = f"gives {difference_of(first, second)}"
        return [Fact("the same call after others", text, "the same bits", same_bits(first, second))]
    return agree(second, first, _twice(implementation, problem), problem)


def layout_does_not_matter(implementation: Implementation, problem: Problem) -> Findings:
    """Fortran order, strides of all kinds, unaligned and read-only arrays, and int32 labels give the same values.

    Where the gradient is claimed to be written into the logits, none is read-only, or has one row for all.
    """
    writes = implementation.claims.gradient_in_logits
    spelled = [(problem, spell) for name, spell in LAYOUTS.items() if not (writes and name == READ_ONLY)]
    if not writes:
        alike = problem.replace(logits=np.repeat(problem.logits[:1], problem.n_rows, axis=0))
        spelled.append((alike, one_row_repeated))
    tasks = [partial(_same_in_layout, implementation, *one) for one in spelled]
    return [*chain.from_iterable(asked_together(implementation, tasks))]


def integer_type_of_the_labels_does_not_matter(implementation: Implementation, problem: Problem) -> Findings:
    """Labels in any integer type that can hold them and every class give the same values, or an exception."""
    largest = max(problem.n_classes - 1, int(problem.targets.max()))
    held = [name for name in INTEGERS if np.iinfo(name).min <= problem.targets.min() and largest <= np.iinfo(name).max]
    tasks = [partial(_same_in_integers, implementation, problem, name) for name in held]
    return [*chain.from_iterable(asked_together(implementation, tasks))]


def _same_in_integers(implementation: Implementation, problem: Problem, name: str) -> Findings:
    call = replace(call_for(implementation, problem), targets=problem.targets.astype(name))
    given = answer_to_call(implementation, call, problem.objective.reduction)
    if given.raised is not None:
        return []
    return agree(values_of(given, problem), solve(implementation, problem), _twice(implementation, problem), problem)


def byte_order_does_not_matter(implementation: Implementation, problem: Problem) -> Findings:
    """Logits in the other byte order give the same values."""
    return _same_in_layout(implementation, problem, lambda x: x.astype(x.dtype.newbyteorder()))


def is_quiet(implementation: Implementation, problem: Problem) -> Findings:
    """On finite logits nothing is printed and no warning is given."""
    noise = answer(implementation, problem).noise
    said = f"gave {'; '.join(noise[:2])}" if noise else "gave no output and no warning"
    return [Fact("the call", said, "no output and no warning", not noise)]


def leaves_the_process_as_it_was(implementation: Implementation, problem: Problem) -> Findings:
    """A call leaves rounding, NumPy and its settings, the folder, generators, environment and signals as they were.

    What is not claimed to be deterministic may draw from the global generators. What loading the implementation has
    changed is said on the smallest problems alone.
    """
    changed = held_changes(answer(implementation, problem), implementation)
    found: Findings = [Fact("after the call", "; ".join(changed) or "the process is as it was", "", not changed)]
    if implementation.changed and problem.logits.size <= SMALLEST:
        found.append(Fact("after it was loaded", "; ".join(implementation.changed), "", False))
    return found


def held_changes(given: AnyAnswer, implementation: Implementation) -> list[str]:
    """What a call left changed, but for what its claims excuse."""
    excused = () if implementation.claims.deterministic else GENERATORS
    return [said for said in given.changed if not any(name in said for name in excused)]


def refuses_bad_labels(implementation: Implementation, problem: Problem) -> Findings:
    """A label outside [0, K), or one that is no integer, raises an exception."""
    n_classes, ignored = problem.n_classes, problem.objective.ignore_index
    wrong = dict[str, Array]()
    for label in (-1, n_classes, n_classes + 1000):
        if label != ignored:
            wrong[f"label {label}"] = labels = problem.targets.copy()
            labels[0] = label
    wrong["label 0.5 above an integer"] = problem.targets + 0.5
    tasks = [partial(_refuses, implementation, problem, fault, targets=one) for fault, one in wrong.items()]
    return [*asked_together(implementation, tasks)]


def refuses_bad_shapes(implementation: Implementation, problem: Problem) -> Findings:
    """Labels of another length, or logits without rows and classes, raise an exception."""
    longer = np.concatenate([problem.targets, problem.targets[:1]])
    rows = "1 row" if problem.n_rows == 1 else f"{problem.n_rows} rows"
    wrong: dict[str, dict[str, Array]] = {
        f"an array of labels of shape {longer.shape} for {rows}": {"targets": longer},
        f"an array of logits of shape {problem.logits.shape[:1]}": {"logits": problem.logits[:, 0].copy()},
    }
    if problem.n_rows > 1:
        wrong[f"an array of labels of shape (1,) for {rows}"] = {"targets": problem.targets[:1].copy()}
    tasks = [partial(_refuses, implementation, problem, name, **arrays) for name, arrays in wrong.items()]
    return [*asked_together(implementation, tasks)]


def empty_batch_is_answered(implementation: Implementation, problem: Problem) -> Findings:
    """No rows: gradient of shape (0, K); the mean loss is NaN, the sum 0, the rows' losses none."""
    given = answer(implementation, problem)
    if given.loss is None:
        return [
            Fact(
                "the call with no rows",
                str(given.fault),
                f"a {DERIVATIVES[problem.objective.derivative]} of no rows",
                False,
            )
        ]
    loss, _ = values_of(given, problem)
    wanted = {"mean": "nan", "sum": "0.0", "none": "[]"}[problem.objective.reduction]
    return [Fact("the loss of no rows", f"is {loss.tolist()}", wanted, str(loss.tolist()) == wanted)]


def _same_in_layout(implementation: Implementation, problem: Problem, spell: Callable[[Array], Array]) -> Findings:
    call = call_for(implementation, problem)
    other = replace(call, logits=spell(problem.logits.copy()), targets=_spelled_labels(problem, spell))
    if problem.vector is not None:
        other = replace(other, keywords={**call.keywords, "vector": spell(problem.vector)})
    seen = values_of(answer_to_call(implementation, other, problem.objective.reduction), problem)
    return agree(seen, solve(implementation, problem), _twice(implementation, problem), problem)


def _spelled_labels(problem: Problem, spell: Callable[[Array], Array]) -> Array:
    if problem.objective.targets == "probability":
        return spell(problem.targets.copy())
    return spell(problem.targets.astype(np.int32))


def _refuses(implementation: Implementation, problem: Problem, fault: str, **arrays: Array) -> Fact:
    """Whether a call raises an exception; arrays: the logits or targets with the fault."""
    own = call_for(implementation, problem)
    call = Call(arrays.get("logits", own.logits), arrays.get("targets", own.targets), own.keywords)
    outcome = perform(implementation.function, call, implementation.capture)
    if isinstance(outcome.error, CallFaultError):
        return Fact(fault, f"{outcome.error}", "refused by an exception", False)
    seen = "is accepted without an error" if outcome.error is None else f"raises {kind_of(outcome.error)}"
    return Fact(fault, seen, "refused by an exception", outcome.error is not None)


def _twice(implementation: Implementation, problem: Problem) -> Bounds:
    own, more = derivative_bound(problem), flushed(implementation, problem, problem)
    derivative = first_order.both(own, own)
    return Bounds(2 * loss_bound(problem).error + more, derivative.error + more, derivative.source)


def _arrays(given: Answer, word: str) -> dict[str, Array]:
    return {name: a for name, a in (("loss", given.loss), (word, given.gradient)) if a is not None}


def _overlaps(array: Array, name: str, implementation: Implementation, call: Call) -> bool:
    may_be_logits = name == "gradient" and implementation.claims.gradient_in_logits
    in_logits = not may_be_logits and np.shares_memory(array, call.logits)
    others = [call.targets, *(value for value in call.keywords.values() if isinstance(value, np.ndarray))]
    return bool(in_logits or any(np.shares_memory(array, other) for other in others))


def _unchanged_fact(name: str, after: Array, before: Array) -> Fact:
    if after.shape != before.shape:
        return Fact(f"the {name}", f"have another shape after the call, {after.shape}", "what they were", False)
    same = is_as_before(after, before)
    count = f"{int((after != before).sum())} of {before.size} entries"
    seen = "are what they were" if same else f"have been changed by the call in {count}"
    return Fact(f"the {name}", seen, "what they were", same)


def same_bits(first: Sequence[Array], second: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def difference_of(first: Sequence[Array], second: Sequence[Array]) -> str:
    if same_bits(first, second):
        return "the same bits"
    largest = max(float(np.nanmax(np.abs(a - b), initial=0.0)) for a, b in zip(first, second, strict=True))
    return f"a difference of {largest:.3g}"
