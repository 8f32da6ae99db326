"""Models of an option that is not as defined: smoothing, class weights, ignored rows, probability targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, option_defect, single_rows
from gradlab.diagnosis.models.scaling import mean_factor
from gradlab.diagnosis.pipeline import (
    Changes,
    View,
    log_sum_less_logit,
    mass_times_probabilities,
    probabilities_less_targets,
    sound_gradient,
    sound_loss,
)
from gradlab.problems.coefficients import coefficients_of, denominator_of, unsmoothed_coefficients_of
from gradlab.problems.problem import Array, Problem

BOTH = ("loss_targets", "gradient_targets")
Targets = Callable[[Problem], Array]


def smoothed(share: Callable[[float, int], float], kept: Callable[[float, int], float]) -> Targets:
    """Targets of `kept` at the label on top of `share` for every class, from epsilon and K; weighted."""

    def targets(problem: Problem) -> Array:
        epsilon = problem.objective.label_smoothing
        if not epsilon:
            return coefficients_of(problem)
        n_classes = problem.n_classes
        weights = np.asarray(problem.objective.class_weights or np.ones(n_classes))
        counted = ~problem.ignored_rows[:, None]
        plain = unsmoothed_coefficients_of(problem)
        return np.asarray(kept(epsilon, n_classes) * plain + share(epsilon, n_classes) * weights * counted)

    return targets


OTHERS_ONLY = smoothed(lambda e, k: e / max(k - 1, 1), lambda e, k: 1 - e - e / max(k - 1, 1))
WITHOUT_EPSILON = smoothed(lambda e, k: 1 / k, lambda e, k: 1 - e)
WRONG_PART = smoothed(lambda e, k: (1 - e) / k, lambda e, k: 1 - e)


def by_shard(problem: Problem) -> Array:
    """Two workers, of which the one with the label smooths over its own classes."""
    epsilon, n_classes = problem.objective.label_smoothing, problem.n_classes
    if not epsilon or problem.objective.targets != "index":
        return coefficients_of(problem)
    plain = unsmoothed_coefficients_of(problem)
    first = np.arange(n_classes) < (n_classes + 1) // 2
    owner = first == first[np.clip(problem.targets, 0, n_classes - 1)][:, None]
    spread = epsilon * owner / owner.sum(axis=1, keepdims=True) * plain.sum(axis=1, keepdims=True)
    return np.asarray((1 - epsilon) * plain + spread)


def weighted_by_label(problem: Problem) -> Array:
    """The weight of the label for every class of the row."""
    if not problem.objective.label_smoothing or problem.objective.targets != "index":
        return coefficients_of(problem)
    plain = unsmoothed_coefficients_of(problem)
    own = plain.sum(axis=1, keepdims=True)
    epsilon = problem.objective.label_smoothing
    return np.asarray((1 - epsilon) * plain + epsilon / problem.n_classes * own)


def without_class_weights(problem: Problem) -> Problem:
    return problem.replace(objective=replace(problem.objective, class_weights=None))


def without_weights(problem: Problem) -> Array:
    return np.asarray(coefficients_of(without_class_weights(problem)))


def denominator_without_class_weights(problem: Problem) -> float:
    return denominator_of(without_class_weights(problem))


def number_of_rows(problem: Problem) -> float:
    return float(problem.n_rows)


def number_of_kept_rows(problem: Problem) -> float:
    return float((~problem.ignored_rows).sum())


def number_without_fixed_label(problem: Problem) -> float:
    """Rows that are left where -100 is what is ignored."""
    return (
        float((problem.targets != -100).sum()) if problem.objective.ignore_index is not None else mean_factor(problem)
    )


def divided_by(number: Callable[[Problem], float]) -> Changes:
    """The mean with another denominator."""
    return {"loss": loss_divided_by(number), "scaled": gradient_divided_by(number)}


def loss_divided_by(number: Callable[[Problem], float]) -> Callable[[Array, Problem], Array]:
    def loss(losses: Array, problem: Problem) -> Array:
        mean = problem.objective.reduction == "mean"
        return np.asarray(losses.sum() / np.float64(number(problem))) if mean else sound_loss(losses, problem)

    return loss


def gradient_divided_by(
    number: Callable[[Problem], float], dropped: Callable[[Problem], Array] = lambda problem: problem.ignored_rows
) -> Callable[[Array, Problem], Array]:
    def scaled(gradient: Array, problem: Problem) -> Array:
        mean = problem.objective.reduction == "mean"
        share = gradient / np.float64(number(problem)) if mean else sound_gradient(gradient, problem)
        return np.where(dropped(problem)[:, None], 0, share)

    return scaled


def with_fixed_label(problem: Problem) -> Array:
    """Which rows have the label -100; none where targets are probabilities."""
    return np.asarray(problem.targets == -100) if problem.targets.ndim == 1 else np.zeros(problem.n_rows, dtype=bool)


def gradient_of_ignored(view: View) -> Array:
    return np.where(view.problem.ignored_rows[:, None], view.p, probabilities_less_targets(view))


def gradient_times_mass(view: View) -> Array:
    """A p - t also where a row is ignored, A = 0 and p = NaN."""
    return np.asarray(view.t.sum(axis=1, keepdims=True) * view.p - view.t)


def losses_times_mass(view: View) -> Array:
    """0 times the loss where a row is ignored: NaN where it has no value."""
    lost = view.problem.ignored_rows & np.isnan(view.p).any(axis=1)
    return np.where(lost, view.dtype.type(np.nan), log_sum_less_logit(view))


def fixed_label(problem: Problem) -> Array:
    """Rows with -100 are ignored, and rows with the label to be ignored are not."""
    if problem.objective.ignore_index in (None, -100):
        return coefficients_of(problem)
    return coefficients_of(problem.replace(objective=replace(problem.objective, ignore_index=None)))


def nan_where_all_are_ignored(gradient: Array, problem: Problem) -> Array:
    kept = np.where(problem.ignored_rows[:, None], 0, gradient)
    return np.asarray(kept / np.float64(denominator_of(problem)))


def gradient_without_mass(view: View) -> Array:
    return np.asarray(view.p - view.t)


def gradient_with_unsmoothed_mass(view: View) -> Array:
    """A p - t with the A that the targets have before they are smoothed; of one class some rules leave less."""
    return mass_times_probabilities(view, unsmoothed_coefficients_of(view.problem).astype(view.dtype)) - view.t


def most_likely(problem: Problem) -> Array:
    """One-hot rows at the largest share."""
    if problem.objective.targets != "probability":
        return coefficients_of(problem)
    hot = np.arange(problem.n_classes) == problem.targets.argmax(axis=1)[:, None]
    return np.asarray(hot, dtype=np.float64)


def smoothed_unasked(epsilon: float) -> Targets:
    def targets(problem: Problem) -> Array:
        t = coefficients_of(problem)
        return np.asarray((1 - epsilon) * t + epsilon / problem.n_classes * t.sum(axis=1, keepdims=True))

    return targets


def epsilons_of_gradient(observations: Sequence[Observation]) -> Iterable[float]:
    """K (p_j - g_j) at a class that is not the label's, of the simplest single row."""
    for seen in single_rows(observations)[:1]:
        other = int(seen.problem.targets[0] == 0) % seen.problem.n_classes
        yield float(seen.problem.n_classes * (seen.true_gradient - seen.gradient)[0, other])


