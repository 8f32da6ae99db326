"""Sample weights, what comes from above and the rules of the mean: the enclosures against 60 digits, and the domain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.checks.options import sample_weights_are_as_defined, upstream_is_as_defined
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.implementations.every_option import CLAIMS, every_option
from gradlab.oracle.enclosure import enclose, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.objective import Objective
from gradlab.problems.options import MEANS
from gradlab.problems.problem import Problem

LOGITS = np.random.default_rng(8).uniform(-4, 4, (4, 3))
LABELS = np.array([0, 2, 1, 2])
SHARES = np.random.default_rng(9).uniform(0, 1, (4, 3))
WEIGHTS = (0.5, 0.25, 2.0)
SAMPLE = (0.5, 2.0, 0.0, 3.0)
ABOVE = (2.0, -1.0, 0.5, 0.0)
EVERYTHING = Implementation("every_option", every_option, claims_from(CLAIMS))

OBJECTIVES = {
    **{f"mean over {rule}": Objective(sample_weights=SAMPLE, class_weights=WEIGHTS, mean_over=rule) for rule in MEANS},
    **{f"ignoring, over {rule}": Objective(sample_weights=SAMPLE, ignore_index=0, mean_over=rule) for rule in MEANS},
    **{f"by class, over {rule}": Objective(class_weights=WEIGHTS, ignore_index=0, mean_over=rule) for rule in MEANS},
    **{
        f"shares over {rule}": Objective("mean", "probability", sample_weights=SAMPLE, mean_over=rule) for rule in MEANS
    },
    "sum with terms": Objective("sum", sample_weights=SAMPLE, z_loss=0.5, poly_epsilon=2.0, softcap=3.0),
    "none with smoothing": Objective("none", sample_weights=SAMPLE, label_smoothing=0.25, class_weights=WEIGHTS),
    "from above": Objective("none", upstream=ABOVE),
    "from above with weights": Objective("none", upstream=ABOVE, sample_weights=SAMPLE, z_loss=0.25),
}


def problem_of(name: str) -> Problem:
    objective = OBJECTIVES[name]
    return Problem(LOGITS, SHARES if objective.targets == "probability" else LABELS, objective)


def plain(problem: Problem) -> Problem:
    """The same with none of the factors, a loss for each row."""
    objective = replace(problem.objective, reduction="none", sample_weights=None, upstream=None)
    return problem.replace(objective=objective)


def exact_denominator(problem: Problem) -> Any:
    objective, total = problem.objective, mpmath.mpf(0)
    for row in range(problem.n_rows):
        ignored = bool(problem.ignored_rows[row])
        by_class = 1.0
        if objective.targets == "index" and objective.class_weights is not None and not ignored:
            by_class = objective.class_weights[int(problem.targets[row])]
        weight = (objective.sample_weights or (1.0,) * 4)[row] * by_class * (not ignored)
        total += {"sum_of_weights": weight, "number_of_rows": float(not ignored), "all_rows": 1.0}[objective.mean_over]
    return total if objective.reduction == "mean" else mpmath.mpf(1)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_enclosures_are_those_of_the_rows_times_their_factors(name: str) -> None:
    """The rows' own enclosures are narrow to 2^-20 ULP; two products and a quotient of what they hold are within 4."""
    problem = problem_of(name)
    own, found = enclose(plain(problem)), enclose(problem)
    sample = problem.objective.sample_weights or (1.0,) * 4
    above = problem.objective.upstream or (1.0,) * 4
    with mpmath.workdps(60):
        by = exact_denominator(problem)
        losses = [mpmath.mpf(s) * mpmath.mpf(float(loss)) for s, loss in zip(sample, own.loss.nearest(), strict=True)]
        rows = own.gradient.nearest()
        for i, j in np.ndindex(4, 3):
            wanted = mpmath.mpf(sample[i]) * mpmath.mpf(above[i]) * mpmath.mpf(float(rows[i, j])) / by
            assert abs(found.gradient.nearest()[i, j] - wanted) <= 4 * 2.0**-53 * abs(wanted)
        if problem.objective.reduction == "none":
            assert all(
                abs(one - wanted) <= 4 * 2.0**-53 * wanted
                for one, wanted in zip(found.loss.nearest(), losses, strict=True)
            )
        else:
            assert (
                abs(float(found.loss.nearest()) - mpmath.fsum(losses) / by) <= 4 * 2.0**-53 * mpmath.fsum(losses) / by
            )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_both_ways_of_enclosing_agree(name: str) -> None:
    problem = problem_of(name)
    one, other = enclose_by_balls(problem), enclose_by_double_double(problem)
    assert (absolute_error(one.gradient.nearest(), other.gradient) <= 2.0**-52 * np.abs(one.gradient.nearest())).all()


def test_a_row_of_weight_0_has_loss_and_gradient_0_whatever_its_logits() -> None:
    logits = LOGITS.copy()
    logits[2, 1] = np.nan
    truth = enclose(Problem(logits, LABELS, Objective("none", sample_weights=SAMPLE)))
    assert truth.loss.nearest()[2] == 0
    assert (truth.gradient.nearest()[2] == 0).all()
    assert np.isfinite(truth.loss.nearest()).all()


def test_a_mean_whose_weights_sum_to_0_is_nan() -> None:
    truth = enclose(Problem(LOGITS, LABELS, Objective(sample_weights=(0.0,) * 4)))
    assert np.isnan(truth.loss.nearest())
    assert np.isnan(truth.gradient.nearest()).all()


def test_over_all_rows_a_mean_of_nothing_but_ignored_rows_is_0() -> None:
    truth = enclose(Problem(LOGITS, np.full(4, 7), Objective(ignore_index=7, mean_over="all_rows")))
    assert (float(truth.loss.nearest()), bool((truth.gradient.nearest() == 0).all())) == (0.0, True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factor", [1e-3, 0.1, 7.3, 1e4])
def test_numbers_that_are_rounded_to_the_dtype_stay_within_the_bounds(factor: float, dtype: str) -> None:
    values = tuple(factor * one for one in (1.1, 0.3, 2.7, 1.9))
    cases = (
        (Objective("none", sample_weights=values), sample_weights_are_as_defined),
        (Objective("none", upstream=values), upstream_is_as_defined),
    )
    for objective, check in cases:
        problem = Problem(LOGITS.astype(dtype), LABELS, objective)
        assert all((finding.ratio <= 1).all() for finding in check(EVERYTHING, problem))  # type: ignore[union-attr]  # comparisons


def test_what_is_above_a_weight_is_never_below_the_bound_of_a_larger_one() -> None:
    """An error of one part in 1000 in one row of the gradient is seen, however small its factor is."""

    def off(logits: Any, labels: Any, **options: Any) -> Any:
        loss, gradient = every_option(logits, labels, **options)
        gradient[0] *= 1.001
        return loss, gradient

    objective = Objective("none", upstream=(1e-20, 1.0, 1.0, 1.0))
    wrong = Implementation("off", off, EVERYTHING.claims)
    findings = upstream_is_as_defined(wrong, Problem(LOGITS, LABELS, objective))
    assert any((finding.ratio > 1).any() for finding in findings)  # type: ignore[union-attr]  # comparisons
