"""Whether a step depends on the seed though it takes all rows from a given start: something random is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.trainer.call import Trained, Trainer, train
from gradlab.trainer.mistakes import Named
from gradlab.trainer.order import SEED
from gradlab.trainer.problem import TrainerProblem

_OTHERWISE = "it comes to other weights, though each step takes all rows"


def explain_by_the_seed(trainer: Trainer, problem: TrainerProblem) -> Named | None:
    """What is said of a training that comes to other weights with another seed; None where it does not.

    The seed is the one that it takes, or that of the process's own generators, NumPy's and Python's.
    """
    if not trainer.takes("W"):
        return None
    first = train(trainer, problem)
    if trainer.is_seeded and _are_apart(first, train(_with_another_seed(trainer), problem)):
        return Named("depends_on_the_seed", f"with another seed {_OTHERWISE}")
    if _are_apart(first, train(trainer, problem, SEED + 1)):
        return Named(
            "depends_on_global_generators", f"with another seed of NumPy's and Python's own generators {_OTHERWISE}"
        )
    return None


def _are_apart(first: Trained, second: Trained) -> bool:
    return not (first.fault or second.fault or bool((first.parameters == second.parameters).all()))


def _with_another_seed(trainer: Trainer) -> Trainer:
    others: dict[str, Any] = {"seed": SEED + 1, "rng": np.random.default_rng(SEED + 1)}
    changed = {name: others[role] for name, role in trainer.taken.items() if role in others}
    return replace(trainer, function=lambda **arguments: trainer.function(**{**arguments, **changed}))
