"""Sizes: one call in one shape, layout and integer type, held to the truth; and answers that stay what they were.

Of a problem of few kinds every entry is compared with that of its kind, in float64: the nearest number to the truth is
within 2^-53 of it, and the difference is rounded by as much, so that 2^-52 of the value is added to the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gradlab.bounds.patterns import KindErrors, errors_of_kinds, flushed_kinds
from gradlab.checks.accuracy import answer_within_bound
from gradlab.checks.check import Findings, Values, values_of
from gradlab.checks.contract import held_changes
from gradlab.evaluation.call import Answer, Call, Implementation, answer_to_call, asked_together, call_for, with_writes
from gradlab.evaluation.layouts import LAYOUTS, MORE_LAYOUTS, PLAIN_INTEGERS
from gradlab.oracle.exact.patterns import KindTruth, enclose_kinds
from gradlab.oracle.intervals import Enclosures
from gradlab.oracle.ulp import error_in_ulp
from gradlab.problems.patterns import PERIOD, Pattern, pattern_of
from gradlab.problems.problem import Array, Problem
from gradlab.problems.sized import spelling_of
from gradlab.result import Comparison, Fact

BLOCK = 2**16  # entries that are compared at one time
FLOAT64 = 2.0**-52  # what comparing in float64 costs, relative to the value
CALLS = 10  # of one shape, the last like the first: the ninth overwrites the first of eight buffers
_FORWARD = "forward error of any correct form, by kinds of rows"


def answer_is_right_at_this_size(implementation: Implementation, problem: Problem) -> Findings:
    """Loss and gradient are right in this shape, layout and integer type of the labels; other integers may be refused.

    Where there is no room for the answer nothing is found.
    """
    given = spelled_answer(implementation, problem)
    if given.raised is not None and given.raised.endswith("MemoryError"):
        return []
    if given.fault is not None:
        return [Fact("the call", given.fault, "", False)]
    excused = "logits" if implementation.claims.gradient_in_logits else ""  # which then become the gradient
    written = [f"its {name} are changed" for name in given.written if name != excused]
    changes = [*held_changes(given, implementation), *written]
    changed: Findings = [Fact("after the call", "; ".join(changes), "", False)] if changes else []
    pattern = pattern_of(problem) if not problem.objective.options else None
    if pattern is None:
        return changed + answer_within_bound(given, implementation, problem)
    truth, errors = enclose_kinds(problem, pattern), errors_of_kinds(problem, pattern)
    more = flushed_kinds(problem) if implementation.claims.flushes_subnormals else 0.0
    of_kind = _OfKinds(problem, pattern, truth, errors, more)
    return [*changed, of_kind.loss(given), of_kind.gradient(given)]


def spelled_answer(implementation: Implementation, problem: Problem) -> Answer:
    """The answer in the layout and integer type of the problem's family; in int64 where other integers are refused."""
    integers, layout = spelling_of(problem)
    given = _answer_in(implementation, problem, layout, integers)
    if given.raised is not None and integers != PLAIN_INTEGERS and problem.objective.targets != "probability":
        return _answer_in(implementation, problem, layout, PLAIN_INTEGERS)
    return given


def _answer_in(implementation: Implementation, problem: Problem, layout: str, integers: str) -> Answer:
    """The answer in this layout and integer type, with the arguments that the call has changed."""
    call = _spelled(call_for(implementation, problem), layout, integers)
    given = answer_to_call(implementation, call, problem.objective.reduction)
    return with_writes(given, call, _spelled(call_for(implementation, problem), layout, integers))


def _spelled(call: Call, layout: str, integers: str) -> Call:
    spell = {**MORE_LAYOUTS, **LAYOUTS}[layout]
    targets = call.targets if call.targets.ndim == 2 else call.targets.astype(integers)
    return replace(call, logits=spell(call.logits), targets=spell(targets))


