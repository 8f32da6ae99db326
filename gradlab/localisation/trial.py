"""One experiment: a problem, how its arrays are spelled, and what came back beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.evaluation.adaptation import allows
from gradlab.evaluation.call import Answer, Call, Implementation, answer_to_call, call_for, evaluate, with_writes
from gradlab.evaluation.layouts import LAYOUTS, MORE_LAYOUTS, PLAIN_INTEGERS, PLAIN_LAYOUT
from gradlab.localisation.judging import observation_of
from gradlab.localisation.symptoms import Symptom
from gradlab.localisation.work import Work
from gradlab.problems.problem import Array, Problem

ALL_LAYOUTS = {**LAYOUTS, **MORE_LAYOUTS}
EVERY_OTHER = "every other column of a wider array"
MAX_CALLS = 500  # in one localisation
KEPT_BACK = 30  # of these, for what is asked where no rule was found
WORK_KEPT_BACK = 0.25  # of all steps, for the same
LARGEST = 1 << 19  # entries of one problem


@dataclass(frozen=True, eq=False)
class Trial:
    """A problem, and how it is handed over: how its logits lie in memory, and the integer type of its labels.

    labels_apart: whether the labels are every other one of an array.
    """

    problem: Problem
    layout: str = PLAIN_LAYOUT
    integers: str = PLAIN_INTEGERS
    labels_apart: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the logits lie in C order, the labels one behind the other, and these are int64."""
        return self.layout == PLAIN_LAYOUT and self.integers == PLAIN_INTEGERS and not self.labels_apart

    @property
    def spelled(self) -> Array:
        """The logits in the layout, in memory of their own."""
        return ALL_LAYOUTS[self.layout](self.problem.logits.copy())


@dataclass(frozen=True, eq=False)
class Outcome:
    """A trial and what came of it.

    raised: the name of the exception, or the fault, where there is no answer; or which arguments are changed, where
    that alone counts. written: these, by name, as they were after the call. symptom: what alone counts as wrong, where
    something else is looked at apart or is explained; None where everything does.
    """

    trial: Trial
    seen: Observation
    raised: str = ""
    symptom: Symptom | None = None
    written: Mapping[str, Array] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        return self.trial.problem

    @cached_property
    def wrong_entries(self) -> Array:
        """Which entries of the gradient are off by more than their bound; boolean, (N, K)."""
        seen, true = self.seen.gradient, self.seen.true_gradient
        with np.errstate(invalid="ignore"):
            near = np.abs(seen - true) <= self.seen.gradient_bound
        lost = (~self.problem.rows_with_value & ~np.isfinite(seen).all(axis=1))[:, None]
        wrong = np.asarray(~(near | (seen == true) | (np.isnan(seen) & np.isnan(true)) | lost))
        if self.symptom is None:
            return wrong
        rows = self.symptom.rows(seen, true) if self.symptom.rows is not None else np.ones(len(wrong), dtype=bool)
        return wrong & rows[:, None] & self.symptom.in_gradient

    @cached_property
    def wrong_rows(self) -> Array:
        """Which rows have a wrong entry, or a wrong loss of their own; boolean, (N,)."""
        rows = self.wrong_entries.any(axis=1)
        if self.seen.loss.ndim:
            rows = rows | self._wrong_losses
        return np.asarray(rows)

    @cached_property
    def _wrong_losses(self) -> Array:
        seen, true = self.seen.loss, self.seen.true_loss
        if self.symptom is not None and not self.symptom.in_loss:
            return np.zeros(seen.shape, dtype=bool)
        with np.errstate(invalid="ignore"):
            near = np.abs(seen - true) <= self.seen.loss_bound
        overflows = self.seen.overflows & (seen == np.inf)
        lost = np.asarray(~self.problem.rows_with_value & ~np.isfinite(seen))
        lost = lost if seen.ndim else np.asarray(lost.any())
        return np.asarray(~(near | (seen == true) | (np.isnan(seen) & np.isnan(true)) | overflows | lost))

    @property
    def wrong_loss(self) -> bool:
        return bool(self._wrong_losses.any())

    @cached_property
    def deviations(self) -> Array:
        """How far each row of the gradient is off, relative to its largest entry, (N,); inf where that is 0, or NaN."""
        off = np.abs(self.seen.gradient - self.seen.true_gradient).max(axis=1, initial=0.0)
        with np.errstate(all="ignore"):
            return np.asarray(np.nan_to_num(off / self._largest, nan=np.inf))

    @cached_property
    def contrasts(self) -> Array:
        """How large each row of the gradient is beside its bound, (N,): what is off by less than 1/that is not seen.

        0 for a row without a value.
        """
        with np.errstate(all="ignore"):
            found = self._largest / self.seen.gradient_bound.max(axis=1, initial=0.0)
        return np.asarray(np.nan_to_num(found, nan=0.0))

    @cached_property
    def zero_rows(self) -> Array:
        """Which rows of the gradient have to be 0, as those that are ignored; boolean, (N,)."""
        return np.asarray((self._largest == 0) & self.problem.rows_with_value)

    @cached_property
    def _largest(self) -> Array:
        return np.asarray(np.abs(self.seen.true_gradient).max(axis=1, initial=0.0))

    @property
    def loss_deviation(self) -> float:
        """How far the loss is off, relatively; where there are several, the largest."""
        with np.errstate(all="ignore"):
            off = np.abs(self.seen.loss - self.seen.true_loss) / np.abs(self.seen.true_loss)
        return float(np.nan_to_num(off, nan=np.inf).max(initial=0.0))

    @property
    def loss_contrast(self) -> float:
        """How large the loss is beside its bound; 0 for one that is not finite."""
        with np.errstate(all="ignore"):
            found = np.abs(self.seen.true_loss) / self.seen.loss_bound
        return float(np.where(np.isfinite(self.seen.true_loss), found, 0.0).min(initial=np.inf))

    @cached_property
    def is_wrong(self) -> bool:
        raised = bool(self.raised) and (self.symptom is None or self.symptom.raising)
        return raised or self.wrong_loss or bool(self.wrong_entries.any())


