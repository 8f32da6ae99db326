"""Models of what goes with a row that is not as defined: sample weights, the upstream gradient, and the mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, option_defect
from gradlab.diagnosis.models.options import divided_by, gradient_divided_by
from gradlab.diagnosis.pipeline import Changes, sound_gradient, sound_loss
from gradlab.problems.coefficients import denominator_of, denominators_of, gradient_factors, loss_factors
from gradlab.problems.problem import Array, Problem

Factors = Callable[[Problem], Array]


def sample_weights(problem: Problem) -> Array:
    """The sample weights, (N,); 1 where there are none."""
    return np.asarray(problem.objective.sample_weights or np.ones(problem.n_rows))


def upstream(problem: Problem) -> Array:
    """The upstream gradient, (N,); 1 where nothing does."""
    return np.asarray(problem.objective.upstream or np.ones(problem.n_rows))


def times(factors: Factors, more: Factors) -> Factors:
    return lambda problem: factors(problem) * more(problem)


def sum_of_upstream(problem: Problem) -> Array:
    """The sum of the upstream gradient for every row."""
    given = problem.objective.upstream
    total = np.full(problem.n_rows, 1.0 if given is None else sum(given))
    return np.asarray(sample_weights(problem) * total)


def first_of_upstream(problem: Problem) -> Array:
    """The upstream gradient for the first row, for every row."""
    given = problem.objective.upstream
    return np.asarray(sample_weights(problem) * (1.0 if not given else given[0]))


def mean_weight(problem: Problem) -> float:
    """What the sample weights are on average."""
    return float(sample_weights(problem).mean())


def with_weights(problem: Problem, weights: tuple[float, ...] | None) -> float:
    """The denominator of the mean for other sample weights, where there are any."""
    objective = problem.objective
    changed = objective if objective.sample_weights is None else replace(objective, sample_weights=weights)
    return float(denominators_of(problem.replace(objective=changed), objective.mean_over).sum())


def denominator_without_weights(problem: Problem) -> float:
    """The denominator of the mean where every sample weight is 1."""
    return with_weights(problem, None)


def denominator_of_squares(problem: Problem) -> float:
    """The denominator of the mean with the square of each sample weight."""
    return with_weights(problem, tuple((sample_weights(problem) ** 2).tolist()))


def over(rule: str) -> Callable[[Problem], float]:
    """The denominator by another rule where there are sample weights, the objective's own elsewhere."""

    def denominator(problem: Problem) -> float:
        objective = problem.objective
        own = objective.mean_over if objective.sample_weights is None else rule
        return float(denominators_of(problem, own).sum())

    return denominator


def over_another(name: str, rule: str) -> Iterator[Defect]:
    """A mean over another denominator, in loss and gradient or in one of them."""
    changes = divided_by(over(rule))
    yield option_defect("sample_weights", name, **changes)
    yield from (option_defect("sample_weights", name, **{stage: change}) for stage, change in changes.items())


def scaled_by_mean_weight() -> Changes:
    """A mean without weights, times their own mean; the other reductions as defined."""

    def is_mean(problem: Problem) -> bool:
        return problem.objective.reduction == "mean" and problem.objective.sample_weights is not None

    def factors(own: Factors) -> Factors:
        return lambda problem: np.full(problem.n_rows, mean_weight(problem)) if is_mean(problem) else own(problem)

    def loss(losses: Array, problem: Problem) -> Array:
        return np.asarray(losses.sum() / problem.n_rows) if is_mean(problem) else sound_loss(losses, problem)

    def gradient(rows: Array, problem: Problem) -> Array:
        return rows / problem.n_rows if is_mean(problem) else sound_gradient(rows, problem)

    return {
        "loss_factors": factors(loss_factors),
        "gradient_factors": factors(gradient_factors),
        "loss": loss,
        "scaled": gradient,
    }


def with_epsilon(epsilon: float) -> Changes:
    """The denominator with a constant more, where there are weights."""
    return divided_by(
        lambda problem: denominator_of(problem) + epsilon * (problem.objective.sample_weights is not None)
    )


def epsilons_of_means(observations: Sequence[Observation]) -> Iterable[float]:
    """What is added to the denominator, by the wrong losses with weights for which it is least."""
    told = [
        (denominator_of(seen.problem), float(seen.true_loss / seen.loss))
        for seen in observations
        if seen.problem.objective.sample_weights is not None and seen.problem.objective.reduction == "mean"
        if not seen.faulty and seen.wrong_loss and 0 < seen.loss < seen.true_loss < np.inf
    ]
    yield from (denominator * (ratio - 1) for denominator, ratio in sorted(told)[:2])


SQUARED = {
    "loss_factors": times(loss_factors, sample_weights),
    "gradient_factors": times(gradient_factors, sample_weights),
}

IGNORED = {
    "loss_factors": lambda problem: np.ones(problem.n_rows),
    "gradient_factors": upstream,
    **divided_by(denominator_without_weights),
}

DEFECTS = (
    option_defect("sample_weights", "sample_weights_missing_in_gradient", gradient_factors=upstream),
    option_defect(
        "sample_weights",
        "sample_weights_missing_in_gradient",
        gradient_factors=upstream,
        scaled=gradient_divided_by(denominator_without_weights),
    ),
    option_defect("sample_weights", "sample_weights_ignored", **IGNORED),
    *over_another("sample_weighted_by_count", "number_of_rows"),
    *over_another("sample_weights_divided_out", "sum_of_weights"),
    option_defect("sample_weights", "sample_weights_squared", **SQUARED),
    option_defect("sample_weights", "sample_weights_squared", **SQUARED, **divided_by(denominator_of_squares)),
    *(option_defect("sample_weights", "sample_weights_squared", **{stage: one}) for stage, one in SQUARED.items()),
    option_defect("sample_weights", "sample_weights_after_the_mean", **scaled_by_mean_weight()),
    Defect(
        "epsilon_in_denominator",
        with_epsilon,
        "epsilon",
        epsilons_of_means,
        said="loss = sum_i s_i loss_i / (sum_i s_i + {})",
    ),
    option_defect("upstream", "upstream_in_loss", loss_factors=times(loss_factors, upstream)),
    option_defect("upstream", "upstream_ignored", gradient_factors=sample_weights),
    option_defect("upstream", "upstream_summed", gradient_factors=sum_of_upstream),
    option_defect("upstream", "upstream_first_for_all", gradient_factors=first_of_upstream),
)
