"""What small trainings show that is not right, and what has to hold of all: the same twice, inputs left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained, Trainer, arguments_of, train
from gradlab.trainer.explaining import Wrong, explain
from gradlab.trainer.mistakes import Named
from gradlab.trainer.precision import lower_precision
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.row_errors import explain_row_errors
from gradlab.trainer.seeds import explain_by_the_seed
from gradlab.trainer.stalling import Stalls
from gradlab.trainer.step_lengths import explain_step_lengths
from gradlab.trainer.stopping import stopping_rule


@dataclass(frozen=True, eq=False)
class Finding:
    """What a small training shows that is not right: the fact that does not hold, and in words what was seen.

    wrong: the weights, where it is these that are not right.
    """

    fact: str
    seen: str
    problem: TrainerProblem
    wrong: Wrong | None = None


@dataclass(frozen=True, eq=False)
class Examination:
    """What small trainings show: how many there were, and what is not right.

    trainer: with the form that was recognised. penalty: the form that it takes l2 in. stalls: where it stalls, which is
    looked for where all is right.
    """

    n_trainings: int
    findings: tuple[Finding, ...]
    trainer: Trainer
    penalty: Penalty
    stalls: Stalls | None = None

    @cached_property
    def named(self) -> dict[str, dict[str, Named]]:
        """For each fact that does not hold the mistakes that explain all trainings which show that, by name."""
        found: dict[str, list[Wrong]] = {}
        for one in self.findings:
            if one.wrong is not None:
                found.setdefault(one.fact, []).append(one.wrong)
        return {fact: self._explained(fact, trainings) for fact, trainings in found.items()}

    def _explained(self, fact: str, trainings: list[Wrong]) -> dict[str, Named]:
        """What explains these trainings; by experiments with the trainer where it stops early, or nothing is known."""
        known = explain(trainings)
        fewest = min(trainings, key=lambda one: one.problem.n_steps).problem
        if "fewer_steps" in known and fewest.n_steps > 1 and fewest.batch_size is None:
            rule = stopping_rule(self.trainer, fewest.format.name)
            return {rule.name: rule}
        if known or fewest.batch_size is not None:
            return known
        named = _by_experiment(self.trainer, fewest)
        return {named.name: named} if named else {}


def _by_experiment(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What experiments with the trainer say; of a problem of one step where the first is wrong."""
    if problem.n_steps > 1:
        return explain_by_the_seed(trainer, problem) or explain_step_lengths(trainer, problem)
    by_seed = explain_by_the_seed(trainer, problem)  # first, as the others take one call for all that it may return
    return by_seed or lower_precision(trainer, problem) or explain_row_errors(trainer, problem.format.name)


def side_effects(trainer: Trainer, problem: TrainerProblem, first: Trained) -> Iterator[Finding]:
    """What a second call shows: other weights, and inputs that it changed. first: what the first one returned."""
    given: dict[str, Array] = {}
    again = train(_with_arguments_kept(trainer, given), problem)
    if again.fault or not (first.parameters == again.parameters).all():
        yield Finding("trains_the_same_twice", again.fault or "the second call gives other weights", problem)
    values = arguments_of(trainer, problem)
    arrays = {name: value for name, value in given.items() if isinstance(value, np.ndarray)}
    changed = [name for name, value in arrays.items() if not np.array_equal(value, values[name])]
    if changed:
        yield Finding("leaves_its_inputs_alone", f"{' and '.join(changed)} changed by the call", problem)


def _with_arguments_kept(trainer: Trainer, given: dict[str, Array]) -> Trainer:
    """The same trainer; the arguments of a call are put into `given`, by the names of its parameters."""

    def keeping(**arguments: Array) -> object:
        given.update(arguments)
        return trainer.function(**arguments)

    return replace(trainer, function=keeping)
