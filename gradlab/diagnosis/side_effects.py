"""What an implementation does besides returning values: to its arguments, its results and the next call.

Each probe looks into one failed check of the contract and names the defect if it sees it at work; None if it does not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradlab.bounds import first_order
from gradlab.diagnosis.probe import LABELS, LOGITS, Probe, Side
from gradlab.evaluation.call import answer_to_call, call_for, perform
from gradlab.evaluation.foreign import pair_of
from gradlab.evaluation.shared_state import NUMPY_GENERATOR, STATE_OF
from gradlab.problems.families.options import one_hot
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

LARGE = 3000  # entries of a result that is large
UPSTREAM, ONCE = -2.0, "once"  # a power of two: products are exact
SOON = 0.05  # seconds after a call, in which what a call has left running may still write


def shifted_in_place(side: Side) -> str | None:
    after = _after_a_call(side)
    before = side.problem.logits
    shifted = before - before.max(axis=1, keepdims=True)
    return "logits_shifted_in_place" if np.array_equal(after, shifted) else None


def gradient_in_place(side: Side) -> str | None:
    call = call_for(side.implementation, side.problem)
    given = answer_to_call(side.implementation, call, side.problem.objective.reduction)
    same = given.gradient is not None and np.array_equal(call.logits, given.gradient)
    return "gradient_over_logits" if same and not np.array_equal(call.logits, side.problem.logits) else None


def overwritten_later(side: Side) -> str | None:
    first = side.answer(side.problem)
    if first.gradient is None:
        return None
    before = first.gradient.copy()
    time.sleep(SOON)
    if not np.array_equal(before, first.gradient, equal_nan=True):
        return None  # it changes without another call, as where a thread still writes to it
    other = side.like(-side.problem.logits)
    second = side.answer(other)
    changed = not np.array_equal(before, first.gradient, equal_nan=True)
    shared = second.gradient is not None and np.shares_memory(first.gradient, second.gradient)
    if shared and not changed and not side.is_right(other):
        return None  # an earlier answer is given again, which no call overwrites
    return "buffer_returned" if changed or shared else None


def warnings_off(side: Side) -> str | None:
    """NumPy's error state is another one after a call."""
    return "warnings_turned_off" if any("np.seterr" in said for said in side.answer(side.problem).changed) else None


def kept_and_returned(side: Side) -> str | None:
    """The same call gets the same array."""
    first, again = side.answer(side.problem).gradient, side.answer(side.problem).gradient
    same = first is not None and again is not None and np.shares_memory(first, again)
    return "answer_kept" if same and overwritten_later(side) is None else None


def read_as_64_bits(side: Side) -> str | None:
    """Labels of 32 bits are answered as the 64-bit numbers that two of them make."""
    x, own = side.problem.logits, side.problem.targets
    if own.ndim != 1:
        return None
    narrow = own.astype(np.int32)
    raw = np.frombuffer(narrow.tobytes().ljust(8 * own.size, b"\0"), dtype=np.int64)[: own.size]
    answers = [side.answers(x.copy(), labels).gradient for labels in (narrow, raw % x.shape[1], own.copy())]
    return "labels_read_as_64_bits" if _as_read(answers) else None


def remembered_by_shape(side: Side) -> str | None:
    """Another call with the same shape and labels gets the gradient of the first, and one of another shape does not."""
    rng = np.random.default_rng(0)
    n_classes = 6 + len(LOGITS[0])  # met in no other problem
    targets = side.problem.targets
    if targets.ndim == 2:
        targets = np.pad(targets, ((0, 0), (0, n_classes - targets.shape[1])))
    found = []
    for n_rows in (len(LABELS), len(LABELS), len(LABELS) + 1):
        logits = rng.normal(size=(n_rows, n_classes)).astype(side.problem.logits.dtype)
        found.append(side.answers(logits, targets[np.arange(n_rows) % len(LABELS)]).gradient)
    first, second, other = found
    if first is None or second is None or other is None or not np.array_equal(first, second):
        return None
    with np.errstate(all="ignore"):  # where every gradient is 0
        own, others = (x.astype(np.float64) / np.abs(x).max() for x in (first, other[: len(first)]))
    near = 8 * side.problem.format.unit_roundoff
    return None if np.allclose(own, others, rtol=near, atol=near, equal_nan=True) else "softmax_remembered"


