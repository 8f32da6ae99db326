"""When a check applies: conditions on the claims of an implementation and on the problem, for the table of checks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.bounds import probable, widened
from gradlab.checks import backward, calculus
from gradlab.evaluation.claims import Claims
from gradlab.problems.coefficients import coefficients_of, denominator_of, denominators_of
from gradlab.problems.options import MEANS, REAL_OPTIONS
from gradlab.problems.problem import AnyProblem, Problem, moderate_limit
from gradlab.problems.sized import is_repeated, is_sized

Condition = Callable[[Claims, Problem], bool]

FEW = 256  # entries up to which checks that call many times are worth their time
TINY = 24  # entries up to which a call for each entry is


def every(*conditions: Condition) -> Condition:
    """The condition that all of these hold, tried in their order."""

    def holds(claims: Claims, problem: Problem) -> bool:
        for condition in conditions:  # noqa: SIM110  # a generator takes twice as long, 50,000 times a run
            if not condition(claims, problem):
                return False
        return True

    return holds


def finite(claims: Claims, problem: Problem) -> bool:
    return problem.is_finite and problem.n_rows > 0


def moderate(claims: Claims, problem: Problem) -> bool:
    return problem.is_moderate


def one_target(claims: Claims, problem: Problem) -> bool:
    """Every row has one class with a share: elsewhere an entry A p_j - t_j may cancel, whatever is done about it."""
    return bool(((coefficients_of(problem) > 0).sum(axis=1) == 1).all())


def primary(claims: Claims, problem: Problem) -> bool:
    """The objective that is tried on every problem: no option, the first reduction and kind of target claimed."""
    objective = problem.objective
    first = objective.reduction == claims.reduction[0] and objective.targets == claims.targets[0]
    return first and not objective.options


def small(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= FEW


def index(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "index"


def without_options(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.options


def is_masked(claims: Claims, problem: Problem) -> bool:
    return claims.masks and not problem.is_finite and bool(problem.rows_with_value.all())


def without_value(claims: Claims, problem: Problem) -> bool:
    """A row has no value, and is not ignored either."""
    return not bool((problem.rows_with_value | problem.ignored_rows).all())


def is_divided(claims: Claims, problem: Problem) -> bool:
    """A mean over nothing has no value that could have a derivative."""
    return denominator_of(problem) != 0


def alike(claims: Claims, problem: Problem) -> bool:
    """Maps of the logits, terms of the rows and what goes with a row at most: they treat classes all alike."""
    objective = problem.objective
    return objective.options.keys() == {*objective.real_options, *objective.per_row_options}


def factors_only(claims: Claims, problem: Problem) -> bool:
    """What goes with a row at most; and a mean over the first row alone has a value."""
    objective = problem.objective
    alone = denominator_of(problem.rows(slice(1)))
    return objective.options.keys() == objective.per_row_options.keys() and alone > 0


def ruled_mean(claims: Claims, problem: Problem) -> bool:
    """A mean that would be another one by another rule of `mean_over`."""
    if not problem.objective.has_ruled_mean or without_value(claims, problem):
        return False
    return len({float(denominators_of(problem, rule).sum()) for rule in MEANS}) > 1


def shift_invariant(claims: Claims, problem: Problem) -> bool:
    """Nothing is on that tells logits from the same logits and a constant more."""
    return all(REAL_OPTIONS[name].shift_invariant for name in problem.objective.real_options)


def coefficients(claims: Claims, problem: Problem) -> bool:
    """The loss is sum_j t_j (lse - x_j): of others no bound on the third derivative is known."""
    return not problem.objective.real_options


def has_option(name: str) -> Condition:
    return lambda claims, problem: name in problem.objective.options and not without_value(claims, problem)


def random_sums(claims: Claims, problem: Problem) -> bool:
    return problem.objective.is_first_order and probable.has_random_sums(problem)


def half_precision(claims: Claims, problem: Problem) -> bool:
    known = primary(claims, problem) and problem.n_rows > 0 and problem.objective.is_first_order
    return known and claims.accumulates_in != "logits" and widened.is_covered(problem)


def probability(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "probability" and problem.is_finite and not problem.objective.options


def other_reduction(claims: Claims, problem: Problem) -> bool:
    objective = problem.objective
    return objective.reduction != claims.reduction[0] and not objective.options and finite(claims, problem)


def several_classes(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes > 1


def one_class(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes == 1


def with_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows > 0


def without_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows == 0 and not problem.objective.options


def deterministic(claims: Claims, problem: Problem) -> bool:
    return claims.deterministic


def big_endian(claims: Claims, problem: Problem) -> bool:
    return claims.big_endian and problem.format.name != "bfloat16"


def tiny(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= TINY


def has_complex(claims: Claims, problem: Problem) -> bool:
    half = moderate_limit(problem.format, problem.n_classes) / 2
    known = claims.complex_step and problem.format.name in calculus.COMPLEX
    return known and float(np.abs(problem.logits64).max()) <= half


def first_order(claims: Claims, problem: Problem) -> bool:
    return problem.objective.is_first_order


def other_derivative(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.is_first_order


def second_derivative(claims: Claims, problem: Problem) -> bool:
    return problem.objective.derivative in ("hessian", "hessian_diagonal", "hessian_vector_product")


def sized(claims: Claims, problem: Problem) -> bool:
    return is_sized(problem) and not is_repeated(problem)


def repeated(claims: Claims, problem: Problem) -> bool:
    return is_repeated(problem)


def derivative(*names: str) -> Condition:
    return lambda claims, problem: problem.objective.derivative in names


def backward_pass(way: str) -> Callable[[Claims, AnyProblem], bool]:
    return lambda claims, problem: way in claims.backward


def double_backward(claims: Claims, problem: Problem) -> bool:
    return claims.double_backward


def with_loss_scale(claims: Claims, problem: AnyProblem) -> bool:
    return problem.format.name in backward.LOSS_SCALES