@dataclass(eq=False)
class Laboratory:
    """Asks an implementation, as long as there is a call and a step of work left.

    admits: whether a problem may be put to it. symptom: as in `Outcome`. n_kept_back: calls that are kept for
    the end, and with them some of the work.
    """

    implementation: Implementation
    admits: Callable[[Problem], bool]
    symptom: Symptom | None = None
    n_calls: int = 0
    n_kept_back: int = KEPT_BACK
    work: Work = field(default_factory=Work)

    @property
    def is_spent(self) -> bool:
        """Whether nothing may be asked any more."""
        share = 1 - WORK_KEPT_BACK * (self.n_kept_back > 0)
        return self.work.is_beyond(share) or self.n_calls >= MAX_CALLS - self.n_kept_back

    def release(self) -> None:
        """Calls and work that were kept back may be used now, all of them, whatever was used before."""
        self.n_kept_back = 0
        self.work.give_back(WORK_KEPT_BACK)

    def may_ask(self, problem: Problem) -> bool:
        """Whether the claims, and the budget, admit a problem."""
        known = allows(self.implementation.claims, problem.objective) and self.admits(problem)
        return known and 0 < problem.logits.size <= LARGEST

    def answer(self, problem: Problem) -> Answer | None:
        """What comes back for a problem, in the arrays that came back; None where it may not be asked."""
        if self.is_spent or not self.may_ask(problem):
            return None
        self._count(problem)
        return evaluate(self.implementation, problem)

    def ask(self, trial: Trial) -> Outcome | None:
        """What comes of a trial; None where it may not be made."""
        problem = trial.problem
        if self.is_spent or not self.may_ask(problem) or not _fits(problem, trial.integers):
            return None
        self._count(problem)
        return outcome_of(trial, spelled_answer(self.implementation, trial), self.symptom)

    def _count(self, problem: Problem) -> None:
        self.n_calls += 1
        self.work.call(problem.logits.size)


def spelled_answer(implementation: Implementation, trial: Trial) -> Answer:
    """What comes back for a trial, its arrays in its layout and integer type, and which of these are changed."""
    call = _spelled_call(implementation, trial)
    given = answer_to_call(implementation, call, trial.problem.objective.reduction)
    return with_writes(given, call, _spelled_call(implementation, trial))


def _spelled_call(implementation: Implementation, trial: Trial) -> Call:
    problem, call = trial.problem, call_for(implementation, trial.problem)
    if trial.layout != PLAIN_LAYOUT:
        call = replace(call, logits=trial.spelled)
    if trial.integers != PLAIN_INTEGERS and problem.objective.targets == "index":
        call = replace(call, targets=problem.targets.astype(trial.integers))
    return replace(call, targets=LAYOUTS[EVERY_OTHER](call.targets)) if trial.labels_apart else call


def _fits(problem: Problem, integers: str) -> bool:
    """Whether an integer type holds the labels, and the number of every class."""
    if problem.objective.targets != "index":
        return True
    limits, largest = np.iinfo(integers), max(problem.n_classes - 1, int(problem.targets.max(initial=0)))
    return bool(limits.min <= problem.targets.min(initial=0) and largest <= limits.max)


def outcome_of(trial: Trial, answer: Answer, symptom: Symptom | None = None) -> Outcome:
    """An answer to a trial beside the truth."""
    raised = (answer.raised or answer.fault or "") if answer.loss is None or answer.gradient is None else ""
    if symptom is not None and symptom.writing:
        raised = " and ".join(f"the {name} are changed" for name in answer.written)
    return Outcome(trial, observation_of(trial.problem, answer), raised, symptom, answer.written)
