"""What a step takes for the error p - t of each row, found by experiment, where no known mistake explains the step.

With no more rows than parameters, the gradient X~^T E/N of one step has the error E of each row in it: E is found by
least squares, and where none fits, the gradient is not made of errors of rows. What E is says more than that the step
is wrong: errors that are right but for a factor are rows that count more or less; those that are right for another
label are rows with labels of others; and probabilities that are those of other logits, a temperature.

E is off by no more than what sound code's step may be off by, over the smallest singular value of X~. Each thing that
is said holds in all of some experiments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train, with_start_of
from gradlab.trainer.curvature import curvature_of
from gradlab.trainer.descent import end_of_descent
from gradlab.trainer.mistakes import Named
from gradlab.trainer.problem import TrainerProblem

SEEDS = (0, 1, 2)
LABELS = (0, 1, 2, 0, 1, 2, 1, 0, 2, 0)
N_FEATURES = 12


@dataclass(frozen=True, eq=False)
class RowErrors:
    """What a step takes for the errors of the rows, (n_rows, K), and what it is to take; room: how far an entry may be.

    logits, labels: of the problem.
    """

    taken: Array
    right: Array
    room: float
    logits: Array
    labels: Array


def explain_row_errors(trainer: Trainer, dtype: str) -> Named | None:
    """What is said of the errors of rows by all experiments; None where there is nothing."""
    found = [errors for seed in SEEDS if (errors := row_errors(trainer, _problem(trainer, dtype, seed)))]
    if len(found) < len(SEEDS):
        return None
    return next((named for explain in _EXPLANATIONS if (named := explain(found))), None)


def row_errors(trainer: Trainer, problem: TrainerProblem) -> RowErrors | None:
    """What the first step takes for the errors of the rows; None where it is made of none, or nothing comes back."""
    trained = train(trainer, problem)
    if trained.fault:
        return None
    end = end_of_descent(problem)
    scale = problem.n_rows / problem.learning_rate
    gradient = scale * (problem.start64 - trained.parameters)
    features = problem.extended64
    taken, _, _, singular = np.linalg.lstsq(features.T, gradient, rcond=None)
    off = scale * (end.proved + end.radius)
    if np.linalg.norm(features.T @ taken - gradient) > off:
        return None
    logits = features @ problem.start64
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    right = exponentials / exponentials.sum(axis=1, keepdims=True) - problem.shares64
    return RowErrors(taken, right, off / float(singular.min()), logits, problem.targets)


def _problem(trainer: Trainer, dtype: str, seed: int) -> TrainerProblem:
    """One step with ten rows of 12 features, from a start of its own or from zeros."""
    generator = np.random.default_rng(seed)
    labels, shape = np.array(LABELS), (N_FEATURES, max(LABELS) + 1)
    features = generator.normal(size=(len(labels), N_FEATURES)).astype(dtype)
    is_given = trainer.takes("W")
    weight = (generator.normal(size=shape) / 2 if is_given else np.zeros(shape)).astype(dtype)
    bias = (generator.normal(size=shape[1]) if is_given else np.zeros(shape[1])).astype(dtype)
    problem = TrainerProblem(features, labels, weight, bias if trainer.has_bias else None, 1.0, 0, family="small")
    rate = float(f"{1 / curvature_of(problem).smoothness:.2g}")
    return with_start_of(trainer, problem.replace(learning_rate=rate)).replace(n_steps=1)


def _factors(one: RowErrors) -> Array | None:
    """What each row's error is multiplied by; None where it is another one."""
    factors = np.asarray((one.taken * one.right).sum(axis=1) / np.square(one.right).sum(axis=1))
    apart = np.abs(one.taken - factors[:, None] * one.right).max()
    return factors if apart <= one.room * (1 + np.abs(factors).max()) else None


def _room_of_factors(one: RowErrors) -> float:
    """By how much factors may differ that are one number."""
    return 2 * one.room / float(np.linalg.norm(one.right, axis=1).min())