@dataclass(frozen=True, eq=False)
class _OfKinds:
    """What the answer to a problem of few kinds is held to; more: what flushing subnormal numbers may cost."""

    problem: Problem
    pattern: Pattern
    truth: KindTruth
    errors: KindErrors
    more: float

    def loss(self, given: Answer) -> Comparison:
        """The loss, or the worst of the rows' losses."""
        losses = self.truth.losses.nearest()
        if self.problem.objective.reduction != "none":
            return self._entry("loss", np.asarray(given.loss), self.truth.loss, self.errors.loss)
        seen, allowed = np.asarray(given.loss), self._allowed(losses, self.errors.losses)
        row = worst_place(seen[:, None], losses[:, None], allowed[:, None]).row
        kind = row % PERIOD
        return self._entry(f"loss[{row}]", seen[row], self.truth.losses[kind], self.errors.losses[kind])

    def gradient(self, given: Answer) -> Comparison:
        """The worst entry of the gradient."""
        seen, nearest = np.asarray(given.gradient), self.truth.gradient
        allowed = self._allowed(nearest, self.errors.gradient)
        row, column = worst_place(seen, self._by_column(nearest), self._by_column(allowed))
        kind, own = row % PERIOD, self.pattern.columns[column]
        group = -1 if column == self.pattern.labels[kind] else own
        at = (kind, group)
        return self._entry(
            f"gradient[{row}, {column}]", seen[row, column], self.truth.entry(*at), self.errors.gradient[at]
        )

    def _by_column(self, by_kind: Array) -> Array:
        """What is known by kinds of rows and columns, for each kind of row and each class, (R, K)."""
        full: Array = by_kind[:, self.pattern.columns]
        full[np.arange(len(full)), self.pattern.labels] = by_kind[:, -1]
        return full

    def _allowed(self, nearest: Array, errors: Array) -> Array:
        return np.asarray(errors + FLOAT64 * np.abs(nearest) + self.more)

    def _entry(self, quantity: str, seen: Any, truth: Enclosures, error: Array) -> Comparison:
        nearest = truth.nearest()
        observed = np.asarray(seen, dtype=np.float64)
        allowed = self._allowed(nearest, error)
        with np.errstate(invalid="ignore"):
            ratio = np.abs(observed - nearest) / allowed
        if observed == np.inf and self._sum_overflows(quantity):
            ratio = np.zeros(())

        def ulp(index: tuple[int, ...]) -> float:
            return float(error_in_ulp(np.asarray(seen), truth, self.problem.format)[index])

        return Comparison(quantity, observed, nearest, allowed, ratio, _FORWARD, truth.describe, ulp)

    def _sum_overflows(self, quantity: str) -> bool:
        """Whether the losses have a sum beyond the largest number, so that inf is right even for their mean."""
        total = (np.bincount(self.pattern.rows) * self.truth.losses.nearest()).sum()
        return quantity == "loss" and bool(total > self.problem.format.largest)


class Place(NamedTuple):
    """Where an entry is."""

    row: int
    column: int


def worst_place(seen: Array, expected: Array, allowed: Array) -> Place:
    """The entry with the largest |seen - expected| / allowed; NaN is the largest of all.

    seen: (N, K); expected, allowed: of each kind of row, in turn, (R, K).
    """
    n_rows, n_classes = seen.shape
    step = PERIOD * max(1, BLOCK // (PERIOD * n_classes))
    worst, found = -1.0, Place(0, 0)
    for start in range(0, n_rows, step):
        block = seen[start : start + step].astype(np.float64, copy=False)
        whole = len(block) - len(block) % PERIOD
        for first, some in ((0, block[:whole]), (whole, block[whole:])):
            if not some.size:
                continue
            kinds = min(len(some), PERIOD)
            ratio = some.reshape(-1, kinds, n_classes) - expected[:kinds]
            np.abs(ratio, out=ratio)
            ratio /= allowed[:kinds]
            place = int(ratio.argmax())
            largest = float(ratio.reshape(-1)[place])
            if not largest <= worst:
                worst, found = largest, Place(start + first + place // n_classes, place % n_classes)
                if np.isnan(largest):
                    return found
    return found


def earlier_answers_stay_as_they_were(implementation: Implementation, problem: Problem) -> Findings:
    """Results that are kept do not change in later calls of the same shape, and the first call again gives its bits."""

    def kept_and_copied(turn: int) -> tuple[Answer, Values]:
        call = call_for(implementation, _turned(problem, turn % (CALLS - 1)))
        given = answer_to_call(implementation, call, problem.objective.reduction)
        return given, values_of(given, problem)

    answers = asked_together(implementation, [partial(kept_and_copied, turn) for turn in range(CALLS)])
    copies = [copy for _, copy in answers]
    changed = [number for number, (given, copy) in enumerate(answers) if not _same(given, copy)]
    said = f"of call {changed[0] + 1} is changed by those after it" if changed else "is what it was"
    again = _same_values(copies[0], copies[-1]) or not implementation.claims.deterministic
    return [
        Fact(f"the answer, kept over {CALLS} calls,", said, "what it was", not changed),
        Fact("the first call again", "gives the same" if again else "gives another answer", "the same bits", again),
    ]


def _turned(problem: Problem, turn: int) -> Problem:
    """The problem with one logit changed, another one or by another amount in every turn."""
    logits = problem.logits.copy()
    logits[turn % problem.n_rows, turn % problem.n_classes] += logits.dtype.type(turn / 4)
    return problem.replace(logits=logits)


def _same(given: Answer, copy: Values) -> bool:
    return _same_values(Values(np.asarray(given.loss), np.asarray(given.gradient)), copy)


def _same_values(first: Values, second: Values) -> bool:
    pairs: Sequence[tuple[Array, Array]] = list(zip(first, second, strict=True))
    return all(np.array_equal(one.astype(np.float64), other, equal_nan=True) for one, other in pairs)
