"""The contract of a layer: what it returns, memory, state and layout."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.checks.check import Findings
from gradlab.checks.contract import difference_of, held_changes, same_bits
from gradlab.checks.layer.outputs import Outputs, agree_in, bounds_of, in_float64, outputs_of
from gradlab.evaluation.bits import is_as_before
from gradlab.evaluation.call import CallFaultError, Implementation, perform
from gradlab.evaluation.foreign import kind_of, leaves_of
from gradlab.evaluation.layouts import LAYOUTS
from gradlab.layer.call import answer_to_layer_call, evaluate_layer, layer_answer, layer_call_for
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.problems.problem import Array
from gradlab.result import Fact

SMALLEST = 8  # numbers of a problem on which it is said what loading has changed
NAMES = {"X": "features", "W": "weight", "b": "bias", "targets": "targets"}


def returns_what_is_claimed(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A call returns all that is claimed of loss, dX, dW and db, each in its shape."""
    fault = layer_answer(implementation, problem).fault
    return [Fact("the call", fault or "returned what is claimed", "", fault is None)]


def leaves_features_weight_and_bias_alone(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Features, weight, bias and targets hold the same bits after the call."""
    call = layer_call_for(implementation, problem)
    before = {name: array.copy() for name, array in call.arrays.items()}
    in_float64(answer_to_layer_call(implementation, call, problem), problem)
    return [_unchanged(name, call.arrays[name], array) for name, array in before.items()]


def a_layer_leaves_the_process_as_it_was(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A call leaves rounding, NumPy and its settings, generators, environment and signals as they were."""
    changed = held_changes(layer_answer(implementation, problem), implementation)
    found: Findings = [Fact("after the call", "; ".join(changed) or "the process is as it was", "", not changed)]
    if implementation.changed and problem.features.size + problem.weight.size <= SMALLEST:
        found.append(Fact("after it was loaded", "; ".join(implementation.changed), "", False))
    return found


def outputs_of_a_layer_share_no_memory(implementation: Implementation, problem: LayerProblem) -> Findings:
    """No output is a view of an input, and later calls do not change it."""
    call = layer_call_for(implementation, problem)
    first = answer_to_layer_call(implementation, call, problem)
    before = in_float64(first, problem)
    shared = [
        f"{name} with the {NAMES[other]}"
        for name, array in first.outputs.items()
        for other, given in call.arrays.items()
        if np.shares_memory(array, given)
    ]
    evaluate_layer(implementation, problem.replace(features=-problem.features))
    kept = _same(in_float64(first, problem), before)
    found = "are what they were" if kept else "are changed"
    return [
        Fact(
            "the outputs",
            f"share memory: {', '.join(shared)}" if shared else "share none",
            "memory of their own",
            not shared,
        ),
        Fact("the outputs, after another call,", found, "what they were", kept),
    ]


def same_call_of_a_layer_gives_same_bits(implementation: Implementation, problem: LayerProblem) -> Findings:
    """The same call twice gives the same bits."""
    first, second = (in_float64(evaluate_layer(implementation, problem), problem) for _ in range(2))
    return [Fact("the same call again", f"gives {_difference(first, second)}", "the same bits", _same(first, second))]


def calls_of_a_layer_leave_no_state(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Calls with other features, weights and shapes in between do not change the answer."""
    first = in_float64(evaluate_layer(implementation, problem), problem)
    twice = problem.rows(np.tile(np.arange(problem.n_rows), 2))
    for other in (problem.replace(features=-problem.features), twice, problem.replace(weight=-problem.weight)):
        evaluate_layer(implementation, other)
    second = in_float64(evaluate_layer(implementation, problem), problem)
    if implementation.claims.deterministic:
        said = f"gives {_difference(first, second)}"
        return [Fact("the same call after others", said, "the same bits", _same(first, second))]
    return agree_in(OUTPUTS, second, first, _twice(implementation, problem))


def layout_of_the_arrays_does_not_matter(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Fortran order, strides of all kinds, unaligned and read-only arrays give the same values."""
    findings: Findings = []
    plain, limits = outputs_of(implementation, problem), _twice(implementation, problem)
    for spell in LAYOUTS.values():
        call = layer_call_for(implementation, problem, spell=spell)
        seen = in_float64(answer_to_layer_call(implementation, call, problem), problem)
        findings += agree_in(OUTPUTS, seen, plain, limits)
    return findings


def refuses_labels_outside_the_classes(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A label outside [0, K) raises an exception."""
    findings: Findings = []
    for label in (-1, problem.n_classes, problem.n_classes + 1000):
        if label != problem.objective.ignore_index:
            labels = problem.targets.copy()
            labels[0] = label
            call = layer_call_for(implementation, problem, {"targets": labels})
            error = perform(implementation.function, call, implementation.capture, leaves_of).error
            seen = "is accepted without an error" if error is None else f"raises {kind_of(error)}"
            crashed = isinstance(error, CallFaultError)
            said = f"{error}" if crashed else seen
            findings.append(Fact(f"label {label}", said, "refused by an exception", error is not None and not crashed))
    return findings


def a_label_outside_reaches_no_other_row(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A label outside [0, K) is refused, or leaves the gradients of all other rows as they are: dX, and dW where its
    own features are 0. It may take its row out of the mean; a NaN is no number of another row.
    """
    features = problem.features.copy()
    features[0] = 0
    own = problem.replace(features=features, penalty=Penalty())
    valid = _keeps_others(implementation, own, int(own.targets[0] + 1) % own.n_classes)
    if not all(valid.values()):
        return []  # another label within the range does so, too: that is for other checks
    return [
        Fact(
            f"{name} of the other rows, label {label} in the first row,",
            "is what it is without" if same else "has changed beyond the first row's share",
            "as it is",
            same,
        )
        for label in (-1, own.n_classes, own.n_classes + 1)
        for name, same in _keeps_others(implementation, own, label).items()
    ]


def _keeps_others(implementation: Implementation, problem: LayerProblem, label: int) -> Mapping[str, bool]:
    """Whether dX and dW, by name, are those of the other rows still, with this label in a first row of zeros."""
    plain, limits = outputs_of(implementation, problem), _twice(implementation, problem)
    labels = problem.targets.copy()
    labels[0] = label
    call = layer_call_for(implementation, problem, {"targets": labels})
    given = answer_to_layer_call(implementation, call, problem)
    if given.fault is not None:
        return {}
    own = {"dX": 1, "dW": 0}  # how many rows of it are those of the first row
    return {
        name: _is_of_the_others(
            given.outputs[name].astype(np.float64)[skipped:], plain[name][skipped:], limits[name][skipped:], len(labels)
        )
        for name, skipped in own.items()
        if name in plain
    }


def _is_of_the_others(seen: Array, plain: Array, limit: Array, n_rows: int) -> bool:
    """Whether a gradient is what it is with the first row in the mean, or without it; where it is a number."""
    number = np.isfinite(seen)
    return any(
        bool((np.abs(seen - factor * plain) <= factor * limit)[number].all()) for factor in (1.0, n_rows / (n_rows - 1))
    )


def _twice(implementation: Implementation, problem: LayerProblem) -> Mapping[str, Array]:
    bounds = bounds_of(implementation, problem)
    return {name: 2 * bounds.output(name).error for name in OUTPUTS}


def _unchanged(name: str, after: Array, before: Array) -> Fact:
    same = is_as_before(after, before)
    count = int((after != before).sum()) if after.shape == before.shape else before.size
    seen = "are what they were" if same else f"have been changed by the call in {count} of {before.size} entries"
    return Fact(f"the {NAMES[name]}", seen, "what they were", same)


def _same(first: Outputs, second: Outputs) -> bool:
    return same_bits(list(first.values()), list(second.values()))


def _difference(first: Outputs, second: Outputs) -> str:
    return difference_of(list(first.values()), list(second.values()))