def order_of_a_sum(side: Side) -> str | None:
    """The same call differs by no more than rounding."""
    rng = np.random.default_rng(0)
    wide = Problem(
        rng.normal(size=(4, 50)).astype(side.problem.logits.dtype),
        rng.integers(0, 50, 4),
        Objective(reduction=side.problem.objective.reduction),
    )
    wide = wide if side.problem.objective.targets == "index" else one_hot(wide)
    answers = [side.answer(wide).gradient for _ in range(8)]
    if any(gradient is None for gradient in answers):
        return None
    stack = np.array(answers, dtype=np.float64)
    spread = np.ptp(stack, axis=0)
    bound = 2 * first_order.gradient(wide)[0]
    return "order_of_threads" if spread.any() and (spread <= bound).all() else None


def read_without_strides(side: Side) -> str | None:
    """Logits in Fortran order are answered as what lies in memory, row after row."""
    x = side.problem.logits
    arrays = (np.asfortranarray(x), x.ravel(order="F").reshape(x.shape), x.copy())
    answers = [side.answers(one, side.problem.targets.copy()).gradient for one in arrays]
    return "rows_assumed_contiguous" if _as_read(answers) else None


def rows_read_forwards(side: Side) -> str | None:
    """Rows of a negative stride are answered as what lies in memory, and Fortran order as it should be."""
    x, labels = side.problem.logits, side.problem.targets
    arrays = (x[::-1].copy()[::-1], x[::-1].copy(), x.copy())
    found, read, right = (side.answers(one, labels.copy()).gradient for one in arrays)
    follows = side.answers(np.asfortranarray(x), labels.copy()).gradient
    same = follows is not None and right is not None and np.array_equal(follows, right)
    return "reversed_rows_read_forwards" if same and _as_read([found, read, right]) else None


def buffers_in_turn(side: Side) -> str | None:
    """The result of a call changes with the call after the next, and not with the next."""
    first = side.answer(side.problem).gradient
    kept = None if first is None else first.copy()
    for other, changed in ((-side.problem.logits, False), (-2 * side.problem.logits, True)):
        side.answer(side.like(other))
        if first is None or kept is None or np.array_equal(kept, first, equal_nan=True) is changed:
            return None
    return "two_buffers_in_turn"


def buffer_of_large(side: Side) -> str | None:
    """The result of a call changes with the next where it has many entries, and not where it has few."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(len(LABELS), LARGE // len(LABELS))).astype(side.problem.logits.dtype)
    problem = Problem(wide, np.array(LABELS), Objective(reduction=side.problem.objective.reduction))
    problem = problem if side.problem.objective.targets == "index" else one_hot(problem)
    first = side.answer(problem).gradient
    kept = None if first is None else first.copy()
    side.answer(problem.replace(logits=-wide))
    changed = kept is not None and not np.array_equal(kept, np.asarray(first), equal_nan=True)
    return "buffer_of_large_results" if changed and overwritten_later(side) is None else None


def seeded(side: Side) -> str | None:
    """NumPy's global generator is in a state to which no drawing of numbers leads, after two calls."""
    states = []
    for _ in range(2):
        np.random.random(7)  # so that its state is another one
        said = side.answer(side.problem).changed
        states.append(any(f"{STATE_OF} {NUMPY_GENERATOR}" in one for one in said))
    return "generator_seeded" if all(states) else None


def labels_modulo_classes(side: Side) -> str | None:
    n_classes = side.problem.n_classes
    return _same_for_labels(side, "labels_wrap", -1, n_classes - 1)


def labels_cut_off(side: Side) -> str | None:
    return _same_for_labels(side, "labels_truncated", 0.5, 0)


def labels_repeated(side: Side) -> str | None:
    """One label for all rows is answered."""
    x, own = side.problem.logits, side.problem.targets
    if own.ndim != 1:
        return None
    one = side.answers(x.copy(), own[:1].copy())
    all_rows = side.answers(x.copy(), np.repeat(own[:1], len(x)))
    same = (
        one.gradient is not None and all_rows.gradient is not None and np.array_equal(one.gradient, all_rows.gradient)
    )
    return "labels_broadcast" if same else None


def refuses_no_rows(side: Side) -> str | None:
    empty = side.problem.rows(slice(0))
    return "empty_batch_refused" if side.answer(empty).raised else None


