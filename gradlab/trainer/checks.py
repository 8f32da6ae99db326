"""What a trainer is held to on small trainings of a few steps, where a mistake of one step is far outside.

Each is put to it from a start of its own, with few rows and steps, so that sound code is within some hundred roundings
of exact descent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, arguments_of, train, with_start_of
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.descent import distance_to, end_of_descent
from gradlab.trainer.mistakes import Named, explain
from gradlab.trainer.problem import TrainerProblem

STEPS = (0, 1, 2, 3, 8)
SEEDS = (0, 1, 2)
FORMS = (Penalty(0.05), Penalty(0.05, halved=False), Penalty(0.05, takes_bias=True), Penalty(0.05, False, True))


@dataclass(frozen=True, eq=False)
class Finding:
    """What a small training shows that is not right: the fact that does not hold, and in words what was seen."""

    fact: str
    seen: str
    problem: TrainerProblem
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, eq=False)
class Examination:
    """What small trainings show: how many there were, and what is not right. penalty: the form that it takes l2 in."""

    n_trainings: int
    findings: tuple[Finding, ...]
    penalty: Penalty


def examine_trainer(trainer: Trainer, dtype: str = "float32") -> Examination:
    """Small trainings in one dtype: of 0, 1, 2, 3 and 8 steps, with a penalty and in batches where it takes them."""
    penalty = _form_of_penalty(trainer, dtype)
    problems = [*_problems(trainer, dtype, penalty)]
    findings: list[Finding] = []
    for problem in problems:
        findings += _findings(trainer, problem)
    return Examination(len(problems), tuple(findings), penalty)


def _problems(trainer: Trainer, dtype: str, penalty: Penalty) -> Iterator[TrainerProblem]:
    for seed in SEEDS:
        plain = with_start_of(trainer, _small(trainer, dtype, seed))
        for n_steps in STEPS:
            yield plain.replace(n_steps=n_steps)
            if penalty.is_on:
                yield plain.replace(n_steps=n_steps, penalty=penalty)
        if trainer.takes("batch_size"):
            yield plain.replace(n_steps=6, batch_size=5)  # of 13 rows: the last batch of an epoch has 3


def _small(trainer: Trainer, dtype: str, seed: int) -> TrainerProblem:
    generator = np.random.default_rng(seed)
    features: Array = generator.normal(size=(13, 4)).astype(dtype)
    targets = np.concatenate([np.arange(3), generator.integers(0, 3, 10)])
    start = generator.normal(size=(4, 3)).astype(dtype) if trainer.takes("W") else np.zeros((4, 3), dtype)
    has_bias = trainer.takes("b") or not trainer.takes("W")
    bias = generator.normal(size=3).astype(dtype) if trainer.takes("b") else np.zeros(3, dtype)
    problem = TrainerProblem(features, targets, start, bias if has_bias else None, 1.0, 0, family="small")
    return problem.replace(learning_rate=float(f"{1 / curvature_of(problem).smoothness:.2g}"))


def _form_of_penalty(trainer: Trainer, dtype: str) -> Penalty:
    """The form in which it takes l2: the first that one step is right with, the first of all where none is."""
    if not trainer.takes("l2"):
        return Penalty()
    plain = with_start_of(trainer, _small(trainer, dtype, 0)).replace(n_steps=1)
    forms = [one for one in FORMS if plain.bias is not None or not one.takes_bias]
    for form in forms:
        problem = plain.replace(penalty=form)
        trained, end = train(trainer, problem), end_of_descent(problem)
        if not trained.fault and distance_to(end, trained.parameters)[0] <= end.proved:
            return form
    return forms[0]


def _findings(trainer: Trainer, problem: TrainerProblem) -> Iterator[Finding]:
    first = train(trainer, problem)
    if first.fault:
        yield Finding("returns_weights", first.fault, problem)
        return
    end = end_of_descent(problem)
    at_least, _ = distance_to(end, first.parameters)
    if at_least > end.proved:
        seen = f"after {problem.n_steps} steps at least {at_least:.3g} from exact descent, sound code within"
        named = tuple(explain(problem, first.parameters, end.proved + end.radius))
        yield Finding("descends_as_defined", f"{seen} {end.proved:.3g}", problem, named)
    given: dict[str, Array] = {}
    again = train(_with_arrays_kept(trainer, given), problem)
    if again.fault or not (first.parameters == again.parameters).all():
        yield Finding("trains_the_same_twice", again.fault or "the second call gives other weights", problem)
    values = arguments_of(trainer, problem)
    changed = [name for name, value in given.items() if not np.array_equal(value, values[name])]
    if changed:
        yield Finding("leaves_its_inputs_alone", f"{' and '.join(changed)} changed by the call", problem)


def _with_arrays_kept(trainer: Trainer, given: dict[str, Array]) -> Trainer:
    """The same trainer; the arrays of a call are put into `given`, by the names of its parameters."""

    def keeping(**arguments: object) -> object:
        given.update({name: value for name, value in arguments.items() if isinstance(value, np.ndarray)})
        return trainer.function(**arguments)

    return replace(trainer, function=keeping)
