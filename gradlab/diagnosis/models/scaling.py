"""Models of what loss and gradient are divided by, and of targets that are not the labels'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, fixed, stated
from gradlab.diagnosis.pipeline import (
    Changes,
    View,
    mass_times_probabilities,
    probabilities_less_targets,
    sound_gradient,
    sound_loss,
)
from gradlab.problems.coefficients import coefficients_of, denominator_of
from gradlab.problems.problem import Array, Problem

Factor = Callable[[Problem], float]


def in_loss(factor: Factor) -> Changes:
    return {"loss": lambda losses, problem: sound_loss(losses, problem) * factor(problem)}


def in_gradient(factor: Factor) -> Changes:
    return {"scaled": lambda gradient, problem: sound_gradient(gradient, problem) * factor(problem)}


def in_both(factor: Factor) -> Changes:
    return {**in_loss(factor), **in_gradient(factor)}


def mean_factor(problem: Problem) -> float:
    """What undoes the division by the denominator."""
    return denominator_of(problem) or 1.0


def rows(problem: Problem) -> float:
    return float(max(problem.n_rows, 1))


def classes(problem: Problem) -> float:
    return float(problem.n_classes)


def micro_batches(size: float) -> Changes:
    """Means of runs of `size` rows, averaged."""

    def is_plain_mean(problem: Problem) -> bool:
        return problem.objective.reduction == "mean" and not problem.objective.options

    def shares(problem: Problem) -> Array:
        starts = np.arange(0, problem.n_rows, int(size))
        lengths = np.minimum(problem.n_rows - starts, int(size))
        return np.repeat(1.0 / (lengths * max(len(starts), 1)), lengths)

    def loss(losses: Array, problem: Problem) -> Array:
        return np.asarray((losses * shares(problem)).sum()) if is_plain_mean(problem) else sound_loss(losses, problem)

    def scaled(gradient: Array, problem: Problem) -> Array:
        return gradient * shares(problem)[:, None] if is_plain_mean(problem) else sound_gradient(gradient, problem)

    return {"loss": loss, "scaled": scaled}


def sizes_of_micro_batches(observations: Sequence[Observation]) -> Iterable[float]:
    return (2.0, 3.0, 4.0, 8.0, 16.0, 32.0, 64.0)


def constant_factor(which: Callable[[Factor], Changes]) -> Callable[[float], Changes]:
    return lambda value: which(lambda problem: value)


def factors_of_gradient(observations: Sequence[Observation]) -> Iterable[float]:
    """The quotient of what came back and the truth, at its largest entry, of the simplest wrong answers."""
    for seen in [one for one in observations if not one.faulty and one.wrong_gradient][:2]:
        if seen.true_gradient.size and np.isfinite(seen.true_gradient).all():
            at = np.unravel_index(np.argmax(np.abs(seen.true_gradient)), seen.true_gradient.shape)
            if seen.true_gradient[at]:
                yield float(seen.gradient[at] / seen.true_gradient[at])


def factors_of_loss(observations: Sequence[Observation]) -> Iterable[float]:
    """The quotient of the loss that came back and the true one, of the simplest wrong answers."""
    for seen in [one for one in observations if not one.faulty and one.wrong_loss][:2]:
        true = float(seen.true_loss.sum())
        if np.isfinite(true) and true > 1e-3:
            yield float(seen.loss.sum() / true)


def added(constant: float) -> Changes:
    return {"loss": lambda losses, problem: sound_loss(losses, problem) + constant}


def constants_added(observations: Sequence[Observation]) -> Iterable[float]:
    for seen in [one for one in observations if not one.faulty and one.wrong_loss][:2]:
        if np.isfinite(seen.true_loss).all() and seen.loss.size:
            yield float((seen.loss - seen.true_loss).ravel()[0])


def divides_the_sum(factor: Factor) -> Factor:
    return lambda problem: factor(problem) if problem.objective.reduction == "sum" else 1.0


def less_the_numbers(view: View) -> Array:
    if view.problem.objective.targets != "index":
        return probabilities_less_targets(view)
    return np.asarray(mass_times_probabilities(view) - view.problem.targets.astype(view.dtype)[:, None])


def with_labels(labels: Callable[[Problem], Array]) -> Callable[[Problem], Array]:
    """The targets of the gradient, or of the loss, for other labels than those given."""

    def targets(problem: Problem) -> Array:
        if problem.objective.targets != "index" or problem.objective.ignore_index is not None:
            return coefficients_of(problem)
        return coefficients_of(problem.replace(targets=labels(problem) % problem.n_classes))

    return targets


def read_in_blocks(size: float) -> Callable[[Problem], Array]:
    def labels(problem: Problem) -> Array:
        y = problem.targets
        whole = len(y) - len(y) % int(size)
        return np.concatenate([y[:whole], y[: len(y) - whole]])

    return with_labels(labels)


def in_integers(dtype: type[np.signedinteger] | type[np.unsignedinteger]) -> Callable[[Problem], Array]:
    return with_labels(lambda problem: problem.targets.astype(dtype).astype(np.int64))


def at_wrapped_places(view: View) -> Array:
    """1 is subtracted at the place i K + y, computed in 16 bits."""
    n_rows, n_classes = view.problem.logits.shape
    flat = np.array(mass_times_probabilities(view)[:, :n_classes]).reshape(-1)
    places = (np.arange(n_rows) * n_classes + view.problem.targets).astype(np.int16)
    np.subtract.at(flat, places, view.t.max(axis=1))
    return flat.reshape(n_rows, n_classes)


BOTH_TARGETS = ("loss_targets", "gradient_targets")
OF_NEIGHBOUR, FROM_ONE = "label_of_the_next_row", "label_counted_from_one"
BEFORE, BEHIND = with_labels(lambda p: np.roll(p.targets, 1)), with_labels(lambda p: np.roll(p.targets, -1))
LESS_ONE, PLUS_ONE = with_labels(lambda p: p.targets - 1), with_labels(lambda p: p.targets + 1)

OF_GRADIENT = "g = {} (p - t) on every problem, and the loss is right"
OF_LOSS = "{} times the loss on every problem, and the gradient is right"
OF_BOTH = "{} times the loss and the gradient, on every problem"
LOSS_ALONE, GRADIENT_ALONE = ", and the gradient is right", ", and the loss is right"
SIGNED = "y is kept in 8 bits with a sign: classes 128 to 255 become -128 to -1, counted from the last class back"


def divided(name: str, by: str, factor: Factor) -> Iterator[Defect]:
    """A factor in loss and gradient, in the loss alone or in the gradient alone; by: what these are divided by then."""
    yield stated(name, f"loss and gradient are those of the sum, divided by {by}", in_both(factor))
    yield stated(name, f"the loss is the sum of the rows' divided by {by}{LOSS_ALONE}", in_loss(factor))
    yield stated(name, f"the gradient is that of the sum divided by {by}{GRADIENT_ALONE}", in_gradient(factor))


def target_not_divided(view: View) -> Array:
    """A p - D t, D what the mean divides by: divided by it, p/N - one_hot(y)."""
    return np.asarray(mass_times_probabilities(view) - view.t * view.dtype.type(mean_factor(view.problem)))


DEFECTS = (
    fixed("one_hot_not_divided", gradient=target_not_divided),
    fixed("gradient_not_divided", **in_gradient(mean_factor)),
    fixed("loss_not_divided", **in_loss(mean_factor)),
    *divided("divided_by_all_entries", "N K", lambda problem: 1 / classes(problem)),
    *divided("divided_by_classes", "K, not by N", lambda problem: mean_factor(problem) / classes(problem)),
    *divided("divided_twice", "N^2", lambda problem: 1 / rows(problem)),
    fixed("sum_divided", **in_both(divides_the_sum(lambda problem: 1 / rows(problem)))),
    Defect("mean_of_means", micro_batches, "rows in each", sizes_of_micro_batches),
    Defect("wrong_factor", constant_factor(in_gradient), "factor", factors_of_gradient, neutral=1.0, said=OF_GRADIENT),
    Defect("wrong_factor", constant_factor(in_loss), "factor", factors_of_loss, neutral=1.0, said=OF_LOSS),
    Defect("wrong_factor", constant_factor(in_both), "factor", factors_of_loss, neutral=1.0, said=OF_BOTH),
    Defect("wrong_constant", added, "added to the loss", constants_added, said="loss + {}, on every problem"),
    fixed("label_numbers_subtracted", gradient=less_the_numbers),
    stated(OF_NEIGHBOUR, "g_i = p_i - one_hot(y_(i-1)), and the loss takes y_i", {"gradient_targets": BEFORE}),
    stated(OF_NEIGHBOUR, "g_i = p_i - one_hot(y_(i+1)), and the loss takes y_i", {"gradient_targets": BEHIND}),
    stated(FROM_ONE, "g = p - one_hot(y - 1), while the loss takes y", {"gradient_targets": LESS_ONE}),
    stated(FROM_ONE, "g = p - one_hot(y + 1), while the loss takes y", {"gradient_targets": PLUS_ONE}),
    stated(FROM_ONE, "loss and gradient are those of the label y - 1", dict.fromkeys(BOTH_TARGETS, LESS_ONE)),
    stated("label_in_eight_bits", "y mod 256", dict.fromkeys(BOTH_TARGETS, in_integers(np.uint8))),
    stated("label_in_eight_bits", SIGNED, dict.fromkeys(BOTH_TARGETS, in_integers(np.int8))),
    *(
        stated(
            "labels_of_last_block",
            f"y_i is read from the first block of {size} for i >= {size} floor(N/{size})",
            dict.fromkeys(BOTH_TARGETS, read_in_blocks(size)),
        )
        for size in (2, 4, 8, 16, 32)
    ),
    fixed("index_overflow", gradient=at_wrapped_places),
)