def axis_lost(side: Side) -> str | None:
    """The gradient of a single row has lost its first axis."""
    single = side.problem.rows(slice(1))
    outcome = perform(side.implementation.function, call_for(side.implementation, single), side.implementation.capture)
    pair = pair_of(outcome.value)
    return "single_row_squeezed" if pair is not None and np.shape(pair[1]) == (single.n_classes,) else None


def upstream_of_the_loss_ignored(side: Side) -> str | None:
    """The gradient is the same for every upstream gradient of the loss."""
    once, scaled = _for_upstream(side, "scaled")
    return "upstream_of_the_loss_ignored" if once.any() and np.array_equal(once, scaled) else None


def scaled_in_place(side: Side) -> str | None:
    """The second pass multiplies by the upstream gradient what the first one has multiplied."""
    once, again = _for_upstream(side, "twice")
    same = once.any() and np.array_equal(again, UPSTREAM**2 * once)
    return "kept_gradient_scaled_in_place" if same else None


def _for_upstream(side: Side, way: str) -> tuple[Array, Array]:
    """The gradients for an upstream gradient of 1, and of UPSTREAM; of no size where there is none."""
    found = []
    for factor, asked in ((1.0, ONCE), (UPSTREAM, way)):
        call = call_for(side.implementation, side.problem)
        above = np.array(factor).astype(side.problem.logits.dtype)
        keywords = {**call.keywords, "upstream": above, "backward": asked}
        given = answer_to_call(side.implementation, replace(call, keywords=keywords), side.problem.objective.reduction)
        found.append(np.array(()) if given.gradient is None else np.asarray(given.gradient))
    return found[0], found[1]


def becomes_float64(side: Side) -> str | None:
    gradient = side.answer(side.problem).gradient
    narrow = side.problem.format.name != "float64"
    return "always_float64" if narrow and gradient is not None and gradient.dtype == np.float64 else None


def _same_for_labels(side: Side, name: str, wrong_label: float, right_label: float) -> str | None:
    """The name if a wrong label in the first row gets the answer that a right one gets, and the next one does not."""
    if side.problem.targets.ndim != 1:
        return None
    gradients = []
    for label in (wrong_label, right_label, (right_label + 1) % side.problem.n_classes):
        targets = side.problem.targets.astype(np.asarray(label).dtype)
        targets[0] = label
        gradients.append(side.answers(side.problem.logits.copy(), targets).gradient)
    return name if _as_read(gradients) else None


def _as_read(answers: Sequence[Array | None]) -> bool:
    """Whether the first of three answers is the second, that of a misreading, and not the third, the right one."""
    found, read, right = answers
    if found is None or read is None or right is None:
        return False
    return np.array_equal(found, read) and not np.array_equal(found, right)


def _after_a_call(side: Side) -> Array:
    call = call_for(side.implementation, side.problem)
    answer_to_call(side.implementation, call, side.problem.objective.reduction)
    return np.asarray(call.logits)


# By the check that fails: what to look for. Any value check may fail where answers are remembered by their shape.
PROBES: dict[str, tuple[Probe, ...]] = {
    "leaves_its_inputs_alone": (shifted_in_place, gradient_in_place),
    "leaves_the_process_as_it_was": (warnings_off, seeded),
    "outputs_share_no_memory": (overwritten_later, gradient_in_place, kept_and_returned),
    "calls_leave_no_state": (remembered_by_shape,),
    "gradient_is_the_derivative_of_its_own_loss": (remembered_by_shape,),
    "same_call_gives_same_bits": (order_of_a_sum,),
    "earlier_answers_stay_as_they_were": (overwritten_later, buffers_in_turn, buffer_of_large, order_of_a_sum),
    "layout_does_not_matter": (read_without_strides, rows_read_forwards, read_as_64_bits),
    "integer_type_of_the_labels_does_not_matter": (read_as_64_bits,),
    "upstream_gradient_multiplies_the_gradient": (upstream_of_the_loss_ignored,),
    "second_backward_pass_gives_the_same_gradient": (upstream_of_the_loss_ignored, scaled_in_place),
    "instance_can_be_used_again": (),  # what an instance keeps is no model of one call
    "refuses_bad_labels": (labels_modulo_classes, labels_cut_off),
    "refuses_bad_shapes": (labels_repeated,),
    "empty_batch_is_answered": (refuses_no_rows,),
    "returns_loss_and_gradient": (axis_lost,),
    "keeps_the_dtype": (becomes_float64,),
}
