"""What a trainer is held to on small trainings of a few steps, where a mistake of one step is far outside.

Each is put to it from a start of its own, with few rows and steps, so that sound code is within some hundred roundings
of exact descent. Where that is right, one training is long: a rule that stops it early shows there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained, Trainer, train, with_order_of, with_start_of
from gradlab.trainer.descent import Iterate, distance_to, end_of_descent
from gradlab.trainer.explaining import wrong_training
from gradlab.trainer.findings import Examination, Finding, side_effects
from gradlab.trainer.laws import flat_problem, laws_broken
from gradlab.trainer.losses import fault_of_losses
from gradlab.trainer.problem import TrainerProblem
from gradlab.trainer.recognition import in_batches, recognise_trainer, small_problem
from gradlab.trainer.solver import examine_solver
from gradlab.trainer.stalling import find_stalls
from gradlab.trainer.stopping import LONG

STEPS = (0, 1, 2, 3, 8)
SEEDS = (0, 1, 2)


def examine_trainer(trainer: Trainer, dtype: str = "float32") -> Examination:
    """Small trainings in one dtype: of 0, 1, 2, 3 and 8 steps, with a penalty and in batches where it takes them.

    Then one of many steps, one of the rate 0, the rows in another order and each twice, and the laws of descent; where
    all is right, the step from which it stalls. A solver is examined as one.
    """
    if trainer.is_solver:
        return examine_solver(trainer, dtype)
    trainer, penalty = recognise_trainer(trainer, dtype)
    problems = [*_problems(trainer, dtype, penalty)]
    findings: list[Finding] = []
    for problem in problems:
        findings += _findings(trainer, problem)
    if not findings:
        start = with_start_of(trainer, small_problem(trainer, dtype, 0))
        findings += _findings(trainer, flat_problem(trainer, dtype).replace(n_steps=LONG))
        if trainer.way and trainer.way.repeats:  # its steps are those of other rows than all
            return Examination(len(problems), tuple(findings), trainer, penalty)
        laws = () if findings else laws_broken(trainer, dtype, penalty)  # which where it stops hold no more
        findings += _relations(trainer, start.replace(n_steps=3))
        findings += [Finding(*broken) for broken in laws]
    stalls = None if findings else find_stalls(trainer, dtype)
    return Examination(len(problems), tuple(findings), trainer, penalty, stalls)


def _problems(trainer: Trainer, dtype: str, penalty: Penalty) -> Iterator[TrainerProblem]:
    for seed in SEEDS:
        plain = with_start_of(trainer, small_problem(trainer, dtype, seed))
        for n_steps in STEPS:
            yield plain.replace(n_steps=n_steps)
            if penalty.is_on:
                yield plain.replace(n_steps=n_steps, penalty=penalty)
        if trainer.takes("batch_size"):
            yield in_batches(plain)


def _findings(trainer: Trainer, problem: TrainerProblem) -> Iterator[Finding]:
    first = train(trainer, problem)
    if first.fault:
        yield Finding("returns_weights", first.fault, problem)
        return
    ordered = with_order_of(trainer, problem, first)
    end = end_of_descent(ordered)
    wrong = _distance(trainer, ordered, first, end)
    if wrong:
        yield wrong
    elif problem.batch_size is None and (said := fault_of_losses(problem, first)):
        yield Finding("losses_are_those_of_the_iterates", said, problem)
    yield from side_effects(trainer, problem, first)


def _distance(trainer: Trainer, problem: TrainerProblem, trained: Trained, end: Iterate) -> Finding | None:
    """What there is to say of weights that are further from exact descent than sound code may be."""
    at_least, _ = distance_to(end, trained.parameters)
    if at_least <= end.proved:
        return None
    seen = f"after {problem.n_steps} steps at least {at_least:.3g} from exact descent, sound code within"
    fact = "goes_on_to_the_end" if problem.n_steps == LONG else "descends_as_defined"
    if problem.batch_size is not None:
        fact = "descends_in_batches" if trained.order or trainer.way else "takes_its_batches_in_a_known_order"
    wrong = wrong_training(problem, trained.parameters, end)
    return Finding(fact, f"{seen} {end.proved:.3g}", problem, wrong)


def _relations(trainer: Trainer, problem: TrainerProblem) -> Iterator[Finding]:
    """What has to be the same: with the rows in another order, with each twice, and the start after steps of rate 0."""
    rows = np.random.default_rng(5).permutation(problem.n_rows)
    changes = {
        "the_order_with_rows_changes_nothing": _with_rows(problem, rows),
        "each_row_twice_changes_nothing": _with_rows(problem, np.repeat(np.arange(problem.n_rows), 2)),
        "a_rate_of_0_changes_nothing": problem.replace(learning_rate=0.0),
    }
    for fact, other in changes.items():
        trained = train(trainer, other)
        if trained.fault:
            if other.learning_rate:  # one of 0 may be refused
                yield Finding(fact, trained.fault, other)
            continue
        end = end_of_descent(other)
        at_least, _ = distance_to(end, trained.parameters)
        if at_least > end.proved:
            yield Finding(fact, f"at least {at_least:.3g} from where it has to be, sound code {end.proved:.3g}", other)


def _with_rows(problem: TrainerProblem, rows: Array) -> TrainerProblem:
    turns = None if problem.turns is None else (np.arange(len(rows)),)
    return problem.replace(features=problem.features[rows], targets=problem.targets[rows], turns=turns)
