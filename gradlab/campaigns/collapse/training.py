"""One training with one gradient, which can be taken up again where it stopped; and what is measured on its way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gradlab.campaigns.collapse.network import (
    SMALLEST_GRADIENT,
    Forward,
    Gradient,
    Parameters,
    Setting,
    adam_step,
    backward,
    drawn_data,
    forward,
    initial_parameters,
)
from gradlab.problems.problem import Array

# What is measured, and how it is called in words.
MEASURES = {
    "loss": "loss",
    "mean_weight": "norm of W's class mean",
    "weight": "norm of W",
    "feature": "mean norm of h",
    "margin": "median margin",
    "exact_zeros": "share of exact zeros",
    "row_sum": "relative row sum",
}

Point = dict[str, float]


@dataclass(frozen=True, eq=False)
class Training:
    """A training so far: its seed, what it has learned, the points of its curve, and why it ended, "" while it goes on.

    A point holds the step and MEASURES; of the last layer's weights W (n_features, K), of the features h that go into
    it, and of the gradient by the logits. exact_zeros: in what share of the rows the label's entry is 0. row_sum: the
    mean of |sum of a row| over the sum of its |entries|.
    """

    seed: int
    n_done: int
    parameters: Parameters
    curve: list[Point] = field(default_factory=list)
    ended: str = ""


def begin(setting: Setting, seed: int) -> Training:
    """A training before its first step."""
    return Training(seed, 0, initial_parameters(setting, seed))


def advance(training: Training, setting: Setting, gradient: Gradient, n_steps: int) -> Training:
    """The training after so many more steps, or at its end; it changes the parameters of the one that is given.

    gradient: gives loss and gradient of the mean over labels. Raises ValueError where it gives no gradient of the
    logits' shape in float32.
    """
    data, parameters = drawn_data(setting, training.seed), training.parameters
    curve, ended, step = list(training.curve), training.ended, training.n_done
    for step in range(training.n_done + 1, min(training.n_done + n_steps, setting.n_steps) + 1):
        passed = forward(parameters.values, data)
        loss, by_logits = gradient(passed.logits, data.labels)
        given = _checked(by_logits, passed.logits)
        if (step - 1) % setting.every == 0 or step == setting.n_steps:
            curve.append({"step": step - 1, **_measures(float(loss), given, passed, data.labels, parameters)})
        gradients = backward(parameters.values, data, passed, given)
        largest = max(float(np.abs(one).max()) for one in gradients)
        if not largest >= SMALLEST_GRADIENT:
            ended = f"no entry of a gradient was {SMALLEST_GRADIENT:g} any more at step {step - 1}"
            break
        adam_step(parameters, gradients, setting, step)
    if step == setting.n_steps and not ended:
        ended = f"{setting.n_steps} steps"
    return replace(training, n_done=step, curve=curve, ended=ended)


def _checked(by_logits: object, logits: Array) -> Array:
    given = np.asarray(by_logits)
    if given.shape != logits.shape or given.dtype != logits.dtype:
        raise ValueError(
            f"the gradient must be {logits.dtype} of shape {logits.shape}, got {given.dtype} of shape {given.shape}"
        )
    return given


def _measures(loss: float, gradient: Array, passed: Forward, labels: Array, parameters: Parameters) -> Point:
    rows, weight = np.arange(len(labels)), parameters.values[-2].astype(np.float64)
    logits, exact = passed.logits.astype(np.float64), gradient.astype(np.float64)
    others = logits.copy()
    others[rows, labels] = -np.inf
    sizes = np.abs(exact).sum(axis=1)
    sums = np.abs(exact.sum(axis=1))[sizes > 0] / sizes[sizes > 0]
    return {
        "loss": loss,
        "mean_weight": float(np.linalg.norm(weight.mean(axis=1))),
        "weight": float(np.linalg.norm(weight)),
        "feature": float(np.linalg.norm(passed.hidden[-1].astype(np.float64), axis=1).mean()),
        "margin": float(np.median(logits[rows, labels] - others.max(axis=1))),
        "exact_zeros": float((gradient[rows, labels] == 0).mean()),
        "row_sum": float(sums.mean()) if len(sums) else 0.0,
    }
