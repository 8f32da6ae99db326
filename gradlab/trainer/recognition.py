"""The form in which a trainer takes what it does: the first in which a small training is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trained, Trainer, train, with_order_of, with_start_of
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.descent import distance_to, end_of_descent
from gradlab.trainer.explaining import is_explained, wrong_training
from gradlab.trainer.form import forms_of
from gradlab.trainer.order import OWN_SEEDS, SEED, split, usual_ways, way_of
from gradlab.trainer.problem import TrainerProblem

STRENGTH, BATCH, N_ROWS = 0.05, 5, 13
FORMS = tuple(Penalty(STRENGTH, halved, takes_bias) for takes_bias in (False, True) for halved in (True, False))


def recognise_trainer(trainer: Trainer, dtype: str) -> tuple[Trainer, Penalty]:
    """The trainer with its form, and the form of its penalty; the likeliest of each where nothing is right."""
    formed = _with_form(trainer, dtype)
    if not formed.takes("l2"):
        return _with_way(formed, dtype), Penalty()
    plain = replace(formed, form=replace(formed.form, strength="l2"))
    scaled = replace(formed, form=replace(formed.form, strength="l2 times N"))
    problem = with_start_of(formed, small_problem(formed, dtype, 0)).replace(n_steps=3)
    for one in (plain, scaled):
        for form in FORMS:
            if (problem.bias is not None or not form.takes_bias) and is_right(one, problem.replace(penalty=form)):
                return _with_way(one, dtype), form
    return _with_way(formed, dtype), FORMS[0]


def small_problem(trainer: Trainer, dtype: str, seed: int) -> TrainerProblem:
    """A training of 13 rows, 4 features and 3 classes, of no step, from a start of its own or from zeros."""
    generator = np.random.default_rng(seed)
    features: Array = generator.normal(size=(N_ROWS, 4)).astype(dtype)
    targets = np.concatenate([np.arange(3), generator.integers(0, 3, N_ROWS - 3)])
    start = generator.normal(size=(4, 3)).astype(dtype) if trainer.takes("W") else np.zeros((4, 3), dtype)
    is_given = trainer.has_bias and trainer.takes("W")
    bias = generator.normal(size=3).astype(dtype) if is_given else np.zeros(3, dtype)
    problem = TrainerProblem(features, targets, start, bias if trainer.has_bias else None, 1.0, 0, family="small")
    if trainer.takes("order"):
        rows = generator.permutation(N_ROWS)
        problem = problem.replace(turns=(rows,))
    return problem.replace(learning_rate=float(f"{1 / curvature_of(problem).smoothness:.2g}"))


def in_batches(problem: TrainerProblem) -> TrainerProblem:
    """Three epochs of the small problem in batches of 5, 5 and 3 rows."""
    turns = problem.turns and tuple(split(problem.turns[0], BATCH))
    return problem.replace(n_steps=9, batch_size=BATCH, turns=turns)


def is_right(trainer: Trainer, problem: TrainerProblem) -> bool:
    """Whether the weights are those of descent, as near as sound code is proved to be."""
    trained = train(trainer, problem)
    return not trained.fault and is_descent(with_order_of(trainer, problem, trained), trained)


def is_descent(problem: TrainerProblem, trained: Trained) -> bool:
    """Whether weights that came back are those of descent, as near as sound code is proved to be."""
    end = end_of_descent(problem)
    return distance_to(end, trained.parameters)[0] <= end.proved


def _with_form(trainer: Trainer, dtype: str) -> Trainer:
    """The trainer in the first form in which a step is right.

    Where none is, in the first in which a known mistake explains it; else in that whose step is the most nearly in the
    direction of the right one, or against it.
    """
    nearest, closest, explained = None, -1.0, None
    for form in forms_of(trainer.taken):
        one = replace(trainer, form=form)
        problem = with_start_of(one, small_problem(one, dtype, 0)).replace(n_steps=1)
        trained = train(one, problem)
        if trained.fault:
            continue
        own = replace(one, form=replace(one.form, is_turned=trained.is_turned))
        if is_descent(problem, trained):
            return own
        end = end_of_descent(problem)
        aligned = _alignment(trained.parameters - problem.start64, end.parameters - problem.start64)
        if aligned > closest:
            nearest, closest = own, aligned
        if explained is None and is_explained(wrong_training(problem, trained.parameters, end)):
            explained = own
    return explained or nearest or trainer


def _alignment(step: Array, right: Array) -> float:
    """The size of the cosine between two steps, to six digits; 0 of a step that goes nowhere."""
    lengths = float(np.linalg.norm(step) * np.linalg.norm(right))
    return round(abs(float((step * right).sum())) / lengths, 6) if lengths else 0.0


def _with_way(trainer: Trainer, dtype: str) -> Trainer:
    """The trainer with the way to the order of its batches, where it takes a size of them, and no order."""
    if not trainer.takes("batch_size"):
        return trainer
    problem = in_batches(with_start_of(trainer, small_problem(trainer, dtype, 0)))
    trained = train(trainer, problem)
    if trained.fault or trained.order or is_descent(problem, trained):
        return trainer
    ways = usual_ways((SEED,) if trainer.is_seeded else OWN_SEEDS, trainer.makers)
    way = way_of(problem, trained.parameters, ways, trainer.takes("n_epochs"))
    if way is None and trainer.takes("n_steps"):
        by_epochs = _with_way(_counting_epochs(trainer), dtype)
        if by_epochs.way or is_right(by_epochs, problem):
            return by_epochs
    return replace(trainer, way=way)


def _counting_epochs(trainer: Trainer) -> Trainer:
    """The trainer whose number of steps, as max_iter may be, is one of epochs."""
    taken = {name: "n_epochs" if role == "n_steps" else role for name, role in trainer.taken.items()}
    return replace(trainer, taken=taken)