def _rows_that_count_otherwise(found: Sequence[RowErrors]) -> Named | None:
    factors = [some for one in found if (some := _factors(one)) is not None]
    if len(factors) < len(found):
        return None
    if all(np.ptp(some) <= _room_of_factors(one) for one, some in zip(found, factors, strict=True)):
        return None  # all count alike: it is the step that is longer or shorter
    name = "rows_count_otherwise"
    for one, some in zip(found, factors, strict=True):
        classes = [some[one.labels == label] for label in np.unique(one.labels)]
        if max(float(np.ptp(own)) for own in classes) > _room_of_factors(one):
            break
    else:
        said = ", ".join(f"{float(own.mean()):.4g}" for own in classes)
        return Named("classes_count_otherwise", f"rows count by their class: {said} times as much as they are to")
    left_out = [np.abs(some) <= 2 * one.room for one, some in zip(found, factors, strict=True)]
    of_labels = [-one.right[np.arange(len(one.labels)), one.labels] for one in found]  # 1 - p
    highest = max((float((1 - own)[~out].max()) for own, out in zip(of_labels, left_out, strict=True)), default=0.0)
    lowest = min(float((1 - own)[out].min(initial=1.0)) for own, out in zip(of_labels, left_out, strict=True))
    if any(out.any() for out in left_out) and highest < lowest:
        words = f"from somewhere between {highest:.3g} and {lowest:.3g} on"
        return Named("confident_rows_left_out", f"rows are left out where p of their label is high: {words}")
    low, high = min(float(some.min()) for some in factors), max(float(some.max()) for some in factors)
    return Named(name, f"rows count by factors between {low:.4g} and {high:.4g}, not alike")


def _labels_of_others(found: Sequence[RowErrors]) -> Named | None:
    n_wrong = 0
    for one in found:
        p = one.right + np.eye(one.right.shape[1])[one.labels]
        shares = p - one.taken
        labels = shares.argmax(axis=1)
        if np.abs(shares - np.eye(shares.shape[1])[labels]).max() > one.room:
            return None
        n_wrong += int((labels != one.labels).sum())
    if not n_wrong:
        return None
    share = f"{n_wrong} of {sum(len(one.labels) for one in found)}"
    return Named(
        "rows_with_other_labels", f"{share} rows are taken with the label of another: the order is not the same"
    )


def _temperature(found: Sequence[RowErrors]) -> Named | None:
    """Where the probabilities that are taken are those of the logits times a number."""
    factors = []
    for one in found:
        taken = one.taken + np.eye(one.right.shape[1])[one.labels]
        if taken.min() <= 2 * one.room:
            return None
        logs, logits = (values - values.mean(axis=1, keepdims=True) for values in (np.log(taken), one.logits))
        factor = float((logs * logits).sum() / np.square(logits).sum())
        if np.abs(taken.sum(axis=1) - 1).max() > 3 * one.room:
            return None
        if np.abs(logs - factor * logits).max() > 4 * one.room / taken.min():
            return None
        factors.append(factor)
    if np.ptp(factors) > 1e-3 * abs(factors[0]) or abs(factors[0] - 1) < 1e-3:
        return None
    return Named("logits_multiplied", f"the logits are multiplied by {np.median(factors):.4g} before the softmax")


def _softmax_of_columns(found: Sequence[RowErrors]) -> Named | None:
    for one in found:
        exponentials = np.exp(one.logits - one.logits.max(axis=0))
        p = exponentials / exponentials.sum(axis=0)
        if np.abs(one.taken - (p - np.eye(p.shape[1])[one.labels])).max() > one.room:
            return None
    return Named("softmax_over_rows", "the softmax is taken over the rows, not over the classes")


_EXPLANATIONS: tuple[Callable[[Sequence[RowErrors]], Named | None], ...] = (
    _rows_that_count_otherwise,
    _labels_of_others,
    _softmax_of_columns,
    _temperature,
)