def epsilons_of_loss(observations: Sequence[Observation]) -> Iterable[float]:
    """What is added to the loss, over x_y - mean x, of the simplest single row with unequal logits."""
    for seen in single_rows(observations):
        x = seen.problem.logits64[0]
        lead = x[seen.problem.targets[0]] - x.mean()
        if abs(lead) > 0.1:
            yield float((seen.loss.sum() - seen.true_loss.sum()) / lead)
            return


DEFECTS = (
    option_defect("label_smoothing", "smoothing_of_the_others", **dict.fromkeys(BOTH, OTHERS_ONLY)),
    option_defect(
        "label_smoothing",
        "smoothing_of_the_others",
        **dict.fromkeys(BOTH, OTHERS_ONLY),
        gradient=gradient_with_unsmoothed_mass,
    ),
    option_defect("label_smoothing", "smoothing_without_epsilon", **dict.fromkeys(BOTH, WITHOUT_EPSILON)),
    option_defect("label_smoothing", "smoothing_of_the_wrong_part", **dict.fromkeys(BOTH, WRONG_PART)),
    option_defect("label_smoothing", "smoothing_in_the_loss_only", gradient_targets=unsmoothed_coefficients_of),
    option_defect("label_smoothing", "smoothing_in_the_gradient_only", loss_targets=unsmoothed_coefficients_of),
    option_defect("label_smoothing", "smoothing_by_shard", **dict.fromkeys(BOTH, by_shard)),
    option_defect("class_weights", "weights_missing_in_smoothing", **dict.fromkeys(BOTH, weighted_by_label)),
    option_defect("label_smoothing", "option_ignored", **dict.fromkeys(BOTH, unsmoothed_coefficients_of)),
    option_defect(
        "class_weights",
        "option_ignored",
        **dict.fromkeys(BOTH, without_weights),
        **divided_by(denominator_without_class_weights),
    ),
    option_defect("class_weights", "weights_missing_in_gradient", gradient_targets=without_weights),
    option_defect(
        "class_weights",
        "weights_missing_in_gradient",
        gradient_targets=without_weights,
        scaled=gradient_divided_by(number_of_kept_rows),
    ),
    option_defect("class_weights", "weighted_by_count", **divided_by(number_of_kept_rows)),
    option_defect("ignore_index", "ignored_rows_counted", **divided_by(number_of_rows)),
    option_defect("ignore_index", "ignored_rows_keep_gradient", gradient=gradient_of_ignored),
    option_defect("ignore_index", "ignored_rows_times_zero", gradient=gradient_times_mass),
    option_defect("ignore_index", "ignored_rows_times_zero", losses=losses_times_mass, gradient=gradient_times_mass),
    option_defect("ignore_index", "ignored_label_fixed", **dict.fromkeys(BOTH, fixed_label)),
    option_defect(
        "ignore_index",
        "ignored_label_fixed",
        **dict.fromkeys(BOTH, fixed_label),
        loss=loss_divided_by(number_without_fixed_label),
        scaled=gradient_divided_by(number_without_fixed_label, with_fixed_label),
    ),
    option_defect("ignore_index", "all_ignored_is_nan", scaled=nan_where_all_are_ignored),
    option_defect("probability", "mass_forgotten", gradient=gradient_without_mass),
    option_defect("probability", "probabilities_taken_for_labels", **dict.fromkeys(BOTH, most_likely)),
    *(
        Defect("smoothing_unasked", make, "epsilon", guesses, said=f"t = (1 - {{0}}) one_hot(y) + {{0}}/K in {place}")
        for place, guesses, make in (
            ("loss and gradient", epsilons_of_gradient, lambda e: dict.fromkeys(BOTH, smoothed_unasked(e))),
            ("the gradient alone", epsilons_of_gradient, lambda e: {"gradient_targets": smoothed_unasked(e)}),
            ("the loss alone", epsilons_of_loss, lambda e: {"loss_targets": smoothed_unasked(e)}),
        )
    ),
)
