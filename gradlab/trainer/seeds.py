"""Whether a step depends on the seed though it takes all rows from a given start: something random is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.trainer.call import Trainer, train
from gradlab.trainer.mistakes import Named
from gradlab.trainer.order import SEED
from gradlab.trainer.problem import TrainerProblem


def explain_by_the_seed(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What is said of a training that comes to other weights with another seed; None where it does not."""
    if not trainer.is_seeded or not trainer.takes("W"):
        return None
    first, second = train(trainer, problem), train(_with_another_seed(trainer), problem)
    if first.fault or second.fault or (first.parameters == second.parameters).all():
        return None
    return Named("depends_on_the_seed", "with another seed it comes to other weights, though each step takes all rows")


def _with_another_seed(trainer: Trainer) -> Trainer:
    others: dict[str, Any] = {"seed": SEED + 1, "rng": np.random.default_rng(SEED + 1)}
    changed = {name: others[role] for name, role in trainer.taken.items() if role in others}
    return replace(trainer, function=lambda **arguments: trainer.function(**{**arguments, **changed}))
