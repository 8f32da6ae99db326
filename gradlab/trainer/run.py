"""A training on data: its problem from a few settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.trainer.call import Trainer
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.data import Data
from gradlab.trainer.problem import TrainerProblem


@dataclass(frozen=True)
class Settings:
    """How to train from zeros. rate: None for 1/L, to three digits. has_bias: whether there is one."""

    dtype: str = "float32"
    rate: float | None = None
    n_steps: int = 2000
    l2: float = 0.0
    batch_size: int | None = None
    has_bias: bool = True


def problem_on(data: Data, settings: Settings) -> TrainerProblem:
    """The problem: the data brought to the dtype, a start of zeros."""
    features = data.features.astype(settings.dtype)
    weight = np.zeros((features.shape[1], data.n_classes), settings.dtype)
    problem = TrainerProblem(
        features,
        data.labels,
        weight,
        np.zeros(data.n_classes, settings.dtype) if settings.has_bias else None,
        settings.rate or 1.0,
        settings.n_steps,
        Penalty(settings.l2),
        settings.batch_size,
        data.name,
    )
    if settings.rate is not None:
        return problem
    return problem.replace(learning_rate=float(f"{1 / curvature_of(problem).smoothness:.3g}"))


def in_whole_epochs(trainer: Trainer, problem: TrainerProblem) -> TrainerProblem:
    """The problem; where the trainer counts epochs, with the steps that an epoch that is begun has left."""
    if not trainer.takes("n_epochs"):
        return problem
    return problem.replace(n_steps=-(-problem.n_steps // problem.n_batches) * problem.n_batches)
